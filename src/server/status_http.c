/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libevent's evhttp, held on a short leash. It knows neither a number of
 * connections nor a time for a whole request, and tells nobody when it is done
 * with one. So each connection's bufferevent is made here and a reference to it
 * is kept, by which the end is seen: evhttp takes its callbacks off. The
 * descriptor is closed with the last reference and not before, as events for
 * it may be pending until then, which must not be another connection's.
 */
#include "status_http.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/clock.h"
#include "server/status.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	/* How long a visitor may stay, and how long while others wait. */
	STAY_MS = 10000,
	STAY_FULL_MS = 100,
	SWEEP_MS = 50,
	/* Connections between two sweeps; more wait, so that who connects and
	 * closes again and again takes no time from mail. */
	VISITS_A_SWEEP = 32,
	HEADERS_MAX = 8192, /* the first line included */
	BODY_MAX = 4096,    /* nobody needs one; it is read and ignored */
};

struct visitor {
	struct bufferevent *stream; /* NULL: the place is free */
	uint64_t since_ms;
};

struct status_http {
	struct evhttp *evhttp;
	struct evconnlistener **doors; /* evhttp's; one for each listener */
	size_t door_count;
	bool closed; /* the doors are */
	struct visitor visitors[STATUS_VISITORS];
	size_t visitor_count;
	size_t visits; /* since the last sweep */
	struct event *sweep;
	status_answer *answer;
	void *arg;
};

/* --- who is there --- */

static void
open_doors(struct status_http *http)
{
	http->closed = false;
	/* A door that does not open now is tried with the next visitor. */
	for (size_t i = 0; i < http->door_count; i++)
		(void)evconnlistener_enable(http->doors[i]);
}

/* Let nobody in until the next sweep. */
static void
close_doors(struct status_http *http)
{
	http->closed = true;
	for (size_t i = 0; i < http->door_count; i++)
		(void)evconnlistener_disable(http->doors[i]);
}

/* Has evhttp done with the connection? */
static bool
has_left(const struct visitor *visitor)
{
	void *connection;

	bufferevent_getcb(visitor->stream, NULL, NULL, NULL, &connection);
	return connection == NULL;
}

/* Forget who has left. */
static void
count_visitors(struct status_http *http)
{
	http->visitor_count = 0;
	for (size_t i = 0; i < STATUS_VISITORS; i++) {
		struct visitor *visitor = &http->visitors[i];

		if (visitor->stream != NULL && has_left(visitor)) {
			(void)bufferevent_decref(visitor->stream);
			visitor->stream = NULL;
		}
		http->visitor_count += visitor->stream != NULL;
	}
}

/* End what has lasted too long: evhttp sees the connection end. */
static void
show_out(const struct status_http *http)
{
	bool full = http->visitor_count == STATUS_VISITORS;
	uint64_t now = clock_ms();

	for (size_t i = 0; i < STATUS_VISITORS; i++) {
		const struct visitor *visitor = &http->visitors[i];

		if (visitor->stream != NULL &&
		    now - visitor->since_ms >= (full ? STAY_FULL_MS : STAY_MS))
			(void)shutdown(bufferevent_getfd(visitor->stream),
				       SHUT_RDWR);
	}
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct status_http *http = arg;

	(void)fd;
	(void)what;
	http->visits = 0;
	count_visitors(http);
	show_out(http);
	if (http->closed && http->visitor_count < STATUS_VISITORS)
		open_doors(http);
	if (http->visitor_count == 0)
		(void)event_del(http->sweep);
}

/* Start to sweep; false where that can not be. */
static bool
keep_sweeping(struct status_http *http)
{
	struct timeval every = clock_timeval(SWEEP_MS);

	return event_pending(http->sweep, EV_TIMEOUT, NULL) ||
	       event_add(http->sweep, &every) == 0;
}

/* Give a connection that was accepted its bufferevent and a place. */
static struct bufferevent *
on_visitor(struct event_base *base, void *arg)
{
	struct status_http *http = arg;
	struct bufferevent *stream =
	    bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	struct visitor *visitor = http->visitors;

	/* evhttp tries to make one itself then, and gives up. */
	if (stream == NULL)
		return NULL;
	count_visitors(http);
	while (visitor < http->visitors + STATUS_VISITORS &&
	       visitor->stream != NULL)
		visitor++;
	/* The doors were closed behind the last who had a place. */
	if (visitor == http->visitors + STATUS_VISITORS)
		return stream;
	/* More than that is not even read, when nobody listens any more. */
	bufferevent_setwatermark(stream, EV_READ, 0, HEADERS_MAX + BODY_MAX);
	bufferevent_incref(stream);
	*visitor = (struct visitor){.stream = stream, .since_ms = clock_ms()};
	http->visitor_count++;
	http->visits++;
	if (keep_sweeping(http) && (http->visitor_count == STATUS_VISITORS ||
				    http->visits == VISITS_A_SWEEP))
		close_doors(http);
	return stream;
}

/* Whose doors are open: a door has only one argument for all of its callbacks,
 * and that is evhttp's. A process has one status, if any. */
static struct status_http *doorkeeper;

