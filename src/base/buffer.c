/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistr.h>

/* Make room for more bytes and the NUL. */
static void
reserve(struct buffer *buffer, size_t more)
{
	size_t room = buffer->room > 0 ? buffer->room : 128;
	char *grown;

	while (room - buffer->len <= more)
		room *= 2;
	if (room == buffer->room)
		return;
	grown = memory_zero(room, 1);
	if (buffer->len > 0)
		memcpy(grown, buffer->data, buffer->len);
	free(buffer->data);
	buffer->data = grown;
	buffer->room = room;
}

void
buffer_init(struct buffer *buffer)
{
	*buffer = (struct buffer){0};
}

void
buffer_fini(struct buffer *buffer)
{
	if (buffer == NULL)
		return;
	free(buffer->data);
	buffer_init(buffer);
}

void
buffer_add(struct buffer *buffer, struct span bytes)
{
	reserve(buffer, bytes.len);
	memcpy(buffer->data + buffer->len, bytes.data, bytes.len);
	buffer->len += bytes.len;
	buffer->data[buffer->len] = '\0';
}

void
buffer_format(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return;
	reserve(buffer, (size_t)len);
	va_start(args, format);
	(void)vsnprintf(buffer->data + buffer->len, (size_t)len + 1, format,
			args);
	va_end(args);
	buffer->len += (size_t)len;
}

void
buffer_byte(struct buffer *buffer, char byte)
{
	buffer_add(buffer, span_of(&byte, 1));
}

void
buffer_clear(struct buffer *buffer)
{
	buffer->len = 0;
	if (buffer->data != NULL)
		buffer->data[0] = '\0';
}

struct span
buffer_span(const struct buffer *buffer)
{
	return buffer->len > 0 ? span_of(buffer->data, buffer->len) : SPAN_NONE;
}

void
buffer_json(struct buffer *buffer, struct span bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.data;
	size_t left = bytes.len;

	buffer_byte(buffer, '"');
	while (left > 0) {
		ucs4_t c;
		int n = u8_mbtoucr(&c, p, left);

		if (n <= 0) {
			buffer_add(buffer, span_text("\xef\xbf\xbd"));
			n = 1;
		} else if (c == '"' || c == '\\') {
			buffer_format(buffer, "\\%c", (int)c);
		} else if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) {
			buffer_format(buffer, "\\u%04x", (unsigned)c);
		} else {
			buffer_add(buffer, span_of((const char *)p, (size_t)n));
		}
		p += n;
		left -= (size_t)n;
	}
	buffer_byte(buffer, '"');
}
