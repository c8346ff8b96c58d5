/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

/* Set and read by the thread that runs the event loop alone: loading, which
 * has one of its own, does not log. */
static enum log_target log_target = LOG_TARGET_STDERR;
static enum log_level log_level = LOG_LEVEL_INFO;

static const int priorities[] = {
    [LOG_LEVEL_ERROR] = LOG_ERR,
    [LOG_LEVEL_WARNING] = LOG_WARNING,
    [LOG_LEVEL_INFO] = LOG_INFO,
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

void
log_open(enum log_target target, enum log_level level)
{
	if (log_target == LOG_TARGET_SYSLOG)
		closelog();
	/* At once, while the log's socket can still be reached. */
	if (target == LOG_TARGET_SYSLOG)
		openlog("fromguard", LOG_PID | LOG_NDELAY, LOG_MAIL);
	log_target = target;
	log_level = level;
}

void
log_set_level(enum log_level level)
{
	log_level = level;
}

bool
log_wants(enum log_level level)
{
	return level <= log_level;
}

/* Add bytes; false where they would leave no room for the line end. */
static bool
add(struct log_line *line, const char *data, size_t len)
{
	if (len > LOG_LINE_MAX - 1 - line->len)
		return false;
	memcpy(line->text + line->len, data, len);
	line->len += len;
	return true;
}

void
log_begin(struct log_line *line, enum log_level level, const char *event)
{
	line->level = level;
	line->wanted = log_wants(level);
	line->full = false;
	line->len = 0;
	if (line->wanted)
		line->full = !add(line, event, strlen(event));
}

void
log_field(struct log_line *line, const char *key, struct span value)
{
	char escaped[LOG_ESCAPED_MAX];
	size_t before = line->len;
	size_t len;

	if (!line->wanted || line->full)
		return;
	len = log_escape(value, escaped, sizeof(escaped));
	if (add(line, " ", 1) && add(line, key, strlen(key)) &&
	    add(line, "=", 1) && add(line, escaped, len))
		return;
	line->len = before; /* no half of a field */
	line->full = true;
}

void
log_text(struct log_line *line, const char *key, const char *value)
{
	log_field(line, key, span_text(value));
}

void
log_number(struct log_line *line, const char *key, uint64_t value)
{
	char digits[21];
	int len = snprintf(digits, sizeof(digits), "%ju", (uintmax_t)value);

	log_field(line, key, span_of(digits, (size_t)len));
}

void
log_end(struct log_line *line)
{
	if (!line->wanted)
		return;
	if (log_target == LOG_TARGET_SYSLOG) {
		syslog(priorities[line->level], "%.*s", (int)line->len,
		       line->text);
		return;
	}
	line->text[line->len++] = '\n';
	/* A log that can not be written is no reason to refuse mail. */
	(void)!write(STDERR_FILENO, line->text, line->len);
}

void
log_note(enum log_level level, const char *event, const char *format, ...)
{
	struct log_line line;
	char text[1024];
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut is fine */
	va_end(args);
	log_begin(&line, level, event);
	log_text(&line, "text", text);
	log_end(&line);
}

static bool
is_printable(char c)
{
	return c >= 0x20 && c <= 0x7e;
}

/* Can it not stand there as it is? */
static bool
needs_quotes(struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.data[i];

		if (c <= 0x20 || c > 0x7e || c == '=' || c == '"' || c == '\\')
			return true;
	}
	return value.len == 0;
}

/* Spell one byte between quotes; returns the length, at most 4. */
static size_t
spell(char c, char out[4])
{
	static const char digits[] = "0123456789abcdef";
	size_t len = 0;

	if (is_printable(c)) {
		if (c == '"' || c == '\\')
			out[len++] = '\\';
		out[len++] = c;
		return len;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[(unsigned char)c >> 4];
	out[3] = digits[(unsigned char)c & 15];
	return 4;
}

/* Spell bytes between quotes, as many as there is room for. */
static size_t
spell_all(struct span value, char *out, size_t room)
{
	size_t len = 0;

	for (size_t i = 0; i < value.len; i++) {
		char spelt[4];
		size_t n = spell(value.data[i], spelt);

		if (n > room - len)
			break;
		memcpy(out + len, spelt, n);
		len += n;
	}
	return len;
}

static size_t
copy(struct span value, char *out, size_t room)
{
	size_t len = value.len < room ? value.len : room;

	memcpy(out, value.data, len);
	return len;
}

size_t
log_escape(struct span value, char *out, size_t size)
{
	bool cut = value.len > LOG_FIELD_MAX;
	size_t end = cut ? 3 : 0;
	size_t len = 0;
	bool quoted;

	if (cut)
		value.len = LOG_FIELD_MAX;
	quoted = needs_quotes(value);
	end += quoted;
	if (size < end + quoted)
		return 0;
	if (quoted)
		out[len++] = '"';
	len += quoted ? spell_all(value, out + len, size - end - len)
		      : copy(value, out, size - end);
	if (cut) {
		memcpy(out + len, "...", 3);
		len += 3;
	}
	if (quoted)
		out[len++] = '"';
	return len;
}
