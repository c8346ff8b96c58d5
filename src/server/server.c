/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/server.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/acceptor.h"
#include "server/announce.h"
#include "server/clock.h"
#include "server/status.h"
#include "server/systemd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

enum {
	/* Timeouts are seen this often; an idle server wakes up no more. */
	TICK_MS = 1000,
	TICK_MIN_MS = 10,
	/* Callbacks between two looks at what else has come: two rounds of
	 * connections. */
	CALLBACKS_A_TURN = 32,
	/* How long requests under way may take once we are told to stop. */
	DRAIN_MS = 3000,
	DRAIN_TICK_MS = 10,
};

struct server {
	struct event_base *base;
	struct listeners listeners;
	struct listeners metrics; /* none without metrics_listen */
	struct snapshot *snapshot;
	struct journal journal;
	struct counters counters;
	struct connections *connections;
	struct acceptor *acceptor;
	struct reload *reload;
	struct watch *watch;   /* NULL with reload = signal */
	struct status *status; /* NULL without metrics_listen */
	struct event *on_term;
	struct event *on_int;
	struct event *on_hup;
	struct event *tick;
	struct event *watchdog;
	struct event *drain;
	uint64_t drain_until_ms;
	bool stopping;
};

/* --- reload --- */

/* Serve from a snapshot that has been loaded, of files as they were then, and
 * free the one before. */
static void
use_snapshot(struct server *server, struct snapshot *take_snapshot,
	     const struct watch_list *files)
{
	struct snapshot *old = server->snapshot;

	status_use(server->status, take_snapshot, files);
	connections_use(server->connections, take_snapshot);
	log_set_level(take_snapshot->settings->log_level);
	server->snapshot = take_snapshot;
	snapshot_free(old);
}

static void
on_reloaded(void *arg, const struct reload_result *result)
{
	struct server *server = arg;

	announce_reload(server->snapshot, result);
	if (result->snapshot != NULL) {
		use_snapshot(server, result->snapshot, result->files);
		server->counters.reloads++;
	} else {
		server->counters.reloads_refused++;
		status_refuse(server->status, result->problems.errors);
	}
	/* A map that could not be loaded is watched as well: its cure will be
	 * seen. */
	if (server->watch != NULL)
		watch_files(server->watch, result->files);
	else
		watch_list_free(result->files);
	if (!server->stopping)
		announce_ready(server->snapshot, result->snapshot != NULL);
}

static void
start_reload(struct server *server)
{
	if (server->stopping)
		return;
	announce_reloading();
	reload_start(server->reload);
}

static void
on_hup(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start_reload(arg);
}

static void
on_files_changed(void *arg)
{
	start_reload(arg);
}

/* --- timers --- */

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;

	(void)fd;
	(void)what;
	connections_expire(server->connections);
	status_tick(server->status);
	journal_tick(&server->journal, clock_ms());
}

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	systemd_notify("WATCHDOG=1");
}

/* --- the end --- */

static void
on_drain(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;

	(void)fd;
	(void)what;
	connections_drain(server->connections);
	if (connections_count(server->connections) == 0 ||
	    clock_ms() >= server->drain_until_ms)
		(void)event_base_loopbreak(server->base);
}

/* Stop: let nobody in any more, answer what has arrived, end. */
static void
on_stop(evutil_socket_t signal_number, short what, void *arg)
{
	struct server *server = arg;
	struct timeval often = clock_timeval(DRAIN_TICK_MS);

	(void)what;
	if (server->stopping || event_add(server->drain, &often) != 0) {
		/* Somebody can not wait. */
		(void)event_base_loopbreak(server->base);
		return;
	}
	server->stopping = true;
	server->drain_until_ms = clock_ms() + DRAIN_MS;
	log_note(LOG_LEVEL_INFO, "stopping", "%s",
		 signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
	systemd_notify("STOPPING=1");
	status_drain(server->status);
	acceptor_stop(server->acceptor);
	listeners_close(&server->listeners);
	connections_drain(server->connections);
}

/* --- making and freeing --- */

static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config == NULL)
		return NULL;
	/* One thread runs the loop, and EVENT_* variables are not ours. Who has
	 * more to be read comes again before the kernel is asked who else has
	 * something: not without end. */
	if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK |
					      EVENT_BASE_FLAG_IGNORE_ENV) ==
		0 &&
	    event_config_set_max_dispatch_interval(config, NULL,
						   CALLBACKS_A_TURN, 0) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

/* How often to look for timeouts: often enough for the shortest. */
static uint32_t
tick_ms(const struct settings *settings)
{
	uint32_t shortest = settings->idle_timeout_ms;
	uint32_t tick;

	if (settings->request_timeout_ms < shortest)
		shortest = settings->request_timeout_ms;
	tick = shortest / 8;
	if (tick < TICK_MIN_MS)
		return TICK_MIN_MS;
	return tick < TICK_MS ? tick : TICK_MS;
}

