/* SPDX-License-Identifier: BSD-2-Clause */
/* Eight bytes at a time, not aligned. */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <stdint.h>
#include <string.h>

/* The first byte becomes the lowest, on any machine. */
static inline uint64_t
word_load(const void *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

#endif
