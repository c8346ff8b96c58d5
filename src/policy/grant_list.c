/* SPDX-License-Identifier: BSD-2-Clause */
#include "grant_list.h"

#include <stdlib.h>

void
grant_part_fini(struct grant_part *part)
{
	for (size_t i = 0; i < part->block_count; i++)
		free(part->blocks[i]);
	free(part->blocks);
	*part = (struct grant_part){0};
}

void
grant_list_fini(struct grant_list *list)
{
	for (size_t i = 0; i < GRANT_PARTS; i++)
		grant_part_fini(&list->parts[i]);
	list->count = 0;
}

static bool
add_block(struct grant_part *part)
{
	struct grant *block;

	if (!memory_try_grow((void **)&part->blocks, &part->block_room,
			     part->block_count, sizeof(*part->blocks)))
		return false;
	block = memory_try_resize(NULL, GRANT_BLOCK, sizeof(*block));
	if (block == NULL)
		return false;
	part->blocks[part->block_count++] = block;
	return true;
}

bool
grant_list_add(struct grant_list *list, const struct grant *grant,
	       uint32_t hash)
{
	struct grant_part *part = &list->parts[hash >> (32 - GRANT_PART_BITS)];

	if (part->count == part->block_count * GRANT_BLOCK && !add_block(part))
		return false;
	part->blocks[part->count / GRANT_BLOCK][part->count % GRANT_BLOCK] =
	    *grant;
	part->count++;
	list->count++;
	return true;
}
