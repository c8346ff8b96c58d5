/* SPDX-License-Identifier: BSD-2-Clause */
/* The table: what fromguard.conf(5), the sample file and config are held
 * against. Its order is theirs. */
#include "settings_internal.h"

#include <stdlib.h>

#define FIELD(name) offsetof(struct settings, name)

enum { MS = 1, SECONDS = 1000, MINUTES = 60 * SECONDS, HOURS = 60 * MINUTES };

static const struct setting_unit plain[] = {{"", 1}, {NULL, 0}};
/* A field in milliseconds, and one in microseconds. */
static const struct setting_unit seconds[] = {
    {"s", SECONDS}, {"ms", MS}, {"m", MINUTES}, {"h", HOURS}, {NULL, 0},
};
static const struct setting_unit milliseconds[] = {
    {"ms", 1000},
    {"us", 1},
    {"s", 1000000},
    {NULL, 0},
};

static const struct setting table[] = {
    {
	.info = {"listen", "unix:/run/fromguard/policy.sock",
		 "Where Postfix asks; sockets from systemd replace it.",
		 "a list of unix:PATH and inet:HOST:PORT", false},
	.type = &setting_endpoints,
	.offset = FIELD(listen),
	.min = 1,
	.max = 64,
    },
    {
	.info = {"socket_mode", "0660",
		 "Permissions of unix sockets: who may write may ask.",
		 "0000 to 0777, octal", false},
	.type = &setting_octal,
	.offset = FIELD(socket_mode),
	.max = 0777,
    },
    {
	.info = {"socket_owner", "",
		 "User who owns unix sockets; empty: whoever starts it.",
		 "a user, or empty", false},
	.type = &setting_account,
	.offset = FIELD(socket_owner),
	.max = 255,
    },
    {
	.info = {"socket_group", "",
		 "Group of unix sockets, such as postfix; empty: unchanged.",
		 "a group, or empty", false},
	.type = &setting_account,
	.offset = FIELD(socket_group),
	.max = 255,
    },
    {
	.info = {"maps", "",
		 "Where the grants are. They add up; '?' in front: may be "
		 "missing.",
		 "a list of TYPE:PATH", true},
	.type = &setting_maps,
	.offset = FIELD(maps),
	.max = 1000,
    },
    {
	.info = {"mode", "enforce",
		 "Whether to reject, or only to warn in Postfix's log.",
		 "enforce, warn", true},
	.type = &setting_choice,
	.offset = FIELD(mode),
    },
    {
	.info = {"self", "yes",
		 "Whether every login may use the address that it is.",
		 "no, yes", true},
	.type = &setting_yes_no,
	.offset = FIELD(self),
    },
    {
	.info = {"recipient_delimiter", "",
		 "Characters that begin a sub-address, as Postfix has them.",
		 "ASCII punctuation other than @, or empty", true},
	.type = &setting_delimiters,
	.offset = FIELD(recipient_delimiter),
    },
    {
	.info = {"local_domains", "",
		 "Domains of names without one; the first completes senders.",
		 "a list of domains, or empty", true},
	.type = &setting_domains,
	.offset = FIELD(local_domains),
	.max = 1000,
    },
    {
	.info = {"null_sender", "allow",
		 "Whether a login may use the null sender, <>.",
		 "allow, reject", true},
	.type = &setting_choice,
	.offset = FIELD(null_sender),
    },
    {
	.info = {"unlisted_sender", "reject",
		 "Whether a login may use a sender that nobody owns.",
		 "allow, reject", true},
	.type = &setting_choice,
	.offset = FIELD(unlisted_sender),
    },
    {
	.info = {"unauthenticated", "allow",
		 "Whether a client without login may use owned senders.",
		 "allow, reject", true},
	.type = &setting_choice,
	.offset = FIELD(unauthenticated),
    },
    {
	.info = {"alias_depth", "10",
		 "How many aliases may lead from a sender to its login.",
		 "1 to 100", true},
	.type = &setting_number,
	.offset = FIELD(alias_depth),
	.min = 1,
	.max = 100,
	.units = plain,
    },
    {
	.info = {"alias_members", "all",
		 "Whether aliases of several destinations let any of them "
		 "send.",
		 "all, single", true},
	.type = &setting_choice,
	.offset = FIELD(alias_members),
    },
    {
	.info = {"forwards", "none",
		 "Whether a login that forwards its mail lets the target send "
		 "as it.",
		 "none, grant", true},
	.type = &setting_choice,
	.offset = FIELD(forwards),
    },
    {
	.info = {"map_errors", "refuse",
		 "Whether a bad line refuses its map, or is left out.",
		 "refuse, skip", true},
	.type = &setting_choice,
	.offset = FIELD(map_errors),
    },
    {
	.info = {"reject_text", "not owned by user ${login}",
		 "What a rejected client is told: ${login}, ${sender}, "
		 "${domain}.",
		 "1 to 400 bytes on one line", true},
	.type = &setting_reject_text,
	.offset = FIELD(reject_text),
	.min = 1,
	.max = 400,
    },
    {
	.info = {"reload", "auto",
		 "Whether to watch maps and this file, or wait for SIGHUP.",
		 "auto, signal", false},
	.type = &setting_choice,
	.offset = FIELD(reload),
    },
    {
	.info = {"max_connections", "10000",
		 "Connections at once; the longest idle one makes room.",
		 "1 to 1000000", false},
	.type = &setting_number,
	.offset = FIELD(max_connections),
	.min = 1,
	.max = 1000000,
	.units = plain,
    },
    {
	.info = {"idle_timeout", "3600s",
		 "How long a connection may say nothing.", "100ms to 24h",
		 true},
	.type = &setting_number,
	.offset = FIELD(idle_timeout_ms),
	.min = 100 * MS,
	.max = 24 * HOURS,
	.units = seconds,
    },
    {
	.info = {"request_timeout", "30s",
		 "How long a request may take to arrive once it has begun.",
		 "100ms to 1h", true},
	.type = &setting_number,
	.offset = FIELD(request_timeout_ms),
	.min = 100 * MS,
	.max = 1 * HOURS,
	.units = seconds,
    },
    {
	.info = {"request_limit", "65536",
		 "Bytes of the longest request; longer ones are cut off.",
		 "4096 to 1048576", true},
	.type = &setting_number,
	.offset = FIELD(request_limit),
	.min = 4096,
	.max = 1048576,
	.units = plain,
    },
    {
	.info = {"rule_match_limit", "100000",
		 "Steps that one pattern may take; beyond: trouble.",
		 "1000 to 10000000", true},
	.type = &setting_number,
	.offset = FIELD(rule_match_limit),
	.min = 1000,
	.max = 10000000,
	.units = plain,
    },
    {
	.info = {"rule_budget", "20ms",
		 "Time that all rules of a request may take; beyond: trouble.",
		 "1ms to 10s", true},
	.type = &setting_number,
	.offset = FIELD(rule_budget_us),
	.min = 1000,
	.max = 10000000,
	.units = milliseconds,
    },
    {
	.info = {"metrics_listen", "",
		 "Where metrics, health and status are; empty: nowhere.",
		 "unix:PATH, inet:HOST:PORT or empty", false},
	.type = &setting_endpoints,
	.offset = FIELD(metrics_listen),
	.max = 1,
    },
    {
	.info = {"status_addresses", "no",
		 "Whether the status page shows addresses.", "no, yes", true},
	.type = &setting_yes_no,
	.offset = FIELD(status_addresses),
    },
    {
	.info = {"log", "stderr", "Where the log goes.", "stderr, syslog",
		 false},
	.type = &setting_choice,
	.offset = FIELD(log),
    },
    {
	.info = {"log_level", "info", "How much of it there is.",
		 "error, warning, info, debug", true},
	.type = &setting_choice,
	.offset = FIELD(log_level),
    },
    {
	.info = {"user", "",
		 "User to become once the sockets are bound; empty: nobody "
		 "else.",
		 "a user, or empty", false},
	.type = &setting_account,
	.offset = FIELD(user),
	.max = 255,
    },
};

size_t
setting_count(void)
{
	return sizeof(table) / sizeof(table[0]);
}

const struct setting *
setting_at(size_t i)
{
	return i < setting_count() ? &table[i] : NULL;
}

bool
setting_find(struct span name, size_t *i)
{
	for (*i = 0; *i < setting_count(); ++*i)
		if (span_is(name, table[*i].info.name))
			return true;
	return false;
}

const struct setting_info *
settings_row(size_t i)
{
	return i < setting_count() ? &table[i].info : NULL;
}
