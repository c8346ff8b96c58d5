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
};

/*
 * Look at a pattern of PCRE2 with these options. What is not understood makes
 * the facts fewer, never wrong.
 */
void pattern_look(struct span pattern, uint32_t options,
		  struct pattern_facts *facts);

#endif
