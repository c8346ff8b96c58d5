/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where mail to the sender would go: breadth first from the sender through
 * rules and aliases, until the login is reached or nothing is left.
 */
#include "base/memory.h"
#include "links.h"

#include <stdlib.h>

struct chain *
chain_new(void)
{
	struct chain *chain = memory_zero(1, sizeof(*chain));

	nodes_init(&chain->nodes);
	return chain;
}

void
chain_free(struct chain *chain)
{
	if (chain == NULL)
		return;
	nodes_fini(&chain->nodes);
	buffer_fini(&chain->subject);
	free(chain);
}

/* Begin anew, at the sender. */
static void
start(struct decider *q, bool anybody)
{
	q->chain->anybody = anybody;
	q->chain->visit = NULL;
	nodes_clear(&q->chain->nodes);
	nodes_add(&q->chain->nodes, address_span(&q->sender), 0,
		  (struct origin){0});
}

/* Follow all links of a node. */
static bool
expand(struct decider *q, size_t node)
{
	struct chain *chain = q->chain;

	/* Canonical forms are fixed points: only the parts are looked up. */
	if (!address_parse(&chain->current, nodes_text(&chain->nodes, node),
			   SPAN_NONE))
		return false;
	if (links_end_at(q, node, &chain->current))
		return false;
	return links_of_rules(q, node) || links_of_aliases(q, node);
}

bool
chain_leads_to_login(struct decider *q, enum verdict_reason *reason,
		     struct origin *origin)
{
	struct chain *chain = q->chain;

	if (q->snapshot->rule_count == 0 && !grants_have_edges(q->grants))
		return false;
	start(q, false);
	for (size_t i = 0; i < chain->nodes.count; i++) {
		if (chain->nodes.list[i].depth >= q->settings->alias_depth) {
			trace_add(q->trace, TRACE_NOTE, NULL,
				  "not followed further than alias_depth = %u",
				  q->settings->alias_depth);
			break;
		}
		if (!expand(q, i))
			continue;
		*reason = chain->reason;
		*origin = chain->origin;
		return true;
	}
	return false;
}

bool
chain_has_owner(struct decider *q)
{
	if (q->snapshot->rule_count == 0 && !grants_have_edges(q->grants))
		return false;
	start(q, true);
	return expand(q, 0);
}

void
chain_walk(struct decider *q, chain_visit *visit, void *arg)
{
	struct chain *chain = q->chain;

	start(q, false);
	chain->visit = visit;
	chain->visit_arg = arg;
	for (size_t i = 0;
	     i < chain->nodes.count &&
	     chain->nodes.list[i].depth < q->settings->alias_depth;
	     i++)
		(void)expand(q, i); /* nobody logged in: nothing is reached */
}
