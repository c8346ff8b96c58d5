/* SPDX-License-Identifier: BSD-2-Clause */
/* fromguard who and what: all the answers to half a question. */
#include "policy/survey.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/output.h"

#include <stdlib.h>
#include <unistd.h>

/* One of the two commands. */
struct survey_command {
	const char *name;
	const char *argument; /* what it needs */
	const char *key;      /* of the argument in JSON */
	const char *list;     /* of the answers in JSON */
	void (*survey)(const struct snapshot *snapshot, struct decider *decider,
		       struct span text, survey_visit *visit, void *arg);
	const char *none; /* what to say where there is no answer */
};

/* The answers, to be sorted. */
struct answer {
	struct survey_item item;
	char *text;
	char *origin; /* NULL: none */
};

struct answers {
	const struct snapshot *snapshot;
	struct answer *list;
	size_t count;
	size_t room;
	bool full; /* no memory for more */
};

/* Spell an answer as people read it. */
static char *
spell(const struct survey_item *item)
{
	struct buffer text = {0};

	if (item->kind == SURVEY_RULE)
		buffer_add(&text, item->pattern.text);
	else
		pattern_format(&item->pattern, &text);
	return text.data;
}

static void
take(void *arg, const struct survey_item *item)
{
	struct answers *answers = arg;
	struct answer *answer;

	if (answers->full ||
	    !memory_try_grow((void **)&answers->list, &answers->room,
			     answers->count, sizeof(*answer))) {
		answers->full = true;
		return;
	}
	answer = &answers->list[answers->count++];
	*answer = (struct answer){.item = *item, .text = spell(item)};
	if (item->has_origin)
		answer->origin =
		    snapshot_origin(answers->snapshot, item->origin);
}

/* Grants first, then rules, then denials; in each by name. */
static int
compare(const void *a, const void *b)
{
	const struct answer *x = a;
	const struct answer *y = b;

	if (x->item.kind != y->item.kind)
		return (int)x->item.kind - (int)y->item.kind;
	return strcmp(x->text, y->text);
}

static const char *
kind_name(enum survey_kind kind)
{
	static const char *const names[] = {
	    [SURVEY_MAY] = "may",
	    [SURVEY_RULE] = "rule",
	    [SURVEY_EXCEPT] = "never",
	};

	return names[kind];
}

static void
print_json(const struct survey_command *command, struct span argument,
	   const struct answers *answers)
{
	struct buffer out = {0};

	buffer_format(&out, "{\"%s\":", command->key);
	buffer_json(&out, argument);
	buffer_format(&out, ",\"%s\":[", command->list);
	for (size_t i = 0; i < answers->count; i++) {
		const struct answer *answer = &answers->list[i];

		buffer_format(&out, "%s{\"kind\":\"%s\",\"pattern\":",
			      i > 0 ? "," : "", kind_name(answer->item.kind));
		buffer_json(&out, span_text(answer->text));
		buffer_format(&out, ",\"reason\":\"%s\",\"origin\":",
			      verdict_reason_name(answer->item.reason));
		if (answer->origin != NULL)
			buffer_json(&out, span_text(answer->origin));
		else
			buffer_add(&out, span_text("null"));
		buffer_byte(&out, '}');
	}
	(void)printf("%s]}\n", out.data);
	buffer_fini(&out);
}

static void
print_text(const struct answers *answers)
{
	size_t width = 0;

	for (size_t i = 0; i < answers->count; i++)
		if (strlen(answers->list[i].text) > width)
			width = strlen(answers->list[i].text);
	if (width > 48)
		width = 48;
	for (size_t i = 0; i < answers->count; i++) {
		const struct answer *answer = &answers->list[i];
		bool never = answer->item.kind == SURVEY_EXCEPT;
		size_t len = strlen(answer->text);

		output_string(stdout, never ? OUTPUT_BAD : OUTPUT_PLAIN,
			      answer->text);
		(void)printf("%*s  %-*s", (int)(len < width ? width - len : 0),
			     "", answer->origin != NULL ? 8 : 0,
			     never ? "never"
				   : verdict_reason_name(answer->item.reason));
		if (answer->origin != NULL) {
			(void)fputs("  ", stdout);
			output_string(stdout, OUTPUT_FAINT, answer->origin);
		}
		(void)fputs("\n", stdout);
	}
}

static void
answers_fini(struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++) {
		free(answers->list[i].text);
		free(answers->list[i].origin);
	}
	free(answers->list);
}

/* Do the survey; the exit status tells whether there was any answer. */
static int
survey(const struct survey_command *command, const struct cmd_options *options,
       const char *argument)
{
	struct snapshot *snapshot = cmd_snapshot(options);
	struct decider *decider = snapshot != NULL ? decider_new() : NULL;
	struct answers answers = {.snapshot = snapshot};
	struct span text =
	    strcmp(argument, "<>") == 0 ? SPAN_NONE : span_text(argument);
	int status = CMD_NO;

	if (decider == NULL) {
		snapshot_free(snapshot);
		return CMD_TROUBLE;
	}
	command->survey(snapshot, decider, text, take, &answers);
	if (answers.count > 0)
		qsort(answers.list, answers.count, sizeof(*answers.list),
		      compare);
	for (size_t i = 0; i < answers.count; i++)
		if (answers.list[i].item.kind != SURVEY_EXCEPT)
			status = CMD_OK;
	if (options->json)
		print_json(command, text, &answers);
	else
		print_text(&answers);
	/* A script sees that there is nothing. */
	if (status == CMD_NO && !options->json && isatty(STDOUT_FILENO))
		(void)printf("%s\n", command->none);
	if (answers.full)
		status = CMD_TROUBLE;
	answers_fini(&answers);
	decider_free(decider);
	snapshot_free(snapshot);
	return status;
}

/* Read the command line of either command. */
static int
run(const struct survey_command *command, int argc, char **argv)
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
			return cmd_help(command->name);
		if (c == 'c')
			options.config = optarg;
		else if (c == 'o')
			cmd_options_add(&options, optarg);
		else if (c == 'j')
			options.json = true;
		else
			return cmd_bad_option(command->name, argv,
					      short_options, long_options);
	}
	if (argc - optind != 1)
		return cmd_usage(command->name, "one %s is needed",
				 command->argument);
	return survey(command, &options, argv[optind]);
}

int
cmd_who(int argc, char **argv)
{
	static const struct survey_command command = {
	    "who",    "SENDER",   "sender",
	    "logins", survey_who, "nobody may use it",
	};

	return run(&command, argc, argv);
}

int
cmd_what(int argc, char **argv)
{
	static const struct survey_command command = {
	    "what",    "LOGIN",     "login",
	    "senders", survey_what, "there is no sender that it may use",
	};

	return run(&command, argc, argv);
}