/* Wait where there is no descriptor left, rather than to ask again at once. */
static void
on_accept_error(struct evconnlistener *door, void *arg)
{
	(void)door;
	(void)arg;
	if (doorkeeper != NULL && keep_sweeping(doorkeeper))
		close_doors(doorkeeper);
}

/* --- what they are told --- */

/* Add a header; without memory for it the reply goes without. */
static void
add_header(struct evhttp_request *request, const char *name, const char *value)
{
	(void)evhttp_add_header(evhttp_request_get_output_headers(request),
				name, value);
}

static void
add_headers(struct evhttp_request *request, const struct status_reply *reply)
{
	char length[24];

	(void)snprintf(length, sizeof(length), "%zu", reply->body.len);
	add_header(request, "Content-Length", length);
	add_header(request, "Content-Type", reply->type);
	add_header(request, "Content-Security-Policy", reply->policy);
	add_header(request, "X-Content-Type-Options", "nosniff");
	add_header(request, "Referrer-Policy", "no-referrer");
	add_header(request, "Cache-Control", "no-store");
	add_header(request, "Connection", "close");
	if (reply->code == HTTP_BADMETHOD)
		add_header(request, "Allow", "GET, HEAD");
}

static void
send_reply(struct evhttp_request *request, const struct status_reply *reply)
{
	struct evbuffer *body = evbuffer_new();
	bool is_head = evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;

	if (body == NULL || (!is_head && evbuffer_add(body, reply->body.data,
						      reply->body.len) != 0)) {
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
	} else {
		add_headers(request, reply);
		evhttp_send_reply(request, reply->code, NULL, body);
	}
	if (body != NULL)
		evbuffer_free(body);
}

static void
on_request(struct evhttp_request *request, void *arg)
{
	const struct status_http *http = arg;
	const enum evhttp_cmd_type method = evhttp_request_get_command(request);
	const char *path =
	    evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	struct status_reply reply = {
	    .code = HTTP_NOTFOUND,
	    .type = "text/plain; charset=utf-8",
	    .policy = "default-src 'none'; frame-ancestors 'none'",
	};

	if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD)
		reply.code = HTTP_BADMETHOD;
	else
		http->answer(http->arg, path != NULL ? path : "", &reply);
	if (reply.body.len == 0)
		buffer_format(&reply.body, "%s\n",
			      reply.code == HTTP_BADMETHOD ? "GET or HEAD"
							   : "not found");
	send_reply(request, &reply);
	buffer_fini(&reply.body);
}

/* --- making and freeing --- */

/* Have a listener's clients served. */
static bool
add_door(struct status_http *http, struct event_base *base, int fd)
{
	struct evconnlistener *door =
	    evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, fd);

	if (door == NULL)
		return false;
	if (evhttp_bind_listener(http->evhttp, door) == NULL) {
		evconnlistener_free(door);
		return false;
	}
	evconnlistener_set_error_cb(door, on_accept_error);
	http->doors[http->door_count++] = door;
	/* It is evhttp's now, which has not looked whether it opened. */
	return evconnlistener_enable(door) == 0;
}

static void
configure(struct status_http *http)
{
	const struct timeval stay = clock_timeval(STAY_MS);

	evhttp_set_bevcb(http->evhttp, on_visitor, http);
	evhttp_set_gencb(http->evhttp, on_request, http);
	evhttp_set_timeout_tv(http->evhttp, &stay);
	evhttp_set_max_headers_size(http->evhttp, HEADERS_MAX);
	evhttp_set_max_body_size(http->evhttp, BODY_MAX);
	/* Those that are not allowed too, to be told so: what evhttp is not to
	 * allow it calls not implemented. */
	evhttp_set_allowed_methods(http->evhttp,
				   EVHTTP_REQ_GET | EVHTTP_REQ_HEAD |
				       EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
				       EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
				       EVHTTP_REQ_TRACE | EVHTTP_REQ_PATCH);
}

struct status_http *
status_http_new(struct event_base *base, const struct listeners *listeners,
		status_answer *answer, void *arg)
{
	struct status_http *http = memory_zero(1, sizeof(*http));

	http->answer = answer;
	http->arg = arg;
	http->doors = memory_zero(listeners->count, sizeof(http->doors[0]));
	http->sweep = event_new(base, -1, EV_PERSIST, on_sweep, http);
	http->evhttp = evhttp_new(base);
	if (http->sweep == NULL || http->evhttp == NULL)
		goto fail;
	configure(http);
	for (size_t i = 0; i < listeners->count; i++)
		if (!add_door(http, base, listeners->list[i].fd))
			goto fail;
	doorkeeper = http;
	return http;
fail:
	status_http_free(http);
	return NULL;
}

void
status_http_free(struct status_http *http)
{
	if (http == NULL)
		return;
	if (doorkeeper == http)
		doorkeeper = NULL;
	/* The doors go with it. */
	if (http->evhttp != NULL)
		evhttp_free(http->evhttp);
	count_visitors(http);
	if (http->sweep != NULL)
		event_free(http->sweep);
	free(http->doors);
	free(http);
}
