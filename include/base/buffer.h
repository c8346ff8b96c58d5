/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text that grows, for what people read: explanations, reports, JSON.
 * Small by nature; it uses the memory that never fails.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/span.h"

struct buffer {
	char *data; /* always terminated by NUL once something was added */
	size_t len;
	size_t room;
};

/* The caller's storage; { 0 } is an empty one as well. */
void buffer_init(struct buffer *buffer);
void buffer_fini(struct buffer *buffer);
/* Add bytes, a formatted text, one byte. */
void buffer_add(struct buffer *buffer, struct span bytes);
void buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_byte(struct buffer *buffer, char byte);
/* Empty it and keep its memory. */
void buffer_clear(struct buffer *buffer);
/* What it holds; valid until the next change. */
struct span buffer_span(const struct buffer *buffer);
/* Add bytes as a JSON string in quotes (RFC 8259; bytes that are not UTF-8
 * as U+FFFD). */
void buffer_json(struct buffer *buffer, struct span bytes);

#endif
