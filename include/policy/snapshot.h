/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot: the settings, and all maps, loaded and compiled. Immutable once
 * it is made; what a decision reads. Several threads may read one.
 */
#ifndef POLICY_SNAPSHOT_H
#define POLICY_SNAPSHOT_H

#include "maps/rules.h"
#include "policy/grants.h"
#include "policy/settings.h"

#include <time.h>

/* One map of a snapshot, with what it gave. */
struct snapshot_map {
	const struct map_spec *spec; /* the settings' */
	struct rules *rules;         /* of a pcre: map, else NULL */
	size_t entries;              /* entries or rules */
	bool missing;                /* optional, and not there */
};

struct snapshot {
	struct settings *settings; /* owned */
	struct grants *grants;     /* owned */
	struct snapshot_map *maps; /* as many as settings->maps.count */
	size_t rule_count;
	time_t loaded_at; /* wall clock, for people and metrics */
};

/*
 * Load all maps of take_settings, which the snapshot owns from here on (it
 * is freed where this fails, too). Everything that is wrong with the maps is
 * collected in *problems. NULL where settings->map_errors, or a refusal,
 * forbids to serve what was read.
 */
struct snapshot *snapshot_load(struct settings *take_settings,
			       struct problems *problems);
void snapshot_free(struct snapshot *snapshot);

/* "senders.cf:12", or "senders.cdb: record 12", for an origin, as the map is
 * named in maps; free() it. */
char *snapshot_origin(const struct snapshot *snapshot, struct origin origin);

#endif
