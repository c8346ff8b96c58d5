/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants that were added, as long as it is not known how many there will be, in
 * parts by the first bits of their hashes: so a part at a time goes to its part
 * of the table, and neither is far from the processor. Within a part they are
 * in the order in which they came. Growing moves none of them.
 */
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

enum {
	GRANT_PART_BITS = 5,
	GRANT_PARTS = 1 << GRANT_PART_BITS,
	GRANT_BLOCK_BYTES = 256 << 10,
	GRANT_BLOCK = GRANT_BLOCK_BYTES / sizeof(struct grant),
};

struct grant_part {
	struct grant **blocks;
	size_t block_count;
	size_t block_room;
	size_t count;
};

/* The caller's storage; { 0 } is an empty one. */
struct grant_list {
	struct grant_part parts[GRANT_PARTS];
	size_t count;
};

void grant_list_fini(struct grant_list *list);
/* Add a copy; false without memory. */
bool grant_list_add(struct grant_list *list, const struct grant *grant,
		    uint32_t hash);
/* Forget a part. */
void grant_part_fini(struct grant_part *part);

/* Number i of a part, below count. */
static inline const struct grant *
grant_part_at(const struct grant_part *part, size_t i)
{
	return &part->blocks[i / GRANT_BLOCK][i % GRANT_BLOCK];
}

#endif
