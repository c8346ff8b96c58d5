/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Surveys: all logins that may use a sender, all senders that a login may use.
 * They collect what could be an answer and let decide() say which of it is.
 */
#ifndef POLICY_SURVEY_H
#define POLICY_SURVEY_H

#include "policy/decide.h"

/*
 * One answer. A pattern that stands for more than one name (a domain, '*') is
 * shown as that pattern; SURVEY_EXCEPT takes names out of such a pattern.
 */
enum survey_kind {
	SURVEY_MAY,    /* what may be used, or who may */
	SURVEY_EXCEPT, /* a denial: never, whatever else says so */
	SURVEY_RULE,   /* what: a rule that can give a sender to the login */
};

struct survey_item {
	enum survey_kind kind;
	/* Of SURVEY_RULE its text is the rule's pattern, /.../ or !/.../, or an
	 * alias domain in front of rules. */
	struct pattern pattern;
	enum verdict_reason reason;
	bool has_origin;
	struct origin origin;
};

/* Takes an item, borrowed for the call. */
typedef void survey_visit(void *arg, const struct survey_item *item);

/*
 * Visit every login that may use sender (as it comes over the wire), each name
 * once. Names first come those of grants, in no order. The address itself is
 * among them where self = yes and, if accounts: maps tell which logins exist,
 * it is one. Where everybody is granted or denied %n@domain, the logins of
 * that name are given as the name without a domain.
 */
void survey_who(const struct snapshot *snapshot, struct decider *decider,
		struct span sender, survey_visit *visit, void *arg);

/*
 * Visit every sender that login may use, each pattern once. What rules give is
 * not listed but the rules are: those of which an owner can be the login, or
 * can be what other rules and aliases lead to the login from. Sub-addresses are
 * not listed: whoever may use an address may use it with any extension.
 */
void survey_what(const struct snapshot *snapshot, struct decider *decider,
		 struct span login, survey_visit *visit, void *arg);

#endif
