/* SPDX-License-Identifier: BSD-2-Clause */
#include "origins.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

void
origins_fini(struct origins *origins)
{
	free(origins->first);
	*origins = (struct origins){0};
}

/* Begin with a map; those before it that are not known yet have no lines. */
static bool
begin_map(struct origins *origins, uint16_t map)
{
	while (origins->count <= map) {
		if (!memory_try_grow((void **)&origins->first, &origins->room,
				     origins->count, sizeof(*origins->first)))
			return false;
		origins->first[origins->count++] = origins->next;
	}
	return true;
}

bool
origins_add(struct origins *origins, struct origin origin, uint32_t *number)
{
	if (!begin_map(origins, origin.map))
		return false;
	assert(origin.map + 1U == origins->count);
	if (origin.line >= ORIGIN_MAX - origins->first[origin.map])
		return false;
	*number = origins->first[origin.map] + origin.line;
	if (*number >= origins->next)
		origins->next = *number + 1;
	return true;
}

struct origin
origins_at(const struct origins *origins, uint32_t number)
{
	size_t low = 0;
	size_t high = origins->count;

	/* Of maps that begin at the same number, the last one has its line. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (origins->first[middle] <= number)
			low = middle;
		else
			high = middle;
	}
	return (struct origin){(uint16_t)low, number - origins->first[low]};
}