/* Add a timer that goes off again and again; NULL where it can not. */
static struct event *
add_timer(struct server *server, event_callback_fn callback, uint64_t ms)
{
	struct timeval every = clock_timeval(ms);
	struct event *event =
	    event_new(server->base, -1, EV_PERSIST, callback, server);

	if (event != NULL && event_add(event, &every) == 0)
		return event;
	if (event != NULL)
		event_free(event);
	return NULL;
}

static struct event *
add_signal(struct server *server, int number, event_callback_fn callback)
{
	struct event *event =
	    evsignal_new(server->base, number, callback, server);

	if (event != NULL && event_add(event, NULL) == 0)
		return event;
	if (event != NULL)
		event_free(event);
	return NULL;
}

static bool
add_events(struct server *server)
{
	uint64_t watchdog_us = systemd_watchdog_us();

	if (watchdog_us > 0) {
		server->watchdog =
		    add_timer(server, on_watchdog, (watchdog_us + 1999) / 2000);
		if (server->watchdog == NULL)
			return false;
	}
	server->drain =
	    event_new(server->base, -1, EV_PERSIST, on_drain, server);
	server->tick =
	    add_timer(server, on_tick, tick_ms(server->snapshot->settings));
	server->on_term = add_signal(server, SIGTERM, on_stop);
	server->on_int = add_signal(server, SIGINT, on_stop);
	server->on_hup = add_signal(server, SIGHUP, on_hup);
	return server->drain != NULL && server->tick != NULL &&
	       server->on_term != NULL && server->on_int != NULL &&
	       server->on_hup != NULL;
}

/* Answer on metrics_listen, where it is set. */
static bool
add_status(struct server *server, const struct watch_list *files)
{
	if (server->metrics.count == 0)
		return true;
	server->status =
	    status_new(server->base, &server->metrics, &server->counters);
	if (server->status == NULL)
		return false;
	status_connections(server->status, server->connections);
	status_use(server->status, server->snapshot, files);
	return true;
}

/* Get ready to reload, and with reload = auto to see when to. */
static bool
add_reload(struct server *server, struct watch_list *take_files,
	   const struct reload_source *source)
{
	server->reload = reload_new(server->base, source, server->snapshot,
				    on_reloaded, server);
	if (server->reload == NULL)
		goto fail;
	if (server->snapshot->settings->reload == RELOAD_SIGNAL) {
		watch_list_free(take_files);
		return true;
	}
	server->watch = watch_new(server->base, on_files_changed, server);
	if (server->watch == NULL)
		goto fail;
	watch_files(server->watch, take_files);
	return true;
fail:
	watch_list_free(take_files);
	return false;
}

/* Set up what answers; false where the system does not let us. */
static bool
prepare(struct server *server, const struct watch_list *files)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	const struct settings *settings = server->snapshot->settings;
	size_t visitors = server->metrics.count == 0
			      ? 0
			      : server->metrics.count + STATUS_VISITORS;

	/* Clients go away whenever they like. */
	if (sigaction(SIGPIPE, &ignore, NULL) != 0)
		return false;
	journal_init(&server->journal);
	server->base = new_base();
	if (server->base == NULL)
		return false;
	server->connections =
	    connections_new(server->base, &server->journal, &server->counters,
			    server->snapshot);
	if (server->connections == NULL)
		return false;
	server->acceptor =
	    acceptor_new(server->base, &server->listeners, server->connections,
			 settings->max_connections, visitors);
	return server->acceptor != NULL && add_events(server) &&
	       add_status(server, files);
}

static void
free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

static void
server_fini(struct server *server)
{
	bool loading = !reload_free(server->reload);

	/* What runs on the base goes before it. */
	watch_free(server->watch);
	acceptor_free(server->acceptor);
	status_free(server->status);
	connections_free(server->connections);
	free_event(server->on_term);
	free_event(server->on_int);
	free_event(server->on_hup);
	free_event(server->tick);
	free_event(server->watchdog);
	free_event(server->drain);
	if (server->base != NULL)
		event_base_free(server->base);
	listeners_close(&server->listeners);
	listeners_close(&server->metrics);
	if (!loading)
		snapshot_free(server->snapshot);
}

bool
server_run(struct listeners *take_listeners, struct listeners *take_metrics,
	   struct snapshot *take_snapshot, struct watch_list *take_files,
	   const struct reload_source *source)
{
	struct server server = {
	    .listeners = *take_listeners,
	    .metrics = *take_metrics,
	    .snapshot = take_snapshot,
	};
	bool ok = prepare(&server, take_files);

	*take_listeners = (struct listeners){0};
	*take_metrics = (struct listeners){0};
	if (ok)
		ok = add_reload(&server, take_files, source);
	else
		watch_list_free(take_files);
	if (ok) {
		announce_metrics(&server.metrics);
		announce_start(&server.listeners, server.snapshot,
			       acceptor_max(server.acceptor));
		announce_ready(server.snapshot, true);
		ok = event_base_dispatch(server.base) != -1;
		log_note(LOG_LEVEL_INFO, "stop", "%zu connections left",
			 connections_count(server.connections));
	} else {
		log_note(LOG_LEVEL_ERROR, "start-failed", "%s",
			 strerror(errno));
	}
	server_fini(&server);
	return ok;
}
