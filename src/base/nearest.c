/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/nearest.h"

/* Words beyond that are no slip of anybody's pen. */
enum { WORD_MAX = 64 };

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Count the slips between two words of at most WORD_MAX bytes: a byte left
 * out, put in, or another, and two neighbours swapped (the "optimal string
 * alignment" distance). before, above and row are lines i - 2, i - 1 and i of
 * the table of distances between the first i bytes of a and the first j of b.
 */
static size_t
slips(struct span a, struct span b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0];
	size_t *above = rows[1];
	size_t *row = rows[2];

	for (size_t j = 0; j <= b.len; j++) {
		before[j] = 0;
		above[j] = j;
	}
	for (size_t i = 1; i <= a.len; i++) {
		size_t *oldest = before;

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t other = a.data[i - 1] != b.data[j - 1];

			row[j] = least(above[j], row[j - 1]) + 1;
			row[j] = least(row[j], above[j - 1] + other);
			if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
			    a.data[i - 2] == b.data[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = oldest;
	}
	return above[b.len];
}

void
nearest_init(struct nearest *nearest, struct span word)
{
	/* One slip for every three bytes, or it is another word. */
	*nearest = (struct nearest){
	    .word = word,
	    .name = SPAN_NONE,
	    .distance = (word.len + 2) / 3 + 1,
	};
}

void
nearest_offer(struct nearest *nearest, struct span name)
{
	size_t distance;

	if (nearest->word.len > WORD_MAX || name.len > WORD_MAX)
		return;
	distance = slips(nearest->word, name);
	if (distance < nearest->distance) {
		nearest->distance = distance;
		nearest->name = name;
	}
}
