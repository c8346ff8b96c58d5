/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of the one program. Each is a function cmd_NAME() in a file of
 * src/cmd and a row of main.c's table.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "policy/decide.h"

#include <getopt.h>

/* The options that all commands that read the configuration share. */
struct cmd_options {
	const char *config; /* -c; else FROMGUARD_CONFIG, else the default file
			       where there is one */
	const char *const *set; /* -o name=value, in their order */
	size_t set_count;
	bool json; /* --json */
};

enum { CMD_OK = 0, CMD_NO = 1, CMD_TROUBLE = 2, CMD_USAGE = 64 };

/* The configuration where nothing names another. */
#define CMD_CONFIG_FILE "/etc/fromguard/fromguard.conf"

/* One command: argv[0] is its name. Returns the exit status. */
typedef int cmd_function(int argc, char **argv);

cmd_function cmd_serve, cmd_compile, cmd_explain, cmd_ask, cmd_config,
    cmd_version, cmd_who, cmd_what, cmd_lint, cmd_rehearse;

/* A row of main.c's table. */
struct cmd {
	const char *name;
	const char *arguments; /* "[--json] LOGIN SENDER"; newlines may be in
				  it, and seven blanks behind them */
	const char *summary;   /* one line */
	const char *help;      /* the rest of --help, with an example */
	bool configured;       /* takes -c and -o */
	cmd_function *run;
};

/* The row of a command, or NULL. */
const struct cmd *cmd_find(const char *name);
/* Print the help of a command to standard output; returns CMD_OK. */
int cmd_help(const char *name);
/* Say what is wrong with the command line and where help is; returns
 * CMD_USAGE. */
int cmd_usage(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * The same for the option at which getopt_long() has just answered '?', with
 * the nearest right one; short_options and long_options are what it was given.
 */
int cmd_bad_option(const char *name, char *const *argv,
		   const char *short_options,
		   const struct option *long_options);

/* Add one -o to the options, of which a process has one; the text is borrowed.
 */
void cmd_options_add(struct cmd_options *options, const char *set);

/* Load the settings as the options say; what is wrong goes to *problems. */
struct settings *cmd_settings_collect(const struct cmd_options *options,
				      struct problems *problems);
/* Load the settings as the options say, print all problems to standard error;
 * NULL where there was an error. */
struct settings *cmd_settings(const struct cmd_options *options);
/* The same, and then the maps; having none is an error here. */
struct snapshot *cmd_snapshot(const struct cmd_options *options);
/* Print problems to standard error, one a line, "fromguard: " in front. */
void cmd_print_problems(const struct problems *problems);

#endif
