/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A name as delivery tables have it: one without a domain is that name at each
 * of the local domains, so it can have several spellings.
 */
#ifndef MAPS_NAME_H
#define MAPS_NAME_H

#include "maps/map.h"

struct name {
	struct pattern pattern; /* of the first spelling; points into store */
	size_t spellings;       /* 1, or the number of local domains */
	bool comparable;        /* false: not UTF-8, equals nothing */
	struct address bare;
	struct address store;
};

/* Read an address, a bare name or @domain. False with a reason. */
bool name_parse(struct name *name, struct span text,
		const struct map_context *context, struct error *error);
/* Spelling number i, below spellings; valid until the next call. */
struct pattern name_spelling(struct name *name, size_t i,
			     const struct map_context *context);

/* Give an entry of every spelling of left and right to the sink. */
bool name_give(struct map_entry entry, struct name *left, struct name *right,
	       const struct map_context *context);

#endif
