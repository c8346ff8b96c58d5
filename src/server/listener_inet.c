/* SPDX-License-Identifier: BSD-2-Clause */
#include "listener_kinds.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

/* Switch a socket option on. */
static bool
set_option(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on)) == 0;
}

/* Bind to one address and listen; answers go out at once (accepted sockets
 * inherit TCP_NODELAY). */
static bool
open_address(struct listeners *listeners, const struct addrinfo *address,
	     struct error *error)
{
	struct listener listener = {
	    .fd = socket(address->ai_family,
			 SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
	};

	if (listener.fd == -1 ||
	    !set_option(listener.fd, SOL_SOCKET, SO_REUSEADDR) ||
	    !set_option(listener.fd, IPPROTO_TCP, TCP_NODELAY) ||
	    (address->ai_family == AF_INET6 &&
	     !set_option(listener.fd, IPPROTO_IPV6, IPV6_V6ONLY)) ||
	    bind(listener.fd, address->ai_addr, address->ai_addrlen) != 0 ||
	    listen(listener.fd, LISTENER_BACKLOG) != 0) {
		error_errno(error, errno, "can not listen");
		goto fail;
	}
	if (!listener_describe(&listener, error))
		goto fail;
	listeners_keep(listeners, &listener);
	return true;
fail:
	listener_close(&listener);
	return false;
}

/* Listen on every address that a host has. */
bool
listeners_open_inet(struct listeners *listeners,
		    const struct endpoint *endpoint, struct error *error)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *found, *address;
	char port[8];
	bool ok = true;
	int result;

	(void)snprintf(port, sizeof(port), "%u", (unsigned)endpoint->port);
	result = getaddrinfo(endpoint->name, port, &hints, &found);
	if (result != 0) {
		error_set(error, "%s: %s", endpoint->name,
			  result == EAI_SYSTEM ? strerror(errno)
					       : gai_strerror(result));
		return false;
	}
	for (address = found; ok && address != NULL; address = address->ai_next)
		ok = open_address(listeners, address, error);
	freeaddrinfo(found);
	return ok;
}
