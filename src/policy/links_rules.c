/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The links that rules give: a rule's owners are the login, or addresses from
 * which mail goes on.
 */
#include "base/memory.h"
#include "links.h"

#include <string.h>

/* Is the owner that a rule wrote down the login itself? */
static bool
owner_is_login(struct decider *q, size_t node, enum rule_owner_kind kind,
	       struct span owner, struct origin link)
{
	struct address *target = &q->chain->target;
	size_t len;

	switch (kind) {
	case RULE_OWNER_ANY:
		links_show(q, node, PATTERN_ANY, SPAN_NONE, link);
		return q->chain->visit == NULL;
	case RULE_OWNER_DOMAIN:
		len = address_domain(owner, target->text, ADDRESS_MAX);
		if (len == 0)
			return false;
		links_show(q, node, PATTERN_DOMAIN, span_of(target->text, len),
			   link);
		return question_is_login_domain(q, span_of(target->text, len));
	case RULE_OWNER_NAME:
		if (!address_parse(target, owner, SPAN_NONE) ||
		    !address_is_listable(target))
			return false;
		links_show(q, node, PATTERN_ADDRESS, address_span(target),
			   link);
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
		return links_arrive(
		    q, node, node == 0 ? REASON_RULE : REASON_ALIAS, link);
	}
	return kind == RULE_OWNER_NAME &&
	       address_parse(&q->chain->target, owner,
			     domains->count > 0 ? domains->list[0]
						: SPAN_NONE) &&
	       links_follow(q, node, &q->chain->target, link);
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

/* May rules be asked about the base of a node that none of them matched? */
static bool
has_open_base(struct decider *q, size_t node)
{
	struct chain *chain = q->chain;

	return address_base(&chain->current, q->settings->recipient_delimiter,
			    &chain->base) &&
	       !links_end_at(q, node, &chain->base);
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

bool
links_of_rules(struct decider *q, size_t node)
{
	for (size_t i = 0; i < q->settings->maps.count; i++)
		if (q->snapshot->maps[i].rules != NULL &&
		    follow_map(q, i, node))
			return true;
	return false;
}
