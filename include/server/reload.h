/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reloading: a thread reads the settings and all maps into a new snapshot
 * while the event loop goes on serving from the old one.
 */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

#include "server/changes.h"
#include "server/watch.h"

/* Where the settings come from: as settings_load() takes them; borrowed for
 * as long as the process lives. */
struct reload_source {
	const char *path; /* the configuration file, or empty */
	const char *const *options;
	size_t option_count;
};

/* What a reload came to. */
struct reload_result {
	struct snapshot *snapshot; /* NULL: it failed */
	struct watch_list *files;  /* as they were before they were read; NULL:
				      the settings could not be */
	struct problems problems;  /* warnings included */
	struct changes changes;    /* from the snapshot before */
	uint64_t took_ms;
};

/*
 * Takes what a reload came to, in the event loop. The snapshot and the files
 * are the callee's; the problems are borrowed for the call.
 */
typedef void reload_done(void *arg, const struct reload_result *result);

struct reload;

/*
 * Make ready for reloads whose results go to done; NULL where the system has
 * no descriptor or memory left. serving is what they are compared with; later
 * on it is the snapshot that done was given last. It has to stay until done is
 * given the next.
 */
struct reload *reload_new(struct event_base *base,
			  const struct reload_source *source,
			  const struct snapshot *serving, reload_done *done,
			  void *arg);

/* Start to load. Where a load is under way, which may have read what has just
 * changed, another one follows it. */
void reload_start(struct reload *reload);

/*
 * Wait a short while for a load that is under way, and free. False where it
 * takes longer: then it is left behind with its memory and still reads the
 * snapshot that serves, for the process to end under it.
 */
bool reload_free(struct reload *reload);

#endif
