/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kinds of listeners share with listener.c, and nobody else. */
#ifndef SERVER_LISTENER_KINDS_H
#define SERVER_LISTENER_KINDS_H

#include "server/listener.h"

/* Open an endpoint and add what it gives: one unix socket, or a socket for
 * each address of an inet host. */
bool listeners_open_unix(struct listeners *listeners,
			 const struct endpoint *endpoint,
			 const struct settings *settings, struct error *error);
bool listeners_open_inet(struct listeners *listeners,
			 const struct endpoint *endpoint, struct error *error);

/* Add one listener, with everything in it, to the list. */
void listeners_keep(struct listeners *listeners,
		    const struct listener *take_listener);
/* Close one that is in no list; half open ones too. */
void listener_close(struct listener *listener);
/* Fill in name and exposed from the address that the socket really has. */
bool listener_describe(struct listener *listener, struct error *error);

#endif
