/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands share: their options, and what is loaded by them. */
#include "base/memory.h"
#include "base/nearest.h"
#include "cmd/cmd.h"
#include "cmd/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What -o said. Like the command line it is one a process, and stays. */
static const char **settings_of_line;

void
cmd_options_add(struct cmd_options *options, const char *set)
{
	size_t count = options->set_count;
	const char **longer = memory_zero(count + 1, sizeof(*longer));

	for (size_t i = 0; i < count; i++)
		longer[i] = options->set[i];
	longer[count] = set;
	free(settings_of_line);
	settings_of_line = longer;
	options->set = longer;
	options->set_count = count + 1;
}

/* The long option that getopt_long() has found at fault, where it was one. */
static const struct option *
known_option(const struct option *long_options)
{
	for (; long_options->name != NULL; long_options++)
		if (optopt != 0 && long_options->val == optopt)
			return long_options;
	return NULL;
}

/* Say that there is no such long option, which was written "--NAME[=...]". */
static int
unknown_option(const char *name, const char *written,
	       const struct option *long_options)
{
	struct span word = span_of(written, strcspn(written, "="));
	struct nearest nearest;

	nearest_init(&nearest, span_from(word, 2));
	for (; long_options->name != NULL; long_options++)
		nearest_offer(&nearest, span_text(long_options->name));
	if (nearest.name.len > 0)
		return cmd_usage(name,
				 "unknown option %" SPAN_FMT
				 " (did you mean --%" SPAN_FMT "?)",
				 SPAN_ARG(word), SPAN_ARG(nearest.name));
	return cmd_usage(name, "unknown option %" SPAN_FMT, SPAN_ARG(word));
}

int
cmd_bad_option(const char *name, char *const *argv, const char *short_options,
	       const struct option *long_options)
{
	const char *written = argv[optind - 1];
	const struct option *known = known_option(long_options);
	bool is_long = strncmp(written, "--", 2) == 0;

	if (is_long && known != NULL)
		return cmd_usage(name,
				 known->has_arg == required_argument
				     ? "--%s needs a value"
				     : "--%s takes no value",
				 known->name);
	if (is_long && optopt == 0)
		return unknown_option(name, written, long_options);
	if (strchr(short_options, optopt) != NULL)
		return cmd_usage(name, "-%c needs a value", optopt);
	return cmd_usage(name, "unknown option -%c", optopt);
}

void
cmd_print_problems(const struct problems *problems)
{
	char text[8192]; /* a path, and the longest text of a problem */
	size_t left = problems->warnings + problems->errors - problems->count;

	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];
		bool warning = problem->severity == PROBLEM_WARNING;

		problem_format(problem, text, sizeof(text));
		(void)fputs("fromguard: ", stderr);
		output_string(stderr, warning ? OUTPUT_DOUBT : OUTPUT_BAD,
			      warning ? "warning: " : "");
		output_string(stderr, OUTPUT_PLAIN, text);
		(void)fputs("\n", stderr);
	}
	if (left > 0)
		(void)fprintf(stderr, "fromguard: and %zu problems more\n",
			      left);
}

/* Find the configuration; empty: there is none. */
static const char *
config_path(const struct cmd_options *options)
{
	const char *named = getenv("FROMGUARD_CONFIG");

	if (options->config != NULL)
		return options->config;
	if (named != NULL && named[0] != '\0')
		return named;
	return access(CMD_CONFIG_FILE, F_OK) == 0 ? CMD_CONFIG_FILE : "";
}

struct settings *
cmd_settings_collect(const struct cmd_options *options,
		     struct problems *problems)
{
	return settings_load(config_path(options), environ, options->set,
			     options->set_count, problems);
}

struct settings *
cmd_settings(const struct cmd_options *options)
{
	struct settings *settings;
	struct problems problems;

	problems_init(&problems);
	settings = cmd_settings_collect(options, &problems);
	cmd_print_problems(&problems);
	problems_fini(&problems);
	return settings;
}

struct snapshot *
cmd_snapshot(const struct cmd_options *options)
{
	struct settings *settings = cmd_settings(options);
	struct snapshot *snapshot;
	struct problems problems;

	if (settings == NULL)
		return NULL;
	if (settings->maps.count == 0) {
		(void)fprintf(
		    stderr,
		    "fromguard: maps is not set, so there are no grants: set "
		    "it in %s (maps = text:/etc/fromguard/senders) or on the "
		    "command line (-o maps=text:/etc/fromguard/senders)\n",
		    settings->file[0] != '\0' ? settings->file
					      : CMD_CONFIG_FILE);
		settings_free(settings);
		return NULL;
	}
	problems_init(&problems);
	snapshot = snapshot_load(settings, &problems);
	cmd_print_problems(&problems);
	problems_fini(&problems);
	return snapshot;
}
