/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may use a sender? */
#include "survey.h"

#include <stdlib.h>

struct who {
	struct survey survey;
	struct span sender;
	struct sides rights; /* what the sender is on the right side */
	grant_name own_at;   /* %n@ the sender's domain, or 0 */
	struct span local;   /* of the sender and its base */
	struct span base_local;
	struct nodes candidates; /* logins to try */
};

static void
add_candidate(struct who *who, struct span login)
{
	nodes_add(&who->candidates, login, 0, (struct origin){0});
}

/* Could there be a login of that name? accounts: maps know, if any. */
static bool
can_log_in(const struct who *who, struct span login)
{
	const struct grants *grants = who->survey.snapshot->grants;
	struct grants_counts counts;
	grant_name name = grants_name(grants, PATTERN_ADDRESS, login);

	if (name != 0 && (grants_about(grants, name) & NAME_LOGIN) != 0)
		return true;
	grants_count(grants, &counts);
	return counts.accounts == 0;
}

/* Add a login, and at a local domain the one without a domain as well. */
static void
add_login(struct who *who, struct span login)
{
	struct address address;

	add_candidate(who, login);
	if (address_parse(&address, login, SPAN_NONE) &&
	    address.at < address.len &&
	    question_is_local_domain(who->survey.decider,
				     address_domain_of(&address)) &&
	    can_log_in(who, address_local(&address)))
		add_candidate(who, address_local(&address));
}

/* A grant of %n@domain is to the logins of one name alone. */
static void
add_own(struct who *who, const struct pattern *left, struct span local)
{
	struct buffer login = {0};

	if (local.len == 0)
		return;
	if (left->kind == PATTERN_ADDRESS)
		add_login(who, left->text);
	buffer_add(&login, local);
	if (left->kind == PATTERN_ANY)
		add_candidate(who, buffer_span(&login));
	buffer_byte(&login, '@');
	if (left->kind == PATTERN_DOMAIN) {
		buffer_add(&login, left->text);
		add_candidate(who, buffer_span(&login));
	}
	buffer_fini(&login);
}

/* A denial of %n@domain is to the logins of one name alone. Everybody's is
 * given as that name, without a domain. */
static void
deny_own(struct who *who, const struct pattern *left, struct span local,
	 struct origin origin)
{
	struct pattern login = {.kind = PATTERN_ADDRESS};
	struct address address;
	struct buffer text = {0};

	if (local.len == 0)
		return;
	buffer_add(&text, left->kind == PATTERN_ADDRESS ? left->text : local);
	if (left->kind == PATTERN_DOMAIN)
		buffer_format(&text, "@%" SPAN_FMT, SPAN_ARG(left->text));
	login.text = buffer_span(&text);
	if (address_parse(&address, login.text, SPAN_NONE) &&
	    span_equal(address_local(&address), local))
		survey_give(&who->survey, SURVEY_EXCEPT, &login, REASON_DENIED,
			    origin);
	buffer_fini(&text);
}

/* Is the pattern of logins denied the sender as a whole? */
static bool
is_denied(const struct who *who, grant_name left)
{
	const struct grants *grants = who->survey.snapshot->grants;
	grant_name any = grants_name(grants, PATTERN_ANY, SPAN_NONE);
	struct origin origin;

	for (size_t i = 0; i < who->rights.count; i++) {
		grant_name right = who->rights.list[i].name;

		if (grants_find(grants, left, right, true, &origin) ||
		    grants_find(grants, any, right, true, &origin))
			return true;
	}
	return false;
}

/* Look at one grant of all. */
static bool
visit_grant(void *arg, grant_name left, grant_name right, bool denial,
	    struct origin origin)
{
	struct who *who = arg;
	struct survey *survey = &who->survey;
	struct name_text text;
	struct pattern login =
	    grants_pattern(survey->snapshot->grants, left, &text);
	const struct side *side = survey_find(&who->rights, right);

	if (right == who->own_at && right != 0 && denial) {
		deny_own(who, &login, who->local, origin);
		deny_own(who, &login, who->base_local, origin);
	} else if (right == who->own_at && right != 0) {
		add_own(who, &login, who->local);
		add_own(who, &login, who->base_local);
	}
	if (side == NULL)
		return true;
	if (denial)
		survey_give(survey, SURVEY_EXCEPT, &login, REASON_DENIED,
			    origin);
	else if (login.kind == PATTERN_ADDRESS)
		add_login(who, login.text);
	else if (!is_denied(who, left))
		survey_give(survey, SURVEY_MAY, &login,
			    question_reason(side->kind), origin);
	return true;
}

/* Look at one owner that rules and aliases lead to. */
static void
visit_owner(void *arg, const struct pattern *owner, struct origin first)
{
	struct who *who = arg;
	struct decider *q = who->survey.decider;
	struct address address;
	struct address base;

	if (owner->kind != PATTERN_ADDRESS) {
		survey_give(&who->survey, SURVEY_MAY, owner, REASON_RULE,
			    first);
		return;
	}
	add_login(who, owner->text);
	if (address_parse(&address, owner->text, SPAN_NONE) &&
	    address_base(&address, q->settings->recipient_delimiter, &base))
		add_login(who, address_span(&base));
}

/* The address itself, and a local login of its name. */
static void
add_self(struct who *who, const struct address *address)
{
	if (address_is_listable(address) &&
	    who->survey.snapshot->settings->self &&
	    can_log_in(who, address_span(address)))
		add_login(who, address_span(address));
}

/* The null sender is granted, never owned otherwise. */
static void
list_null(struct who *who)
{
	const struct grants *grants = who->survey.snapshot->grants;
	struct side null = {
	    .kind = PATTERN_NULL,
	    .name = grants_name(grants, PATTERN_NULL, SPAN_NONE),
	};

	who->rights = survey_keep(&(struct sides){.list = &null, .count = 1});
	if (who->survey.snapshot->settings->null_sender == ANSWER_ALLOW) {
		const struct survey_item everybody = {
		    .kind = SURVEY_MAY,
		    .pattern = {PATTERN_ANY, SPAN_NONE},
		    .reason = REASON_NULL,
		};

		who->survey.visit(who->survey.arg, &everybody);
	}
}

/* Collect who could be an owner. */
static void
collect(struct who *who)
{
	struct decider *q = who->survey.decider;
	struct address sender = q->sender;
	struct address base = q->base;
	bool has_base = q->has_base;

	who->rights = survey_keep(&q->rights);
	who->own_at =
	    grants_name(q->grants, PATTERN_OWN_AT, address_domain_of(&sender));
	who->local = address_local(&sender);
	who->base_local = has_base ? address_local(&base) : SPAN_NONE;
	add_self(who, &sender);
	if (has_base)
		add_self(who, &base);
	chain_walk(q, visit_owner, who);
	(void)grants_each(who->survey.snapshot->grants, visit_grant, who);
}

void
survey_who(const struct snapshot *snapshot, struct decider *decider,
	   struct span sender, survey_visit *visit, void *arg)
{
	struct who who = {
	    .survey = {snapshot, decider, visit, arg},
	    .sender = sender,
	};

	nodes_init(&who.candidates);
	nodes_clear(&who.candidates);
	if (question_start(decider, snapshot, sender, NULL)) {
		collect(&who);
	} else if (sender.len == 0) {
		list_null(&who);
		(void)grants_each(snapshot->grants, visit_grant, &who);
	}
	for (size_t i = 0; i < who.candidates.count; i++) {
		struct span login = nodes_text(&who.candidates, i);

		(void)survey_try(&who.survey, login, sender, login);
	}
	free(who.rights.list);
	nodes_fini(&who.candidates);
}
