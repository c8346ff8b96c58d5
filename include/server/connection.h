/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections: everything between a client that was accepted and the answer
 * that it gets. An idle one is a small struct and the parser of its requests;
 * the buffers are shared by all.
 */
#ifndef SERVER_CONNECTION_H
#define SERVER_CONNECTION_H

#include "server/counters.h"
#include "server/journal.h"
#include "server/status_refusals.h"

#include <event2/event.h>

struct connections;

/* No connections yet. They will run on base, log to journal and count in
 * counters, all borrowed, and decide by snapshot, which stays the caller's.
 * NULL without memory. */
struct connections *connections_new(struct event_base *base,
				    struct journal *journal,
				    struct counters *counters,
				    const struct snapshot *snapshot);
/* Close all of them. */
void connections_free(struct connections *all);

/* Decide by another snapshot from the next request on; the one before is not
 * looked at any more. */
void connections_use(struct connections *all, const struct snapshot *snapshot);

/* Call room whenever a connection has been closed. */
void connections_on_room(struct connections *all, void (*room)(void *arg),
			 void *arg);

/* Note refusals there as well (borrowed) from now on; NULL: nowhere. */
void connections_note_refusals(struct connections *all,
			       struct refusals *refusals);

/* Serve a client. Without the memory for one more it is closed at once. */
void connections_add(struct connections *all, int take_fd);

size_t connections_count(const struct connections *all);

/* Close the connection that has been idle for longest, where that is at least
 * min_ms. False where there is none. */
bool connections_close_idlest(struct connections *all, uint64_t min_ms);

/* Close what is past idle_timeout, or past request_timeout: that counts from
 * the first byte of a request to its last, and from an answer that the client
 * does not take until it has. */
void connections_expire(struct connections *all);

/* Bring them to an end: answer what has arrived, and close each as soon as it
 * has no request under way. To be called again until none is left. */
void connections_drain(struct connections *all);

#endif
