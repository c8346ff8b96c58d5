/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An arena of bytes in chunks, in which a place is a 32-bit reference: half
 * of a pointer, and as good after the arena has grown. Nothing is freed alone.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	POOL_CHUNK_BITS = 21,
	POOL_CHUNK = 1 << POOL_CHUNK_BITS,
	POOL_CHUNKS = 1 << (32 - POOL_CHUNK_BITS),
	POOL_ITEM_MAX = POOL_CHUNK - 1,
};

struct pool {
	char **chunks;
	size_t count;
	size_t room;
	size_t used; /* bytes of the last chunk */
};

/* The caller's storage; { 0 } is an empty pool as well. */
void pool_init(struct pool *pool);
void pool_fini(struct pool *pool);
/*
 * Reserve len bytes, 1 to POOL_ITEM_MAX, not aligned. *out is the place to
 * fill; the result is its reference, never 0. 0: no memory, or 4 GiB are
 * used up.
 */
uint32_t pool_add(struct pool *pool, size_t len, char **out);
/* Bytes that the pool has allocated. */
size_t pool_size(const struct pool *pool);

/* The place that a reference names; valid until pool_fini(). */
static inline const char *
pool_at(const struct pool *pool, uint32_t ref)
{
	return pool->chunks[ref >> POOL_CHUNK_BITS] + (ref & (POOL_CHUNK - 1));
}

#endif
