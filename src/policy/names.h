/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of a set of grants: every pattern once, as a 32-bit reference into
 * a pool, found by a keyed hash in an open-addressing table.
 */
#ifndef POLICY_NAMES_H
#define POLICY_NAMES_H

#include "base/hash.h"
#include "base/pool.h"
#include "policy/grants.h"

/* 32 bits of the hash, which place it, and where the name is; 0: free. */
struct name_slot {
	uint32_t tag;
	grant_name name;
};

struct names {
	struct pool pool;
	struct hash_key key;
	struct name_slot *slots;
	size_t size; /* of slots */
	size_t count;
	size_t kinds[PATTERN_KINDS]; /* how many names of each */
};

/* The caller's storage. */
void names_init(struct names *names);
void names_fini(struct names *names);
/* The tag of a pattern that will be added soon: its place in memory is asked
 * for, so that it need not be waited for then. */
uint32_t names_expect(const struct names *names, const struct pattern *pattern);
/* The name of a pattern of that tag, made where there is none; 0 without
 * memory. */
grant_name names_add(struct names *names, const struct pattern *pattern,
		     uint32_t tag);
/* The name of a pattern, or 0. */
grant_name names_find(const struct names *names, enum pattern_kind kind,
		      struct span text);
/* Make the table as small as it works well; false without memory. */
bool names_seal(struct names *names);

struct pattern names_pattern(const struct names *names, grant_name name);
unsigned names_about(const struct names *names, grant_name name);
void names_mark(struct names *names, grant_name name, unsigned about);
size_t names_memory(const struct names *names);

/*
 * Place a 32-bit hash in a table of size slots: its share of the range, so
 * that any size will do and no division is needed.
 */
static inline size_t
slot_of(uint32_t hash, size_t size)
{
	return (size_t)(((uint64_t)hash * size) >> 32);
}

#endif
