/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/reload.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LEAVE_AFTER_MS = 1000 };

/*
 * While running is set, snapshot, problems and took_ms are the thread's; it
 * gives them back by writing to ready.
 */
struct reload {
	struct reload_source source;
	reload_done *done;
	void *arg;
	struct event *event;
	int ready;
	pthread_t thread;
	bool running;
	bool again;
	struct snapshot *snapshot;
	struct problems problems;
	uint64_t took_ms;
};

/* The thread: load everything, touch nothing else. */
static void *
load(void *arg)
{
	struct reload *reload = arg;
	const struct reload_source *source = &reload->source;
	const uint64_t one = 1;
	uint64_t began = clock_ms();
	struct settings *settings =
	    settings_load(source->path, environ, source->options,
			  source->option_count, &reload->problems);

	if (settings != NULL)
		reload->snapshot = snapshot_load(settings, &reload->problems);
	reload->took_ms = clock_ms() - began;
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
	result = pthread_create(&reload->thread, NULL, load, reload);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result == 0;
}

void
reload_start(struct reload *reload)
{
	if (reload->running) {
		reload->again = true;
		return;
	}
	reload->again = false;
	reload->snapshot = NULL;
	problems_init(&reload->problems);
	reload->running = true;
	if (start_thread(reload))
		return;
	reload->running = false;
	problems_add(&reload->problems, PROBLEM_REFUSAL, "reload", 0,
		     "can not start a thread");
	reload->done(reload->arg, NULL, &reload->problems, 0);
	problems_fini(&reload->problems);
}

/* Take the thread's result back. */
static struct snapshot *
join(struct reload *reload)
{
	/* Can not fail: it was created, and is joined once. */
	(void)pthread_join(reload->thread, NULL);
	reload->running = false;
	return reload->snapshot;
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return;
	reload->done(reload->arg, join(reload), &reload->problems,
		     reload->took_ms);
	problems_fini(&reload->problems);
	if (reload->again)
		reload_start(reload);
}

struct reload *
reload_new(struct event_base *base, const struct reload_source *source,
	   reload_done *done, void *arg)
{
	struct reload *reload = memory_zero(1, sizeof(*reload));

	reload->source = *source;
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
	reload_free(reload);
	return NULL;
}

/* Wait for the thread; false where it has not come to an end. */
static bool
finish(struct reload *reload)
{
	struct pollfd ready = {.fd = reload->ready, .events = POLLIN};

	if (poll(&ready, 1, LEAVE_AFTER_MS) != 1)
		return false;
	snapshot_free(join(reload));
	problems_fini(&reload->problems);
	return true;
}

void
reload_free(struct reload *reload)
{
	if (reload == NULL)
		return;
	if (reload->event != NULL)
		event_free(reload->event);
	if (reload->running && !finish(reload))
		return;
	if (reload->ready != -1)
		(void)close(reload->ready);
	free(reload);
}
