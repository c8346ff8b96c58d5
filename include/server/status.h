/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the server is, over HTTP on metrics_listen:
 *
 *	/metrics	numbers for Prometheus
 *	/healthz	200 while the event loop lives
 *	/readyz		200 while it serves; 503 while the first maps are
 *			being loaded, and once it was told to stop
 *	/		a page for people
 */
#ifndef SERVER_STATUS_H
#define SERVER_STATUS_H

#include "server/connection.h"
#include "server/listener.h"
#include "server/watch.h"

enum {
	/* Connections at once, of all its sockets together. */
	STATUS_VISITORS = 16,
};

struct status;

/*
 * Answer on listeners, from the numbers in counters, both borrowed. There are
 * no maps until status_use(). NULL where the system has no memory for it.
 */
struct status *status_new(struct event_base *base,
			  const struct listeners *listeners,
			  const struct counters *counters);
void status_free(struct status *status);

/* Where status is NULL, as without metrics_listen, these do nothing. */

/* Tell of connections, and note their refusals; until it is freed. */
void status_connections(struct status *status, struct connections *connections);

/* Tell of a snapshot (borrowed until the next) instead of the one before; files
 * are as they were before it was loaded, borrowed for the call. */
void status_use(struct status *status, const struct snapshot *snapshot,
		const struct watch_list *files);

/* Tell that what was read last was refused, with so many errors. */
void status_refuse(struct status *status, size_t errors);

/* Tell that the server stops. */
void status_drain(struct status *status);

/* Look at the counters; to be called every second or so. */
void status_tick(struct status *status);

#endif
