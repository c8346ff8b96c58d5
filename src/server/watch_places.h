/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places: the names in folders on which it depends what a path leads to. Its
 * last name is one, a symbolic link on the way is one, and so is the first
 * name that is missing.
 */
#ifndef SERVER_WATCH_PLACES_H
#define SERVER_WATCH_PLACES_H

#include "base/error.h"

#include <sys/inotify.h>

struct place {
	int folder; /* a watch descriptor of inotify */
	char *name; /* NULL: the folder itself, should it move or go */
};

struct places {
	struct place *list;
	size_t count;
	size_t room;
	int failure; /* errno of a folder that could not be watched, or 0 */
};

/* Add the places of path, which inotify watches from then on. Watched first
 * and looked at afterwards, so that nothing falls in between. */
void places_add(struct places *places, int inotify, const char *path);
void places_fini(struct places *places);

/* Does an event change what some path leads to, or what is there? */
bool places_concern(const struct places *places,
		    const struct inotify_event *event);

/* Stop watching the folders of old that new has no place in. */
void places_leave(const struct places *old, const struct places *new,
		  int inotify);

#endif
