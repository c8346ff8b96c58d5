/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants in the order in which they were added, as long as it is not known how
 * many there will be; growing moves none of them. */
#ifndef POLICY_GRANT_LIST_H
#define POLICY_GRANT_LIST_H

#include "base/memory.h"
#include "policy/grants.h"

/* One grant or denial. In a free slot of a table left is 0. */
struct grant {
	grant_name left;
	grant_name right;
	uint32_t origin : 31; /* see origins.h */
	uint32_t denial : 1;
};

_Static_assert(sizeof(struct grant) == 12, "there are millions of them");

enum { GRANT_BLOCK = MEMORY_CHUNK / sizeof(struct grant) };

/* The caller's storage; { 0 } is an empty one. */
struct grant_list {
	struct grant **blocks;
	size_t block_count;
	size_t block_room;
	size_t count;
};

void grant_list_fini(struct grant_list *list);
/* Add a copy; false without memory. */
bool grant_list_add(struct grant_list *list, const struct grant *grant);

/* Number i, below count. */
static inline const struct grant *
grant_list_at(const struct grant_list *list, size_t i)
{
	return &list->blocks[i / GRANT_BLOCK][i % GRANT_BLOCK];
}

#endif
