/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that clients connect to: unix and inet ones as the settings have
 * them, or those that systemd hands over.
 */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include "policy/settings.h"

#include <sys/types.h>

enum {
	LISTENER_BACKLOG = 4096, /* the system's somaxconn may make it less */
};

/* One socket that listens: not blocking, closed on exec. */
struct listener {
	int fd;
	bool exposed;   /* reached from other machines */
	bool inherited; /* systemd keeps it open after we are gone */
	char *name;     /* "unix:/run/x", "inet:127.0.0.1:10040", port real */
	char *path;     /* what to unlink at the end; NULL: nothing */
	dev_t device;   /* the socket at path that is ours */
	ino_t inode;
};

struct listeners {
	struct listener *list;
	size_t count;
};

/*
 * Open the sockets that systemd has handed over, else all of settings->listen.
 * What is wrong with any of them is added to problems, as a refusal of its
 * endpoint. False where there was something; then none is open.
 *
 * A unix socket is created under a umask, so that it never has a mode that
 * is not socket_mode, and listens only once its owner and group are set. A
 * socket at its path whose server is gone (connect(2) is refused) is taken
 * over; one that is alive, and anything that is not a socket, stays.
 */
bool listeners_open(struct listeners *listeners,
		    const struct settings *settings, struct problems *problems);

/* Open the endpoint of settings->metrics_listen in the same way, where there is
 * one; systemd never hands it over. */
bool listeners_open_metrics(struct listeners *listeners,
			    const struct settings *settings,
			    struct problems *problems);

/* Close them, and unlink the unix sockets that were created and are still
 * there. */
void listeners_close(struct listeners *listeners);

#endif
