/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/startup.h"
#include "server/status.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* While the thread runs, settings, problems and snapshot are its own; it gives
 * them back by writing to done. */
struct startup {
	struct settings *settings;
	struct problems *problems;
	struct snapshot *snapshot;
	int done;
	pthread_t thread;
	struct event_base *base;
	struct event *on_done;
	struct status *status;
	struct counters counters; /* of nothing yet */
};

/* The thread. */
static void *
load(void *arg)
{
	struct startup *startup = arg;
	const uint64_t one = 1;

	startup->snapshot = snapshot_load(startup->settings, startup->problems);
	/* Can not fail: eight bytes, and a counter that is 0. */
	(void)!write(startup->done, &one, sizeof(one));
	return NULL;
}

static void
on_done(evutil_socket_t fd, short what, void *arg)
{
	struct startup *startup = arg;

	(void)fd;
	(void)what;
	(void)event_base_loopbreak(startup->base);
}

/* Make all that it takes to serve the status, and start to load; false where
 * the system does not let us. */
static bool
start(struct startup *startup, const struct listeners *metrics)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	startup->done = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	startup->base = event_base_new();
	/* Visitors go away whenever they like. */
	if (sigaction(SIGPIPE, &ignore, NULL) != 0 || startup->done == -1 ||
	    startup->base == NULL)
		return false;
	startup->on_done =
	    event_new(startup->base, startup->done, EV_READ, on_done, startup);
	startup->status =
	    status_new(startup->base, metrics, &startup->counters);
	if (startup->on_done == NULL || startup->status == NULL ||
	    event_add(startup->on_done, NULL) != 0)
		return false;
	return pthread_create(&startup->thread, NULL, load, startup) == 0;
}

static void
startup_fini(struct startup *startup)
{
	status_free(startup->status);
	if (startup->on_done != NULL)
		event_free(startup->on_done);
	if (startup->base != NULL)
		event_base_free(startup->base);
	if (startup->done != -1)
		(void)close(startup->done);
}

struct snapshot *
startup_load(const struct listeners *metrics, struct settings *take_settings,
	     struct problems *problems)
{
	struct startup startup = {
	    .settings = take_settings,
	    .problems = problems,
	    .done = -1,
	};

	/* Who can not be told that it loads waits until it has. */
	if (metrics->count == 0 || !start(&startup, metrics)) {
		startup_fini(&startup);
		return snapshot_load(take_settings, problems);
	}
	(void)event_base_dispatch(startup.base);
	/* Waits where the loop has ended by itself. */
	(void)pthread_join(startup.thread, NULL);
	startup_fini(&startup);
	return startup.snapshot;
}
