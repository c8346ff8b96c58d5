/* SPDX-License-Identifier: BSD-2-Clause */
/* What may a login use? */
#include "base/memory.h"
#include "survey.h"

#include <stdlib.h>

struct what {
	struct survey survey;
	struct span login;
	struct sides lefts;      /* what the login is on the left side */
	struct nodes candidates; /* senders to try, own addresses first */
	/* The alias domains: mail to one domain goes to another. */
	struct grant_edge *domains;
	size_t domain_count;
	size_t domain_room;
};

static void
add_candidate(struct what *what, struct span sender)
{
	nodes_add(&what->candidates, sender, 0, (struct origin){0});
}

static void
add_local(struct what *what, struct span local, struct span domain)
{
	struct buffer sender = {0};

	buffer_format(&sender, "%" SPAN_FMT "@%" SPAN_FMT, SPAN_ARG(local),
		      SPAN_ARG(domain));
	add_candidate(what, buffer_span(&sender));
	buffer_fini(&sender);
}

/* The login's own addresses. */
static void
add_self(struct what *what)
{
	const struct decider *q = what->survey.decider;
	const struct domain_list *domains = &q->settings->local_domains;

	if (!address_is_listable(&q->login))
		return;
	if (q->login.at < q->login.len || domains->count == 0)
		add_candidate(what, address_span(&q->login));
	else
		for (size_t i = 0; i < domains->count; i++)
			add_local(what, address_span(&q->login),
				  domains->list[i]);
}

/* Is the pattern of senders denied to the login as a whole? */
static bool
is_denied(const struct what *what, grant_name right)
{
	const struct grants *grants = what->survey.snapshot->grants;
	grant_name any = grants_name(grants, PATTERN_ANY, SPAN_NONE);
	enum pattern_kind kind = grants_kind(grants, right);
	struct origin origin;

	for (size_t i = 0; i < what->lefts.count; i++) {
		grant_name left = what->lefts.list[i].name;

		if (grants_find(grants, left, right, true, &origin) ||
		    (kind != PATTERN_NULL &&
		     grants_find(grants, left, any, true, &origin)))
			return true;
	}
	return false;
}

/* Give what a denial of %n@domain takes from this login. */
static void
deny_own(struct what *what, struct span domain, struct origin origin)
{
	const struct address *login = &what->survey.decider->login;
	struct buffer sender = {0};
	struct pattern own = {.kind = PATTERN_ADDRESS};

	if (!login->local_valid)
		return;
	buffer_format(&sender, "%" SPAN_FMT "@%" SPAN_FMT,
		      SPAN_ARG(address_local(login)), SPAN_ARG(domain));
	own.text = buffer_span(&sender);
	survey_give(&what->survey, SURVEY_EXCEPT, &own, REASON_DENIED, origin);
	buffer_fini(&sender);
}

/* Look at one grant of all. */
static bool
visit_grant(void *arg, grant_name left, grant_name right, bool denial,
	    struct origin origin)
{
	struct what *what = arg;
	const struct snapshot *snapshot = what->survey.snapshot;
	struct name_text text;
	struct pattern sender = grants_pattern(snapshot->grants, right, &text);

	if (survey_find(&what->lefts, left) == NULL)
		return true;
	if (denial && sender.kind == PATTERN_OWN_AT)
		deny_own(what, sender.text, origin);
	else if (denial)
		survey_give(&what->survey, SURVEY_EXCEPT, &sender,
			    REASON_DENIED, origin);
	else if (sender.kind == PATTERN_ADDRESS)
		add_candidate(what, sender.text);
	else if (sender.kind == PATTERN_OWN_AT)
		add_local(what, address_local(&what->survey.decider->login),
			  sender.text);
	else if (!is_denied(what, right))
		survey_give(&what->survey, SURVEY_MAY, &sender,
			    question_reason(sender.kind), origin);
	return true;
}

/*
 * Does the catch-all of a domain lead to the login? Ask for an address that
 * nobody has listed.
 */
