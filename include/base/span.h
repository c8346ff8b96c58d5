/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A span: bytes that somebody else owns. Nothing here allocates, and a span
 * is not terminated by NUL; it may hold any byte.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *data;
	size_t len;
};

#define SPAN_NONE ((struct span){"", 0})
/* The format and arguments that print a span: printf("%" SPAN_FMT, ...). */
#define SPAN_FMT ".*s"
#define SPAN_ARG(s) ((int)(s).len), (s).data

static inline struct span
span_of(const char *data, size_t len)
{
	return (struct span){data, len};
}

static inline struct span
span_text(const char *text)
{
	return (struct span){text, strlen(text)};
}

static inline bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static inline bool
span_is(struct span a, const char *text)
{
	return span_equal(a, span_text(text));
}

/* Blank as Postfix's ISSPACE is in the C locale: no locale is ever asked. */
static inline bool
byte_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Drop blanks at both ends. */
static inline struct span
span_trim(struct span s)
{
	while (s.len > 0 && byte_is_blank(s.data[0])) {
		s.data++;
		s.len--;
	}
	while (s.len > 0 && byte_is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

/* What is left of s after its first n bytes; n is at most s.len. */
static inline struct span
span_from(struct span s, size_t n)
{
	return (struct span){s.data + n, s.len - n};
}

static inline char
byte_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Compare without regard to ASCII case. */
static inline bool
span_is_nocase(struct span a, const char *text)
{
	size_t i;

	for (i = 0; i < a.len && text[i] != '\0'; i++)
		if (byte_lower(a.data[i]) != byte_lower(text[i]))
			return false;
	return i == a.len && text[i] == '\0';
}

#endif
