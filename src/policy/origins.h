/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Origins as numbers of 31 bits: the lines of all maps, counted through. A
 * grant keeps one in half the room.
 */
#ifndef POLICY_ORIGINS_H
#define POLICY_ORIGINS_H

#include "policy/grants.h"

#define ORIGIN_MAX (UINT32_MAX >> 1)

struct origins {
	uint32_t *first; /* the number of each map's line 0 */
	size_t count;
	size_t room;
	uint32_t next; /* behind all that have been given */
};

void origins_fini(struct origins *origins);
/* Give an origin its number. Maps come in their order, the lines of each in
 * any. False without memory, or where there are more lines than numbers. */
bool origins_add(struct origins *origins, struct origin origin,
		 uint32_t *number);
/* The origin of a number that was given. */
struct origin origins_at(const struct origins *origins, uint32_t number);

#endif
