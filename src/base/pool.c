/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/pool.h"
#include "base/memory.h"

#include <stdlib.h>

void
pool_init(struct pool *pool)
{
	*pool = (struct pool){0};
}

void
pool_fini(struct pool *pool)
{
	if (pool == NULL)
		return;
	for (size_t i = 0; i < pool->count; i++)
		free(pool->chunks[i]);
	free(pool->chunks);
	pool_init(pool);
}

_Static_assert((int)POOL_CHUNK == (int)MEMORY_CHUNK, "chunks are huge pages");

/* Start another chunk; the first one may well stay nearly empty. Its first byte
 * stays unused, so that no reference of the first chunk is 0. */
static bool
add_chunk(struct pool *pool)
{
	char *chunk;

	if (pool->count >= POOL_CHUNKS ||
	    !memory_try_grow((void **)&pool->chunks, &pool->room, pool->count,
			     sizeof(*pool->chunks)))
		return false;
	chunk = pool->count == 0 ? memory_try_resize(NULL, POOL_CHUNK, 1)
				 : memory_try_chunk();
	if (chunk == NULL)
		return false;
	pool->chunks[pool->count++] = chunk;
	pool->used = 1;
	return true;
}

uint32_t
pool_add(struct pool *pool, size_t len, char **out)
{
	uint32_t ref;

	if (len > POOL_ITEM_MAX)
		return 0;
	if ((pool->count == 0 || pool->used + len > POOL_CHUNK) &&
	    !add_chunk(pool))
		return 0;
	ref = (uint32_t)((pool->count - 1) << POOL_CHUNK_BITS) |
	      (uint32_t)pool->used;
	*out = pool->chunks[pool->count - 1] + pool->used;
	pool->used += len;
	return ref;
}

size_t
pool_size(const struct pool *pool)
{
	return pool->count * POOL_CHUNK + pool->room * sizeof(*pool->chunks);
}
