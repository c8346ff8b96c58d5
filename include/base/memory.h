/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory. There are two manners: memory_*() never fails (the process says
 * "out of memory" and ends with status 111), for small things without which
 * it cannot go on; memory_try_*() returns NULL, for everything whose size
 * comes from a map, so that a load that does not fit fails alone.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Have what is freed given back to the system at once where it is large, and
 * not kept for later: a snapshot takes the place of another now and then, not
 * all the time. Call it first.
 */
void memory_init(void);

/* Allocate zeroed memory for count objects of size bytes; free() it. */
void *memory_zero(size_t count, size_t size);
/* Copy len bytes and a NUL behind them; free() it. */
char *memory_copy(const char *data, size_t len);

/*
 * Zeroed memory, or NULL where there is none or count * size overflows.
 * Tests make the n-th call from now fail with memory_fail_after().
 */
void *memory_try_zero(size_t count, size_t size);
/* As realloc() for count objects; NULL leaves the old block as it was. */
void *memory_try_resize(void *old, size_t count, size_t size);
/*
 * MEMORY_CHUNK bytes, not zeroed, on a huge page where the system has one: it
 * is filled with one page fault instead of 512, and reached with far fewer
 * misses of the address cache. free() it. NULL where there is no memory.
 */
enum { MEMORY_CHUNK = 2 << 20 };
void *memory_try_chunk(void);
/*
 * Give the pages between two places of a large block back, before it is freed
 * as a whole: their content is lost, and must not be looked at again.
 */
void memory_release(char *from, char *to);
/* As memory_copy(), or NULL. */
char *memory_try_copy(const char *data, size_t len);

/*
 * Make room for one more object in *array, a memory_try_*() block of *room
 * objects of which count are in use, by doubling. False where there is no
 * memory; then nothing has changed.
 */
bool memory_try_grow(void **array, size_t *room, size_t count, size_t size);

/*
 * For tests: let the n-th memory_try_*() call of this thread, counted from
 * now, and every one after it, fail; 0 ends that.
 */
void memory_fail_after(size_t n);

#endif
