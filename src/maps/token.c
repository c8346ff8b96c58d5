/* SPDX-License-Identifier: BSD-2-Clause */
#include "maps/token.h"

static bool
separates(char c, bool commas)
{
	return byte_is_blank(c) || (commas && c == ',');
}

/* Find the end of the quoted string that starts at i; 0 where there is none. */
static size_t
quoted_end(struct span s, size_t i)
{
	for (i++; i < s.len; i++) {
		if (s.data[i] == '\\')
			i++;
		else if (s.data[i] == '"')
			return i + 1;
	}
	return 0;
}

enum token_result
token_next(struct span *rest, bool commas, struct span *word)
{
	size_t i = 0;

	while (rest->len > 0 && separates(rest->data[0], commas))
		*rest = span_from(*rest, 1);
	*word = *rest;
	if (rest->len == 0)
		return TOKEN_END;
	while (i < rest->len && !separates(rest->data[i], commas)) {
		i = rest->data[i] == '"' ? quoted_end(*rest, i) : i + 1;
		if (i == 0) {
			*rest = span_from(*rest, rest->len);
			return TOKEN_UNCLOSED;
		}
	}
	word->len = i;
	*rest = span_from(*rest, i);
	return TOKEN_WORD;
}
