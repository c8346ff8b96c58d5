/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/announce.h"
#include "base/log.h"
#include "server/systemd.h"

#include <time.h>

static void
add_counts(struct log_line *line, const struct snapshot *snapshot)
{
	struct grants_counts counts;

	grants_count(snapshot->grants, &counts);
	log_number(line, "maps", snapshot->settings->maps.count);
	log_number(line, "grants", counts.grants);
	log_number(line, "denials", counts.denials);
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
announce_ready(const struct snapshot *snapshot)
{
	struct grants_counts counts;

	grants_count(snapshot->grants, &counts);
	systemd_notify("READY=1\nSTATUS=%zu grants, %zu rules from %zu maps",
		       counts.grants, snapshot->rule_count,
		       snapshot->settings->maps.count);
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

static void
announce_problem(const struct problem *problem)
{
	bool warning = problem->severity == PROBLEM_WARNING;
	char text[LOG_LINE_MAX];

	problem_format(problem, text, sizeof(text));
	log_note(warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
		 warning ? "map-warning" : "map-error", "%s", text);
}

static void
announce_frozen(void *arg, const char *name)
{
	(void)arg;
	log_note(LOG_LEVEL_WARNING, "restart-needed",
		 "%s has changed; the old value stays until a restart", name);
}

/* Say what is different now. */
static void
announce_change(const struct snapshot *old, const struct snapshot *new,
		uint64_t took_ms)
{
	struct grants_counts before;
	struct log_line line;

	settings_frozen_changes(old->settings, new->settings, announce_frozen,
				NULL);
	grants_count(old->grants, &before);
	log_begin(&line, LOG_LEVEL_INFO, "reload");
	add_counts(&line, new);
	log_number(&line, "grants_before", before.grants);
	log_number(&line, "rules_before", old->rule_count);
	log_number(&line, "took_ms", took_ms);
	log_end(&line);
}

void
announce_reload(const struct snapshot *old, const struct snapshot *new,
		const struct problems *problems, uint64_t took_ms)
{
	for (size_t i = 0; i < problems->count; i++)
		announce_problem(&problems->list[i]);
	if (new != NULL)
		announce_change(old, new, took_ms);
	else
		log_note(LOG_LEVEL_ERROR, "reload-refused",
			 "%zu errors; what was loaded before stays in force",
			 problems->errors);
}
