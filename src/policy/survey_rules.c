/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which rules can give a sender to a login? Those of which an owner is the
 * login, or leads to it over aliases and other rules. An owner with captures
 * is known by what stands around them alone, so a rule is listed where its
 * result can be the login; what it matches decides whether it ever is.
 */
#include "base/memory.h"
#include "survey.h"

#include <stdlib.h>

/* Stands for a capture; no address that anybody lists has it. */
enum { CAPTURED = '\1' };

/* What is known of addresses: how they begin and end. */
struct shape {
	struct span head;
	struct span tail;
};

/* A rule that has been found. */
struct found {
	struct rule_info rule;
	uint16_t map;
};

struct finder {
	struct survey *survey;
	struct span login;
	const struct nodes *listed; /* senders of which some are the login's */
	struct buffer owner;
	struct address address;
	struct found *list;
	size_t count;
	size_t room;
};

static bool
begins_alike(struct span a, struct span b)
{
	return memcmp(a.data, b.data, a.len < b.len ? a.len : b.len) == 0;
}

static bool
ends_alike(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;

	return memcmp(a.data + a.len - len, b.data + b.len - len, len) == 0;
}

/* Take the shape of an owner in its canonical spelling; false where it has no
 * captures. */
static bool
take_shape(struct span text, struct shape *shape)
{
	const char *first = memchr(text.data, CAPTURED, text.len);
	const char *last = memrchr(text.data, CAPTURED, text.len);

	if (first == NULL)
		return false;
	shape->head = span_of(text.data, (size_t)(first - text.data));
	shape->tail = span_from(text, (size_t)(last + 1 - text.data));
	return true;
}

/* Can an address of this shape be one of the login's senders? */
static bool
can_be_listed(struct finder *finder, const struct shape *shape)
{
	struct survey *survey = finder->survey;

	for (size_t i = 0; i < finder->listed->count; i++) {
		struct span sender = nodes_text(finder->listed, i);

		if (sender.len >= shape->head.len + shape->tail.len &&
		    begins_alike(shape->head, sender) &&
		    ends_alike(shape->tail, sender) &&
		    question_reaches(survey->decider, survey->snapshot,
				     finder->login, sender))
			return true;
	}
	return false;
}

/* Can an address of this shape be matched by a rule that has been found? */
static bool
can_match(const struct finder *finder, const struct shape *shape)
{
	for (size_t i = 0; i < finder->count; i++)
		if (begins_alike(shape->head, finder->list[i].rule.head) &&
		    ends_alike(shape->tail, finder->list[i].rule.tail))
			return true;
	return false;
}

/* Can an owner of the login's domain be written there? */
static bool
is_domain(struct finder *finder, struct span owner)
{
	struct decider *q = finder->survey->decider;
	char domain[ADDRESS_MAX];
	size_t len;

	if (memchr(owner.data, CAPTURED, owner.len) != NULL)
		return true;
	len = address_domain(owner, domain, sizeof(domain));
	question_start_login(q, finder->survey->snapshot, finder->login);
	return len > 0 && question_is_login_domain(q, span_of(domain, len));
}

/* Can the owner that was described last be, or lead to, the login? */
static bool
can_reach(struct finder *finder, enum rule_owner_kind kind)
{
	struct survey *survey = finder->survey;
	struct span owner = buffer_span(&finder->owner);
	struct shape shape;

	switch (kind) {
	case RULE_OWNER_ANY:
		return true;
	case RULE_OWNER_DOMAIN:
		return is_domain(finder, owner);
	case RULE_OWNER_NAME:
		break;
	}
	if (question_reaches(survey->decider, survey->snapshot, finder->login,
			     owner))
		return true;
	/* A login without a domain is named without one, too. */
	if (!address_parse(&finder->address, owner, SPAN_NONE))
		return false;
	question_start_login(survey->decider, survey->snapshot, finder->login);
	return question_is_login(survey->decider, &finder->address) ||
	       (take_shape(address_span(&finder->address), &shape) &&
		(can_be_listed(finder, &shape) || can_match(finder, &shape)));
}

