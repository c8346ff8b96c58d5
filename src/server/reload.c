/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/reload.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	LEAVE_AFTER_MS = 1000,
	LOAD_TRIES = 5,
	LONG_LOAD = 8 << 20, /* bytes; a few hundredths of a second */
};

/* While running is set, result is the thread's, and gives it back by writing to
 * ready. */
struct reload {
	struct reload_source source;
	const struct snapshot *serving;
	reload_done *done;
	void *arg;
	struct event *event;
	int ready;
	pthread_t thread;
	bool running;
	bool again;
	struct reload_result result;
};

/*
 * Let a long load have the time that nobody else wants: a thread that takes its
 * turn with the event loop would hold requests up for milliseconds. A short one
 * is over before that matters.
 */
static void
step_aside(const struct watch_list *files)
{
	const struct sched_param none = {0};
	off_t size = 0;

	for (size_t i = 0; i < files->count; i++)
		size += files->files[i].stamp.size;
	/* This thread; where that is forbidden, it loads all the same. */
	if (size >= LONG_LOAD)
		(void)sched_setscheduler(0, SCHED_IDLE, &none);
}

/* Read the settings and all maps once. */
static void
load_once(const struct reload_source *source, struct reload_result *result)
{
	struct watch_list *files = watch_list_new(source->path);
	struct settings *settings =
	    settings_load(source->path, environ, source->options,
			  source->option_count, &result->problems);

	if (settings != NULL && settings->maps.count == 0) {
		problems_add(&result->problems, PROBLEM_REFUSAL, source->path,
			     0, "maps is not set any more");
		settings_free(settings);
	} else if (settings != NULL) {
		watch_list_add_maps(files, settings);
		step_aside(files);
		result->files = files;
		result->snapshot = snapshot_load(settings, &result->problems);
		return;
	}
	watch_list_free(files);
}

static void
free_result(struct reload_result *result)
{
	snapshot_free(result->snapshot);
	watch_list_free(result->files);
	problems_fini(&result->problems);
	*result = (struct reload_result){0};
}

/*
 * Load everything, touch nothing else. Where files have been replaced
 * meanwhile, some were read before that and some after it: load again. Files
 * that are never at rest are taken as they come, since what they grant no
 * more must not stay in force.
 */
static void
load(const struct reload_source *source, const struct snapshot *serving,
     struct reload_result *result)
{
	uint64_t began = clock_ms();

	for (int tries = 1;; tries++) {
		load_once(source, result);
		if (result->snapshot == NULL || tries == LOAD_TRIES ||
		    !watch_list_is_stale(result->files))
			break;
		free_result(result);
	}
	if (result->snapshot != NULL)
		changes_find(serving, result->snapshot, &result->changes);
	result->took_ms = clock_ms() - began;
}

/* The thread. */
static void *
run(void *arg)
{
	struct reload *reload = arg;
	const uint64_t one = 1;

	load(&reload->source, reload->serving, &reload->result);
	/* Can not fail: eight bytes, and a counter that is 0. */
	(void)!write(reload->ready, &one, sizeof(one));
	return NULL;
}

/* Start the thread, with all signals left to the event loop. */
static bool
start_thread(struct reload *reload)
{
	sigset_t all, before;
	int result;

	(void)sigfillset(&all);
	result = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (result != 0)
		return false;
	result = pthread_create(&reload->thread, NULL, run, reload);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result == 0;
}

/* Hand the result over, and free what is left of it. */
static void
deliver(struct reload *reload)
{
	struct reload_result result = reload->result;

	if (result.snapshot != NULL)
		reload->serving = result.snapshot;
	reload->done(reload->arg, &result);
	problems_fini(&result.problems);
}

void
reload_start(struct reload *reload)
{
	if (reload->running) {
		reload->again = true;
		return;
	}
	reload->again = false;
	reload->result = (struct reload_result){0};
	reload->running = start_thread(reload);
	if (reload->running)
		return;
	problems_add(&reload->result.problems, PROBLEM_REFUSAL, "reload", 0,
		     "can not start a thread");
	deliver(reload);
}

/* Take the result back from the thread. */
static void
join(struct reload *reload)
{
	/* Can not fail: it was created, and is joined once. */
	(void)pthread_join(reload->thread, NULL);
	reload->running = false;
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return;
	join(reload);
	deliver(reload);
	if (reload->again)
		reload_start(reload);
}

struct reload *
reload_new(struct event_base *base, const struct reload_source *source,
	   const struct snapshot *serving, reload_done *done, void *arg)
{
	struct reload *reload = memory_zero(1, sizeof(*reload));

	reload->source = *source;
	reload->serving = serving;
	reload->done = done;
	reload->arg = arg;
	reload->ready = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (reload->ready == -1)
		goto fail;
	reload->event = event_new(base, reload->ready, EV_READ | EV_PERSIST,
				  on_ready, reload);
	if (reload->event == NULL || event_add(reload->event, NULL) != 0)
		goto fail;
	return reload;
fail:
	(void)reload_free(reload); /* nothing runs yet */
	return NULL;
}

/* Wait for the thread; false where it has not come to an end. */
static bool
finish(struct reload *reload)
{
	struct pollfd ready = {.fd = reload->ready, .events = POLLIN};

	if (poll(&ready, 1, LEAVE_AFTER_MS) != 1)
		return false;
	join(reload);
	free_result(&reload->result);
	return true;
}

bool
reload_free(struct reload *reload)
{
	if (reload == NULL)
		return true;
	if (reload->event != NULL)
		event_free(reload->event);
	if (reload->running && !finish(reload))
		return false;
	if (reload->ready != -1)
		(void)close(reload->ready);
	free(reload);
	return true;
}
