/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/reply.h"
#include "base/utf8.h"

#include <stdint.h>

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

/* Take one character, or one byte that is none, out of text and write it, or
 * what stands for it; false where it does not fit. */
static bool
put_character(struct sink *sink, struct span *text)
{
	struct span rest = *text;
	uint32_t c;
	size_t n = utf8_char(rest, &c);

	*text = span_from(rest, n > 0 ? n : 1);
	if (n == 0 || !utf8_is_harmless(c))
		return put(sink, "?", 1);
	return put(sink, rest.data, n);
}

/* How many bytes at the front of text are printable ASCII. */
static size_t
plain_len(struct span text)
{
	size_t i = 0;

	while (i < text.len && text.data[i] >= 0x20 && text.data[i] <= 0x7e)
		i++;
	return i;
}

/* Write as many of len plain bytes as there is room for, and take them out of
 * text; false where that is not all. */
static bool
put_plain(struct sink *sink, struct span *text, size_t len)
{
	size_t room = sink->room - sink->len;
	size_t n = len < room ? len : room;

	(void)put(sink, text->data, n); /* fits */
	*text = span_from(*text, n);
	return n == len;
}

/* Write what is left of text, and something in any case. */
static void
put_text(struct sink *sink, struct span text)
{
	size_t start = sink->len;

	text = span_trim(text);
	while (put_plain(sink, &text, plain_len(text)) && text.len > 0 &&
	       put_character(sink, &text))
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
