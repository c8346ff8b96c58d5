/* SPDX-License-Identifier: BSD-2-Clause */
/* fromguard lint: what is wrong with the configuration, the maps, Postfix. */
#include "policy/lint.h"
#include "base/buffer.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "lint_postfix.h"

#include <getopt.h>
#include <stdlib.h>

static const char *
severity_name(enum severity severity)
{
	return severity == PROBLEM_WARNING ? "warning" : "error";
}

static void
print_problem(const struct problem *problem)
{
	bool warning = problem->severity == PROBLEM_WARNING;

	output_string(stdout, OUTPUT_PLAIN, problem->file);
	if (problem->line > 0)
		(void)printf(":%u", problem->line);
	(void)fputs(": ", stdout);
	output_string(stdout, warning ? OUTPUT_DOUBT : OUTPUT_BAD,
		      severity_name(problem->severity));
	(void)fputs(": ", stdout);
	output_string(stdout, OUTPUT_PLAIN, problem->text);
	(void)fputs("\n", stdout);
}

static void
print_text(const struct problems *problems)
{
	size_t found = problems->errors + problems->warnings;

	for (size_t i = 0; i < problems->count; i++)
		print_problem(&problems->list[i]);
	if (found > problems->count)
		(void)printf("... and %zu more\n", found - problems->count);
	(void)printf("%zu error%s, %zu warning%s\n", problems->errors,
		     problems->errors == 1 ? "" : "s", problems->warnings,
		     problems->warnings == 1 ? "" : "s");
}

static void
print_json(const struct problems *problems)
{
	struct buffer out = {0};

	buffer_format(&out, "{\"errors\":%zu,\"warnings\":%zu,\"findings\":[",
		      problems->errors, problems->warnings);
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];

		buffer_format(
		    &out, "%s{\"severity\":\"%s\",\"file\":", i > 0 ? "," : "",
		    severity_name(problem->severity));
		buffer_json(&out, span_text(problem->file));
		buffer_format(&out, ",\"line\":%u,\"text\":", problem->line);
		buffer_json(&out, span_text(problem->text));
		buffer_byte(&out, '}');
	}
	(void)printf("%s]}\n", out.data);
	buffer_fini(&out);
}

/* Load the maps and look through them. */
static void
lint_maps(struct settings *take_settings, struct problems *problems)
{
	struct snapshot *snapshot;
	struct decider *decider;

	if (take_settings->maps.count == 0) {
		problems_add(problems, PROBLEM_ERROR,
			     take_settings->file[0] != '\0'
				 ? take_settings->file
				 : "maps",
			     0, "maps is not set: there is nothing to check");
		settings_free(take_settings);
		return;
	}
	/* What is right in a map is looked at although a line is wrong. */
	take_settings->map_errors = MAP_ERRORS_SKIP;
	snapshot = snapshot_load(take_settings, problems);
	decider = snapshot != NULL ? decider_new() : NULL;
	if (decider != NULL)
		lint_snapshot(snapshot, decider, problems);
	decider_free(decider);
	snapshot_free(snapshot);
}

/* Read Postfix's configuration from the files, or else from postconf. */
static bool
read_postfix(struct postconf *postconf, char **files, int count,
	     struct error *error)
{
	for (int i = 0; i < count; i++)
		if (!postconf_read(postconf, files[i], error))
			return false;
	return count > 0 || postconf_run(postconf, error);
}

static void
check_postfix(const struct settings *settings, char **files, int count,
	      struct problems *problems)
{
	struct postconf postconf;
	struct error error;

	postconf_init(&postconf);
	if (read_postfix(&postconf, files, count, &error))
		lint_postfix(&postconf, settings, problems);
	else
		problems_add(problems, PROBLEM_ERROR, "Postfix", 0, "%s",
			     error.text);
	postconf_fini(&postconf);
}

/* Look at everything that was asked for. */
static int
lint(const struct cmd_options *options, bool postfix, char **files, int count)
{
	struct problems problems;
	struct settings *settings;
	int status;

	problems_init(&problems);
	settings = cmd_settings_collect(options, &problems);
	if (postfix)
		check_postfix(settings, files, count, &problems);
	if (settings != NULL)
		lint_maps(settings, &problems);
	if (options->json)
		print_json(&problems);
	else
		print_text(&problems);
	status = problems.errors > 0 ? CMD_NO : CMD_OK;
	problems_fini(&problems);
	return status;
}

int
cmd_lint(int argc, char **argv)
{
	static const char short_options[] = "+c:o:h";
	static const struct option long_options[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"postfix", no_argument, NULL, 'p'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct cmd_options options = {0};
	bool postfix = false;
	int c;

	while ((c = getopt_long(argc, argv, short_options, long_options,
				NULL)) != -1) {
		if (c == 'h')
			return cmd_help("lint");
		if (c == 'c')
			options.config = optarg;
		else if (c == 'o')
			cmd_options_add(&options, optarg);
		else if (c == 'j')
			options.json = true;
		else if (c == 'p')
			postfix = true;
		else
			return cmd_bad_option("lint", argv, short_options,
					      long_options);
	}
	if (argc > optind && !postfix)
		return cmd_usage("lint", "files go with --postfix alone");
	return lint(&options, postfix, argv + optind, argc - optind);
}