static bool
is_found(const struct finder *finder, uint16_t map, uint32_t line)
{
	for (size_t i = 0; i < finder->count; i++)
		if (finder->list[i].map == map &&
		    finder->list[i].rule.line == line)
			return true;
	return false;
}

/* Look at rule number i of a map, and take it where it can give. */
static void
try_rule(struct finder *finder, uint16_t map, const struct rules *rules,
	 size_t i, const struct rule_info *rule)
{
	enum rule_owner_kind kind;

	if (is_found(finder, map, rule->line))
		return;
	for (size_t k = 0;
	     rules_describe_owner(rules, i, k, CAPTURED, &kind, &finder->owner);
	     k++) {
		if (!can_reach(finder, kind))
			continue;
		if (memory_try_grow((void **)&finder->list, &finder->room,
				    finder->count, sizeof(*finder->list)))
			finder->list[finder->count++] =
			    (struct found){*rule, map};
		return;
	}
}

/* Go through all rules once; true where more have been found. */
static bool
find_more(struct finder *finder)
{
	const struct snapshot *snapshot = finder->survey->snapshot;
	size_t before = finder->count;

	for (size_t map = 0; map < snapshot->settings->maps.count; map++) {
		const struct rules *rules = snapshot->maps[map].rules;
		struct rule_info rule;

		for (size_t i = 0;
		     rules != NULL && rules_describe(rules, i, &rule); i++)
			try_rule(finder, (uint16_t)map, rules, i, &rule);
	}
	return finder->count > before;
}

static void
give(struct finder *finder, struct origin origin)
{
	const struct survey_item item = {
	    .kind = SURVEY_RULE,
	    .pattern = {PATTERN_ADDRESS, buffer_span(&finder->owner)},
	    .reason = REASON_RULE,
	    .has_origin = true,
	    .origin = origin,
	};

	finder->survey->visit(finder->survey->arg, &item);
}

static void
give_rule(struct finder *finder, const struct found *found)
{
	buffer_clear(&finder->owner);
	buffer_format(&finder->owner, "%s/%" SPAN_FMT "/",
		      found->rule.negated ? "!" : "",
		      SPAN_ARG(found->rule.pattern));
	give(finder, (struct origin){found->map, found->rule.line});
}

/* Give an alias domain, where a rule gives addresses of its target. */
static void
give_domain(struct finder *finder, const struct grant_edge *edge)
{
	const struct grants *grants = finder->survey->snapshot->grants;
	struct name_text texts[2];
	struct pattern to = grants_pattern(grants, edge->to, &texts[0]);
	struct pattern from = grants_pattern(grants, edge->from, &texts[1]);
	struct shape shape = {.head = SPAN_NONE};

	buffer_clear(&finder->owner);
	pattern_format(&to, &finder->owner);
	shape.tail = buffer_span(&finder->owner);
	if (!can_match(finder, &shape))
		return;
	buffer_clear(&finder->owner);
	pattern_format(&from, &finder->owner);
	give(finder, edge->origin);
}

void
survey_rules(struct survey *survey, struct span login,
	     const struct nodes *listed, const struct grant_edge *domains,
	     size_t domain_count)
{
	struct finder finder = {
	    .survey = survey,
	    .login = login,
	    .listed = listed,
	};

	buffer_init(&finder.owner);
	for (uint32_t links = 0;
	     links < survey->snapshot->settings->alias_depth &&
	     find_more(&finder);
	     links++)
		;
	for (size_t i = 0; i < finder.count; i++)
		give_rule(&finder, &finder.list[i]);
	for (size_t i = 0; i < domain_count; i++)
		give_domain(&finder, &domains[i]);
	free(finder.list);
	buffer_fini(&finder.owner);
}
