/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reloading: a thread reads the settings and all maps into a new snapshot
 * while the event loop goes on serving from the old one.
 */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

#include "policy/snapshot.h"

#include <event2/event.h>

/* Where the settings come from: as settings_load() takes them; borrowed for
 * as long as the process lives. */
struct reload_source {
	const char *path; /* the configuration file, or empty */
	const char *const *options;
	size_t option_count;
};

/*
 * Takes what a reload came to, in the event loop: a snapshot, or NULL where
 * it failed. problems, warnings included, are borrowed for the call.
 */
typedef void reload_done(void *arg, struct snapshot *take_snapshot,
			 const struct problems *problems, uint64_t took_ms);

struct reload;

/* Make ready for reloads whose results go to done; NULL where the system has
 * no descriptor or memory left. */
struct reload *reload_new(struct event_base *base,
			  const struct reload_source *source, reload_done *done,
			  void *arg);

/* Start to load. Where a load is under way, which may have read what has just
 * changed, another one follows it. */
void reload_start(struct reload *reload);

/* Wait a short while for a load that is under way, and free. One that takes
 * longer is left behind with its memory, for the process to end under it. */
void reload_free(struct reload *reload);

#endif
