/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What commands print: text for people, safe on a terminal whatever an address
 * holds, and coloured there alone (NO_COLOR and TERM=dumb are honoured).
 */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include "base/span.h"

#include <stdio.h>

enum output_colour {
	OUTPUT_PLAIN,
	OUTPUT_GOOD,
	OUTPUT_BAD,
	OUTPUT_DOUBT,
	OUTPUT_FAINT,
};

/* Print text, in colour where stream is a terminal that wants it. UTF-8 is
 * left as it is; control characters, characters that move or hide text and
 * bytes that are not UTF-8 become \xNN. */
void output_text(FILE *stream, enum output_colour colour, struct span text);

/* The same for a text that ends with NUL. */
void output_string(FILE *stream, enum output_colour colour, const char *text);

#endif
