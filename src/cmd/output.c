/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/output.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <unistd.h>

static bool
wants_colour(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fileno(stream)) &&
	       (no_color == NULL || no_color[0] == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

/* Is there nothing to be seen of it, so that two names look like one? */
static bool
is_invisible(uint32_t c)
{
	return (c >= 0x200b && c <= 0x200d) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0x00ad || c == 0xfeff;
}

static void
print_safe(FILE *stream, struct span text)
{
	while (text.len > 0) {
		uint32_t c;
		size_t len = utf8_char(text, &c);
		bool harmless =
		    len > 0 && utf8_is_harmless(c) && !is_invisible(c);

		if (len == 0)
			len = 1;
		if (harmless)
			(void)fwrite(text.data, 1, len, stream);
		else
			for (size_t i = 0; i < len; i++)
				(void)fprintf(stream, "\\x%02x",
					      (unsigned char)text.data[i]);
		text = span_from(text, len);
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
