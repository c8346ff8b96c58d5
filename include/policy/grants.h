/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The in-memory hash of grants. It answers "is there a grant of RIGHT to LEFT"
 * in O(1), whatever the number of grants, of owners of an address or of
 * senders of a login. Names are kept once, in a pool, and of a domain's names
 * the domain is; a grant is 12 bytes in an open-addressing table, its origin
 * included.
 */
#ifndef POLICY_GRANTS_H
#define POLICY_GRANTS_H

#include "maps/map.h"

#include <stdint.h>

/* A name: a pattern that stands on some side of some entry; 0 is none. */
typedef uint32_t grant_name;

/* Where a grant stands: number of the map (in maps), line in it. */
struct origin {
	uint16_t map;
	uint32_t line;
};

/* What is known of a name besides grants. */
enum {
	NAME_LOGIN = 1,   /* stands on the left of a grant, or is an account */
	NAME_ACCOUNT = 2, /* an accounts: map has it */
	NAME_SENDER = 4,  /* somebody has a grant of it */
	NAME_ALIAS = 8,   /* mail to it goes elsewhere: grants_edges() */
	NAME_TARGET = 16, /* mail to some alias goes to it */
};

/* Mail to one name goes to another. */
struct grant_edge {
	grant_name from;
	grant_name to;
	struct origin origin;
};

struct grants;

/* An empty set; NULL without memory. */
struct grants *grants_new(void);
void grants_free(struct grants *grants);

/* About so many names more are going to come: make room for them at once, not
 * step by step. */
void grants_expect(struct grants *grants, size_t names);
/* Add one entry that stands in map number map; false without memory. Maps come
 * in their order. The same grant twice stays where it was first seen. */
bool grants_add(struct grants *grants, const struct map_entry *entry,
		uint16_t map);
/* Make it fit for questions and as small as it gets; nothing can be added
 * afterwards. False without memory. */
bool grants_seal(struct grants *grants);

/* Is there any name of that kind? */
bool grants_have_kind(const struct grants *grants, enum pattern_kind kind);
/* The name of a pattern, or 0: then there is no entry with it. */
grant_name grants_name(const struct grants *grants, enum pattern_kind kind,
		       struct span text);
/*
 * The names of two addresses in steps: memory, which is far away, is asked for
 * and not waited for, and there is time for something else until the next step.
 * grants_answer() has the names, or 0.
 */
struct name_ask {
	struct span address; /* borrowed */
	uint32_t hash;
	grant_name guess; /* 0: none yet */
};
struct grant_ask {
	struct name_ask left;
	struct name_ask right;
};
void grants_ask(const struct grants *grants, struct span left,
		struct span right, struct grant_ask *ask);
/* Up to twice, and each time it is a step further; it asks for the grant of the
 * right one to the left one as well. */
void grants_expect_answer(const struct grants *grants, struct grant_ask *ask);
void grants_answer(const struct grants *grants, const struct grant_ask *ask,
		   grant_name *left, grant_name *right);
/* What kind of pattern a name is. */
enum pattern_kind grants_kind(const struct grants *grants, grant_name name);
/* Room for what a name spells. */
struct name_text {
	char bytes[ADDRESS_MAX];
};
/* What a name spells; valid until grants_free(), and as long as *text is. */
struct pattern grants_pattern(const struct grants *grants, grant_name name,
			      struct name_text *text);
/* The NAME_* bits of a name that is not 0. */
unsigned grants_about(const struct grants *grants, grant_name name);

/* Is there a grant (or denial) of right to left? Either name may be 0. */
bool grants_find(const struct grants *grants, grant_name left, grant_name right,
		 bool denial, struct origin *origin);

/* Are there any grants (denials) at all with such a left and right side? Lets
 * a decision leave out what can not answer. Both kinds are PATTERN_*. */
bool grants_any(const struct grants *grants, enum pattern_kind left,
		enum pattern_kind right, bool denial);

/* Where mail to a name goes, in the order of the maps; NULL and 0 for none. */
const struct grant_edge *grants_edges(const struct grants *grants,
				      grant_name from, size_t *count);

/* Are there any aliases at all? */
bool grants_have_edges(const struct grants *grants);

/* Every grant and denial once, in no order; for the commands. */
typedef bool grants_visit(void *arg, grant_name left, grant_name right,
			  bool denial, struct origin origin);
bool grants_each(const struct grants *grants, grants_visit *visit, void *arg);
/* Every name once; for the commands. */
typedef bool grants_visit_name(void *arg, grant_name name);
bool grants_each_name(const struct grants *grants, grants_visit_name *visit,
		      void *arg);

struct grants_counts {
	size_t grants; /* denials among them */
	size_t denials;
	size_t names;
	size_t edges;
	size_t accounts;
	size_t bytes; /* memory in use */
};
void grants_count(const struct grants *grants, struct grants_counts *counts);

#endif
