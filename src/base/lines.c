/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/lines.h"

/* Take the next physical line, without its line end. */
static bool
physical(struct lines *lines, struct span *line)
{
	char *newline;

	if (lines->next == lines->end)
		return false;
	newline = memchr(lines->next, '\n', (size_t)(lines->end - lines->next));
	if (newline == NULL) {
		problems_add(lines->problems, PROBLEM_WARNING, lines->file,
			     lines->line, "no newline at the end of the file");
		newline = lines->end;
	}
	*line = span_of(lines->next, (size_t)(newline - lines->next));
	lines->next = newline == lines->end ? newline : newline + 1;
	lines->line++;
	if (line->len > 0 && line->data[line->len - 1] == '\r') {
		line->len--;
		if (!lines->said_crlf)
			problems_add(
			    lines->problems, PROBLEM_WARNING, lines->file,
			    lines->line - 1,
			    "the line ends are CRLF (sed -i 's/\\r$//' %s)",
			    lines->file);
		lines->said_crlf = true;
	}
	return true;
}

/* Comments and lines of blanks say nothing, wherever they stand. */
static bool
says_nothing(struct span line)
{
	struct span text = span_trim(line);

	return text.len == 0 || text.data[0] == '#';
}

/* Look whether the next physical line, which says something, goes on with the
 * one before. */
static bool
continues(const struct lines *lines)
{
	return lines->next != lines->end && byte_is_blank(*lines->next);
}

/* Move the line's bytes behind those at out; both lie in one buffer. */
static char *
append(char *out, struct span line)
{
	memmove(out, line.data, line.len);
	return out + line.len;
}

/* Is there a comment or an empty line next? Then step over it. */
static bool
skip_nothing(struct lines *lines)
{
	struct lines ahead = *lines;
	struct span line;

	ahead.problems = NULL;
	if (!physical(&ahead, &line) || !says_nothing(line))
		return false;
	return physical(lines, &line);
}

void
lines_init(struct lines *lines, char *content, size_t len, const char *file,
	   struct problems *problems)
{
	*lines = (struct lines){
	    .next = content,
	    .end = content + len,
	    .file = file,
	    .problems = problems,
	    .line = 1,
	};
}

/* Check a whole logical line; say what is wrong with it. */
static bool
is_sound(struct lines *lines, struct span line, uint32_t number)
{
	if (byte_is_blank(line.data[0])) {
		problems_add(
		    lines->problems, PROBLEM_ERROR, lines->file, number,
		    "starts with white space, but there is no line before it "
		    "that it could continue");
		return false;
	}
	if (memchr(line.data, '\0', line.len) != NULL) {
		problems_add(lines->problems, PROBLEM_ERROR, lines->file,
			     number, "has a NUL byte in it");
		return false;
	}
	return true;
}

bool
lines_next(struct lines *lines, struct span *line, uint32_t *number)
{
	for (;;) {
		struct span piece;
		char *start;
		char *out;

		while (skip_nothing(lines))
			;
		start = lines->next;
		*number = lines->line;
		if (!physical(lines, &piece))
			return false;
		out = start + piece.len;
		for (;;) {
			while (skip_nothing(lines))
				;
			if (!continues(lines) || !physical(lines, &piece))
				break;
			out = append(out, piece);
		}
		*line = span_of(start, (size_t)(out - start));
		while (line->len > 0 &&
		       byte_is_blank(line->data[line->len - 1]))
			line->len--;
		if (is_sound(lines, *line, *number))
			return true;
	}
}
