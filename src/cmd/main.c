/* SPDX-License-Identifier: BSD-2-Clause */
/* The program: one table of commands. */
#include "base/memory.h"
#include "base/nearest.h"
#include "cmd/cmd.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const struct cmd table[] = {
    {
	.name = "serve",
	.arguments = "",
	.summary = "answer Postfix, in the foreground",
	.help =
	    "Loads the maps, opens the sockets of the setting listen (or\n"
	    "takes those that systemd hands over), and answers Postfix's\n"
	    "check_policy_service until SIGTERM. SIGHUP loads configuration\n"
	    "and maps again; with reload = auto that happens by itself.\n"
	    "\n"
	    "Example: try it with a running Postfix, and only warn\n"
	    "  fromguard serve -o mode=warn -o "
	    "maps=text:/etc/fromguard/senders\n"
	    "and in main.cf\n"
	    "  smtpd_sender_restrictions =\n"
	    "    check_policy_service unix:/run/fromguard/policy.sock\n"
	    "\n"
	    "Exit status: 0 it was told to end, 1 it could not start.\n",
	.configured = true,
	.run = cmd_serve,
    },
    {
	.name = "explain",
	.arguments = "[--json] LOGIN SENDER",
	.summary = "may LOGIN use SENDER, and why",
	.help =
	    "Decides as the server would, with the same maps, and shows the\n"
	    "grant that decided with its file and line, the reply, and\n"
	    "everything that was tried. Write <> for the null sender.\n"
	    "\n"
	    "  --json         print one JSON object\n"
	    "\n"
	    "Example:\n"
	    "  fromguard explain user@example.com alias@example.com\n"
	    "\n"
	    "Exit status: 0 allow, 1 reject, 2 trouble.\n",
	.configured = true,
	.run = cmd_explain,
    },
    {
	.name = "who",
	.arguments = "[--json] SENDER",
	.summary = "every login that may use SENDER",
	.help =
	    "Lists logins and login patterns, each with the reason and the\n"
	    "grant. A line with \"never\" is a denial, which takes logins out\n"
	    "of the others.\n"
	    "\n"
	    "  --json         print one JSON object\n"
	    "\n"
	    "Example: who can write as the info desk?\n"
	    "  fromguard who info@example.com\n"
	    "\n"
	    "Exit status: 0 somebody may, 1 nobody, 2 trouble.\n",
	.configured = true,
	.run = cmd_who,
    },
    {
	.name = "what",
	.arguments = "[--json] LOGIN",
	.summary = "every sender that LOGIN may use",
	.help =
	    "Lists addresses and sender patterns, each with the reason and\n"
	    "the grant, and the rules that can give it more, each with its\n"
	    "pattern. A line with \"never\" is a denial, which takes\n"
	    "addresses out of the others.\n"
	    "\n"
	    "  --json         print one JSON object\n"
	    "\n"
	    "Example: which addresses to offer in a mail program?\n"
	    "  fromguard what --json user@example.com\n"
	    "\n"
	    "Exit status: 0 there are some, 1 none, 2 trouble.\n",
	.configured = true,
	.run = cmd_what,
    },
    {
	.name = "lint",
	.arguments = "[--json]\n[--postfix [FILE...]]",
	.summary = "what is wrong with configuration, maps and Postfix",
	.help =
	    "Reports every error, and what loads well and is probably not "
	    "meant: patterns\nthat match too much, alias loops, grants to "
	    "nobody, denials of nothing,\nduplicates.\n"
	    "\n"
	    "  --json     print one JSON object\n"
	    "  --postfix  look at Postfix, too: does it ask fromguard, and "
	    "before anything\n             that makes the check dead? Reads "
	    "FILEs (- is standard input) with\n             what postconf -n, "
	    "-P and -F print; without any, runs them\n"
	    "\n"
	    "Example: on the mail server\n"
	    "  fromguard lint --postfix\n"
	    "and for one in a container\n"
	    "  docker exec mailserver sh -c 'postconf -n; postconf -P; "
	    "postconf -F' |\n    fromguard lint --postfix -\n"
	    "\n"
	    "Exit status: 0 no errors (there may be warnings), 1 errors.\n",
	.configured = true,
	.run = cmd_lint,
    },
    {
	.name = "rehearse",
	.arguments = "[--all] [--since WHEN]\n[--json] [LOG...]",
	.summary = "who would have been refused, by the mail log",
	.help =
	    "Reads Postfix's mail log, joins login and sender of each mail, "
	    "and decides\nevery pair as the server would: what to mend before "
	    "enforcement is switched on.\nLogs may be packed (gzip, xz, bzip2, "
	    "zstd); - is standard input; without any\nit is "
	    "/var/log/mail.log, or where else it usually is.\n"
	    "\n"
	    "  --all         show the pairs that are allowed, too\n"
	    "  --json        print one JSON object\n"
	    "  --since WHEN  a date (2026-11-01), a time stamp, or an age (7d, "
	    "12h)\n"
	    "\n"
	    "Example:\n"
	    "  fromguard rehearse /var/log/mail.log.1 /var/log/mail.log\n"
	    "  journalctl -u 'postfix*' -o short-iso |\n"
	    "    fromguard rehearse --since 7d -\n"
	    "\n"
	    "Exit status: 0 nobody would be refused, 1 some would, 2 "
	    "trouble.\n",
	.configured = true,
	.run = cmd_rehearse,
    },
    {
	.name = "ask",
	.arguments = "[-s SOCKET]\n       [--timeout TIME] [--json] [--health] "
		     "LOGIN SENDER",
	.summary = "ask a running server, as Postfix would",
	.help =
	    "Sends one request to the first socket of the setting listen\n"
	    "and shows the answer; a health check, too.\n"
	    "\n"
	    "  -s, --socket SOCKET\n"
	    "                 ask there: a path, unix:PATH or inet:HOST:PORT\n"
	    "  --timeout TIME wait so long for an answer (5s)\n"
	    "  --json         print one JSON object\n"
	    "  --health       does it decide? An allow or a reject is 0,\n"
	    "                 everything else 1; LOGIN and SENDER may be left "
	    "out\n"
	    "\n"
	    "Examples: what does it say, is it up?\n"
	    "  fromguard ask me@example.com alias@example.com\n"
	    "  fromguard ask --health -s /run/fromguard/policy.sock\n"
	    "\n"
	    "Exit status: 0 allow, 1 reject, 2 trouble or no answer; with "
	    "--health 0 or 1.\n",
	.configured = true,
	.run = cmd_ask,
    },
    {
	.name = "compile",
	.arguments = "[-c FILE] [--set NAME=VALUE]... -o OUT\n       [--from "
		     "-] [MAP]...",
	.summary = "make one compiled map of many maps",
	.help =
	    "Reads maps of any type but pcre:, all together, and writes one\n"
	    "constant database, which loads much faster and is always whole:\n"
	    "it is written beside OUT and takes its place once it is on\n"
	    "disk. Where anything is wrong in any map, nothing is written.\n"
	    "\n"
	    "  -o, --output OUT\n"
	    "                 the file to write; to be named as cdb:OUT\n"
	    "  -c FILE        read local_domains there; else\n"
	    "                 $FROMGUARD_CONFIG, else\n"
	    "                 " CMD_CONFIG_FILE "\n"
	    "  --set NAME=VALUE\n"
	    "                 a setting that beats the configuration's\n"
	    "  --from -       standard input is a text: map as well\n"
	    "\n"
	    "Example: what a database knows, and what people wrote\n"
	    "  mysql -BN -e 'SELECT login, sender FROM grants' |\n"
	    "    fromguard compile -o /etc/fromguard/senders.cdb \\\n"
	    "      --from - text:/etc/fromguard/senders\n"
	    "and in fromguard.conf\n"
	    "  maps = cdb:/etc/fromguard/senders.cdb\n"
	    "\n"
	    "Exit status: 0 it is written, 1 nothing has changed.\n",
	.run = cmd_compile,
    },
    {
	.name = "config",
	.arguments = "[-n] [--json]",
	.summary = "the settings in force",
	.help =
	    "Prints them as fromguard.conf spells them. -o beats the\n"
	    "environment (FROMGUARD_MODE=warn), which beats the file, which\n"
	    "beats the defaults.\n"
	    "\n"
	    "  -n             only what is not as it is by default\n"
	    "  --json         with default, range, help, and where a value\n"
	    "                 is from\n"
	    "\n"
	    "Example: what would a trial run with?\n"
	    "  fromguard config -n -o mode=warn\n"
	    "\n"
	    "Exit status: 0, or 1 where a setting is wrong.\n",
	.configured = true,
	.run = cmd_config,
    },
    {
	.name = "version",
	.arguments = "",
	.summary = "which version this is",
	.help = "Example:\n"
		"  fromguard version\n",
	.run = cmd_version,
    },
};

