/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/reply.h"

#include <stdint.h>
#include <unistr.h>

static const char *const heads[] = {
    [REPLY_DUNNO] = "action=DUNNO",
    [REPLY_REJECT] = "action=553 5.7.1 ",
    [REPLY_DEFER] = "action=451 4.3.0 ",
    [REPLY_WARN] = "action=WARN ",
};

/* Bytes of the reply that wait to be filled, room of them at most. */
struct sink {
	char *data;
	size_t len;
	size_t room;
};

static bool
put(struct sink *sink, const char *data, size_t len)
{
	if (len > sink->room - sink->len)
		return false;
	memcpy(sink->data + sink->len, data, len);
	sink->len += len;
	return true;
}

/* May this character stand in a line that a person reads in a terminal? */
static bool
is_harmless(ucs4_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
		return false;
	if (c >= 0x2028 && c <= 0x202e) /* separators, embeddings, overrides */
		return false;
	if (c >= 0x2066 && c <= 0x2069) /* isolates */
		return false;
	return c != 0x061c && c != 0x200e && c != 0x200f; /* marks */
}

/* Take one character, or one byte that is none, out of text and write it, or
 * what stands for it; false where it does not fit. */
static bool
put_character(struct sink *sink, struct span *text)
{
	struct span rest = *text;
	ucs4_t c;
	int n = u8_mbtoucr(&c, (const uint8_t *)rest.data, rest.len);

	*text = span_from(rest, n > 0 ? (size_t)n : 1);
	if (n <= 0 || !is_harmless(c))
		return put(sink, "?", 1);
	return put(sink, rest.data, (size_t)n);
}

/* Write what is left of text, and something in any case. */
static void
put_text(struct sink *sink, struct span text)
{
	size_t start = sink->len;

	text = span_trim(text);
	while (text.len > 0 && put_character(sink, &text))
		;
	while (sink->len > start && sink->data[sink->len - 1] == ' ')
		sink->len--; /* the cut may have come behind a blank */
	if (sink->len == start)
		(void)put(sink, "not permitted", 13); /* fits always */
}

size_t
reply_write(enum reply_kind kind, struct span text, char out[REPLY_MAX])
{
	struct sink sink = {.data = out, .room = REPLY_MAX - 2};

	(void)put(&sink, heads[kind], strlen(heads[kind])); /* fits always */
	if (kind != REPLY_DUNNO)
		put_text(&sink, text);
	out[sink.len] = '\n';
	out[sink.len + 1] = '\n';
	return sink.len + 2;
}
