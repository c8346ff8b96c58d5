/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/output.h"

#include <stdlib.h>
#include <unistd.h>
#include <unistr.h>

static bool
wants_colour(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fileno(stream)) &&
	       (no_color == NULL || no_color[0] == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

/* Does the character leave the text where and what it is? */
static bool
is_harmless(ucs4_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
		return false;
	if ((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e))
		return false;
	return !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff;
}

static void
print_safe(FILE *stream, struct span text)
{
	const uint8_t *p = (const uint8_t *)text.data;
	size_t left = text.len;

	while (left > 0) {
		ucs4_t c;
		int n = u8_mbtoucr(&c, p, left);
		size_t len = n > 0 ? (size_t)n : 1;

		if (n > 0 && is_harmless(c))
			(void)fwrite(p, 1, len, stream);
		else
			for (size_t i = 0; i < len; i++)
				(void)fprintf(stream, "\\x%02x", p[i]);
		p += len;
		left -= len;
	}
}

void
output_text(FILE *stream, enum output_colour colour, struct span text)
{
	static const char *const codes[] = {
	    [OUTPUT_PLAIN] = "",        [OUTPUT_GOOD] = "\033[32m",
	    [OUTPUT_BAD] = "\033[31m",  [OUTPUT_DOUBT] = "\033[33m",
	    [OUTPUT_FAINT] = "\033[2m",
	};
	bool coloured = colour != OUTPUT_PLAIN && wants_colour(stream);

	if (coloured)
		(void)fputs(codes[colour], stream);
	print_safe(stream, text);
	if (coloured)
		(void)fputs("\033[0m", stream);
}

void
output_string(FILE *stream, enum output_colour colour, const char *text)
{
	output_text(stream, colour, span_text(text));
}
