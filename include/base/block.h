/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes looked at 64 at a time: what is found comes as a set of bits, bit i for
 * byte i, to be taken from its lowest end on. Where lines are short this is
 * faster than a search for the end of each, in which the next one can not begin
 * before the last one is done.
 */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include "base/word.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK = 64 };

/* The bits of 8 bytes that are c, on any machine; those that carry over from
 * one byte to the next do so in none of these sums. */
static inline uint64_t
block_find8(const char *bytes, char c)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	const uint64_t low = each * 0x7f;
	uint64_t word = word_load(bytes) ^ each * (unsigned char)c;
	uint64_t other = (((word & low) + low) | word | low) ^ ~UINT64_C(0);
	/* Bring the top bits of all bytes together in the topmost. */
	return (other >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* The bits of the bytes of a block that are c. */
static inline uint64_t
block_find(const char *block, char c)
{
	uint64_t found = 0;

#ifdef __SSE2__
	const __m128i wanted = _mm_set1_epi8(c);

#pragma GCC unroll 4
	for (int i = 0; i < BLOCK; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(block + i));
		int bits = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted));

		found |= (uint64_t)(unsigned)bits << i;
	}
#else
	for (int i = 0; i < BLOCK; i += 8)
		found |= block_find8(block + i, c) << i;
#endif
	return found;
}

/* The place of the lowest bit of a set that is not empty. */
static inline unsigned
block_first(uint64_t found)
{
	return (unsigned)__builtin_ctzll(found);
}

/* A set less all bits below place i, which is less than BLOCK. */
static inline uint64_t
block_from(uint64_t found, unsigned i)
{
	return found & (~UINT64_C(0) << i);
}

#endif
