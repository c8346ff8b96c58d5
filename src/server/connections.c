/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is connected, and for how long. connection.c has the way of a request. */
#include "base/memory.h"
#include "connection_internal.h"
#include "server/clock.h"

#include <stdlib.h>
#include <unistd.h>

void
connection_place(struct connection *c, bool busy)
{
	struct connections *all = c->all;

	TAILQ_REMOVE(c->busy ? &all->busy : &all->idle, c, place);
	TAILQ_INSERT_TAIL(busy ? &all->busy : &all->idle, c, place);
	c->busy = busy;
	c->since_ms = clock_ms();
}

void
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

void
connection_blame(struct connection *c, unsigned fault)
{
	c->all->counters->faults[fault]++;
	journal_fault(c->all->journal, fault_name(fault), c->fd, clock_ms());
}

/*
 * Told of each event once (EV_ET), libevent asks the kernel half as often what
 * there is. So what is there has to be read to its end: connection.c sees to
 * that, and is told of the other side's end as well.
 */
bool
connection_watch(struct connection *c, short what)
{
	bool reads = what == EV_READ;

	return event_assign(&c->event, c->all->base, c->fd,
			    (short)(EV_PERSIST | EV_ET |
				    (reads ? EV_READ | EV_CLOSED : EV_WRITE)),
			    reads ? connection_readable : connection_writable,
			    c) == 0 &&
	       event_add(&c->event, NULL) == 0;
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
	if (!connection_watch(c, EV_READ) || c->parser == NULL)
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
	struct connection *c;

	connection_serve_round(all);
	c = TAILQ_FIRST(&all->idle);
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

	connection_serve_round(all);
	while ((c = TAILQ_FIRST(&all->idle)) != NULL &&
	       now - c->since_ms >= settings->idle_timeout_ms)
		connection_close(c);
	while ((c = TAILQ_FIRST(&all->busy)) != NULL &&
	       now - c->since_ms >= settings->request_timeout_ms) {
		connection_blame(c, c->out != NULL ? FAULT_ANSWER_TIMEOUT
						   : FAULT_REQUEST_TIMEOUT);
		connection_close(c);
	}
}

void
connections_drain(struct connections *all)
{
	struct connection *c;

	connection_serve_round(all);
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
	connection_serve_round(all);
	all->snapshot = snapshot;
	all->limits = REQUEST_LIMITS;
	all->limits.request = snapshot->settings->request_limit;
}

/* Make what a round needs; false without memory. */
static bool
prepare_round(struct connections *all)
{
	for (size_t i = 0; i < ROUND; i++) {
		all->turns[i].decider = decider_new();
		if (all->turns[i].decider == NULL)
			return false;
	}
	return event_assign(&all->round_ends, all->base, -1, 0,
			    connection_round_ends, all) == 0;
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
	if (!prepare_round(all)) {
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
	all->waiting = 0;
	if (event_initialized(&all->round_ends))
		(void)event_del(&all->round_ends);
	while ((c = TAILQ_FIRST(&all->idle)) != NULL ||
	       (c = TAILQ_FIRST(&all->busy)) != NULL)
		connection_close(c);
	for (size_t i = 0; i < ROUND; i++)
		decider_free(all->turns[i].decider);
	free(all);
}
