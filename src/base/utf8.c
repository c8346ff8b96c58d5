/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"

#include <unistr.h>

size_t
utf8_char(struct span text, uint32_t *character)
{
	ucs4_t c;
	int n;

	if (text.len == 0)
		return 0;
	n = u8_mbtoucr(&c, (const uint8_t *)text.data, text.len);
	if (n <= 0)
		return 0;
	*character = c;
	return (size_t)n;
}

bool
utf8_is_valid(struct span text)
{
	return u8_check((const uint8_t *)text.data, text.len) == NULL;
}

bool
utf8_is_harmless(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
		return false;
	if (c >= 0x2028 && c <= 0x202e) /* separators, embeddings, overrides */
		return false;
	if (c >= 0x2066 && c <= 0x2069) /* isolates */
		return false;
	return c != 0x061c && c != 0x200e && c != 0x200f; /* marks */
}
