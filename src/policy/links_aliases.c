/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The links that aliases give, looked up as delivery does it: the address,
 * its base, its domain.
 */
#include "links.h"

#include <string.h>

/* The local part of an address at a local domain; empty: it is another. */
static struct span
local_name(const struct decider *q, struct pattern pattern)
{
	const char *at = memrchr(pattern.text.data, '@', pattern.text.len);
	size_t len;

	if (pattern.kind != PATTERN_ADDRESS || at == NULL)
		return SPAN_NONE;
	len = (size_t)(at - pattern.text.data);
	return question_is_local_domain(q, span_from(pattern.text, len + 1))
		   ? span_of(pattern.text.data, len)
		   : SPAN_NONE;
}

/*
 * Does an alias lead to more than one destination? The same one again is no
 * second; nor is a name at another local domain, which is how maps list a name
 * that has no domain.
 */
static bool
is_list(const struct decider *q, const struct grant_edge *edges, size_t count)
{
	struct name_text texts[2];
	struct span first =
	    local_name(q, grants_pattern(q->grants, edges[0].to, &texts[0]));

	for (size_t i = 1; i < count; i++) {
		struct span other = local_name(
		    q, grants_pattern(q->grants, edges[i].to, &texts[1]));

		if (edges[i].to != edges[0].to &&
		    (first.len == 0 || !span_equal(first, other)))
			return true;
	}
	return false;
}

/* Follow every link of one alias; node is the address that it stands for. */
static bool
follow_edges(struct decider *q, size_t node, const struct grant_edge *edges,
	     size_t count)
{
	struct chain *chain = q->chain;

	if (q->settings->alias_members == MEMBERS_SINGLE && !chain->anybody &&
	    is_list(q, edges, count)) {
		trace_add(
		    q->trace, TRACE_NOTE, &edges[0].origin,
		    "alias_members = single: a list gives nobody anything");
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		struct name_text text;
		struct pattern to =
		    grants_pattern(q->grants, edges[i].to, &text);
		bool fits =
		    to.kind == PATTERN_ADDRESS
			? address_parse(&chain->target, to.text, SPAN_NONE)
			: address_move(&chain->current, to.text,
				       &chain->target);

		if (fits &&
		    links_follow(q, node, &chain->target, edges[i].origin))
			return true;
	}
	return false;
}

enum alias_found { ALIAS_NONE, ALIAS_ENDS, ALIAS_LEADS };

/*
 * Follow the alias of exactly this address. ALIAS_ENDS: it is an account or
 * an alias, so that no wider one is to be looked for.
 */
static enum alias_found
follow_exact(struct decider *q, size_t node, const struct address *address)
{
	size_t count;
	grant_name name =
	    grants_name(q->grants, PATTERN_ADDRESS, address_span(address));
	const struct grant_edge *edges = grants_edges(q->grants, name, &count);
	bool account = links_is_account(q, address);

	if (account && count > 0 && q->settings->forwards == FORWARDS_NONE) {
		trace_add(q->trace, TRACE_NOTE, &edges[0].origin,
			  "%" SPAN_FMT
			  " is an account: that it is forwarded gives "
			  "its targets nothing",
			  SPAN_ARG(address_span(address)));
		return ALIAS_ENDS;
	}
	if (count == 0)
		return account ? ALIAS_ENDS : ALIAS_NONE;
	return follow_edges(q, node, edges, count) ? ALIAS_LEADS : ALIAS_ENDS;
}

/* Follow the alias of a node as delivery does: the address, its base, its
 * domain. */
bool
links_of_aliases(struct decider *q, size_t node)
{
	struct chain *chain = q->chain;
	const struct grant_edge *edges;
	enum alias_found found;
	struct address base;
	size_t count;

	if (!grants_have_edges(q->grants))
		return false;
	found = follow_exact(q, node, &chain->current);
	if (found == ALIAS_NONE &&
	    address_base(&chain->current, q->settings->recipient_delimiter,
			 &base))
		found = follow_exact(q, node, &base);
	if (found != ALIAS_NONE)
		return found == ALIAS_LEADS;
	edges = grants_edges(q->grants,
			     grants_name(q->grants, PATTERN_DOMAIN,
					 address_domain_of(&chain->current)),
			     &count);
	return count > 0 && follow_edges(q, node, edges, count);
}
