/* SPDX-License-Identifier: BSD-2-Clause */
#include "status_html.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>

/* The reference for a character that is special somewhere in HTML, or NULL. */
static const char *
reference(uint32_t character)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return utf8_is_harmless(character) ? NULL : "\xef\xbf\xbd";
	}
}

void
html_text(struct buffer *out, struct span text)
{
	while (text.len > 0) {
		uint32_t character = 0;
		size_t len = utf8_char(text, &character);
		const char *instead =
		    len > 0 ? reference(character) : "\xef\xbf\xbd";

		if (len == 0)
			len = 1;
		buffer_add(out, instead != NULL ? span_text(instead)
						: span_of(text.data, len));
		text = span_from(text, len);
	}
}

void
html_number(struct buffer *out, uint64_t number)
{
	char digits[24];
	size_t len =
	    (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buffer_byte(out, ',');
		buffer_byte(out, digits[i]);
	}
}

void
html_count(struct buffer *out, uint64_t number, const char *one,
	   const char *many)
{
	html_number(out, number);
	buffer_format(out, " %s", number == 1 ? one : many);
}

void
html_clock(struct buffer *out, time_t at)
{
	struct tm local;
	char text[16];

	if (localtime_r(&at, &local) != NULL)
		buffer_add(out, span_of(text, strftime(text, sizeof(text),
						       "%H:%M", &local)));
}

void
html_age(struct buffer *out, time_t from, time_t to)
{
	/* A clock may have been set back since. */
	uint64_t seconds = to > from ? (uint64_t)(to - from) : 0;

	if (seconds < 60)
		buffer_format(out, "%" PRIu64 " s", seconds);
	else if (seconds < 3600)
		buffer_format(out, "%" PRIu64 " min", seconds / 60);
	else if (seconds < UINT64_C(2) * 86400)
		buffer_format(out, "%" PRIu64 " h", seconds / 3600);
	else
		buffer_format(out, "%" PRIu64 " days", seconds / 86400);
}

void
html_ago(struct buffer *out, time_t at, time_t now)
{
	struct tm local;
	char tag[128];

	if (at == 0 || localtime_r(&at, &local) == NULL) {
		buffer_format(out, "&ndash;");
		return;
	}
	buffer_add(out, span_of(tag, strftime(tag, sizeof(tag),
					      "<time datetime=\"%FT%T%z\" "
					      "title=\"%F %T %Z\">",
					      &local)));
	html_age(out, at, now);
	buffer_format(out, " ago</time>");
}
