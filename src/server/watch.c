/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/watch.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/clock.h"
#include "watch_places.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	QUIET_MS = 200,    /* without an event: writing has come to rest */
	LONGEST_MS = 2000, /* wait no longer for that */
	LOOK_MS = 10000,   /* between two looks at the files themselves */
};

struct watch {
	int inotify; /* -1: the looks have to do */
	struct places places;
	struct watch_list *list;
	struct event *readable;
	struct event *quiet;
	struct event *look;
	uint64_t first_ms; /* of the events that wait for rest; 0: none do */
	bool said_failure;
	watch_changed *changed;
	void *arg;
};

/* --- lists --- */

static struct watch_stamp
stamp_of(const char *path)
{
	struct stat found;

	if (stat(path, &found) != 0)
		return (struct watch_stamp){0};
	return (struct watch_stamp){
	    .device = found.st_dev,
	    .inode = found.st_ino,
	    .size = found.st_size,
	    .written = found.st_mtim,
	    .changed = found.st_ctim,
	};
}

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool
same_stamp(const struct watch_stamp *a, const struct watch_stamp *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->size == b->size && same_time(a->written, b->written) &&
	       same_time(a->changed, b->changed);
}

/* There has to be room. */
static void
add_file(struct watch_list *list, const char *path)
{
	list->files[list->count++] = (struct watch_file){
	    .path = memory_copy(path, strlen(path)),
	    .stamp = stamp_of(path),
	};
}

struct watch_list *
watch_list_new(const char *config)
{
	struct watch_list *list = memory_zero(1, sizeof(*list));

	list->files = memory_zero(1, sizeof(*list->files));
	if (config[0] != '\0')
		add_file(list, config);
	return list;
}

void
watch_list_add_maps(struct watch_list *list, const struct settings *settings)
{
	size_t count = list->count + settings->maps.count;
	struct watch_file *files = memory_zero(count, sizeof(*files));

	memcpy(files, list->files, list->count * sizeof(*files));
	free(list->files);
	list->files = files;
	for (size_t i = 0; i < settings->maps.count; i++)
		add_file(list, settings->maps.list[i].path);
}

void
watch_list_free(struct watch_list *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->count; i++)
		free(list->files[i].path);
	free(list->files);
	free(list);
}

bool
watch_list_is_stale(const struct watch_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct watch_file *file = &list->files[i];
		struct watch_stamp now = stamp_of(file->path);

		if (!same_stamp(&file->stamp, &now))
			return true;
	}
	return false;
}

/* Look at the files; true where one is not as it was, and note how it is. */
static bool
look_again(struct watch_list *list)
{
	bool differs = false;

	for (size_t i = 0; i < list->count; i++) {
		struct watch_file *file = &list->files[i];
		struct watch_stamp now = stamp_of(file->path);

		if (same_stamp(&file->stamp, &now))
			continue;
		file->stamp = now;
		differs = true;
	}
	return differs;
}

/* --- events --- */

/* Something has changed: wait for rest, but not for ever. */
static void
note_change(struct watch *watch)
{
	uint64_t now = clock_ms();
	uint64_t waited;
	struct timeval delay;

	if (watch->first_ms == 0)
		watch->first_ms = now;
	waited = now - watch->first_ms;
	if (waited > LONGEST_MS)
		waited = LONGEST_MS;
	delay = clock_timeval(
	    LONGEST_MS - waited < QUIET_MS ? LONGEST_MS - waited : QUIET_MS);
	/* Without the timer, now is better than never. */
	if (event_add(watch->quiet, &delay) != 0)
		event_active(watch->quiet, EV_TIMEOUT, 0);
}

static void
on_quiet(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;

	(void)fd;
	(void)what;
	watch->first_ms = 0;
	/* Whatever differs up to now is what the load is about to read. */
	(void)look_again(watch->list);
	watch->changed(watch->arg);
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;

	(void)fd;
	(void)what;
	if (look_again(watch->list))
		note_change(watch);
}

static void
on_inotify(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;
	_Alignas(struct inotify_event) char events[8192];
	bool concerns = false;
	ssize_t len;

	(void)what;
	while ((len = read(fd, events, sizeof(events))) > 0) {
		const char *at = events;

		while (at < events + len) {
			const struct inotify_event *event = (const void *)at;

			concerns |= places_concern(&watch->places, event);
			at += sizeof(*event) + event->len;
		}
	}
	if (concerns)
		note_change(watch);
}

/* --- the watch --- */

/* Find out anew on which folders the files depend, and watch those. */
static void
find_places(struct watch *watch)
{
	struct places places = {0};

	if (watch->inotify == -1)
		return;
	for (size_t i = 0; i < watch->list->count; i++)
		places_add(&places, watch->inotify, watch->list->files[i].path);
	places_leave(&watch->places, &places, watch->inotify);
	places_fini(&watch->places);
	watch->places = places;
	if (places.failure == 0 || watch->said_failure)
		return;
	watch->said_failure = true;
	log_note(LOG_LEVEL_WARNING, "watch-limited",
		 "a folder can not be watched, so that changes in it are seen "
		 "%d s late: %s",
		 LOOK_MS / 1000, strerror(places.failure));
}

void
watch_files(struct watch *watch, struct watch_list *take_list)
{
	if (take_list != NULL) {
		watch_list_free(watch->list);
		watch->list = take_list;
	}
	find_places(watch);
	/* After the folders are watched: what happens later is an event. */
	if (look_again(watch->list))
		note_change(watch);
}

/* Make the event of inotify, where the system has that left. */
static bool
open_inotify(struct watch *watch, struct event_base *base)
{
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->inotify == -1) {
		log_note(LOG_LEVEL_WARNING, "watch-limited",
			 "changes of files are seen %d s late: inotify: %s",
			 LOOK_MS / 1000, strerror(errno));
		return true;
	}
	watch->readable = event_new(base, watch->inotify, EV_READ | EV_PERSIST,
				    on_inotify, watch);
	return watch->readable != NULL && event_add(watch->readable, NULL) == 0;
}

struct watch *
watch_new(struct event_base *base, watch_changed *changed, void *arg)
{
	struct watch *watch = memory_zero(1, sizeof(*watch));
	struct timeval every = clock_timeval(LOOK_MS);

	watch->changed = changed;
	watch->arg = arg;
	watch->list = memory_zero(1, sizeof(*watch->list));
	watch->quiet = evtimer_new(base, on_quiet, watch);
	watch->look = event_new(base, -1, EV_PERSIST, on_look, watch);
	if (open_inotify(watch, base) && watch->quiet != NULL &&
	    watch->look != NULL && event_add(watch->look, &every) == 0)
		return watch;
	watch_free(watch);
	return NULL;
}

void
watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->readable != NULL)
		event_free(watch->readable);
	if (watch->quiet != NULL)
		event_free(watch->quiet);
	if (watch->look != NULL)
		event_free(watch->look);
	if (watch->inotify != -1)
		(void)close(watch->inotify);
	places_fini(&watch->places);
	watch_list_free(watch->list);
	free(watch);
}
