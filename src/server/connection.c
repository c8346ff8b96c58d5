/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of one request:
 *
 *	on_readable	bytes into the buffer that all connections share
 *	answer_all	request_next(), decide(), answer_write(), log
 *	write_answers	one write for all answers to one read
 *	note_duration	how long it took
 *	settle		which timeout runs now
 *
 * A client that does not take its answers is not read from until it has; so
 * what waits for it is never more than the answers to one read.
 */
#include "server/connection.h"
#include "base/memory.h"
#include "policy/answer.h"
#include "server/clock.h"
#include "server/suspects.h"

#include <assert.h>
#include <errno.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* Several times the request of a Postfix. A longer one takes several
	 * reads. */
	READ_SIZE = 4096,
	REQUEST_MIN = sizeof("request=smtpd_access_policy\nsender=\n\n") - 1,
	/* One that had all but arrived before may end with the first byte. */
	ANSWERS_MAX = READ_SIZE / REQUEST_MIN + 1,
	/* Who has only just connected is about to ask, and is waited for even
	 * by a server that stops. */
	NEW_MS = 200,
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
	bool busy;   /* a request has begun, or an answer waits */
	bool is_new; /* has never asked */
	bool ends;   /* to be closed once the answers are written */
	struct event event;
};

TAILQ_HEAD(connection_list, connection);

struct connections {
	struct event_base *base;
	struct journal *journal;
	struct counters *counters;
	const struct snapshot *snapshot;
	struct decider *decider;
	struct request_limits limits;
	struct connection_list idle; /* both: the longest first */
	struct connection_list busy;
	size_t count;
	void (*room)(void *arg); /* or NULL */
	void *room_arg;
	struct refusals *refusals; /* or NULL */
	struct suspects suspects;
	bool draining;
	uint64_t answers; /* to the read that is being handled */
	size_t out_len;
	char in[READ_SIZE];
	char out[ANSWERS_MAX * REPLY_MAX];
};

/* Move a connection to the end of the idle or the busy ones. */
static void
place(struct connection *c, bool busy)
{
	struct connections *all = c->all;

	TAILQ_REMOVE(c->busy ? &all->busy : &all->idle, c, place);
	TAILQ_INSERT_TAIL(busy ? &all->busy : &all->idle, c, place);
	c->busy = busy;
	c->since_ms = clock_ms();
}

static void
connection_close(struct connection *c)
{
	struct connections *all = c->all;

	TAILQ_REMOVE(c->busy ? &all->busy : &all->idle, c, place);
	all->count--;
	/* Fails for an event that was never added alone. */
	(void)event_del(&c->event);
	(void)close(c->fd);
	request_parser_free(c->parser);
	free(c->out);
	free(c);
	if (all->room != NULL)
		all->room(all->room_arg);
}

/* Count and log what the client has done wrong. */
static void
blame(struct connection *c, unsigned fault)
{
	c->all->counters->faults[fault]++;
	journal_fault(c->all->journal, fault_name(fault), c->fd, clock_ms());
}

/* Decide one request and add its answer to those that go out. */
static void
answer(struct connection *c, const struct request *request)
{
	struct connections *all = c->all;
	struct verdict verdict = decide(all->snapshot, all->decider,
					request->login, request->sender, NULL);

	c->is_new = false;
	assert(sizeof(all->out) - all->out_len >= REPLY_MAX);
	all->counters->requests[verdict.kind][verdict.reason]++;
	all->counters->rule_limit_hits += decider_hit_limit(all->decider);
	all->answers++;
	all->out_len +=
	    answer_write(all->snapshot->settings, &verdict, request->login,
			 request->sender, all->out + all->out_len);
	journal_verdict(all->journal, all->snapshot, request, &verdict,
			&c->logged);
	if (verdict.kind == VERDICT_REJECT && request->login.len > 0 &&
	    suspects_note(&all->suspects, request->login, request->sender,
			  clock_ms()))
		journal_suspect(request);
	if (verdict.kind != VERDICT_ALLOW && all->refusals != NULL)
		refusals_note(all->refusals, all->snapshot->settings, request,
			      &verdict, time(NULL));
}

