/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules_internal.h"
#include "rules_pattern.h"

/* The i-th item that is no if; NULL where there are not so many. */
static const struct rule *
find_rule(const struct rules *rules, size_t i)
{
	if (rules->results == rules->count)
		return i < rules->count ? &rules->list[i] : NULL;
	for (size_t k = 0; k < rules->count; k++)
		if (!rules->list[k].is_if && i-- == 0)
			return &rules->list[k];
	return NULL;
}

bool
rules_describe(const struct rules *rules, size_t i, struct rule_info *info)
{
	const struct rule *rule = find_rule(rules, i);
	struct pattern_facts facts;

	if (rule == NULL)
		return false;
	pattern_look(span_text(rule->pattern), rule->options, &facts);
	*info = (struct rule_info){
	    .line = rule->line,
	    .negated = rule->negated,
	    .pattern = span_text(rule->pattern),
	    .result = span_text(rule->result),
	    .head = rule->negated ? SPAN_NONE : rule->head,
	    .tail = rule->negated ? SPAN_NONE : rule->tail,
	    .open_start = !facts.anchored_start,
	    .open_end = !facts.anchored_end,
	    .loose_dot = facts.loose_dot,
	};
	return true;
}

bool
rules_describe_owner(const struct rules *rules, size_t i, size_t k, char fill,
		     enum rule_owner_kind *kind, struct buffer *text)
{
	const struct rule *rule = find_rule(rules, i);
	const struct rule_owner *owner;

	if (rule == NULL || k >= rule->owner_count)
		return false;
	owner = &rules->owners.list[rule->owner_first + k];
	*kind = owner->kind;
	buffer_clear(text);
	for (uint32_t n = 0; n < owner->count; n++) {
		const struct rule_piece *piece =
		    &rules->owners.pieces[owner->first + n];

		if (piece->capture > 0)
			buffer_byte(text, fill);
		else
			buffer_add(text, piece->literal);
	}
	return true;
}
