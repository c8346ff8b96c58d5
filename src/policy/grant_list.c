/* SPDX-License-Identifier: BSD-2-Clause */
#include "grant_list.h"

#include <stdlib.h>

void
grant_list_fini(struct grant_list *list)
{
	for (size_t i = 0; i < list->block_count; i++)
		free(list->blocks[i]);
	free(list->blocks);
	*list = (struct grant_list){0};
}

static bool
add_block(struct grant_list *list)
{
	struct grant *block;

	if (!memory_try_grow((void **)&list->blocks, &list->block_room,
			     list->block_count, sizeof(*list->blocks)))
		return false;
	block = memory_try_chunk();
	if (block == NULL)
		return false;
	list->blocks[list->block_count++] = block;
	return true;
}

bool
grant_list_add(struct grant_list *list, const struct grant *grant)
{
	if (list->count == list->block_count * GRANT_BLOCK && !add_block(list))
		return false;
	list->blocks[list->count / GRANT_BLOCK][list->count % GRANT_BLOCK] =
	    *grant;
	list->count++;
	return true;
}
