/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small HTTP server for visitors who only look: GET and HEAD, one request a
 * connection, few connections, little time. Mail goes on whatever they do.
 */
#ifndef SERVER_STATUS_HTTP_H
#define SERVER_STATUS_HTTP_H

#include "base/buffer.h"
#include "server/listener.h"

#include <event2/event.h>

struct status_reply {
	int code;
	const char *type;   /* Content-Type */
	const char *policy; /* Content-Security-Policy */
	struct buffer body;
};

/* Fill in the reply to GET or HEAD of a path. It is 404 with an empty body so
 * far. */
typedef void status_answer(void *arg, const char *path,
			   struct status_reply *reply);

struct status_http;

/* Serve on listeners (borrowed); NULL where the system has no memory for it. */
struct status_http *status_http_new(struct event_base *base,
				    const struct listeners *listeners,
				    status_answer *answer, void *arg);
/* Close all connections; the listeners stay open. */
void status_http_free(struct status_http *http);

#endif