/* Answer every request in the first len bytes of the shared buffer; true where
 * there was one. */
static bool
answer_all(struct connection *c, size_t len)
{
	enum request_state state;
	struct request request;

	c->all->answers = 0;
	c->all->out_len = 0;
	request_feed(c->parser, c->all->in, len);
	while ((state = request_next(c->parser, &request)) == REQUEST_READY)
		answer(c, &request);
	if (state == REQUEST_BAD) {
		blame(c, request_fault(c->parser));
		c->ends = true;
	}
	return c->all->answers > 0;
}

/* Note how long the answers to one read took, which go out together. */
static void
note_duration(const struct connections *all, uint64_t began_ns)
{
	if (all->answers > 0)
		durations_note(&all->counters->durations, clock_ns() - began_ns,
			       all->answers);
}

static void on_readable(int fd, short what, void *arg);
static void on_writable(int fd, short what, void *arg);

/* Wait until the client can be read from, or written to. */
static bool
wait_for(struct connection *c, short what)
{
	return event_del(&c->event) == 0 &&
	       event_assign(&c->event, c->all->base, c->fd, what | EV_PERSIST,
			    what == EV_READ ? on_readable : on_writable,
			    c) == 0 &&
	       event_add(&c->event, NULL) == 0;
}

/* Send; false where the client is gone, *sent is 0 where it takes nothing. */
static bool
send_some(int fd, const char *data, size_t len, size_t *sent)
{
	ssize_t result = send(fd, data, len, MSG_NOSIGNAL);

	*sent = result > 0 ? (size_t)result : 0;
	return result >= 0 || errno == EAGAIN || errno == EINTR;
}

/* Write the answers, and keep what the client does not take. False where it
 * can not be served any more. */
static bool
write_answers(struct connection *c)
{
	struct connections *all = c->all;
	size_t sent;

	if (all->out_len == 0)
		return true;
	if (!send_some(c->fd, all->out, all->out_len, &sent))
		return false;
	if (sent == all->out_len)
		return true;
	c->out_len = all->out_len - sent;
	c->out_sent = 0;
	c->out = memory_try_copy(all->out + sent, c->out_len);
	return c->out != NULL && wait_for(c, EV_WRITE);
}

/* Look what the connection is waiting for now, and start the time that it has
 * for that, unless it is still the same request as before. */
static void
settle(struct connection *c, bool answered)
{
	bool busy = c->out != NULL || request_has_begun(c->parser);

	if (!busy || !c->busy || answered)
		place(c, busy);
	/* Read on until there is nothing left, then it is closed. */
	if (c->all->draining && c->out == NULL)
		event_active(&c->event, EV_READ, 0);
}

/* Would it be rude to close an idle connection? */
static bool
is_about_to_ask(const struct connection *c)
{
	return c->is_new && clock_ms() - c->since_ms < NEW_MS;
}

/* Handle a read that gave nothing: 0 for the end, else errno is set. */
static void
read_nothing(struct connection *c, ssize_t len)
{
	if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
		/* A request that came just now is read next, before the end;
		 * of a later one the client sees at once that it must ask
		 * elsewhere. Closing here would reset both. */
		if (c->all->draining && !c->busy && !is_about_to_ask(c) &&
		    shutdown(c->fd, SHUT_RD) != 0)
			connection_close(c);
		return;
	}
	if (len == 0 && c->busy)
		blame(c, FAULT_TRUNCATED);
	connection_close(c);
}

static void
on_readable(int fd, short what, void *arg)
{
	struct connection *c = arg;
	ssize_t len = read(fd, c->all->in, sizeof(c->all->in));
	bool answered, gone;
	uint64_t began_ns;

	(void)what;
	if (len <= 0) {
		read_nothing(c, len);
		return;
	}
	began_ns = clock_ns();
	answered = answer_all(c, (size_t)len);
	gone = !write_answers(c);
	note_duration(c->all, began_ns);
	if (gone || (c->ends && c->out == NULL))
		connection_close(c);
	else
		settle(c, answered);
}

