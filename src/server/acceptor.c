/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/acceptor.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
	/* Descriptors that are no connections: the standard ones, the event
	 * loop's, the log's, and the maps while they are read. The listeners
	 * and what others reserve come on top. */
	RESERVE = 24,
	/* After so many, those who are already in have their turn. */
	ACCEPTS_A_TURN = 64,
	PAUSE_MS = 200,
	/* Who was idle for less may just be between two requests. */
	IDLE_ENOUGH_MS = 1000,
	SAY_EVERY_MS = 10000,
};

struct acceptor {
	const struct listeners *listeners;
	struct connections *connections;
	struct event **doors; /* one for each listener */
	size_t count;
	struct event *resume;
	size_t max;
	bool paused;
	uint64_t said_ms; /* when a pause was logged last; 0: never */
};

/* The number of connections that the limit of open files has room for. */
static size_t
room_for(size_t wanted, size_t others)
{
	struct rlimit files;
	size_t reserve = RESERVE + others;
	size_t room;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return wanted;
	files.rlim_cur = files.rlim_max;
	/* Not being allowed to leaves the limit that there is. */
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		(void)getrlimit(RLIMIT_NOFILE, &files);
	room = files.rlim_cur > reserve ? files.rlim_cur - reserve : 1;
	if (room >= wanted)
		return wanted;
	log_note(LOG_LEVEL_WARNING, "limit",
		 "at most %zu connections, not the %zu of max_connections: the "
		 "limit of open files is %llu",
		 room, wanted, (unsigned long long)files.rlim_cur);
	return room;
}

/* Stop accepting for a while, and say so now and then. */
static void
pause_accepting(struct acceptor *acceptor, const char *reason)
{
	struct timeval delay = clock_timeval(PAUSE_MS);
	uint64_t now = clock_ms();
	struct log_line line;

	/* Without the timer nobody would be let in any more. */
	if (event_add(acceptor->resume, &delay) != 0)
		return;
	acceptor->paused = true;
	for (size_t i = 0; i < acceptor->count; i++)
		(void)event_del(acceptor->doors[i]);
	if (acceptor->said_ms != 0 && now - acceptor->said_ms < SAY_EVERY_MS)
		return;
	acceptor->said_ms = now;
	log_begin(&line, LOG_LEVEL_WARNING, "accept-paused");
	log_text(&line, "reason", reason);
	log_number(&line, "connections",
		   connections_count(acceptor->connections));
	log_end(&line);
}

static void
resume_accepting(struct acceptor *acceptor)
{
	acceptor->paused = false;
	for (size_t i = 0; i < acceptor->count; i++)
		if (event_add(acceptor->doors[i], NULL) != 0) {
			pause_accepting(acceptor, "event_add");
			return;
		}
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	resume_accepting(arg);
}

/* A connection has gone: let in who waits for that. */
static void
on_room(void *arg)
{
	struct acceptor *acceptor = arg;

	if (acceptor->paused && event_del(acceptor->resume) == 0)
		resume_accepting(acceptor);
}

/* Make sure that one more connection fits. */
static bool
has_room(struct acceptor *acceptor)
{
	return connections_count(acceptor->connections) < acceptor->max ||
	       connections_close_idlest(acceptor->connections, IDLE_ENOUGH_MS);
}

enum accepted { ACCEPTED, NOBODY, NO_RESOURCES };

/* Let one client in. */
static enum accepted
accept_one(struct acceptor *acceptor, int fd)
{
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (client != -1) {
		connections_add(acceptor->connections, client);
		return ACCEPTED;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return NO_RESOURCES;
	default:
		/* Nobody there; or one who is gone again, and if there are
		 * more, the event loop says so. */
		return NOBODY;
	}
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *acceptor = arg;
	enum accepted accepted = ACCEPTED;

	(void)what;
	/* Only the first is known to wait; for the others nobody is closed
	 * before the event loop has said that they do. */
	if (!has_room(acceptor)) {
		pause_accepting(acceptor, "max_connections");
		return;
	}
	for (int i = 0;
	     i < ACCEPTS_A_TURN && accepted == ACCEPTED &&
	     connections_count(acceptor->connections) < acceptor->max;
	     i++)
		accepted = accept_one(acceptor, fd);
	if (accepted == NO_RESOURCES) {
		const char *reason = strerror(errno);

		(void)connections_close_idlest(acceptor->connections,
					       IDLE_ENOUGH_MS);
		pause_accepting(acceptor, reason);
	}
}

size_t
acceptor_max(const struct acceptor *acceptor)
{
	return acceptor->max;
}

void
acceptor_stop(struct acceptor *acceptor)
{
	(void)event_del(acceptor->resume);
	acceptor->paused = false;
	for (size_t i = 0; i < acceptor->count; i++) {
		const struct listener *listener = &acceptor->listeners->list[i];

		(void)event_del(acceptor->doors[i]);
		for (int n = 0; n < LISTENER_BACKLOG && !listener->inherited &&
				has_room(acceptor);
		     n++)
			if (accept_one(acceptor, listener->fd) != ACCEPTED)
				break;
	}
}

struct acceptor *
acceptor_new(struct event_base *base, const struct listeners *listeners,
	     struct connections *connections, size_t max_connections,
	     size_t reserved)
{
	struct acceptor *acceptor = memory_zero(1, sizeof(*acceptor));

	acceptor->listeners = listeners;
	acceptor->count = listeners->count;
	acceptor->connections = connections;
	acceptor->max = room_for(max_connections, listeners->count + reserved);
	acceptor->doors =
	    memory_zero(listeners->count, sizeof(acceptor->doors[0]));
	acceptor->resume = evtimer_new(base, on_resume, acceptor);
	if (acceptor->resume == NULL)
		goto fail;
	connections_on_room(connections, on_room, acceptor);
	for (size_t i = 0; i < listeners->count; i++) {
		acceptor->doors[i] =
		    event_new(base, listeners->list[i].fd, EV_READ | EV_PERSIST,
			      on_client, acceptor);
		if (acceptor->doors[i] == NULL ||
		    event_add(acceptor->doors[i], NULL) != 0)
			goto fail;
	}
	return acceptor;
fail:
	acceptor_free(acceptor);
	return NULL;
}

void
acceptor_free(struct acceptor *acceptor)
{
	if (acceptor == NULL)
		return;
	connections_on_room(acceptor->connections, NULL, NULL);
	for (size_t i = 0; i < acceptor->count; i++)
		if (acceptor->doors[i] != NULL)
			event_free(acceptor->doors[i]);
	if (acceptor->resume != NULL)
		event_free(acceptor->resume);
	free(acceptor->doors);
	free(acceptor);
}
