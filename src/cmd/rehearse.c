/* SPDX-License-Identifier: BSD-2-Clause */
/* fromguard rehearse: who would have been refused, by the mail log. */
#include "rehearse.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "maillog_file.h"
#include "policy/rehearsal.h"

#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where mail logs are, by distribution; docker-mailserver's is the last. */
static char usual_logs[][24] = {
    "/var/log/mail.log",
    "/var/log/maillog",
    "/var/log/mail/mail.log",
};

/* What one line of a log goes through. */
struct reading {
	struct rehearsal *rehearsal;
	time_t today;
	int64_t since;
	uint64_t lines;
};

static void
take_line(void *arg, struct span line)
{
	struct reading *reading = arg;
	struct maillog_line parsed;

	reading->lines++;
	if (maillog_parse(line, reading->today, &parsed) &&
	    parsed.time >= reading->since)
		rehearsal_take(reading->rehearsal, &parsed);
}

/* Parse "2026-11-01", a whole time stamp, or an age: "90m", "12h", "7d". */
static bool
parse_since(const char *text, time_t today, int64_t *since)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (maillog_time(span_text(text), today, since) == strlen(text) &&
	    text[0] != '\0')
		return true;
	if (text[0] < '0' || text[0] > '9' || number > 100000)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (end[0] == units[i].unit && end[1] == '\0') {
			*since = today - (int64_t)number * units[i].seconds;
			return true;
		}
	return false;
}

/* When a log was last written to; standard input goes on. */
static time_t
written(const char *log)
{
	struct stat status;

	if (strcmp(log, "-") == 0 || stat(log, &status) != 0)
		return INT64_MAX;
	return status.st_mtime;
}

static int
compare_ages(const void *a, const void *b)
{
	time_t x = written(*(char *const *)a);
	time_t y = written(*(char *const *)b);

	return x < y ? -1 : x > y;
}

/* The log to read where none was named, or NULL. */
static char *
find_usual(void)
{
	for (size_t i = 0; i < sizeof(usual_logs) / sizeof(*usual_logs); i++)
		if (access(usual_logs[i], R_OK) == 0)
			return usual_logs[i];
	(void)fprintf(stderr, "fromguard: no mail log where one usually is: "
			      "name it, or pipe it in: journalctl -u "
			      "'postfix*' | fromguard rehearse -\n");
	return NULL;
}

/* Read every log, the oldest first, since a mail may begin in one and end in
 * the next: mail.log* names the newest first. */
static bool
read_logs(struct reading *reading, char **logs, int count)
{
	char *usual[1];
	struct error error;

	if (count == 0) {
		usual[0] = find_usual();
		logs = usual;
		count = usual[0] != NULL;
	}
	qsort(logs, (size_t)count, sizeof(*logs), compare_ages);
	for (int i = 0; i < count; i++)
		if (!maillog_file_read(logs[i], take_line, reading, &error)) {
			(void)fputs("fromguard: ", stderr);
			output_string(stderr, OUTPUT_PLAIN, error.text);
			(void)fputs("\n", stderr);
			return false;
		}
	return count > 0;
}

/* Read the logs, decide, report. */
static int
rehearse(const struct cmd_options *options, struct reading *reading, bool all,
	 char **logs, int count)
{
	struct snapshot *snapshot = cmd_snapshot(options);
	struct decider *decider = snapshot != NULL ? decider_new() : NULL;
	int status = CMD_TROUBLE;

	if (decider != NULL && read_logs(reading, logs, count))
		status = rehearse_report(reading->rehearsal, snapshot, decider,
					 reading->lines, options->json, all)
			     ? CMD_NO
			     : CMD_OK;
	decider_free(decider);
	snapshot_free(snapshot);
	return status;
}

int
cmd_rehearse(int argc, char **argv)
{
	static const char short_options[] = "+c:o:h";
	static const struct option long_options[] = {
	    {"all", no_argument, NULL, 'a'},
	    {"json", no_argument, NULL, 'j'},
	    {"since", required_argument, NULL, 's'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct cmd_options options = {0};
	struct reading reading = {.today = time(NULL), .since = INT64_MIN};
	bool all = false;
	int status;
	int c;

	while ((c = getopt_long(argc, argv, short_options, long_options,
				NULL)) != -1) {
		if (c == 'h')
			return cmd_help("rehearse");
		if (c == 'c')
			options.config = optarg;
		else if (c == 'o')
			cmd_options_add(&options, optarg);
		else if (c == 'j')
			options.json = true;
		else if (c == 'a')
			all = true;
		else if (c != 's')
			return cmd_bad_option("rehearse", argv, short_options,
					      long_options);
		else if (!parse_since(optarg, reading.today, &reading.since))
			return cmd_usage("rehearse",
					 "--since: %s is neither a date "
					 "(2026-11-01) nor an age (7d, 12h)",
					 optarg);
	}
	reading.rehearsal = rehearsal_new();
	status =
	    rehearse(&options, &reading, all, argv + optind, argc - optind);
	rehearsal_free(reading.rehearsal);
	return status;
}
