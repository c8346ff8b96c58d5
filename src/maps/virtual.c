/* SPDX-License-Identifier: BSD-2-Clause */
/* Aliases as virtual(5) and aliases(5) of Postfix have them. */
#include "maps/token.h"
#include "name.h"
#include "whole_lines.h"

static void
say(const struct map_context *context, enum severity severity, uint32_t line,
    const char *text)
{
	problems_add(context->problems, severity, context->name, line, "%s",
		     text);
}

/* Read a name and say what is wrong with it; false: leave it out. */
static bool
read_name(struct name *name, struct span text, uint32_t line,
	  const struct map_context *context)
{
	struct error error;

	if (!name_parse(name, text, context, &error)) {
		say(context, PROBLEM_ERROR, line, error.text);
		return false;
	}
	if (!name->comparable) {
		say(context, PROBLEM_WARNING, line,
		    "an address that is not UTF-8 matches nothing");
		return false;
	}
	if (name->pattern.kind != PATTERN_ADDRESS &&
	    name->pattern.kind != PATTERN_DOMAIN) {
		say(context, PROBLEM_ERROR, line,
		    "an alias is an address, a name or @domain");
		return false;
	}
	return true;
}

/* An alias whose target is @domain: the same local part in that domain. */
static bool
give_same_local(struct name *alias, const struct name *target, uint32_t line,
		const struct map_context *context)
{
	struct map_entry entry = {.kind = ENTRY_ALIAS, .line = line};
	struct address moved;

	for (size_t i = 0; i < alias->spellings; i++) {
		entry.left = name_spelling(alias, i, context);
		if (!address_move(&alias->bare, target->pattern.text, &moved)) {
			say(context, PROBLEM_ERROR, line,
			    "the target would be too long for an address");
			return true;
		}
		entry.right =
		    (struct pattern){PATTERN_ADDRESS, address_span(&moved)};
		if (!context->sink(context->arg, &entry))
			return false;
	}
	return true;
}

/* Take one destination of an alias. */
static bool
load_target(struct name *alias, struct span word, uint32_t line,
	    const struct map_context *context)
{
	struct map_entry entry = {.kind = ENTRY_ALIAS, .line = line};
	struct name target;

	if (word.len >= 2 && word.data[0] == '<' &&
	    word.data[word.len - 1] == '>')
		word = span_of(word.data + 1, word.len - 2);
	if (!read_name(&target, word, line, context))
		return true;
	if (target.pattern.kind == PATTERN_DOMAIN &&
	    alias->pattern.kind == PATTERN_ADDRESS)
		return give_same_local(alias, &target, line, context);
	return name_give(entry, alias, &target, context);
}

/* Take a line of virtual(5): an address, then where its mail goes. */
static bool
load_virtual(struct span line, uint32_t number,
	     const struct map_context *context)
{
	struct name alias;
	struct span word;
	enum token_result result = token_next(&line, false, &word);
	size_t count = 0;

	if (result == TOKEN_WORD && !read_name(&alias, word, number, context))
		return true;
	while (result == TOKEN_WORD &&
	       (result = token_next(&line, true, &word)) == TOKEN_WORD) {
		if (!load_target(&alias, word, number, context))
			return false;
		count++;
	}
	if (result == TOKEN_UNCLOSED)
		say(context, PROBLEM_ERROR, number, "a quote does not close");
	else if (count == 0)
		say(context, PROBLEM_WARNING, number,
		    "an alias that leads nowhere: a line is ADDRESS "
		    "DESTINATION[, DESTINATION]...");
	return true;
}

bool
virtual_load(char *content, size_t len, const struct map_context *context)
{
	return whole_lines_load(content, len, context, load_virtual);
}
