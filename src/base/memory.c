/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, LARGE = 4 << 20, MMAP_FROM = 256 << 10 };

static _Thread_local size_t fail_after;

/* Say that there is no memory and end, without needing any. */
static _Noreturn void
die(void)
{
	static const char text[] = "fromguard: out of memory\n";

	/* Nothing can be done about a failed write here. */
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(111);
}

/* Count down to the failure that a test has ordered. */
static bool
fails_now(void)
{
	if (fail_after == 0)
		return false;
	if (fail_after == 1)
		return true;
	fail_after--;
	return false;
}

void
memory_fail_after(size_t n)
{
	fail_after = n;
}

void
memory_init(void)
{
	/* Without this the bound rises with whatever is freed. */
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
}

void *
memory_zero(size_t count, size_t size)
{
	void *p = calloc(count > 0 ? count : 1, size);

	if (p == NULL)
		die();
	return p;
}

char *
memory_copy(const char *data, size_t len)
{
	char *copy = memory_zero(len + 1, 1);

	memcpy(copy, data, len);
	return copy;
}

/*
 * Ask for huge pages under a large block; without them nothing is lost. All
 * of its pages are to be of one kind, the one with malloc's own bytes too:
 * mremap(2), by which realloc() spares a copy, moves no others.
 */
static void *
advise(void *block, size_t count, size_t size)
{
	uintptr_t from = (uintptr_t)block / PAGE * PAGE;
	uintptr_t to = (uintptr_t)block + count * size;

	if (block != NULL && count > 0 && size >= LARGE / count)
		(void)madvise((void *)from,
			      (to - from + PAGE - 1) / PAGE * PAGE,
			      MADV_HUGEPAGE);
	return block;
}

void *
memory_try_zero(size_t count, size_t size)
{
	if (fails_now())
		return NULL;
	return advise(calloc(count > 0 ? count : 1, size), count, size);
}

void *
memory_try_resize(void *old, size_t count, size_t size)
{
	if (fails_now())
		return NULL;
	return advise(reallocarray(old, count > 0 ? count : 1, size), count,
		      size);
}

void *
memory_try_chunk(void)
{
	void *chunk;

	if (fails_now())
		return NULL;
	chunk = aligned_alloc(MEMORY_CHUNK, MEMORY_CHUNK);
	if (chunk != NULL)
		(void)madvise(chunk, MEMORY_CHUNK, MADV_HUGEPAGE);
	return chunk;
}

void
memory_release(char *from, char *to)
{
	uintptr_t first = ((uintptr_t)from + PAGE - 1) / PAGE * PAGE;
	uintptr_t end = (uintptr_t)to / PAGE * PAGE;

	/* Where it fails, they are freed with all others. */
	if (first < end)
		(void)madvise((void *)first, end - first, MADV_DONTNEED);
}

char *
memory_try_copy(const char *data, size_t len)
{
	char *copy = len == SIZE_MAX ? NULL : memory_try_zero(len + 1, 1);

	if (copy != NULL)
		memcpy(copy, data, len);
	return copy;
}

bool
memory_try_grow(void **array, size_t *room, size_t count, size_t size)
{
	void *grown;
	size_t more;

	if (count < *room)
		return true;
	if (*room > SIZE_MAX / 2)
		return false;
	more = *room == 0 ? 16 : *room * 2;
	grown = memory_try_resize(*array, more, size);
	if (grown == NULL)
		return false;
	*array = grown;
	*room = more;
	return true;
}
