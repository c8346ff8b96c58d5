/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The acceptor: lets clients in, as many as there are descriptors for. Where
 * there is no room, the connection that has been idle for longest makes some;
 * where none has, nobody is let in until a timer says to try again.
 */
#ifndef SERVER_ACCEPTOR_H
#define SERVER_ACCEPTOR_H

#include "server/connection.h"
#include "server/listener.h"

struct acceptor;

/*
 * Accept from all listeners into connections (both borrowed), at most
 * max_connections. The soft limit of open files is raised to the hard one
 * first; where it is lower than what max_connections needs, with others for
 * whom so many are reserved, there are fewer.
 * NULL where an event can not be made.
 */
struct acceptor *acceptor_new(struct event_base *base,
			      const struct listeners *listeners,
			      struct connections *connections,
			      size_t max_connections, size_t reserved);
void acceptor_free(struct acceptor *acceptor);

/* How many connections there may be at once. */
size_t acceptor_max(const struct acceptor *acceptor);

/* Accept no more, but let those in that have connected already; clients of a
 * socket that systemd keeps open wait for the next server. */
void acceptor_stop(struct acceptor *acceptor);

#endif
