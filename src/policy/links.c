/* SPDX-License-Identifier: BSD-2-Clause */
/* One link of a chain: where it leads, and who is shown that. */
#include "links.h"

/* Note that the login was reached over node and one more link. */
bool
links_arrive(struct decider *q, size_t node, enum verdict_reason reason,
	     struct origin link)
{
	q->chain->reason = reason;
	q->chain->origin = node == 0 ? link : q->chain->nodes.list[node].first;
	return true;
}

/* Show an owner to who surveys. */
void
links_show(struct decider *q, size_t node, enum pattern_kind kind,
	   struct span text, struct origin link)
{
	const struct pattern owner = {kind, text};

	if (q->chain->visit != NULL)
		q->chain->visit(q->chain->visit_arg, &owner,
				node == 0 ? link
					  : q->chain->nodes.list[node].first);
}

/* Is mail to the address the login's, extension or not? */
static bool
reaches_login(struct decider *q, const struct address *target)
{
	return question_is_login(q, target) ||
	       (address_base(target, q->settings->recipient_delimiter,
			     &q->chain->base) &&
		question_is_login(q, &q->chain->base));
}

/* Follow one link to target; true where the search is over. */
bool
links_follow(struct decider *q, size_t node, const struct address *target,
	     struct origin link)
{
	struct chain *chain = q->chain;

	if (!address_is_listable(target))
		return false;
	if (chain->anybody)
		return true;
	links_show(q, node, PATTERN_ADDRESS, address_span(target), link);
	if (reaches_login(q, target)) {
		trace_add(q->trace, TRACE_HIT, &link,
			  "%" SPAN_FMT " goes to %" SPAN_FMT ", the login",
			  SPAN_ARG(nodes_text(&chain->nodes, node)),
			  SPAN_ARG(address_span(target)));
		return links_arrive(q, node, REASON_ALIAS, link);
	}
	trace_add(q->trace, TRACE_NOTE, &link,
		  "%" SPAN_FMT " goes to %" SPAN_FMT,
		  SPAN_ARG(nodes_text(&chain->nodes, node)),
		  SPAN_ARG(address_span(target)));
	nodes_add(&chain->nodes, address_span(target),
		  chain->nodes.list[node].depth + 1,
		  node == 0 ? link : chain->nodes.list[node].first);
	return false;
}

bool
links_is_account(const struct decider *q, const struct address *address)
{
	grant_name name =
	    grants_name(q->grants, PATTERN_ADDRESS, address_span(address));

	if (name != 0 && (grants_about(q->grants, name) & NAME_ACCOUNT) != 0)
		return true;
	if (address->at == address->len ||
	    !question_is_local_domain(q, address_domain_of(address)))
		return false;
	name = grants_name(q->grants, PATTERN_ADDRESS, address_local(address));
	return name != 0 && (grants_about(q->grants, name) & NAME_ACCOUNT) != 0;
}

bool
links_end_at(const struct decider *q, size_t node,
	     const struct address *address)
{
	return node > 0 && q->settings->forwards == FORWARDS_NONE &&
	       links_is_account(q, address);
}
