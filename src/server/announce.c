/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/announce.h"
#include "base/log.h"
#include "server/systemd.h"

#include <stdio.h>
#include <time.h>

enum {
	PROBLEMS_SAID = 20, /* of a load: the log is no place for all */
};

static void
add_counts(struct log_line *line, const struct snapshot *snapshot)
{
	struct grants_counts counts;

	grants_count(snapshot->grants, &counts);
	log_number(line, "maps", snapshot->settings->maps.count);
	log_number(line, "grants", counts.grants);
	log_number(line, "denials", counts.denials);
	log_number(line, "aliases", counts.edges);
	log_number(line, "accounts", counts.accounts);
	log_number(line, "rules", snapshot->rule_count);
}

static void
announce_listener(const struct listener *listener)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "listen");
	log_text(&line, "socket", listener->name);
	log_end(&line);
	if (listener->exposed)
		log_note(LOG_LEVEL_WARNING, "exposed",
			 "other machines may reach %s and ask whether a login "
			 "may use a sender; a unix socket, or inet:127.0.0.1, "
			 "is for this one alone",
			 listener->name);
}

void
announce_metrics(const struct listeners *listeners)
{
	struct log_line line;

	for (size_t i = 0; i < listeners->count; i++) {
		log_begin(&line, LOG_LEVEL_INFO, "metrics");
		log_text(&line, "socket", listeners->list[i].name);
		log_end(&line);
		if (listeners->list[i].exposed)
			log_note(LOG_LEVEL_WARNING, "exposed",
				 "other machines may reach %s and see the "
				 "metrics and the status page; inet:127.0.0.1 "
				 "is for this one alone",
				 listeners->list[i].name);
	}
}

void
announce_start(const struct listeners *listeners,
	       const struct snapshot *snapshot, size_t max_connections)
{
	struct log_line line;

	for (size_t i = 0; i < listeners->count; i++)
		announce_listener(&listeners->list[i]);
	log_begin(&line, LOG_LEVEL_INFO, "start");
	log_text(&line, "version", FROMGUARD_VERSION);
	log_number(&line, "listeners", listeners->count);
	add_counts(&line, snapshot);
	log_number(&line, "max_connections", max_connections);
	log_end(&line);
}

void
announce_ready(const struct snapshot *snapshot, bool is_fresh)
{
	struct grants_counts counts;

	grants_count(snapshot->grants, &counts);
	systemd_notify(
	    "READY=1\nSTATUS=%zu grants, %zu aliases, %zu rules from "
	    "%zu maps%s",
	    counts.grants, counts.edges, snapshot->rule_count,
	    snapshot->settings->maps.count,
	    is_fresh ? ""
		     : "; what they hold now was refused, see the "
		       "log");
}

void
announce_reloading(void)
{
	struct timespec now = {0};

	/* Fails for no clock that Linux has. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	systemd_notify("RELOADING=1\nMONOTONIC_USEC=%llu\n"
		       "STATUS=reading the maps",
		       (unsigned long long)now.tv_sec * 1000000 +
			   (unsigned long long)now.tv_nsec / 1000);
}

/* Log the first errors of a load, or the first warnings, a line each. */
static void
announce_problems(const struct problems *problems, bool warnings)
{
	enum log_level level = warnings ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR;
	const char *event = warnings ? "map-warning" : "map-error";
	size_t total = warnings ? problems->warnings : problems->errors;
	size_t said = 0;
	char text[LOG_LINE_MAX];

	for (size_t i = 0; i < problems->count && said < PROBLEMS_SAID; i++) {
		const struct problem *problem = &problems->list[i];

		if ((problem->severity == PROBLEM_WARNING) != warnings)
			continue;
		problem_format(problem, text, sizeof(text));
		log_note(level, event, "%s", text);
		said++;
	}
	if (total > said)
		log_note(level, event, "%zu more; fromguard lint has them all",
			 total - said);
}

static void
announce_frozen(void *arg, const char *name)
{
	(void)arg;
	log_note(LOG_LEVEL_WARNING, "restart-needed",
		 "%s has changed; the old value stays until a restart", name);
}

static void
add_change(struct log_line *line, const char *what,
	   const struct changes_count *count)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "%s_added", what);
	log_number(line, key, count->added);
	(void)snprintf(key, sizeof(key), "%s_removed", what);
	log_number(line, key, count->removed);
}

/* Say what is different now. */
static void
announce_change(const struct snapshot *old, const struct reload_result *result)
{
	const struct changes *changes = &result->changes;
	struct log_line line;

	settings_frozen_changes(old->settings, result->snapshot->settings,
				announce_frozen, NULL);
	log_begin(&line, LOG_LEVEL_INFO, "reload");
	add_counts(&line, result->snapshot);
	add_change(&line, "grants", &changes->grants);
	add_change(&line, "aliases", &changes->aliases);
	add_change(&line, "owners", &changes->owners);
	log_number(&line, "rules_before", old->rule_count);
	log_number(&line, "took_ms", result->took_ms);
	log_end(&line);
}

void
announce_reload(const struct snapshot *old, const struct reload_result *result)
{
	const struct problems *problems = &result->problems;

	announce_problems(problems, false);
	announce_problems(problems, true);
	if (result->snapshot != NULL)
		announce_change(old, result);
	else
		log_note(LOG_LEVEL_ERROR, "reload-refused",
			 "%zu errors; what was loaded before stays in force",
			 problems->errors);
}
