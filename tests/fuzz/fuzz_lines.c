/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any file that is read line by line, against a second reading that is as
 * simple as can be: it copies every line and knows nothing of joining in
 * place.
 */
#include "base/buffer.h"
#include "base/lines.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a reading has come to. */
struct reading {
	struct buffer text; /* "NUMBER:LENGTH:LINE\n" */
	size_t warnings;
	size_t errors;
};

static void
check(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

static void
note(struct reading *reading, uint32_t number, struct span line)
{
	buffer_format(&reading->text, "%u:%zu:", number, line.len);
	buffer_add(&reading->text, line);
	buffer_byte(&reading->text, '\n');
}

/* End the logical line of the second reading, if there is one. */
static void
finish(struct reading *reading, struct buffer *line, uint32_t number)
{
	struct span text = buffer_span(line);

	if (text.len == 0)
		return;
	if (byte_is_blank(text.data[0]) ||
	    memchr(text.data, '\0', text.len) != NULL)
		reading->errors++;
	else
		note(reading, number, span_trim(text));
	buffer_clear(line);
}

/* Take one physical line, without its newline, to the logical one. */
static void
take(struct reading *reading, struct buffer *line, struct span piece,
     uint32_t number, uint32_t *first)
{
	struct span text = span_trim(piece);

	if (text.len == 0 || text.data[0] == '#')
		return;
	if (!byte_is_blank(piece.data[0]))
		finish(reading, line, *first);
	if (line->len == 0)
		*first = number;
	buffer_add(line, piece);
}

/* The second reading. */
static void
read_simply(struct span content, struct reading *reading)
{
	struct buffer line = {0};
	uint32_t number = 0;
	uint32_t first = 0;
	bool crlf = false;

	if (content.len > 0 && content.data[content.len - 1] != '\n')
		reading->warnings++;
	while (content.len > 0) {
		const char *newline = memchr(content.data, '\n', content.len);
		size_t len = newline == NULL ? content.len
					     : (size_t)(newline - content.data);
		struct span piece = span_of(content.data, len);

		number++;
		if (len > 0 && piece.data[len - 1] == '\r') {
			piece.len--;
			crlf = true;
		}
		take(reading, &line, piece, number, &first);
		content = span_from(content, len + (newline != NULL));
	}
	finish(reading, &line, first);
	reading->warnings += crlf;
	buffer_fini(&line);
}

/* The reading under test, on a copy of exactly the bytes. */
static void
read_lines(struct span content, struct reading *reading)
{
	char *copy = malloc(content.len > 0 ? content.len : 1);
	struct problems problems;
	struct lines lines;
	struct span line;
	uint32_t number;

	check(copy != NULL, "no memory");
	memcpy(copy, content.data, content.len);
	problems_init(&problems);
	lines_init(&lines, copy, content.len, "f", &problems);
	while (lines_next(&lines, &line, &number)) {
		check(line.len > 0 && span_equal(line, span_trim(line)),
		      "a line is empty or not trimmed");
		check(line.data >= copy &&
			  line.data + line.len <= copy + content.len,
		      "a line lies elsewhere");
		note(reading, number, line);
	}
	reading->warnings = problems.warnings;
	reading->errors = problems.errors;
	problems_fini(&problems);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span content =
	    size == 0 ? SPAN_NONE : span_of((const char *)data, size);
	struct reading expected = {0};
	struct reading got = {0};

	read_simply(content, &expected);
	read_lines(content, &got);
	check(span_equal(buffer_span(&got.text), buffer_span(&expected.text)),
	      "the lines differ");
	check(got.warnings == expected.warnings, "the warnings differ");
	check(got.errors == expected.errors, "the errors differ");
	buffer_fini(&expected.text);
	buffer_fini(&got.text);
	return 0;
}
