/* SPDX-License-Identifier: BSD-2-Clause */
#include "name.h"
#include "whole_lines.h"

/* Find c outside of quotes; the length of s where it is not there. */
static size_t
find_unquoted(struct span s, char c)
{
	bool quoted = false;

	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '\\')
			i++;
		else if (s.data[i] == '"')
			quoted = !quoted;
		else if (s.data[i] == c && !quoted)
			return i;
	}
	return s.len;
}

/* A command, a file or a list of them: nobody who could log in. */
static bool
owns_nothing(struct span target)
{
	if (target.len > 1 && target.data[0] == '"')
		target = span_from(target, 1);
	return target.len > 0 && strchr("|/:", target.data[0]) != NULL;
}

/* Read a name and say what is wrong with it; false: leave it out. */
static bool
read_name(struct name *name, struct span text, uint32_t line,
	  const struct map_context *context)
{
	struct error error;

	if (!name_parse(name, text, context, &error)) {
		problems_add(context->problems, PROBLEM_ERROR, context->name,
			     line, "%s", error.text);
		return false;
	}
	if (name->pattern.kind != PATTERN_ADDRESS) {
		problems_add(
		    context->problems, PROBLEM_ERROR, context->name, line,
		    "\"%" SPAN_FMT "\" is neither a name nor an address",
		    SPAN_ARG(text));
		return false;
	}
	if (!name->comparable)
		problems_add(context->problems, PROBLEM_WARNING, context->name,
			     line, "a name that is not UTF-8 matches nothing");
	return name->comparable;
}

/* Take the targets of one alias, divided by commas. */
static bool
load_targets(struct name *alias, struct span targets, uint32_t line,
	     const struct map_context *context)
{
	struct map_entry entry = {.kind = ENTRY_ALIAS, .line = line};
	struct name target;

	while (targets.len > 0) {
		size_t comma = find_unquoted(targets, ',');
		struct span word = span_trim(span_of(targets.data, comma));

		targets =
		    span_from(targets, comma < targets.len ? comma + 1 : comma);
		if (word.len == 0 || owns_nothing(word) ||
		    !read_name(&target, word, line, context))
			continue;
		if (!name_give(entry, alias, &target, context))
			return false;
	}
	return true;
}

/* Take a line of aliases(5): a name, a colon, its targets. */
static bool
load_line(struct span line, uint32_t number, const struct map_context *context)
{
	size_t colon = find_unquoted(line, ':');
	struct name alias;

	if (colon == line.len) {
		problems_add(context->problems, PROBLEM_ERROR, context->name,
			     number,
			     "no ':' behind the name: a line is NAME: TARGET[, "
			     "TARGET]...");
		return true;
	}
	if (!read_name(&alias, span_trim(span_of(line.data, colon)), number,
		       context))
		return true;
	return load_targets(&alias, span_from(line, colon + 1), number,
			    context);
}

bool
aliases_load(char *content, size_t len, const struct map_context *context)
{
	return whole_lines_load(content, len, context, load_line);
}
