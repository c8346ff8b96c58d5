/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words of map lines: separated by blanks, or by blanks and commas; a quoted
 * string ("a b"@example.com) and what touches it is one word.
 */
#ifndef MAPS_TOKEN_H
#define MAPS_TOKEN_H

#include "base/span.h"

enum token_result {
	TOKEN_WORD,
	TOKEN_END,
	TOKEN_UNCLOSED, /* a quote does not close; *word is the rest */
};

/* Take the next word from the front of *rest. Separators are blanks, and
 * commas too where commas is set. */
enum token_result token_next(struct span *rest, bool commas, struct span *word);

#endif
