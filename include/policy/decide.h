/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decision: may this login use this envelope sender? The one function of
 * the server, explain, who, what, lint and rehearse.
 */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include "policy/snapshot.h"
#include "policy/trace.h"

enum verdict_kind { VERDICT_ALLOW, VERDICT_REJECT, VERDICT_TROUBLE };

/* Why; verdict_reason_name() has them as words for the log and the metrics. */
enum verdict_reason {
	/* allow */
	REASON_SELF,     /* "self" */
	REASON_EXACT,    /* "exact" */
	REASON_DOMAIN,   /* "domain" */
	REASON_ANY,      /* "any" */
	REASON_RULE,     /* "rule" */
	REASON_ALIAS,    /* "alias" */
	REASON_NO_LOGIN, /* "no-login" */
	REASON_NULL,     /* "null-sender"; a reject as well */
	REASON_UNLISTED, /* "unlisted" */
	/* reject */
	REASON_NOT_OWNED,     /* "not-owned" */
	REASON_DENIED,        /* "denied" */
	REASON_NOT_LOGGED_IN, /* "not-logged-in" */
	/* trouble */
	REASON_RULE_LIMIT,  /* "rule-limit" */
	REASON_NO_SNAPSHOT, /* "no-snapshot" */
	REASON_COUNT,
};

struct verdict {
	enum verdict_kind kind;
	enum verdict_reason reason;
	bool has_origin; /* origin is the grant, denial or rule that decided */
	struct origin origin;
};

/* What a decision writes into; of one thread, used again and again. */
struct decider;

struct decider *decider_new(void);
void decider_free(struct decider *decider);

/*
 * Decide. login and sender are as they came over the wire; an empty login is
 * no login, an empty sender is the null sender. snapshot may be NULL: trouble.
 * trace may be NULL. Allocates nothing where there is no trace. The verdict
 * does not depend on settings->mode.
 */
struct verdict decide(const struct snapshot *snapshot, struct decider *decider,
		      struct span login, struct span sender,
		      struct trace *trace);

/*
 * The same in steps, for who has many questions at hand: what the answer needs
 * is asked for from memory, far away where maps are large, and not waited for.
 * Each question has a decider of its own; do every step for all of them before
 * the next. login, sender, snapshot and trace are borrowed until
 * decide_answer(), which alone decides; decide_expect() may be called twice,
 * once, or not at all.
 */
void decide_ask(const struct snapshot *snapshot, struct decider *decider,
		struct span login, struct span sender, struct trace *trace);
void decide_expect(struct decider *decider);
struct verdict decide_answer(struct decider *decider);

/* Did the last decision run into a limit of the rules, whatever came of it?
 * What limits are for is then worth a look. */
bool decider_hit_limit(const struct decider *decider);

const char *verdict_kind_name(enum verdict_kind kind); /* "allow", ... */
const char *verdict_reason_name(enum verdict_reason reason);

#endif
