/* SPDX-License-Identifier: BSD-2-Clause */
/* Destinations of aliases that are no login, and lead to none. */
#include "base/memory.h"
#include "lint.h"

#include <stdlib.h>

/* Is there a login or an alias of this name, or of its domain? */
static bool
leads_somewhere(const struct lint *lint, const struct address *address)
{
	const struct grants *grants = lint->grants;
	grant_name name =
	    grants_name(grants, PATTERN_ADDRESS, address_span(address));

	if (name != 0 &&
	    (grants_about(grants, name) & (NAME_LOGIN | NAME_ALIAS)) != 0)
		return true;
	if (lint_is_account(lint, address_span(address)))
		return true;
	name = grants_name(grants, PATTERN_DOMAIN, address_domain_of(address));
	return name != 0 && (grants_about(grants, name) & NAME_ALIAS) != 0;
}

/* Does a rule give this address an owner? A limit hit is no proof against. */
static bool
has_rule(const struct lint *lint, struct span address,
	 struct rules_scratch *scratch)
{
	const struct settings *settings = lint->snapshot->settings;
	uint32_t line;

	for (size_t i = 0; i < settings->maps.count; i++) {
		const struct rules *rules = lint->snapshot->maps[i].rules;

		if (rules == NULL)
			continue;
		rules_begin(scratch, settings->rule_match_limit,
			    settings->rule_budget_us);
		if (rules_lookup(rules, scratch, address, &line) != RULES_MISS)
			return true;
	}
	return false;
}

/* What lint_destinations() hands around. */
struct destinations {
	struct lint *lint;
	struct rules_scratch *scratch;
};

static void
check_edge(struct destinations *d, const struct grant_edge *edge)
{
	struct lint *lint = d->lint;
	struct name_text name;
	struct pattern to = grants_pattern(lint->grants, edge->to, &name);
	struct address address;
	struct address base;
	char *from;
	char *text;

	if (to.kind != PATTERN_ADDRESS ||
	    !address_parse(&address, to.text, SPAN_NONE) ||
	    leads_somewhere(lint, &address) ||
	    has_rule(lint, address_span(&address), d->scratch))
		return;
	if (address_base(&address,
			 lint->snapshot->settings->recipient_delimiter,
			 &base) &&
	    (leads_somewhere(lint, &base) ||
	     has_rule(lint, address_span(&base), d->scratch)))
		return;
	from = lint_spell(lint, edge->from);
	text = lint_spell(lint, edge->to);
	lint_warn(lint, edge->origin,
		  "%s goes to %s, which is no login: that gives nobody the "
		  "right to use %s",
		  from, text, from);
	free(from);
	free(text);
}

static bool
check_name(void *arg, grant_name name)
{
	struct destinations *d = arg;
	size_t count;
	const struct grant_edge *edges =
	    grants_edges(d->lint->grants, name, &count);

	for (size_t i = 0; i < count; i++)
		check_edge(d, &edges[i]);
	return true;
}

void
lint_destinations(struct lint *lint)
{
	struct destinations destinations = {lint, NULL};

	/* Without accounts: nobody knows which logins there are. */
	if (lint->counts.accounts == 0)
		return;
	destinations.scratch = rules_scratch_new();
	if (destinations.scratch != NULL)
		(void)grants_each_name(lint->grants, check_name, &destinations);
	rules_scratch_free(destinations.scratch);
}
