/* SPDX-License-Identifier: BSD-2-Clause */
#include "maps/token.h"
#include "name.h"
#include "whole_lines.h"

/* Take one login of a sender's list: a grant of every spelling. */
static bool
load_owner(struct name *sender, struct span word, uint32_t line,
	   const struct map_context *context)
{
	struct map_entry entry = {.kind = ENTRY_GRANT, .line = line};
	struct address store;
	struct error error;

	if (!pattern_parse_login(word, &entry.left, &store, &error)) {
		problems_add(context->problems, PROBLEM_ERROR, context->name,
			     line, "%s", error.text);
		return true;
	}
	if (entry.left.kind == PATTERN_ADDRESS &&
	    !address_is_listable(&store)) {
		problems_add(context->problems, PROBLEM_WARNING, context->name,
			     line, "a login that is not UTF-8 is nobody's");
		return true;
	}
	for (size_t i = 0; i < sender->spellings; i++) {
		entry.right = name_spelling(sender, i, context);
		if (!context->sink(context->arg, &entry))
			return false;
	}
	return true;
}

/* Take a line: a sender and the logins that own it. */
static bool
load_line(struct span line, uint32_t number, const struct map_context *context)
{
	struct name sender;
	struct error error;
	struct span word;
	enum token_result result = token_next(&line, false, &word);
	size_t count = 0;

	if (result == TOKEN_WORD &&
	    !name_parse(&sender, word, context, &error)) {
		problems_add(context->problems, PROBLEM_ERROR, context->name,
			     number, "%s", error.text);
		return true;
	}
	if (result == TOKEN_WORD && !sender.comparable) {
		problems_add(context->problems, PROBLEM_WARNING, context->name,
			     number,
			     "a sender that is not UTF-8 matches nothing");
		return true;
	}
	while (result == TOKEN_WORD &&
	       (result = token_next(&line, true, &word)) == TOKEN_WORD) {
		if (!load_owner(&sender, word, number, context))
			return false;
		count++;
	}
	if (result == TOKEN_UNCLOSED)
		problems_add(context->problems, PROBLEM_ERROR, context->name,
			     number, "a quote does not close: %" SPAN_FMT,
			     SPAN_ARG(word));
	else if (count == 0)
		problems_add(
		    context->problems, PROBLEM_WARNING, context->name, number,
		    "a sender without logins belongs to nobody: a line is "
		    "SENDER LOGIN[, LOGIN]...");
	return true;
}

bool
owners_load(char *content, size_t len, const struct map_context *context)
{
	return whole_lines_load(content, len, context, load_line);
}
