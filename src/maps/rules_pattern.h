/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be told of a pattern by reading it, without running it: the literal
 * start and end that every match has, and the mistakes that people make.
 */
#ifndef MAPS_RULES_PATTERN_H
#define MAPS_RULES_PATTERN_H

#include "base/span.h"

#include <stdint.h>

enum {
	/* Bytes of a literal end that are kept; a domain has at most 253. */
	PATTERN_TAIL_MAX = 256,
	/* Bytes of a literal start that are kept. */
	PATTERN_HEAD_MAX = 32,
};

struct pattern_facts {
	bool anchored_start; /* a match begins where the subject does */
	bool anchored_end;
	bool loose_dot; /* ".com": a dot for any byte where one was meant */
	/* What every subject that matches begins and ends with, ASCII in lower
	 * case; empty where that can not be told. It holds for subjects without
	 * a newline. */
	char head[PATTERN_HEAD_MAX];
	size_t head_len;
	char tail[PATTERN_TAIL_MAX];
	size_t tail_len;
	/* Which pairs of neighbours every subject that matches has, as bits of
	 * pair_bit(). */
	uint64_t pairs;
	/* At least so many bytes stand before the tail, which are the first
	 * capture, and the pattern says nothing else; -1: it does. */
	int local_min;
};

/* One bit of 64 for two neighbouring bytes, in lower case. */
static inline uint64_t
pair_bit(char first, char second)
{
	uint32_t pair =
	    (uint32_t)(unsigned char)first << 8 | (unsigned char)second;

	return UINT64_C(1) << (pair * UINT32_C(2654435761) >> 26);
}

/*
 * Look at a pattern of PCRE2 with these options. What is not understood makes
 * the facts fewer, never wrong.
 */
void pattern_look(struct span pattern, uint32_t options,
		  struct pattern_facts *facts);

#endif
