/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fromguard ask: one question to a running server, as Postfix would ask it.
 * With --health, what it answers does not count, only that it decides.
 */
#include "base/buffer.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "policy_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	TIMEOUT_MS = 5000,
	TIMEOUT_MAX_MS = 3600 * 1000,
};

/* What the server's action means. */
struct meaning {
	int status;
	const char *verdict;
	enum output_colour colour;
};

static bool
begins_with(struct span text, const char *head)
{
	size_t len = strlen(head);

	return text.len >= len && memcmp(text.data, head, len) == 0;
}

/* Tell a reject from trouble, with mode = warn as well. */
static struct meaning
meaning_of(struct span action)
{
	if (span_is(action, "DUNNO"))
		return (struct meaning){CMD_OK, "allow", OUTPUT_GOOD};
	if (begins_with(action, "553 "))
		return (struct meaning){CMD_NO, "reject", OUTPUT_BAD};
	if (begins_with(action, "WARN fromguard: would reject: "))
		return (struct meaning){CMD_NO, "would reject", OUTPUT_BAD};
	return (struct meaning){CMD_TROUBLE, "trouble", OUTPUT_DOUBT};
}

static void
print_json(const struct policy_question *q, const struct meaning *meaning,
	   struct span action)
{
	struct buffer out = {0};

	buffer_add(&out, span_text("{\"login\":"));
	buffer_json(&out, span_text(q->login));
	buffer_add(&out, span_text(",\"sender\":"));
	buffer_json(&out, span_text(q->sender));
	buffer_format(&out, ",\"verdict\":\"%s\",\"reply\":", meaning->verdict);
	buffer_json(&out, action);
	(void)printf("%s}\n", out.data);
	buffer_fini(&out);
}

static void
print_text(const struct meaning *meaning, struct span action)
{
	output_string(stdout, meaning->colour, meaning->verdict);
	(void)fputs(": ", stdout);
	output_text(stdout, OUTPUT_PLAIN, action);
	(void)fputs("\n", stdout);
}

/* Read an endpoint; a path alone is one of a unix socket. */
static bool
parse_socket(const char *text, struct endpoint *endpoint, struct error *error)
{
	struct buffer named = {0};
	bool ok;

	if (strchr(text, '/') != NULL && strncmp(text, "unix:", 5) != 0)
		buffer_add(&named, span_text("unix:"));
	buffer_add(&named, span_text(text));
	ok = endpoint_parse(buffer_span(&named), endpoint, error);
	buffer_fini(&named);
	return ok;
}

/* Find out where the server listens: -s, else what the settings say. */
static bool
find_endpoint(const struct cmd_options *options, const char *socket_text,
	      struct endpoint *endpoint)
{
	struct settings *settings;
	struct error error;
	char *text;
	bool ok;

	if (socket_text != NULL) {
		ok = parse_socket(socket_text, endpoint, &error);
		if (!ok)
			(void)fprintf(stderr, "fromguard: %s: %s\n",
				      socket_text, error.text);
		return ok;
	}
	settings = cmd_settings(options);
	if (settings == NULL)
		return false;
	ok = settings->listen.count > 0;
	if (ok) {
		text = endpoint_format(&settings->listen.list[0]);
		ok = parse_socket(text, endpoint, &error);
		free(text);
	}
	settings_free(settings);
	return ok;
}

/* Ask and print; returns the exit status. */
static int
ask_and_print(const struct cmd_options *options, const char *socket_text,
	      struct policy_question *q)
{
	struct endpoint endpoint;
	char answer[POLICY_ANSWER_MAX];
	struct meaning meaning = {.status = CMD_TROUBLE};
	struct span action;
	char *name;

	if (!find_endpoint(options, socket_text, &endpoint))
		return CMD_TROUBLE;
	if (policy_client_ask(q, &endpoint, answer, &action)) {
		meaning = meaning_of(action);
		if (options->json)
			print_json(q, &meaning, action);
		else
			print_text(&meaning, action);
	} else {
		name = endpoint_format(&endpoint);
		(void)fprintf(stderr, "fromguard: %s: %s\n", name,
			      q->error.text);
		free(name);
	}
	free(endpoint.name);
	return meaning.status;
}

/* Parse "5s" or "500ms"; a number alone is seconds. */
static bool
parse_timeout(const char *text, int64_t *ms)
{
	char *end;
	unsigned long value;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || value > TIMEOUT_MAX_MS)
		return false;
	if (strcmp(end, "s") == 0 || *end == '\0')
		value *= 1000;
	else if (strcmp(end, "ms") != 0)
		return false;
	*ms = (int64_t)value;
	return value > 0 && value <= TIMEOUT_MAX_MS;
}

/* What the command line says. */
struct command_line {
	struct cmd_options options;
	const char *socket_text;
	int64_t timeout_ms;
	bool health;
};

/* Read the options; 0, or the status to end with. *help: it was asked for. */
static int
parse_options(int argc, char **argv, struct command_line *line, bool *help)
{
	static const char short_options[] = "+c:o:s:h";
	static const struct option long_options[] = {
	    {"socket", required_argument, NULL, 's'},
	    {"timeout", required_argument, NULL, 't'},
	    {"json", no_argument, NULL, 'j'},
	    {"health", no_argument, NULL, 'H'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, short_options, long_options,
				NULL)) != -1) {
		if (c == 'h')
			*help = true;
		else if (c == 'H')
			line->health = true;
		else if (c == 'c')
			line->options.config = optarg;
		else if (c == 'o')
			cmd_options_add(&line->options, optarg);
		else if (c == 's')
			line->socket_text = optarg;
		else if (c == 'j')
			line->options.json = true;
		else if (c != 't')
			return cmd_bad_option("ask", argv, short_options,
					      long_options);
		else if (!parse_timeout(optarg, &line->timeout_ms))
			return cmd_usage("ask", "--timeout wants a time such "
						"as 5s or 500ms");
	}
	return 0;
}

/* A newline would end the attribute, and what follows be another one. */
static bool
is_askable(const char *text)
{
	return strchr(text, '\n') == NULL;
}

/*
 * Put login and sender into the question; 0, or the status to end with. A
 * probe without any asks about nobody and the null sender: allowed by all
 * settings, it leaves no line in the log.
 */
static int
parse_question(int count, char **words, bool health, struct policy_question *q)
{
	if (count != 2 && (count != 0 || !health))
		return cmd_usage("ask", "a LOGIN and a SENDER are needed");
	q->login = count == 0 ? "" : words[0];
	q->sender = count == 0 ? "" : words[1];
	if (strcmp(q->sender, "<>") == 0)
		q->sender = "";
	if (!is_askable(q->login) || !is_askable(q->sender))
		return cmd_usage("ask", "an address is one line");
	return 0;
}

/* What a probe wants to know: 0 for an allow or a reject, 1 for trouble. */
static int
health_status(int status)
{
	return status == CMD_TROUBLE ? CMD_NO : CMD_OK;
}

int
cmd_ask(int argc, char **argv)
{
	struct command_line line = {.timeout_ms = TIMEOUT_MS};
	struct policy_question q = {0};
	bool help = false;
	int status = parse_options(argc, argv, &line, &help);

	if (status != 0)
		return status;
	if (help)
		return cmd_help("ask");
	status = parse_question(argc - optind, argv + optind, line.health, &q);
	if (status != 0)
		return status;
	q.until_ms = policy_client_now() + line.timeout_ms;
	status = ask_and_print(&line.options, line.socket_text, &q);
	return line.health ? health_status(status) : status;
}
