/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watch notices that files have changed, whichever way: written in place,
 * appended to, replaced by a rename, deleted and made again, reached through
 * a symbolic link that points elsewhere now, in a folder that was not there.
 * inotify(7) says so at once; what it does not say (a file system that others
 * change, a queue that overflowed) is seen by looking every few seconds.
 */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

#include "policy/settings.h"

#include <event2/event.h>
#include <sys/types.h>
#include <time.h>

/* What tells one state of a file from another; all zero: it is missing. */
struct watch_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written; /* mtime */
	struct timespec changed; /* ctime */
};

/* Files, and how they looked when the list was made. */
struct watch_list {
	struct watch_file {
		char *path;
		struct watch_stamp stamp;
	} * files;
	size_t count;
};

/*
 * List the file that settings come from (config may be empty), then the maps
 * that they name. Each to be done before the files are read.
 */
struct watch_list *watch_list_new(const char *config);
void watch_list_add_maps(struct watch_list *list,
			 const struct settings *settings);
void watch_list_free(struct watch_list *list);

/* Is a file not any more as it was when it was listed? */
bool watch_list_is_stale(const struct watch_list *list);

/* Called when files have changed and writing has come to rest. */
typedef void watch_changed(void *arg);

struct watch;

/* A watch of nothing yet; NULL where the system has no memory for it. */
struct watch *watch_new(struct event_base *base, watch_changed *changed,
			void *arg);
void watch_free(struct watch *watch);

/*
 * Watch the files of a list instead of those before, or those before where
 * it is NULL. What is not any more as the list has it has changed. Call it
 * after each load: links and folders may lead elsewhere by then.
 */
void watch_files(struct watch *watch, struct watch_list *take_list);

#endif
