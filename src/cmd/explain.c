/* SPDX-License-Identifier: BSD-2-Clause */
/* fromguard explain: the decision, and everything that it tried. */
#include "base/buffer.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "policy/answer.h"

#include <stdlib.h>

/* A question and all that came of it. */
struct explanation {
	const struct snapshot *snapshot;
	struct span login;
	struct span sender;
	struct trace trace;
	struct verdict verdict;
	struct span reply; /* the action, as Postfix gets it */
	char reply_bytes[REPLY_MAX];
};

/* Take the action's text out of the reply as it goes over the wire. */
static struct span
action_of(const char *reply, size_t len)
{
	static const char before[] = "action=";
	size_t before_len = sizeof(before) - 1;

	return span_trim(span_of(reply + before_len, len - before_len));
}

static bool
ask(struct explanation *e)
{
	struct decider *decider = decider_new();
	size_t len;

	if (decider == NULL)
		return false;
	trace_init(&e->trace);
	e->verdict =
	    decide(e->snapshot, decider, e->login, e->sender, &e->trace);
	decider_free(decider);
	len = answer_write(e->snapshot->settings, &e->verdict, e->login,
			   e->sender, e->reply_bytes);
	e->reply = action_of(e->reply_bytes, len);
	return true;
}

static void
json_origin(struct buffer *out, const struct explanation *e, bool has_origin,
	    struct origin origin)
{
	char *text;

	if (!has_origin) {
		buffer_add(out, span_text("null"));
		return;
	}
	text = snapshot_origin(e->snapshot, origin);
	buffer_json(out, span_text(text));
	free(text);
}

static const char *
result_name(enum trace_result result)
{
	static const char *const names[] = {
	    [TRACE_MISS] = "miss",
	    [TRACE_HIT] = "hit",
	    [TRACE_NOTE] = "note",
	    [TRACE_TROUBLE] = "trouble",
	};

	return names[result];
}

static void
print_json(const struct explanation *e)
{
	struct buffer out = {0};

	buffer_add(&out, span_text("{\"login\":"));
	buffer_json(&out, e->login);
	buffer_add(&out, span_text(",\"sender\":"));
	buffer_json(&out, e->sender);
	buffer_format(&out, ",\"verdict\":\"%s\",\"reason\":\"%s\",\"origin\":",
		      verdict_kind_name(e->verdict.kind),
		      verdict_reason_name(e->verdict.reason));
	json_origin(&out, e, e->verdict.has_origin, e->verdict.origin);
	buffer_add(&out, span_text(",\"reply\":"));
	buffer_json(&out, e->reply);
	buffer_add(&out, span_text(",\"tried\":["));
	for (size_t i = 0; i < e->trace.count; i++) {
		const struct trace_step *step = &e->trace.steps[i];

		buffer_format(&out, "%s{\"result\":\"%s\",\"text\":",
			      i > 0 ? "," : "", result_name(step->result));
		buffer_json(&out, span_text(step->text));
		buffer_add(&out, span_text(",\"origin\":"));
		json_origin(&out, e, step->has_origin, step->origin);
		buffer_byte(&out, '}');
	}
	(void)printf("%s]}\n", out.data);
	buffer_fini(&out);
}

static enum output_colour
verdict_colour(enum verdict_kind kind)
{
	switch (kind) {
	case VERDICT_ALLOW:
		return OUTPUT_GOOD;
	case VERDICT_REJECT:
		return OUTPUT_BAD;
	case VERDICT_TROUBLE:
		break;
	}
	return OUTPUT_DOUBT;
}

static void
print_step(const struct explanation *e, const struct trace_step *step)
{
	static const struct {
		const char *mark;
		enum output_colour colour;
	} marks[] = {
	    [TRACE_MISS] = {"  -  ", OUTPUT_FAINT},
	    [TRACE_HIT] = {"  +  ", OUTPUT_PLAIN},
	    [TRACE_NOTE] = {"  .  ", OUTPUT_PLAIN},
	    [TRACE_TROUBLE] = {"  ?  ", OUTPUT_DOUBT},
	};
	char *origin;

	(void)fputs(marks[step->result].mark, stdout);
	output_string(stdout, marks[step->result].colour, step->text);
	if (step->has_origin) {
		origin = snapshot_origin(e->snapshot, step->origin);
		(void)fputs("  (", stdout);
		output_string(stdout, OUTPUT_PLAIN, origin);
		(void)fputs(")", stdout);
		free(origin);
	}
	(void)fputs("\n", stdout);
}

/* Print one aligned line: a name, a value. */
static void
print_line(const char *name, enum output_colour colour, struct span value)
{
	(void)printf("%-9s", name);
	output_text(stdout, colour, value);
	(void)fputs("\n", stdout);
}

static void
print_text(const struct explanation *e)
{
	enum output_colour colour = verdict_colour(e->verdict.kind);

	print_line("login", OUTPUT_PLAIN, e->login);
	print_line("sender", OUTPUT_PLAIN,
		   e->sender.len > 0 ? e->sender : span_text("<>"));
	print_line("verdict", colour,
		   span_text(verdict_kind_name(e->verdict.kind)));
	print_line("reason", OUTPUT_PLAIN,
		   span_text(verdict_reason_name(e->verdict.reason)));
	if (e->verdict.has_origin) {
		char *origin = snapshot_origin(e->snapshot, e->verdict.origin);

		print_line("grant", OUTPUT_PLAIN, span_text(origin));
		free(origin);
	}
	print_line("reply", OUTPUT_PLAIN, e->reply);
	if (e->trace.count > 0)
		(void)fputs("tried\n", stdout);
	for (size_t i = 0; i < e->trace.count; i++)
		print_step(e, &e->trace.steps[i]);
}

/* Explain one question with the maps of the options. */
static int
explain(const struct cmd_options *options, const char *login,
	const char *sender)
{
	struct snapshot *snapshot = cmd_snapshot(options);
	struct explanation e = {
	    .snapshot = snapshot,
	    .login = span_text(login),
	    .sender = strcmp(sender, "<>") == 0 ? SPAN_NONE : span_text(sender),
	};
	int status;

	if (snapshot == NULL || !ask(&e)) {
		snapshot_free(snapshot);
		return CMD_TROUBLE;
	}
	if (options->json)
		print_json(&e);
	else
		print_text(&e);
	status = e.verdict.kind == VERDICT_ALLOW    ? CMD_OK
		 : e.verdict.kind == VERDICT_REJECT ? CMD_NO
						    : CMD_TROUBLE;
	trace_fini(&e.trace);
	snapshot_free(snapshot);
	return status;
}

int
cmd_explain(int argc, char **argv)
{
	static const char short_options[] = "+c:o:h";
	static const struct option long_options[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct cmd_options options = {0};
	int c;

	while ((c = getopt_long(argc, argv, short_options, long_options,
				NULL)) != -1) {
		if (c == 'h')
			return cmd_help("explain");
		if (c == 'c')
			options.config = optarg;
		else if (c == 'o')
			cmd_options_add(&options, optarg);
		else if (c == 'j')
			options.json = true;
		else
			return cmd_bad_option("explain", argv, short_options,
					      long_options);
	}
	if (argc - optind != 2)
		return cmd_usage("explain", "a LOGIN and a SENDER are needed");
	return explain(&options, argv[optind], argv[optind + 1]);
}
