/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of a set of grants: every pattern once, as a 32-bit reference into
 * a pool. A name is kept as its local part and a reference to its domain, of
 * which there are few; it is found by a keyed hash in an open-addressing table.
 */
#ifndef POLICY_NAMES_H
#define POLICY_NAMES_H

#include "policy/grants.h"
#include "texts.h"

/* What a pattern is added by. */
struct name_key {
	enum pattern_kind kind;
	bool has_domain;
	uint32_t domain_tag; /* texts_tag()'s, where it has one */
	struct span domain;
	struct span local;
	uint32_t hash;
};

/* The hash, which places it, and the name; 0: free. */
struct name_slot {
	uint32_t hash;
	grant_name name;
};

/* The table is made of parts, which grow one at a time: so hardly more memory
 * is needed for that than they have in the end. */
enum { NAME_PART_BITS = 3, NAME_PARTS = 1 << NAME_PART_BITS };

/* The slots of all hashes that begin with the part's number. */
struct name_part {
	struct name_slot *slots;
	size_t size;
	size_t count;
};

struct names {
	struct pool pool;
	struct texts domains;
	struct text_memo last_domain; /* of a key that was made */
	struct hash_key key;
	struct name_part parts[NAME_PARTS];
	size_t count;
	size_t kinds[PATTERN_KINDS]; /* how many names of each */
};

/* The caller's storage. */
void names_init(struct names *names);
void names_fini(struct names *names);
/* Make room for about so many more; without memory for that, do nothing. */
void names_reserve(struct names *names, size_t more);
/* Make the key of a pattern that will be added soon; it borrows the pattern's
 * text. Its slots are asked for, so that they need not be waited for then. */
void names_make_key(struct names *names, const struct pattern *pattern,
		    struct name_key *key);
/* Ask for what they refer to, a little later; may be left out. */
void names_expect(const struct names *names, const struct name_key *key);
/* The name of a key, made where there is none; 0 without memory. */
grant_name names_add(struct names *names, const struct name_key *key);
/* Make them as small as they get, and fit to be found; false without memory. */
bool names_seal(struct names *names);
/* The name of a pattern, or 0; once they are sealed. */
grant_name names_find(const struct names *names, enum pattern_kind kind,
		      struct span text);

/* The name of an address in grants_ask()'s steps; once they are sealed. What
 * is expected first is right most of the time. */
void names_ask(const struct names *names, struct span address,
	       struct name_ask *ask);
grant_name names_expect_answer(const struct names *names, struct name_ask *ask);
grant_name names_answer(const struct names *names, const struct name_ask *ask);

enum pattern_kind names_kind(const struct names *names, grant_name name);
struct pattern names_pattern(const struct names *names, grant_name name,
			     struct name_text *text);
unsigned names_about(const struct names *names, grant_name name);
void names_mark(struct names *names, grant_name name, unsigned about);
/* Every name once, in no order, until visit() returns false. */
bool names_each(const struct names *names,
		bool (*visit)(void *arg, grant_name name), void *arg);
size_t names_memory(const struct names *names);

#endif
