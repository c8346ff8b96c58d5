/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: one line an event, "event key=value key=value". Only the server and
 * the commands write to it. Every value goes through log_escape().
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/span.h"

#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};
enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG };

enum {
	LOG_FIELD_MAX = 256, /* bytes of a value before "..." takes the rest */
	LOG_LINE_MAX = 4096,
};

/* One line in the making; the caller's storage. */
struct log_line {
	enum log_level level;
	bool wanted;
	bool full; /* a field did not fit: none may follow */
	size_t len;
	char text[LOG_LINE_MAX];
};

/* Start writing to a target what is at least as grave as level. May be called
 * again. Before it is called: standard error, info. */
void log_open(enum log_target target, enum log_level level);
/* Change the level alone; the target stays open as it is. */
void log_set_level(enum log_level level);
/* Would a line of that level be written? */
bool log_wants(enum log_level level);

/* Begin a line, add fields to it, write it. A line that would get too long
 * ends early; the line end is always there. */
void log_begin(struct log_line *line, enum log_level level, const char *event);
void log_field(struct log_line *line, const char *key, struct span value);
void log_text(struct log_line *line, const char *key, const char *value);
void log_number(struct log_line *line, const char *key, uint64_t value);
void log_end(struct log_line *line);

/* A whole line with one field "text", formatted. */
void log_note(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Write value into out so that it is one field of a line, whatever is in it:
 * bytes outside 0x20 to 0x7e as \xNN; at most LOG_FIELD_MAX bytes of the value,
 * then "..."; in double quotes, with \" and \\, where it is empty or has a
 * blank, '=', '"' or '\' in it or was escaped. Returns the length, at most
 * size; size should be LOG_ESCAPED_MAX.
 */
enum { LOG_ESCAPED_MAX = LOG_FIELD_MAX * 4 + 5 };
size_t log_escape(struct span value, char *out, size_t size);

#endif
