/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where mail to the sender would go: breadth first from the sender through
 * rules and aliases, until the login is reached or nothing is left.
 */
#include "base/memory.h"
#include "nodes.h"
#include "question.h"

#include <stdlib.h>

struct chain {
	struct nodes nodes;
	bool anybody;       /* any target will do, not the login alone */
	chain_visit *visit; /* NULL, or who wants to see every target */
	void *visit_arg;
	enum verdict_reason reason;
	struct origin origin;
	struct address current; /* the node that is looked at */
	struct address base;
	struct address target;
	struct buffer subject; /* what a rule sees */
};

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

/* Note that the login was reached over node and one more link. */
static bool
arrive(struct decider *q, size_t node, enum verdict_reason reason,
       struct origin link)
{
	q->chain->reason = reason;
	q->chain->origin = node == 0 ? link : q->chain->nodes.list[node].first;
	return true;
}

/* Show an owner to who surveys. */
static void
show(struct decider *q, size_t node, enum pattern_kind kind, struct span text,
     struct origin link)
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
static bool
follow(struct decider *q, size_t node, const struct address *target,
       struct origin link)
{
	struct chain *chain = q->chain;

	if (!address_is_listable(target))
		return false;
	if (chain->anybody)
		return true;
	show(q, node, PATTERN_ADDRESS, address_span(target), link);
	if (reaches_login(q, target)) {
		trace_add(q->trace, TRACE_HIT, &link,
			  "%" SPAN_FMT " goes to %" SPAN_FMT ", the login",
			  SPAN_ARG(nodes_text(&chain->nodes, node)),
			  SPAN_ARG(address_span(target)));
		return arrive(q, node, REASON_ALIAS, link);
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

/* Is the owner that a rule wrote down the login itself? */
static bool
owner_is_login(struct decider *q, size_t node, enum rule_owner_kind kind,
	       struct span owner, struct origin link)
{
	struct address *target = &q->chain->target;
	size_t len;

	switch (kind) {
	case RULE_OWNER_ANY:
		show(q, node, PATTERN_ANY, SPAN_NONE, link);
		return q->chain->visit == NULL;
	case RULE_OWNER_DOMAIN:
		len = address_domain(owner, target->text, ADDRESS_MAX);
		if (len == 0)
			return false;
		show(q, node, PATTERN_DOMAIN, span_of(target->text, len), link);
		return question_is_login_domain(q, span_of(target->text, len));
	case RULE_OWNER_NAME:
		if (!address_parse(target, owner, SPAN_NONE) ||
		    !address_is_listable(target))
			return false;
		show(q, node, PATTERN_ADDRESS, address_span(target), link);
		return question_is_login(q, target);
	}
	return false;
}

/* Follow a rule's match to one of its owners. */
static bool
follow_owner(struct decider *q, size_t node, enum rule_owner_kind kind,
	     struct span owner, struct origin link)
{
	const struct domain_list *domains = &q->settings->local_domains;

	if (q->chain->anybody)
		return true;
	if (owner_is_login(q, node, kind, owner, link)) {
		trace_add(q->trace, TRACE_HIT, &link,
			  "the rule gives %" SPAN_FMT " to %" SPAN_FMT
			  ", the login",
			  SPAN_ARG(nodes_text(&q->chain->nodes, node)),
			  SPAN_ARG(owner));
		return arrive(q, node, node == 0 ? REASON_RULE : REASON_ALIAS,
			      link);
	}
	return kind == RULE_OWNER_NAME &&
	       address_parse(&q->chain->target, owner,
			     domains->count > 0 ? domains->list[0]
						: SPAN_NONE) &&
	       follow(q, node, &q->chain->target, link);
}

/* The address without its extension, as a rule would see it. */
static struct span
base_subject(const struct decider *q, struct buffer *subject)
{
	const char *at = memrchr(subject->data, '@', subject->len);
	size_t local_len =
	    at == NULL ? subject->len : (size_t)(at - subject->data);
	size_t base_len = address_base_len(span_of(subject->data, local_len),
					   q->settings->recipient_delimiter);

	if (base_len == 0)
		return SPAN_NONE;
	memmove(subject->data + base_len, subject->data + local_len,
		subject->len - local_len);
	subject->len -= local_len - base_len;
	return buffer_span(subject);
}

/*
 * Put down what a rule sees: the sender as it arrived, less a trailing dot and
 * with a domain where it had none; further on, the canonical address.
 */
static void
make_subject(struct decider *q, size_t node)
{
	const struct domain_list *domains = &q->settings->local_domains;
	struct buffer *subject = &q->chain->subject;
	struct span raw = q->raw_sender;

	buffer_clear(subject);
	if (node > 0) {
		buffer_add(subject, nodes_text(&q->chain->nodes, node));
		return;
	}
	if (memrchr(raw.data, '@', raw.len) == NULL) {
		buffer_add(subject, raw);
		if (domains->count > 0)
			buffer_format(subject, "@%" SPAN_FMT,
				      SPAN_ARG(domains->list[0]));
		return;
	}
	if (raw.data[raw.len - 1] == '.')
		raw.len--;
	buffer_add(subject, raw);
}

/* Is the address an account's, which accounts: maps tell? */
static bool
is_account(const struct decider *q, const struct address *address)
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

/* Does mail on its way stay here? A link that is an account is the end. */
static bool
stays_at(const struct decider *q, size_t node, const struct address *address)
{
	return node > 0 && q->settings->forwards == FORWARDS_NONE &&
	       is_account(q, address);
}

/* May rules be asked about the base of a node that none of them matched? */
static bool
has_open_base(struct decider *q, size_t node)
{
	struct chain *chain = q->chain;

	return address_base(&chain->current, q->settings->recipient_delimiter,
			    &chain->base) &&
	       !stays_at(q, node, &chain->base);
}

/* Look a subject up in one map of rules and note what came of it. */
static enum rules_result
look_up(struct decider *q, size_t map, struct span subject,
	struct origin *origin)
{
	enum rules_result result;

	*origin = (struct origin){.map = (uint16_t)map};
	result = rules_lookup(q->snapshot->maps[map].rules, q->rules, subject,
			      &origin->line);
	if (result == RULES_MISS)
		trace_add(q->trace, TRACE_MISS, NULL,
			  "no rule of %s matches %" SPAN_FMT,
			  q->snapshot->maps[map].spec->path, SPAN_ARG(subject));
	if (result == RULES_TROUBLE) {
		trace_add(q->trace, TRACE_TROUBLE, origin,
			  "a limit was hit while %" SPAN_FMT " was matched",
			  SPAN_ARG(subject));
		q->trouble = true;
		q->trouble_origin = *origin;
	}
	return result;
}

/* Follow the rule of one map that matches the node, or else its base. */
static bool
follow_map(struct decider *q, size_t map, size_t node)
{
	const struct rules *rules = q->snapshot->maps[map].rules;
	struct buffer *subject = &q->chain->subject;
	enum rule_owner_kind kind;
	enum rules_result result;
	struct origin origin;
	struct span owner;

	make_subject(q, node);
	result = look_up(q, map, buffer_span(subject), &origin);
	if (result == RULES_MISS && has_open_base(q, node) &&
	    base_subject(q, subject).len > 0)
		result = look_up(q, map, buffer_span(subject), &origin);
	if (result != RULES_HIT)
		return false;
	trace_add(q->trace, TRACE_NOTE, &origin, "a rule matches %" SPAN_FMT,
		  SPAN_ARG(buffer_span(subject)));
	for (size_t i = 0; rules_owner(rules, q->rules, i, &kind, &owner); i++)
		if ((owner.len > 0 || kind == RULE_OWNER_ANY) &&
		    follow_owner(q, node, kind, owner, origin))
			return true;
	return false;
}

static bool
follow_rules(struct decider *q, size_t node)
{
	for (size_t i = 0; i < q->settings->maps.count; i++)
		if (q->snapshot->maps[i].rules != NULL &&
		    follow_map(q, i, node))
			return true;
	return false;
}

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
	struct span first =
	    local_name(q, grants_pattern(q->grants, edges[0].to));

	for (size_t i = 1; i < count; i++)
		if (edges[i].to != edges[0].to &&
		    (first.len == 0 ||
		     !span_equal(first,
				 local_name(q, grants_pattern(q->grants,
							      edges[i].to)))))
			return true;
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
		struct pattern to = grants_pattern(q->grants, edges[i].to);
		bool whole = to.kind == PATTERN_ADDRESS;

		if (address_parse(&chain->target,
				  whole ? to.text
					: address_local(&chain->current),
				  whole ? SPAN_NONE : to.text) &&
		    follow(q, node, &chain->target, edges[i].origin))
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
	bool account = is_account(q, address);

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
static bool
follow_aliases(struct decider *q, size_t node)
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

/* Follow all links of a node. */
static bool
expand(struct decider *q, size_t node)
{
	struct chain *chain = q->chain;

	/* Canonical forms are fixed points: only the parts are looked up. */
	if (!address_parse(&chain->current, nodes_text(&chain->nodes, node),
			   SPAN_NONE))
		return false;
	if (stays_at(q, node, &chain->current))
		return false;
	return follow_rules(q, node) || follow_aliases(q, node);
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
