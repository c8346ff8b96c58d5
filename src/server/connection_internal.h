/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What connections.c (who is connected, and for how long) and connection.c (the
 * way of a request) share.
 */
#ifndef SERVER_CONNECTION_INTERNAL_H
#define SERVER_CONNECTION_INTERNAL_H

#include "policy/answer.h"
#include "server/connection.h"
#include "server/suspects.h"

#include <event2/event_struct.h>
#include <sys/queue.h>

enum {
	/* Several times the request of a Postfix. A longer one takes several
	 * reads. */
	READ_SIZE = 4096,
	REQUEST_MIN = sizeof("request=smtpd_access_policy\nsender=\n\n") - 1,
	/* One that had all but arrived before may end with the first byte. */
	ANSWERS_MAX = READ_SIZE / REQUEST_MIN + 1,
	/* Turns that make a round: enough for memory to come near in the
	 * meantime, and few enough to stay near. */
	ROUND = 16,
};

struct connection {
	struct connections *all;
	TAILQ_ENTRY(connection) place; /* in all->busy or all->idle */
	struct request_parser *parser;
	char *out; /* answers that the client has not taken yet, or NULL */
	size_t out_len;
	size_t out_sent;
	uint64_t since_ms; /* idle or busy since then */
	uint64_t logged;   /* journal_verdict()'s */
	int fd;
	bool busy;     /* a request has begun, or an answer waits */
	bool is_new;   /* has never asked */
	bool ends;     /* to be closed once the answers are written */
	bool said_all; /* by the client: its end waits to be read */
	struct event event;
};

TAILQ_HEAD(connection_list, connection);

/* A connection that was read from and waits for what comes of it. */
struct turn {
	struct connection *connection;
	enum request_state state; /* of the first request in it */
	struct request request;   /* that one, where it is READY */
	struct decider *decider;  /* which has been asked then */
	bool full;                /* as much was read as there is room for */
	char in[READ_SIZE];
};

struct connections {
	struct event_base *base;
	struct journal *journal;
	struct counters *counters;
	const struct snapshot *snapshot;
	struct request_limits limits;
	struct connection_list idle; /* both: the longest first */
	struct connection_list busy;
	size_t count;
	void (*room)(void *arg); /* or NULL */
	void *room_arg;
	struct refusals *refusals; /* or NULL */
	struct suspects suspects;
	bool draining;

	/* The round: its turns are served together. */
	struct turn turns[ROUND];
	size_t waiting;          /* turns of it that are taken */
	struct event round_ends; /* active while one is */
	uint64_t began_ns;       /* when it began to be served */

	/* The turn that is being served. */
	uint64_t answers;
	size_t out_len;
	char out[ANSWERS_MAX * REPLY_MAX];
};

/* What libevent calls for a connection: there is something to be read (or the
 * end), something can be written. */
void connection_readable(int fd, short what, void *arg);
void connection_writable(int fd, short what, void *arg);
/* For a round: all that was readable has been read, serve it. */
void connection_round_ends(int fd, short what, void *arg);
/* Serve what waits in the round, so that nothing does. */
void connection_serve_round(struct connections *all);

/* Have a connection_*able() called when there is something to be read (EV_READ)
 * or when something can be written (EV_WRITE); false without memory. */
bool connection_watch(struct connection *c, short what);
/* Move a connection to the end of the idle or the busy ones. */
void connection_place(struct connection *c, bool busy);
/* Count and log what the client has done wrong. */
void connection_blame(struct connection *c, unsigned fault);
void connection_close(struct connection *c);

#endif
