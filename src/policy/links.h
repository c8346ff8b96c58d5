/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The links of the chain that mail to a sender would take, private to policy:
 * chain.c walks, links_rules.c and links_aliases.c find what the next links
 * are, links.c follows one.
 */
#ifndef FROMGUARD_POLICY_LINKS_H
#define FROMGUARD_POLICY_LINKS_H

#include "nodes.h"
#include "question.h"

struct chain {
	struct nodes nodes;
	bool anybody;       /* any target will do, not the login alone */
	chain_visit *visit; /* NULL, or who wants to see every target */
	void *visit_arg;
	enum verdict_reason reason;
	struct origin origin;
	struct address current; /* the node that is looked at */
	struct address base;
	struct address target;
	struct buffer subject; /* what a rule sees */
};

/*
 * Follow the link from a node to target, which becomes a node if it is none
 * yet. link: the line that says so. True where the search is over: the login
 * is reached, or any owner will do.
 */
bool links_follow(struct decider *q, size_t node, const struct address *target,
		  struct origin link);

/* Note that the login was reached over node and one more link. True. */
bool links_arrive(struct decider *q, size_t node, enum verdict_reason reason,
		  struct origin link);

/* Show an owner that the node has over this link to who surveys, if any. */
void links_show(struct decider *q, size_t node, enum pattern_kind kind,
		struct span text, struct origin link);

/* Does mail on its way stay at address? A link that is an account is the end,
 * while forwards = none. The first node, the sender, never is. */
bool links_end_at(const struct decider *q, size_t node,
		  const struct address *address);

/* Is the address an account's, which accounts: maps tell? */
bool links_is_account(const struct decider *q, const struct address *address);

/*
 * Follow all links that rules, or aliases, give to a node, whose address is
 * chain->current. True where the search is over.
 */
bool links_of_rules(struct decider *q, size_t node);
bool links_of_aliases(struct decider *q, size_t node);

#endif
