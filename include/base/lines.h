/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logical lines, by the rules of Postfix's lookup tables and main.cf
 * (postconf(5), "the general format"): empty lines, lines of blanks and lines
 * whose first non-blank is '#' are ignored; a line that starts with white
 * space continues the logical line before it, comments in between or not.
 */
#ifndef BASE_LINES_H
#define BASE_LINES_H

#include "base/error.h"
#include "base/span.h"

#include <stdint.h>

struct lines {
	char *next;
	char *end;
	const char *file; /* borrowed; names the file in problems */
	struct problems *problems;
	uint32_t line; /* of the physical line at next, from 1 */
	bool said_crlf;
};

/*
 * Start on content, len bytes that the caller owns and this writes into
 * (continuation lines are joined in place). Problems go to *problems, which
 * may be NULL: CRLF line ends (once) and a missing newline at the end are
 * warnings, a NUL byte and a continuation of nothing are errors; a line with
 * an error is left out.
 */
void lines_init(struct lines *lines, char *content, size_t len,
		const char *file, struct problems *problems);

/*
 * The next logical line: trimmed at its end, never empty, never beginning
 * with a blank; *number is its first physical line. Valid as long as content
 * is. False at the end.
 */
bool lines_next(struct lines *lines, struct span *line, uint32_t *number);

#endif
