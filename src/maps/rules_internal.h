/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of pcre: maps share: a line taken apart (rules_line.c), the
 * owners of a result (rules_owner.c), compiled rules (rules_compile.c) and
 * their use (rules_match.c).
 */
#ifndef MAPS_RULES_INTERNAL_H
#define MAPS_RULES_INTERNAL_H

#include "base/hash.h"
#include "maps/rules.h"

#include <pcre2.h>

enum {
	/* Bytes of a pattern. */
	RULE_PATTERN_MAX = 16384,
	/* The highest capture that a result may name. */
	RULE_CAPTURE_MAX = 99,
	/* Bytes of an owner that captures are put into; a longer one is no
	 * address that could be listed. */
	RULE_OWNER_MAX = 8192,
};

static inline bool
byte_is_alnum(char c)
{
	return (c >= '0' && c <= '9') ||
	       (byte_lower(c) >= 'a' && byte_lower(c) <= 'z');
}

/* Where a rule stands, and where to say what is wrong with it. */
struct rule_place {
	const char *file;
	uint32_t line;
	struct problems *problems;
};

enum rule_kind { RULE_PLAIN, RULE_IF, RULE_ENDIF };

/* A logical line taken apart; the spans point into it. */
struct rule_line {
	enum rule_kind kind;
	bool negated;
	struct span pattern;
	uint32_t options; /* PCRE2's, of the flags */
	struct span rest; /* behind pattern and flags: the result */
};

/*
 * Take a line apart. False where it is none of the three kinds or its pattern
 * can not be told from the rest, which has been said; kind is right even so,
 * where the line begins like an if or endif.
 */
bool rule_line_parse(struct span line, const struct rule_place *place,
		     struct rule_line *parsed);

/* A piece of an owner: literal bytes, or what a capture took. */
struct rule_piece {
	struct span literal;
	uint32_t capture; /* from 1; 0: literal */
};

/* One owner of a result: pieces, one after the other. */
struct rule_owner {
	enum rule_owner_kind kind;
	uint32_t first; /* of the pieces */
	uint32_t count;
};

/* Owners of all rules of a file. */
struct rule_owners {
	struct rule_owner *list;
	size_t count;
	size_t room;
	struct rule_piece *pieces;
	size_t piece_count;
	size_t piece_room;
};

/* What came of compiling some part of a rule. */
enum rule_result {
	RULE_GOOD,
	RULE_BAD, /* which has been said; nothing of it is left */
	RULE_NO_MEMORY,
};

/*
 * Split a result into owners and add them. The pieces point into result. Only
 * captures 1 to captures may stand in it.
 */
enum rule_result rule_owners_add(struct rule_owners *owners, struct span result,
				 uint32_t captures,
				 const struct rule_place *place);
/* Forget all owners but the first count. */
void rule_owners_cut(struct rule_owners *owners, size_t count);
void rule_owners_fini(struct rule_owners *owners);

/* A compiled rule, or an if. */
struct rule {
	pcre2_code *code;
	char *pattern; /* owned */
	char *result;  /* owned; the pieces of its owners point into it */
	/* What every subject that its pattern matches begins and ends with, in
	 * lower case, and a byte somewhere in it, or -1; see rules_index.c. */
	struct span head;
	struct span tail;
	char *literals; /* owned; head and tail point into it */
	int16_t last;
	int16_t local_min; /* see rules_pattern.h */
	uint64_t pairs;
	bool jit;
	uint32_t options;
	uint32_t line;
	uint32_t owner_first;
	uint32_t owner_count;
	/* The item to go on with where this one does not match: the next, or
	 * for an if what follows its endif. */
	uint32_t next;
	bool is_if;
	bool negated;
};

/* Which rules a domain's senders can match; see rules_index.c. */
struct rule_index {
	struct hash_key key;
	uint32_t *always; /* numbers of items that no domain names, rising */
	uint64_t *pairs;  /* which of them need; see rules_pattern.h */
	size_t always_count;
	uint32_t *starts; /* of the buckets in items; one more than buckets */
	size_t buckets;
	uint32_t *items; /* the others, by bucket, rising in each */
};

struct rules {
	struct rule_index index;
	struct rule *list;
	size_t count;
	size_t room;
	size_t results; /* rules that are no if */
	size_t compiled_to_jit;
	struct rule_owners owners;
};

/* Note what every match of a rule's pattern has; false without memory. */
bool rule_note_facts(struct rule *rule);

/* Index the items of a file that is complete; false without memory. */
bool rule_index_build(struct rules *rules);
void rule_index_fini(struct rule_index *index);

/* A subject, as it is held against the facts. */
struct rule_subject {
	struct span text;
	bool plain;          /* no newline: the tails hold */
	uint64_t bytes[4];   /* which bytes are in it, in lower case */
	uint64_t pairs;      /* and which pairs of neighbours */
	const uint32_t *own; /* items of its domain that are left */
	const uint32_t *own_end;
	size_t always; /* of the index, those that are left */
};

/* Prepare a lookup. */
void rule_subject_init(struct rule_subject *subject, const struct rules *rules,
		       struct span text);
/* The first item from first on that may match; rules->count: there is none. */
size_t rule_subject_next(struct rule_subject *subject,
			 const struct rules *rules, size_t first);
/* Can the pattern of this rule match at all? False is certain. */
bool rule_can_match(const struct rule *rule,
		    const struct rule_subject *subject);

#endif