enum { COMMANDS = sizeof(table) / sizeof(table[0]) };

const struct cmd *
cmd_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static void
print_usage(FILE *stream, const struct cmd *cmd)
{
	assert(cmd != NULL); /* commands name themselves */
	(void)fprintf(stream, "usage: fromguard %s%s%s%s\n", cmd->name,
		      cmd->configured ? " [-c FILE] [-o NAME=VALUE]..." : "",
		      cmd->arguments[0] != '\0' ? " " : "", cmd->arguments);
}

int
cmd_help(const char *name)
{
	const struct cmd *cmd = cmd_find(name);

	assert(cmd != NULL);
	print_usage(stdout, cmd);
	(void)printf("\nfromguard %s: %s.\n\n", cmd->name, cmd->summary);
	if (cmd->configured)
		(void)printf("  -c FILE        read this configuration; else "
			     "$FROMGUARD_CONFIG, else\n"
			     "                 %s\n"
			     "  -o NAME=VALUE  a setting that beats the "
			     "configuration's\n\n",
			     CMD_CONFIG_FILE);
	(void)fputs(cmd->help, stdout);
	return CMD_OK;
}

int
cmd_usage(const char *name, const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "fromguard %s: ", name);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputs("\n", stderr);
	print_usage(stderr, cmd_find(name));
	(void)fprintf(stderr, "fromguard %s --help says more\n", name);
	return CMD_USAGE;
}