static void
try_catch_all(struct what *what, const struct pattern *domain)
{
	const struct snapshot *snapshot = what->survey.snapshot;
	struct survey_item item = {.kind = SURVEY_MAY, .pattern = *domain};
	struct verdict verdict;
	struct buffer probe = {0};
	unsigned number = 0;

	do {
		buffer_clear(&probe);
		buffer_format(&probe, "nobody%u@%" SPAN_FMT, number++,
			      SPAN_ARG(domain->text));
	} while (grants_name(snapshot->grants, PATTERN_ADDRESS,
			     buffer_span(&probe)) != 0);
	verdict = decide(snapshot, what->survey.decider, what->login,
			 buffer_span(&probe), NULL);
	buffer_fini(&probe);
	if (verdict.kind != VERDICT_ALLOW || verdict.reason != REASON_ALIAS)
		return;
	item.reason = verdict.reason;
	item.has_origin = true;
	item.origin = verdict.origin;
	what->survey.visit(what->survey.arg, &item);
}

/* Look at an alias of a domain: to one address, or to another domain. */
static bool
visit_domain(struct what *what, grant_name name, const struct pattern *domain)
{
	const struct grants *grants = what->survey.snapshot->grants;
	size_t count;
	const struct grant_edge *edges = grants_edges(grants, name, &count);

	try_catch_all(what, domain);
	for (size_t i = 0; i < count; i++) {
		if (grants_kind(grants, edges[i].to) != PATTERN_DOMAIN)
			continue;
		if (!memory_try_grow((void **)&what->domains,
				     &what->domain_room, what->domain_count,
				     sizeof(*edges)))
			return false;
		what->domains[what->domain_count++] = edges[i];
	}
	return true;
}

/* Every alias is a candidate. */
static bool
visit_name(void *arg, grant_name name)
{
	struct what *what = arg;
	const struct grants *grants = what->survey.snapshot->grants;
	struct name_text text;
	struct pattern pattern = grants_pattern(grants, name, &text);

	if ((grants_about(grants, name) & NAME_ALIAS) == 0)
		return true;
	if (pattern.kind == PATTERN_DOMAIN)
		return visit_domain(what, name, &pattern);
	add_candidate(what, pattern.text);
	return true;
}

/* An address that the login has is its own in alias domains as well. */
static void
add_domain_aliases(struct what *what, struct span sender)
{
	const struct grants *grants = what->survey.snapshot->grants;
	struct address address;

	if (!address_parse(&address, sender, SPAN_NONE))
		return;
	for (size_t i = 0; i < what->domain_count; i++) {
		struct name_text texts[2];
		struct pattern from =
		    grants_pattern(grants, what->domains[i].from, &texts[0]);
		struct pattern to =
		    grants_pattern(grants, what->domains[i].to, &texts[1]);

		if (span_equal(to.text, address_domain_of(&address)))
			add_local(what, address_local(&address), from.text);
	}
}

/* Try every candidate; those that come up on the way too. */
static void
try_candidates(struct what *what)
{
	for (size_t i = 0; i < what->candidates.count; i++) {
		struct buffer sender = {0};

		/* A copy, since more candidates may move the texts. */
		buffer_add(&sender, nodes_text(&what->candidates, i));
		if (survey_try(&what->survey, what->login, buffer_span(&sender),
			       buffer_span(&sender)))
			add_domain_aliases(what, buffer_span(&sender));
		buffer_fini(&sender);
	}
}

/* The null sender, where the settings and not a grant allow it. */
static void
give_null(struct what *what)
{
	struct survey_item item = {
	    .kind = SURVEY_MAY,
	    .pattern = {PATTERN_NULL, SPAN_NONE},
	    .reason = REASON_NULL,
	};
	struct verdict verdict =
	    decide(what->survey.snapshot, what->survey.decider, what->login,
		   SPAN_NONE, NULL);

	if (verdict.kind == VERDICT_ALLOW && verdict.reason == REASON_NULL)
		what->survey.visit(what->survey.arg, &item);
}

void
survey_what(const struct snapshot *snapshot, struct decider *decider,
	    struct span login, survey_visit *visit, void *arg)
{
	struct what what = {
	    .survey = {snapshot, decider, visit, arg},
	    .login = login,
	};

	nodes_init(&what.candidates);
	nodes_clear(&what.candidates);
	question_start_login(decider, snapshot, login);
	what.lefts = survey_keep(&decider->lefts);
	add_self(&what);
	(void)grants_each(snapshot->grants, visit_grant, &what);
	(void)grants_each_name(snapshot->grants, visit_name, &what);
	try_candidates(&what);
	survey_rules(&what.survey, login, &what.candidates, what.domains,
		     what.domain_count);
	give_null(&what);
	free(what.domains);
	free(what.lefts.list);
	nodes_fini(&what.candidates);
}
