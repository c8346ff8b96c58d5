/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of one request:
 *
 *	connection_readable	bytes into a turn, request_next(), decide_ask()
 *	connection_serve_round	decide_expect() for every turn, then each:
 *	  answer_all		  decide_answer(), answer_write(), log
 *	  write_answers		  one write for all answers to one read
 *	  note_duration		  how long it took
 *	  settle		  which timeout runs now
 *
 * All that the event loop finds readable at a time is read before any of it is
 * answered: that is a round. While the others are read, what a decision will
 * look at comes near from far memory. A client that asks alone is served at
 * once.
 *
 * A client that does not take its answers is not read from until it has; so
 * what waits for it is never more than the answers to one read.
 */
#include "base/memory.h"
#include "connection_internal.h"
#include "server/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	/* Who has only just connected is about to ask, and is waited for even
	 * by a server that stops. */
	NEW_MS = 200,
};

/* Take the next request of a turn, and ask for its verdict. */
static void
next_request(struct turn *turn)
{
	struct connection *c = turn->connection;

	turn->state = request_next(c->parser, &turn->request);
	if (turn->state == REQUEST_READY)
		decide_ask(c->all->snapshot, turn->decider, turn->request.login,
			   turn->request.sender, NULL);
}

/* Decide the request of a turn and add its answer to those that go out. */
static void
answer(const struct turn *turn)
{
	struct connection *c = turn->connection;
	struct connections *all = c->all;
	const struct request *request = &turn->request;
	struct verdict verdict = decide_answer(turn->decider);

	c->is_new = false;
	assert(sizeof(all->out) - all->out_len >= REPLY_MAX);
	all->counters->requests[verdict.kind][verdict.reason]++;
	all->counters->rule_limit_hits += decider_hit_limit(turn->decider);
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

/* Answer every request of a turn; true where there was one. */
static bool
answer_all(struct turn *turn)
{
	struct connection *c = turn->connection;

	c->all->answers = 0;
	c->all->out_len = 0;
	for (; turn->state == REQUEST_READY; next_request(turn))
		answer(turn);
	if (turn->state == REQUEST_BAD) {
		connection_blame(c, request_fault(c->parser));
		c->ends = true;
	}
	return c->all->answers > 0;
}

/* Note how long the answers to one read took, which go out together: since it
 * was their round's turn. */
static void
note_duration(const struct connections *all)
{
	if (all->answers > 0)
		durations_note(&all->counters->durations,
			       clock_ns() - all->began_ns, all->answers);
}

/* Wait until the client can be read from, or written to. */
static bool
wait_for(struct connection *c, short what)
{
	return event_del(&c->event) == 0 && connection_watch(c, what);
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
settle(struct connection *c, bool answered, bool more)
{
	bool unfinished = request_has_begun(c->parser);
	bool busy = c->out != NULL || unfinished;

	if (!busy || !c->busy || answered)
		connection_place(c, busy);
	/* Read on until there is nothing left; of a server that ends, it is
	 * closed then. */
	if (c->out == NULL &&
	    (more || unfinished || c->said_all || c->all->draining))
		event_active(&c->event, EV_READ, 0);
}

/* Serve a turn: its answers go out, and the connection waits or ends. */
static void
serve(struct turn *turn)
{
	struct connection *c = turn->connection;
	bool answered = answer_all(turn);
	bool gone = !write_answers(c);

	note_duration(c->all);
	if (gone || (c->ends && c->out == NULL))
		connection_close(c);
	else
		settle(c, answered, turn->full);
}

/* Have memory come a step nearer for all turns of a round. */
static void
expect_answers(struct connections *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (all->turns[i].state == REQUEST_READY)
			decide_expect(all->turns[i].decider);
}

void
connection_serve_round(struct connections *all)
{
	size_t count = all->waiting;

	if (count == 0)
		return;
	all->waiting = 0;
	all->began_ns = clock_ns();
	expect_answers(all, count);
	expect_answers(all, count);
	for (size_t i = 0; i < count; i++)
		serve(&all->turns[i]);
}

void
connection_round_ends(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	connection_serve_round(arg);
}

/* Would it be rude to close an idle connection? */
static bool
is_about_to_ask(const struct connection *c)
{
	return c->is_new && clock_ms() - c->since_ms < NEW_MS;
}

/* Read what there is; 0 for the end, negative with errno. */
static ssize_t
receive(int fd, char *data, size_t size)
{
	ssize_t len;

	do
		len = recv(fd, data, size, 0);
	while (len < 0 && errno == EINTR);
	return len;
}

/* Handle a read that gave nothing. */
static void
read_nothing(struct connection *c, ssize_t len)
{
	if (len < 0 && errno == EAGAIN) {
		/* A request that came just now is read next, before the end;
		 * of a later one the client sees at once that it must ask
		 * elsewhere. Closing here would reset both. */
		if (c->all->draining && !c->busy && !is_about_to_ask(c) &&
		    shutdown(c->fd, SHUT_RD) != 0)
			connection_close(c);
		return;
	}
	if (len == 0 && c->busy)
		connection_blame(c, FAULT_TRUNCATED);
	connection_close(c);
}

void
connection_readable(int fd, short what, void *arg)
{
	struct connection *c = arg;
	struct connections *all = c->all;
	struct turn *turn = &all->turns[all->waiting];
	ssize_t len = receive(fd, turn->in, sizeof(turn->in));

	if (len <= 0) {
		read_nothing(c, len);
		return;
	}
	turn->connection = c;
	turn->full = len == READ_SIZE;
	if ((what & EV_CLOSED) != 0)
		c->said_all = true;
	request_feed(c->parser, turn->in, (size_t)len);
	next_request(turn);
	/* Comes behind all that the event loop has found. */
	if (all->waiting++ == 0)
		event_active(&all->round_ends, EV_TIMEOUT, 0);
	if (all->waiting == ROUND)
		connection_serve_round(all);
}

void
connection_writable(int fd, short what, void *arg)
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
		settle(c, true, false);
}
