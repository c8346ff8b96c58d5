/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"
#include "cmd/output.h"
#include "rehearse.h"

#include <inttypes.h>
#include <stdlib.h>

/* What is gathered while the pairs pass by. */
struct report {
	const struct snapshot *snapshot;
	bool json;
	bool all;
	size_t refused; /* pairs */
	size_t shown;
	struct buffer lines; /* for the map */
	size_t login_width;
	size_t sender_width;
	bool measuring; /* the widths; nothing is printed */
};

/* The widest that a column gets before it pushes the next ones. */
enum { WIDTH_MAX = 40 };

static struct span
shown_sender(const struct rehearsal_pair *pair)
{
	return pair->sender.len > 0 ? pair->sender : span_text("<>");
}

/* Spell the line of a text: map that would allow a pair. False where none
 * would: a denial stands, or the sender is nobody's address. */
static bool
spell_grant(const struct rehearsal_pair *pair, const struct verdict *verdict,
	    struct buffer *out)
{
	struct address login;
	struct address sender;
	struct pattern left = {PATTERN_ADDRESS, SPAN_NONE};
	struct pattern right = {PATTERN_NULL, SPAN_NONE};

	if (verdict->kind != VERDICT_REJECT ||
	    verdict->reason == REASON_DENIED ||
	    !address_parse(&login, pair->login, SPAN_NONE) ||
	    !address_is_listable(&login))
		return false;
	left.text = address_span(&login);
	if (pair->sender.len > 0) {
		if (!address_parse(&sender, pair->sender, SPAN_NONE) ||
		    !address_is_listable(&sender))
			return false;
		right.kind = PATTERN_ADDRESS;
		right.text = address_span(&sender);
	}
	pattern_format(&left, out);
	buffer_add(out, span_text("  "));
	pattern_format(&right, out);
	return true;
}

/* Print a time in the local zone, or for JSON in UTC. */
static void
format_time(int64_t time, bool utc, char out[32])
{
	time_t t = (time_t)time;
	struct tm tm;

	out[0] = '\0';
	if ((utc ? gmtime_r(&t, &tm) : localtime_r(&t, &tm)) == NULL)
		return;
	(void)strftime(out, 32, utc ? "%Y-%m-%dT%H:%M:%SZ" : "%F %T", &tm);
}

static void
print_json_row(const struct report *report, const struct rehearsal_pair *pair,
	       const struct verdict *verdict)
{
	struct buffer text = {0};
	struct buffer *out = &text;
	struct buffer line = {0};
	char time[32];

	buffer_format(out, "%s{\"login\":", report->shown > 0 ? "," : "");
	buffer_json(out, pair->login);
	buffer_add(out, span_text(",\"sender\":"));
	buffer_json(out, pair->sender);
	buffer_format(out, ",\"verdict\":\"%s\",\"reason\":\"%s\"",
		      verdict_kind_name(verdict->kind),
		      verdict_reason_name(verdict->reason));
	buffer_format(out,
		      ",\"mails\":%" PRIu64 ",\"refused\":%" PRIu64
		      ",\"warned\":%" PRIu64,
		      pair->mails, pair->refused, pair->warned);
	format_time(pair->first, true, time);
	buffer_format(out, ",\"first\":\"%s\"", time);
	format_time(pair->last, true, time);
	buffer_format(out, ",\"last\":\"%s\",\"client\":", time);
	buffer_json(out, pair->client);
	buffer_add(out, span_text(",\"origin\":"));
	if (verdict->has_origin) {
		char *origin =
		    snapshot_origin(report->snapshot, verdict->origin);

		buffer_json(out, span_text(origin));
		free(origin);
	} else {
		buffer_add(out, span_text("null"));
	}
	buffer_add(out, span_text(",\"add\":"));
	if (spell_grant(pair, verdict, &line))
		buffer_json(out, buffer_span(&line));
	else
		buffer_add(out, span_text("null"));
	buffer_byte(out, '}');
	(void)fwrite(text.data, 1, text.len, stdout);
	buffer_fini(&text);
	buffer_fini(&line);
}

static void
print_cell(enum output_colour colour, struct span text, size_t width)
{
	output_text(stdout, colour, text);
	(void)printf("%*s  ", (int)(text.len < width ? width - text.len : 0),
		     "");
}

static void
print_head(const struct report *report)
{
	print_cell(OUTPUT_FAINT, span_text("LOGIN"), report->login_width);
	print_cell(OUTPUT_FAINT, span_text("SENDER"), report->sender_width);
	output_string(stdout, OUTPUT_FAINT,
		      "VERDICT REASON         MAILS REFUSED WARNED  "
		      "FIRST                LAST                 CLIENT");
	(void)fputs("\n", stdout);
}

