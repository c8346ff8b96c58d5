/* SPDX-License-Identifier: BSD-2-Clause */
#include "watch_places.h"
#include "base/memory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LINKS_MAX = 40, /* as many as the kernel follows */
	MASK_SELF = IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD,
	MASK_NAMES =
	    MASK_SELF | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO,
	MASK_CONTENT = MASK_NAMES | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB,
};

/* A path on its way: folder is real, rest has yet to be walked. */
struct walk {
	struct places *places;
	int inotify;
	char folder[PATH_MAX];
	char rest[PATH_MAX];
	char step[2 * PATH_MAX]; /* folder and the next name */
	int links;
};

enum found { FOUND_FOLDER, FOUND_LINK, FOUND_OTHER, FOUND_NOTHING };

static enum found
look(const char *path)
{
	struct stat found;

	if (lstat(path, &found) != 0)
		return FOUND_NOTHING;
	if (S_ISLNK(found.st_mode))
		return FOUND_LINK;
	return S_ISDIR(found.st_mode) ? FOUND_FOLDER : FOUND_OTHER;
}

static bool
has_place(const struct places *places, int folder, const char *name)
{
	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->list[i];

		if (place->folder != folder)
			continue;
		if (name == NULL
			? place->name == NULL
			: place->name != NULL && strcmp(place->name, name) == 0)
			return true;
	}
	return false;
}

/* Watch a folder for what happens to name in it, NULL for itself. */
static void
watch_folder(struct walk *walk, const char *name, uint32_t mask)
{
	struct places *places = walk->places;
	int folder = inotify_add_watch(walk->inotify, walk->folder, mask);
	void *list = places->list;

	if (folder == -1) {
		/* Gone in this moment, or not ours to read, is nothing to
		 * complain of. */
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			places->failure = errno;
		return;
	}
	if (has_place(places, folder, name))
		return;
	if (!memory_try_grow(&list, &places->room, places->count,
			     sizeof(*places->list))) {
		places->failure = ENOMEM;
		return;
	}
	places->list = list;
	places->list[places->count++] = (struct place){
	    .folder = folder,
	    .name = name != NULL ? memory_copy(name, strlen(name)) : NULL,
	};
}

/* Cut the next name off rest; false at its end. */
static bool
next_name(struct walk *walk, char name[NAME_MAX + 1])
{
	size_t start = strspn(walk->rest, "/");
	size_t len = strcspn(walk->rest + start, "/");
	const char *after = walk->rest + start + len;

	if (len == 0 || len > NAME_MAX)
		return false;
	memcpy(name, walk->rest + start, len);
	name[len] = '\0';
	after += strspn(after, "/");
	memmove(walk->rest, after, strlen(after) + 1);
	return true;
}

/* Go on where the symbolic link at step points to; false where it can not. */
static bool
follow(struct walk *walk)
{
	char target[PATH_MAX], rest[2 * PATH_MAX];
	ssize_t len = readlink(walk->step, target, sizeof(target) - 1);

	if (len <= 0 || ++walk->links > LINKS_MAX)
		return false;
	target[len] = '\0';
	if (target[0] == '/')
		memcpy(walk->folder, "/", 2);
	(void)snprintf(rest, sizeof(rest), "%s/%s", target, walk->rest);
	if (strlen(rest) >= sizeof(walk->rest))
		return false;
	memcpy(walk->rest, rest, strlen(rest) + 1);
	return true;
}

/* Go down into the folder at step. */
static bool
enter(struct walk *walk)
{
	size_t len = strlen(walk->step);

	if (len >= sizeof(walk->folder))
		return false;
	memcpy(walk->folder, walk->step, len + 1);
	watch_folder(walk, NULL, MASK_SELF);
	return true;
}

/* Take one step; false at the end of the way. */
static bool
step(struct walk *walk)
{
	char name[NAME_MAX + 1];
	enum found found;
	bool last;

	if (!next_name(walk, name))
		return false;
	last = walk->rest[0] == '\0';
	(void)snprintf(walk->step, sizeof(walk->step), "%s/%s", walk->folder,
		       name);
	found = look(walk->step);
	if (found != FOUND_FOLDER || last) {
		watch_folder(walk, name, last ? MASK_CONTENT : MASK_NAMES);
		found = look(walk->step);
	}
	if (found == FOUND_LINK)
		return follow(walk);
	return found == FOUND_FOLDER && !last && enter(walk);
}

void
places_add(struct places *places, int inotify, const char *path)
{
	struct walk walk = {.places = places, .inotify = inotify};
	size_t len = strlen(path);

	if (len >= sizeof(walk.rest))
		return;
	memcpy(walk.rest, path, len + 1);
	memcpy(walk.folder, path[0] == '/' ? "/" : ".", 2);
	while (step(&walk))
		;
}

void
places_fini(struct places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->list[i].name);
	free(places->list);
	*places = (struct places){0};
}

bool
places_concern(const struct places *places, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		return true;
	/* What we have stopped to watch has changed nothing. */
	if (event->mask & IN_IGNORED)
		return false;
	for (size_t i = 0; i < places->count; i++)
		if (places->list[i].folder == event->wd &&
		    event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT))
			return true;
	return event->len > 0 && has_place(places, event->wd, event->name);
}

static bool
has_folder(const struct places *places, int folder)
{
	for (size_t i = 0; i < places->count; i++)
		if (places->list[i].folder == folder)
			return true;
	return false;
}

void
places_leave(const struct places *old, const struct places *new, int inotify)
{
	for (size_t i = 0; i < old->count; i++)
		/* Fails where it is gone already, with its folder or as the
		 * folder of another place. */
		if (!has_folder(new, old->list[i].folder))
			(void)inotify_rm_watch(inotify, old->list[i].folder);
}