static void
print_commands(FILE *stream)
{
	(void)fputs("usage: fromguard COMMAND [OPTION]... [ARGUMENT]...\n\n"
		    "Tells Postfix whether a login may use an envelope "
		    "sender.\n\n",
		    stream);
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(stream, "  %-9s %s\n", table[i].name,
			      table[i].summary);
	(void)fputs("\nfromguard COMMAND --help says more of each, with an "
		    "example.\n",
		    stream);
}

static int
unknown_command(const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, span_text(name));
	for (size_t i = 0; i < COMMANDS; i++)
		nearest_offer(&nearest, span_text(table[i].name));
	if (nearest.name.len > 0)
		(void)fprintf(stderr,
			      "fromguard: unknown command %s (did you mean "
			      "%" SPAN_FMT "?)\n",
			      name, SPAN_ARG(nearest.name));
	else
		(void)fprintf(stderr,
			      "fromguard: unknown command %s; fromguard --help "
			      "lists them\n",
			      name);
	return CMD_USAGE;
}

/* Find the command that is meant and run it. */
static int
run(int argc, char **argv)
{
	const struct cmd *cmd;

	if (argc < 2) {
		print_commands(stderr);
		return CMD_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_commands(stdout);
		return CMD_OK;
	}
	cmd = cmd_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
	return cmd == NULL ? unknown_command(argv[1])
			   : cmd->run(argc - 1, argv + 1);
}

int
main(int argc, char **argv)
{
	int status;

	memory_init();
	opterr = 0; /* cmd_bad_option() says more */
	status = run(argc, argv);
	/* An answer that was not written is none. */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	(void)fprintf(stderr, "fromguard: standard output: %s\n",
		      strerror(errno));
	return status == CMD_OK ? CMD_TROUBLE : status;
}