static void
print_row(struct report *report, const struct rehearsal_pair *pair,
	  const struct verdict *verdict)
{
	char first[32];
	char last[32];

	if (report->shown == 0)
		print_head(report);
	format_time(pair->first, false, first);
	format_time(pair->last, false, last);
	print_cell(OUTPUT_PLAIN, pair->login, report->login_width);
	print_cell(OUTPUT_PLAIN, shown_sender(pair), report->sender_width);
	output_string(stdout,
		      verdict->kind == VERDICT_ALLOW ? OUTPUT_GOOD : OUTPUT_BAD,
		      verdict_kind_name(verdict->kind));
	(void)printf("%*s %-12s %7" PRIu64 " %7" PRIu64 " %6" PRIu64
		     "  %s  %s  ",
		     (int)(7 - strlen(verdict_kind_name(verdict->kind))), "",
		     verdict_reason_name(verdict->reason), pair->mails,
		     pair->refused, pair->warned, first, last);
	output_text(stdout, OUTPUT_PLAIN, pair->client);
	(void)fputs("\n", stdout);
}

static void
widen(size_t *width, size_t len)
{
	if (len > *width)
		*width = len < WIDTH_MAX ? len : WIDTH_MAX;
}

static void
take_pair(void *arg, const struct rehearsal_pair *pair,
	  const struct verdict *verdict)
{
	struct report *report = arg;
	bool refused = verdict->kind != VERDICT_ALLOW;

	if (!refused && !report->all)
		return;
	if (report->measuring) {
		widen(&report->login_width, pair->login.len);
		widen(&report->sender_width, shown_sender(pair).len);
		return;
	}
	report->refused += refused;
	if (report->json)
		print_json_row(report, pair, verdict);
	else
		print_row(report, pair, verdict);
	if (!report->json && spell_grant(pair, verdict, &report->lines))
		buffer_byte(&report->lines, '\n');
	report->shown++;
}

/* Print what follows the rows, which are never all in memory. */
static void
print_json_end(const struct report *report,
	       const struct rehearsal_counts *counts, uint64_t lines)
{
	(void)printf("],\"lines\":%" PRIu64 ",\"mails\":%" PRIu64
		     ",\"refused\":%" PRIu64 ",\"warned\":%" PRIu64
		     ",\"unjoined\":%" PRIu64
		     ",\"pairs\":%zu,\"complete\":%s,\"would_reject\":%zu}\n",
		     lines, counts->mails, counts->refused, counts->warned,
		     counts->unjoined, counts->pairs,
		     counts->full ? "false" : "true", report->refused);
}

static void
print_summary(const struct report *report,
	      const struct rehearsal_counts *counts, uint64_t lines)
{
	if (report->shown > 0)
		(void)fputs("\n", stdout);
	(void)printf("%" PRIu64 " lines: %" PRIu64 " mails, %" PRIu64
		     " recipients refused, %" PRIu64 " warned about; "
		     "%zu pairs of login and sender\n",
		     lines, counts->mails, counts->refused, counts->warned,
		     counts->pairs);
	if (counts->unjoined > 0)
		(void)printf("%" PRIu64 " mails have no sender in this log\n",
			     counts->unjoined);
	if (counts->full)
		(void)printf("more than %d pairs: the others were left out\n",
			     REHEARSAL_PAIRS_MAX);
	(void)printf("%zu of the pairs would be refused\n", report->refused);
	if (report->lines.len == 0)
		return;
	(void)fputs("\nWhat of it is meant, add to sender-login-map.cf:\n\n",
		    stdout);
	for (size_t i = 0; i < report->lines.len;) {
		struct span line = span_from(buffer_span(&report->lines), i);

		line.len = strcspn(line.data, "\n");
		output_text(stdout, OUTPUT_PLAIN, line);
		(void)fputs("\n", stdout);
		i += line.len + 1;
	}
}

bool
rehearse_report(struct rehearsal *rehearsal, const struct snapshot *snapshot,
		struct decider *decider, uint64_t lines, bool json, bool all)
{
	struct report report = {
	    .snapshot = snapshot,
	    .json = json,
	    .all = all,
	    .login_width = strlen("LOGIN"),
	    .sender_width = strlen("SENDER"),
	};
	struct rehearsal_counts counts;

	rehearsal_count(rehearsal, &counts);
	if (json) {
		(void)fputs("{\"report\":[", stdout);
	} else {
		report.measuring = true;
		rehearsal_each(rehearsal, snapshot, decider, take_pair,
			       &report);
		report.measuring = false;
	}
	rehearsal_each(rehearsal, snapshot, decider, take_pair, &report);
	if (json)
		print_json_end(&report, &counts, lines);
	else
		print_summary(&report, &counts, lines);
	buffer_fini(&report.lines);
	return report.refused > 0;
}
