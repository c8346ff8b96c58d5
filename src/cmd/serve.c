/* SPDX-License-Identifier: BSD-2-Clause */
/* fromguard serve: the server, in the foreground. */
#include "base/memory.h"
#include "cmd/cmd.h"
#include "server/privilege.h"
#include "server/server.h"
#include "server/startup.h"

#include <stdio.h>
#include <stdlib.h>

/* What has to be there before the server runs. */
struct start {
	struct listeners listeners;
	struct listeners metrics;
	struct watch_list *files;
	struct snapshot *snapshot;
};

/*
 * Open the sockets, become the user of the settings, and load the maps as
 * that user, so that what it may not read fails the start and not the first
 * reload. False where anything is wrong; all of it is in problems.
 */
static bool
open_and_load(struct start *start, struct settings *take_settings,
	      struct problems *problems)
{
	struct error error;

	if (!listeners_open(&start->listeners, take_settings, problems) ||
	    !listeners_open_metrics(&start->metrics, take_settings, problems)) {
		settings_free(take_settings);
		return false;
	}
	if (!privilege_drop(take_settings->user, &error)) {
		problems_add(problems, PROBLEM_REFUSAL, "user", 0, "%s",
			     error.text);
		settings_free(take_settings);
		return false;
	}
	start->files = watch_list_new(take_settings->file);
	watch_list_add_maps(start->files, take_settings);
	start->snapshot =
	    startup_load(&start->metrics, take_settings, problems);
	return start->snapshot != NULL;
}

/* Run the server; true where it ended because it was told to. */
static bool
run(struct start *start, const struct cmd_options *options)
{
	const char *file = start->snapshot->settings->file;
	/* A copy, as a reload frees the snapshot. */
	char *path = memory_copy(file, strlen(file));
	const struct reload_source source = {
	    .path = path,
	    .options = options->set,
	    .option_count = options->set_count,
	};
	bool ok = server_run(&start->listeners, &start->metrics,
			     start->snapshot, start->files, &source);

	free(path);
	return ok;
}

static int
serve(const struct cmd_options *options)
{
	struct settings *settings = cmd_settings(options);
	struct start start = {0};
	struct problems problems;
	bool ok;

	if (settings == NULL)
		return CMD_NO;
	if (settings->maps.count == 0) {
		(void)fputs("fromguard: maps is not set, so nobody could send "
			    "anything; for example: maps = "
			    "text:/etc/fromguard/senders\n",
			    stderr);
		settings_free(settings);
		return CMD_NO;
	}
	log_open(settings->log, settings->log_level);
	problems_init(&problems);
	ok = open_and_load(&start, settings, &problems);
	cmd_print_problems(&problems);
	problems_fini(&problems);
	if (ok)
		return run(&start, options) ? CMD_OK : CMD_NO;
	watch_list_free(start.files);
	listeners_close(&start.listeners);
	listeners_close(&start.metrics);
	return CMD_NO;
}

int
cmd_serve(int argc, char **argv)
{
	static const char short_options[] = "+c:o:h";
	static const struct option long_options[] = {
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct cmd_options options = {0};
	int c;

	while ((c = getopt_long(argc, argv, short_options, long_options,
				NULL)) != -1) {
		if (c == 'h')
			return cmd_help("serve");
		if (c == 'c')
			options.config = optarg;
		else if (c == 'o')
			cmd_options_add(&options, optarg);
		else
			return cmd_bad_option("serve", argv, short_options,
					      long_options);
	}
	if (optind != argc)
		return cmd_usage("serve", "there is an argument too many: %s",
				 argv[optind]);
	return serve(&options);
}