static void
on_writable(int fd, short what, void *arg)
{
	struct connection *c = arg;
	size_t sent;

	(void)what;
	if (!send_some(fd, c->out + c->out_sent, c->out_len - c->out_sent,
		       &sent)) {
		connection_close(c);
		return;
	}
	c->out_sent += sent;
	if (c->out_sent < c->out_len)
		return;
	free(c->out);
	c->out = NULL;
	if (c->ends || !wait_for(c, EV_READ))
		connection_close(c);
	else
		settle(c, true);
}

void
connections_on_room(struct connections *all, void (*room)(void *arg), void *arg)
{
	all->room = room;
	all->room_arg = arg;
}

void
connections_note_refusals(struct connections *all, struct refusals *refusals)
{
	all->refusals = refusals;
}

void
connections_add(struct connections *all, int take_fd)
{
	struct connection *c = memory_try_zero(1, sizeof(*c));

	all->counters->connections++;
	if (c == NULL) {
		(void)close(take_fd);
		return;
	}
	c->all = all;
	c->fd = take_fd;
	c->since_ms = clock_ms();
	c->is_new = true;
	TAILQ_INSERT_TAIL(&all->idle, c, place);
	all->count++;
	c->parser = request_parser_new(&all->limits);
	if (event_assign(&c->event, all->base, c->fd, EV_READ | EV_PERSIST,
			 on_readable, c) != 0 ||
	    event_add(&c->event, NULL) != 0 || c->parser == NULL)
		connection_close(c);
}

size_t
connections_count(const struct connections *all)
{
	return all->count;
}

bool
connections_close_idlest(struct connections *all, uint64_t min_ms)
{
	struct connection *c = TAILQ_FIRST(&all->idle);

	if (c == NULL || clock_ms() - c->since_ms < min_ms)
		return false;
	connection_close(c);
	return true;
}

void
connections_expire(struct connections *all)
{
	const struct settings *settings = all->snapshot->settings;
	uint64_t now = clock_ms();
	struct connection *c;

	while ((c = TAILQ_FIRST(&all->idle)) != NULL &&
	       now - c->since_ms >= settings->idle_timeout_ms)
		connection_close(c);
	while ((c = TAILQ_FIRST(&all->busy)) != NULL &&
	       now - c->since_ms >= settings->request_timeout_ms) {
		blame(c, c->out != NULL ? FAULT_ANSWER_TIMEOUT
					: FAULT_REQUEST_TIMEOUT);
		connection_close(c);
	}
}

void
connections_drain(struct connections *all)
{
	struct connection *c;

	all->draining = true;
	for (c = TAILQ_FIRST(&all->idle); c != NULL; c = TAILQ_NEXT(c, place))
		event_active(&c->event, EV_READ, 0);
	for (c = TAILQ_FIRST(&all->busy); c != NULL; c = TAILQ_NEXT(c, place))
		if (c->out == NULL)
			event_active(&c->event, EV_READ, 0);
}

void
connections_use(struct connections *all, const struct snapshot *snapshot)
{
	all->snapshot = snapshot;
	all->limits = REQUEST_LIMITS;
	all->limits.request = snapshot->settings->request_limit;
}

struct connections *
connections_new(struct event_base *base, struct journal *journal,
		struct counters *counters, const struct snapshot *snapshot)
{
	struct connections *all = memory_zero(1, sizeof(*all));

	all->base = base;
	all->journal = journal;
	all->counters = counters;
	suspects_init(&all->suspects);
	TAILQ_INIT(&all->idle);
	TAILQ_INIT(&all->busy);
	all->decider = decider_new();
	if (all->decider == NULL) {
		connections_free(all);
		return NULL;
	}
	connections_use(all, snapshot);
	return all;
}

void
connections_free(struct connections *all)
{
	struct connection *c;

	if (all == NULL)
		return;
	while ((c = TAILQ_FIRST(&all->idle)) != NULL ||
	       (c = TAILQ_FIRST(&all->busy)) != NULL)
		connection_close(c);
	decider_free(all->decider);
	free(all);
}
