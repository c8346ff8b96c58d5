/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/listener.h"
#include "base/memory.h"
#include "listener_kinds.h"
#include "server/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void
listener_close(struct listener *listener)
{
	struct stat at_path;

	/* Unlinked first: who comes now finds no socket rather than a dead one.
	 * After privileges are dropped this may fail; the next start takes over
	 * what is left. */
	if (listener->path != NULL && lstat(listener->path, &at_path) == 0 &&
	    at_path.st_dev == listener->device &&
	    at_path.st_ino == listener->inode)
		(void)unlink(listener->path);
	if (listener->fd != -1)
		(void)close(listener->fd);
	free(listener->name);
	free(listener->path);
}

void
listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		listener_close(&listeners->list[i]);
	free(listeners->list);
	*listeners = (struct listeners){0};
}

void
listeners_keep(struct listeners *listeners,
	       const struct listener *take_listener)
{
	struct listener *grown =
	    memory_zero(listeners->count + 1, sizeof(*grown));

	if (listeners->count > 0)
		memcpy(grown, listeners->list,
		       listeners->count * sizeof(*grown));
	grown[listeners->count++] = *take_listener;
	free(listeners->list);
	listeners->list = grown;
}

/* May only this machine reach the address? */
static bool
is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (address->ss_family != AF_INET6)
		return address->ss_family == AF_UNIX;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) &&
		v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
}

bool
listener_describe(struct listener *listener, struct error *error)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	const struct sockaddr *any = (const struct sockaddr *)&address;
	const struct sockaddr_un *local = (const struct sockaddr_un *)&address;
	char host[NI_MAXHOST], port[NI_MAXSERV], name[NI_MAXHOST + 64];

	if (getsockname(listener->fd, (struct sockaddr *)&address, &len) != 0) {
		error_errno(error, errno, "getsockname");
		return false;
	}
	if (any->sa_family == AF_UNIX) {
		(void)snprintf(name, sizeof(name), "unix:%.*s",
			       (int)sizeof(local->sun_path), local->sun_path);
	} else if (getnameinfo(any, len, host, sizeof(host), port, sizeof(port),
			       NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
		(void)snprintf(name, sizeof(name),
			       any->sa_family == AF_INET6 ? "inet:[%s]:%s"
							  : "inet:%s:%s",
			       host, port);
	} else {
		error_set(error, "a socket that is neither unix nor inet");
		return false;
	}
	listener->name = memory_copy(name, strlen(name));
	listener->exposed = !is_loopback(&address);
	return true;
}

/* Take one descriptor that should be a stream socket that listens. */
static bool
inherit(struct listeners *listeners, int fd, struct error *error)
{
	struct listener listener = {.fd = fd, .inherited = true};
	int type = 0, listening = 0;
	socklen_t type_len = sizeof(type), listening_len = sizeof(listening);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening,
		       &listening_len) != 0 ||
	    type != SOCK_STREAM || !listening) {
		error_set(error, "is not a stream socket that listens; the "
				 "socket unit wants ListenStream= and "
				 "Accept=no");
		return false;
	}
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) != 0) {
		error_errno(error, errno, "fcntl");
		return false;
	}
	if (!listener_describe(&listener, error))
		return false;
	listeners_keep(listeners, &listener);
	return true;
}

static bool
inherit_all(struct listeners *listeners, size_t count,
	    struct problems *problems)
{
	bool ok = true;

	for (size_t i = 0; i < count; i++) {
		int fd = SYSTEMD_FIRST_FD + (int)i;
		struct error error;

		if (inherit(listeners, fd, &error))
			continue;
		problems_add(problems, PROBLEM_REFUSAL, "LISTEN_FDS", 0,
			     "descriptor %d %s", fd, error.text);
		ok = false;
	}
	return ok;
}

/* Open all endpoints of a list. */
static bool
open_all(struct listeners *listeners, const struct endpoint_list *endpoints,
	 const struct settings *settings, struct problems *problems)
{
	bool ok = true;

	for (size_t i = 0; i < endpoints->count; i++) {
		const struct endpoint *endpoint = &endpoints->list[i];
		struct error error;
		char *name;

		if (endpoint->is_unix
			? listeners_open_unix(listeners, endpoint, settings,
					      &error)
			: listeners_open_inet(listeners, endpoint, &error))
			continue;
		name = endpoint_format(endpoint);
		problems_add(problems, PROBLEM_REFUSAL, name, 0, "%s",
			     error.text);
		free(name);
		ok = false;
	}
	return ok;
}

bool
listeners_open(struct listeners *listeners, const struct settings *settings,
	       struct problems *problems)
{
	struct error error;
	size_t inherited;
	bool ok;

	*listeners = (struct listeners){0};
	if (!systemd_listen_fds(&inherited, &error)) {
		problems_add(problems, PROBLEM_REFUSAL, "environment", 0, "%s",
			     error.text);
		return false;
	}
	ok = inherited > 0
		 ? inherit_all(listeners, inherited, problems)
		 : open_all(listeners, &settings->listen, settings, problems);
	if (!ok)
		listeners_close(listeners);
	return ok;
}

bool
listeners_open_metrics(struct listeners *listeners,
		       const struct settings *settings,
		       struct problems *problems)
{
	*listeners = (struct listeners){0};
	if (open_all(listeners, &settings->metrics_listen, settings, problems))
		return true;
	listeners_close(listeners);
	return false;
}
