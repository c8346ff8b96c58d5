/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/lines.h"
#include "maps/map.h"

/* Take a line: LOGIN|HASH|..., of which the login alone is looked at. No
 * problem may quote more than that: the rest is secret. */
static bool
load_line(struct span line, uint32_t number, const struct map_context *context)
{
	struct map_entry entry = {.kind = ENTRY_ACCOUNT, .line = number};
	const char *bar = memchr(line.data, '|', line.len);
	struct address store;
	struct error error;

	if (bar == NULL) {
		problems_add(context->problems, PROBLEM_ERROR, context->name,
			     number,
			     "no '|' behind the login: a line is LOGIN|HASH");
		return true;
	}
	line = span_trim(span_of(line.data, (size_t)(bar - line.data)));
	if (!pattern_parse_login(line, &entry.left, &store, &error) ||
	    entry.left.kind != PATTERN_ADDRESS) {
		problems_add(context->problems, PROBLEM_ERROR, context->name,
			     number, "\"%" SPAN_FMT "\" is no login",
			     SPAN_ARG(line));
		return true;
	}
	if (!address_is_listable(&store)) {
		problems_add(context->problems, PROBLEM_WARNING, context->name,
			     number, "a login that is not UTF-8 is nobody's");
		return true;
	}
	return context->sink(context->arg, &entry);
}

bool
accounts_load(char *content, size_t len, const struct map_context *context)
{
	struct lines lines;
	struct span line;
	uint32_t number;
	bool done = true;

	lines_init(&lines, content, len, context->name, context->problems);
	while (done && lines_next(&lines, &line, &number))
		done = load_line(line, number, context);
	/* The hashes were in it. */
	explicit_bzero(content, len);
	return done;
}
