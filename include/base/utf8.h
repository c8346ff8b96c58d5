/* SPDX-License-Identifier: BSD-2-Clause */
/* Characters of UTF-8 (RFC 3629), one at a time. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/span.h"

#include <stdint.h>

/* Take the first character of text; returns its length in bytes, 0 where text
 * is empty or does not begin with a whole one. */
size_t utf8_char(struct span text, uint32_t *character);

/* Is all of it UTF-8? */
bool utf8_is_valid(struct span text);

/*
 * Does the character leave the text around it where and what it is, in a
 * terminal or a log? Not so control characters, separators of lines, and
 * those that turn its direction.
 */
bool utf8_is_harmless(uint32_t character);

#endif
