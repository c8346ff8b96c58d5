/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcre: maps, with all that pcre_table(5) of Postfix 3.7 has: any delimiter,
 * the flags i m s x A E U X, !/pattern/, nested if and endif, $1 ${1} $(1) $$,
 * continuation lines. The first rule that matches decides for the file.
 *
 * One difference is wanted: the result is split into owners when it is
 * compiled, before captures are put in, so that nothing that a sender
 * contains can become a second owner.
 */
#ifndef MAPS_RULES_H
#define MAPS_RULES_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/span.h"

#include <stdint.h>

/* One file, compiled; immutable; may be used by several threads at a time,
 * each with a scratch of its own. */
struct rules;
/* What a lookup writes into; one a thread, used again and again. */
struct rules_scratch;

/*
 * Compile content (which is written into). Problems are collected with
 * file:line and, for a pattern, the offset and the library's reason; a rule
 * with an error is left out and the others stand. What Postfix warns about
 * and goes on (no result text, text behind endif, endif without if) is a
 * warning; where Postfix skips a rule it is an error. NULL without memory.
 */
struct rules *rules_load(const char *file, char *content, size_t len,
			 struct problems *problems);
void rules_free(struct rules *rules);
/* Number of rules that have a result (if and endif not counted). */
size_t rules_count(const struct rules *rules);
/* False where the system refused to compile any of the patterns to machine
 * code; then they are interpreted. */
bool rules_have_jit(const struct rules *rules);

/* Scratch memory, all that a lookup will need; NULL without memory. */
struct rules_scratch *rules_scratch_new(void);
void rules_scratch_free(struct rules_scratch *scratch);
/*
 * Start the budget of one decision: match_limit is PCRE2's of one pattern,
 * budget_us the time that all lookups until the next rules_begin() may take
 * together, in microseconds (a few milliseconds coarse); in the second half of
 * it, what the machine does for others meanwhile does not count. Reads no
 * clock before the first rule is tried.
 */
void rules_begin(struct rules_scratch *scratch, uint32_t match_limit,
		 uint32_t budget_us);

enum rules_result {
	RULES_MISS,
	RULES_HIT,
	RULES_TROUBLE, /* a limit was hit: nothing is known */
};

/*
 * Find the first rule that matches subject, which may hold any bytes. On
 * RULES_HIT and RULES_TROUBLE *line is the rule's. The match stands in
 * scratch, and subject has to stay, until the next lookup or begin.
 */
enum rules_result rules_lookup(const struct rules *rules,
			       struct rules_scratch *scratch,
			       struct span subject, uint32_t *line);

/* How an owner was written in the rule, which no capture can change. */
enum rule_owner_kind {
	RULE_OWNER_NAME,   /* one login or address, whatever is in it */
	RULE_OWNER_DOMAIN, /* '@' in the rule, then a domain: its logins */
	RULE_OWNER_ANY,    /* '*' alone, in the rule itself */
};

/*
 * Owner number i, from 0, of the match that the last lookup found; false where
 * there are no more. *owner (for RULE_OWNER_DOMAIN without its '@') is as the
 * rule and the captures make it, not canonical; valid until the next call of
 * this or rules_lookup(). An owner that came out empty is skipped over by the
 * caller: its span is empty.
 */
bool rules_owner(const struct rules *rules, struct rules_scratch *scratch,
		 size_t i, enum rule_owner_kind *kind, struct span *owner);

/* A rule as it stands in its file, for people; borrowed from the rules. */
struct rule_info {
	uint32_t line;
	bool negated;
	struct span pattern;
	struct span result; /* the owners, captures not put in */
	/* What every sender that the rule matches begins and ends with, in
	 * lower case; empty where nothing is certain. */
	struct span head;
	struct span tail;
	/* What is probably not meant: no '^' in front or no '$' at the end; a
	 * dot that is not escaped where a top-level domain follows. */
	bool open_start;
	bool open_end;
	bool loose_dot;
};

/* Rule number i, from 0, if and endif not counted; false where there are no
 * more. */
bool rules_describe(const struct rules *rules, size_t i,
		    struct rule_info *info);

/*
 * Owner number k, from 0, of rule number i, with fill in the place of each
 * capture; *text is written anew. False where there are no more.
 */
bool rules_describe_owner(const struct rules *rules, size_t i, size_t k,
			  char fill, enum rule_owner_kind *kind,
			  struct buffer *text);

#endif
