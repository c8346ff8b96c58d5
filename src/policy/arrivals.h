/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entries that have arrived last and wait for their place in the grants. A
 * large hash is nowhere near the processor; so the slots of all that wait are
 * asked for before the first of them is used, instead of one after the other.
 */
#ifndef POLICY_ARRIVALS_H
#define POLICY_ARRIVALS_H

#include "names.h"

enum {
	ARRIVALS = 32,
	ARRIVALS_TEXT = 4 * ADDRESS_MAX,
};

struct arrival {
	enum map_entry_kind kind;
	bool denial;
	uint16_t map;
	uint32_t line;
	struct name_key left;
	struct name_key right;
};

struct arrivals {
	size_t count;
	size_t used; /* of text */
	struct arrival list[ARRIVALS];
	char text[ARRIVALS_TEXT]; /* of the patterns */
};

/* Has it room for an entry? Where no side of one is longer than ADDRESS_MAX, it
 * fits into an empty one. */
bool arrivals_have_room(const struct arrivals *arrivals,
			const struct map_entry *entry);
/* Copy an entry that there is room for, and ask for its slots. */
void arrivals_add(struct arrivals *arrivals, struct names *names,
		  const struct map_entry *entry, uint16_t map);
/* Ask for what the slots of the first count refer to. */
void arrivals_expect(const struct arrivals *arrivals, const struct names *names,
		     size_t count);

#endif
