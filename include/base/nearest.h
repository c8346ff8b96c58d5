/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name that somebody meant who wrote another: of all that are offered, the
 * one with the fewest slips of the pen in between.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/span.h"

/* A search in the making; the caller's storage. */
struct nearest {
	struct span word;
	struct span name; /* the nearest so far; empty: none is near enough */
	size_t distance;  /* of name */
};

/* Start with the word as it was written. */
void nearest_init(struct nearest *nearest, struct span word);
/* Offer one right name; it is borrowed as long as *nearest is in use. */
void nearest_offer(struct nearest *nearest, struct span name);

#endif
