/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A question in the making of its answer: what decide.c (the literal grants)
 * and chain.c (rules and aliases) share.
 */
#ifndef POLICY_QUESTION_H
#define POLICY_QUESTION_H

#include "base/address.h"
#include "policy/decide.h"

/* One spelling of a side of a grant that could answer the question. */
struct side {
	enum pattern_kind kind;
	grant_name name;  /* 0: no map has it; kept for the trace alone */
	struct span text; /* valid where there is no name */
};

struct sides {
	struct side *list;
	size_t count;
	size_t room;
};

struct chain;

struct decider {
	struct rules_scratch *rules;
	struct chain *chain;
	struct sides lefts;  /* who the login is */
	struct sides rights; /* what the sender is */

	/* The question. */
	const struct snapshot *snapshot;
	const struct settings *settings;
	const struct grants *grants;
	struct trace *trace;
	struct address login;
	struct address sender;
	struct address base; /* of the sender */
	bool has_base;
	struct span raw_login; /* both as they arrived */
	struct span raw_sender;
	bool is_usual;        /* a login and an address that can be listed */
	struct grant_ask ask; /* then: of their names */
	bool looked_up;       /* the names of login and sender are known */
	grant_name login_name;
	grant_name sender_name;

	/* What was found out on the way. */
	bool trouble; /* a rule hit a limit */
	struct origin trouble_origin;
	struct address scratch; /* for a local login's other spellings */
};

/* Add a side, unless no map has it and nobody wants to know. */
void sides_add(struct decider *q, struct sides *sides, enum pattern_kind kind,
	       struct span text);

/* The reason of a grant with such a right side. */
enum verdict_reason question_reason(enum pattern_kind kind);

/*
 * List in q->lefts what the left side of a grant can be: the login, a local one
 * at each of the local domains too; @its.domain; *.
 */
void sides_of_login(struct decider *q);
/*
 * List in q->rights what the right side can be, in the order of the reasons:
 * the sender, then its base; @its.domain; @.each.parent; *.
 */
void sides_of_sender(struct decider *q);

/* Is the address the login, in one of its spellings? */
bool question_is_login(const struct decider *q, const struct address *address);
/* Is the domain, canonical, one of the login's? */
bool question_is_login_domain(const struct decider *q, struct span domain);
/* Is there such a local domain? */
bool question_is_local_domain(const struct decider *q, struct span domain);

/*
 * Follow rules and aliases from the sender. True where they lead to the login:
 * reason is REASON_RULE (a rule names it directly) or REASON_ALIAS, *origin
 * the first link. A limit that was hit is noted in q->trouble.
 */
bool chain_leads_to_login(struct decider *q, enum verdict_reason *reason,
			  struct origin *origin);

/* Does a rule or a catch-all own the sender, whoever it is? */
bool chain_has_owner(struct decider *q);

/* One owner or address that the sender leads to, and the first link there. */
typedef void chain_visit(void *arg, const struct pattern *owner,
			 struct origin first);
/* Visit everything that the sender leads to, whoever logged in. */
void chain_walk(struct decider *q, chain_visit *visit, void *arg);

/* Make snapshot, trace and sender those of the question, and nobody its login;
 * false where the sender is nobody's address. For those who survey. */
bool question_start(struct decider *q, const struct snapshot *snapshot,
		    struct span sender, struct trace *trace);

/* The same for a login: lists what it is on the left side of a grant. */
void question_start_login(struct decider *q, const struct snapshot *snapshot,
			  struct span login);

/* Would mail to the address reach the login, as it is or over rules and
 * aliases, whatever is granted? For those who survey. */
bool question_reaches(struct decider *q, const struct snapshot *snapshot,
		      struct span login, struct span address);

struct chain *chain_new(void);
void chain_free(struct chain *chain);

#endif
