/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules that match more than was meant. */
#include "base/memory.h"
#include "lint.h"

#include <stdio.h>
#include <stdlib.h>

/* A rule that covers accounts which are not among its owners. */
struct covering {
	uint32_t line;
	grant_name first; /* of the accounts */
	size_t count;
};

/* One map of rules, looked through. */
struct cover {
	struct lint *lint;
	const struct rules *rules;
	struct rules_scratch *scratch;
	uint16_t map;
	struct covering *list;
	size_t count;
	size_t room;
};

static void
check_pattern(struct lint *lint, uint16_t map, const struct rule_info *rule)
{
	const struct origin origin = {map, rule->line};

	if (rule->open_start || rule->open_end)
		lint_warn(lint, origin,
			  "the pattern is not anchored%s%s%s: it matches "
			  "addresses that only contain it; write /^...$/",
			  rule->open_start ? " with ^ at its start" : "",
			  rule->open_start && rule->open_end ? " and" : "",
			  rule->open_end ? " with $ at its end" : "");
	if (rule->loose_dot)
		lint_warn(lint, origin,
			  "the pattern has a dot that matches any byte in "
			  "front of a top-level domain: write \\.");
}

/* Is the account among the owners of the match? */
static bool
owns(struct cover *cover, const struct address *account)
{
	enum rule_owner_kind kind;
	struct address parsed;
	struct span owner;
	char domain[ADDRESS_MAX];

	for (size_t i = 0;
	     rules_owner(cover->rules, cover->scratch, i, &kind, &owner); i++) {
		size_t len;

		if (kind == RULE_OWNER_ANY)
			return true;
		if (kind == RULE_OWNER_NAME &&
		    address_parse(&parsed, owner, SPAN_NONE) &&
		    span_equal(address_span(&parsed), address_span(account)))
			return true;
		if (kind != RULE_OWNER_DOMAIN)
			continue;
		len = address_domain(owner, domain, sizeof(domain));
		if (len > 0 && span_equal(span_of(domain, len),
					  address_domain_of(account)))
			return true;
	}
	return false;
}

/* Count an account that a rule gives to others. */
static bool
count_account(struct cover *cover, uint32_t line, grant_name account)
{
	for (size_t i = 0; i < cover->count; i++)
		if (cover->list[i].line == line) {
			cover->list[i].count++;
			/* The first of the file, whatever the hash's order. */
			if (account < cover->list[i].first)
				cover->list[i].first = account;
			return true;
		}
	if (!memory_try_grow((void **)&cover->list, &cover->room, cover->count,
			     sizeof(*cover->list)))
		return false;
	cover->list[cover->count++] = (struct covering){line, account, 1};
	return true;
}

static bool
check_account(void *arg, grant_name name)
{
	struct cover *cover = arg;
	struct lint *lint = cover->lint;
	struct name_text text;
	struct pattern pattern = grants_pattern(lint->grants, name, &text);
	struct address account;
	uint32_t line;

	if ((grants_about(lint->grants, name) & NAME_ACCOUNT) == 0 ||
	    !address_parse(&account, pattern.text, SPAN_NONE) ||
	    account.at == account.len)
		return true;
	rules_begin(cover->scratch, lint->snapshot->settings->rule_match_limit,
		    lint->snapshot->settings->rule_budget_us);
	if (rules_lookup(cover->rules, cover->scratch, pattern.text, &line) !=
		RULES_HIT ||
	    owns(cover, &account))
		return true;
	return count_account(cover, line, name);
}

/* Which accounts do the rules of one map give to others? */
static void
check_cover(struct cover *cover)
{
	(void)grants_each_name(cover->lint->grants, check_account, cover);
	for (size_t i = 0; i < cover->count; i++) {
		const struct covering *found = &cover->list[i];
		char *account = lint_spell(cover->lint, found->first);
		char more[48] = "";

		if (found->count > 1)
			(void)snprintf(more, sizeof(more), " and %zu more",
				       found->count - 1);
		lint_warn(cover->lint, (struct origin){cover->map, found->line},
			  "the rule covers the account %s%s, and gives it to "
			  "others: narrow the pattern, or name its owner too",
			  account, more);
		free(account);
	}
}

void
lint_rules(struct lint *lint)
{
	const struct settings *settings = lint->snapshot->settings;
	struct rules_scratch *scratch = rules_scratch_new();

	for (size_t i = 0; scratch != NULL && i < settings->maps.count; i++) {
		struct cover cover = {
		    .lint = lint,
		    .rules = lint->snapshot->maps[i].rules,
		    .scratch = scratch,
		    .map = (uint16_t)i,
		};
		struct rule_info rule;

		if (cover.rules == NULL)
			continue;
		for (size_t k = 0; rules_describe(cover.rules, k, &rule); k++)
			check_pattern(lint, cover.map, &rule);
		check_cover(&cover);
		free(cover.list);
	}
	rules_scratch_free(scratch);
}
