/* SPDX-License-Identifier: BSD-2-Clause */
#include "maps/map.h"
#include "maps/token.h"
#include "whole_lines.h"

/* Can the pattern equal anything? A name that is not UTF-8 can not. */
static bool
is_comparable(const struct pattern *pattern, const struct address *store)
{
	return pattern->kind != PATTERN_ADDRESS || address_is_listable(store);
}

/* A denial that can not be read refuses the map whatever map_errors is: to
 * leave it out would be to allow. */
static enum severity
gravity(bool denial, enum severity otherwise)
{
	return denial ? PROBLEM_REFUSAL : otherwise;
}

/* Could there be a denial in what can not be read? */
static bool
may_deny(struct span text)
{
	return memchr(text.data, '!', text.len) != NULL;
}

/* Take one sender of a login's list. */
static bool
load_sender(const struct pattern *login, struct span word, uint32_t line,
	    const struct map_context *context)
{
	struct address store;
	struct error error;
	struct map_entry entry = {
	    .kind = ENTRY_GRANT,
	    .denial = word.data[0] == '!',
	    .left = *login,
	    .line = line,
	};

	if (!pattern_parse_sender(span_from(word, entry.denial ? 1 : 0),
				  map_origin(context), &entry.right, &store,
				  &error)) {
		problems_add(context->problems,
			     gravity(entry.denial, PROBLEM_ERROR),
			     context->name, line, "%s", error.text);
		return true;
	}
	if (!is_comparable(&entry.right, &store)) {
		problems_add(context->problems,
			     gravity(entry.denial, PROBLEM_WARNING),
			     context->name, line,
			     "a sender that is not UTF-8 matches nothing");
		return true;
	}
	return context->sink(context->arg, &entry);
}

/* Read the login of a line; false, with the problem told, where it is none. */
static bool
load_login(struct span login, struct span senders, uint32_t line,
	   const struct map_context *context, struct pattern *left,
	   struct address *store)
{
	struct error error;

	if (!pattern_parse_login(login, left, store, &error)) {
		problems_add(context->problems,
			     gravity(may_deny(senders), PROBLEM_ERROR),
			     context->name, line, "%s", error.text);
		return false;
	}
	if (!is_comparable(left, store)) {
		problems_add(context->problems,
			     gravity(may_deny(senders), PROBLEM_WARNING),
			     context->name, line,
			     "a login that is not UTF-8 is nobody's");
		return false;
	}
	return true;
}

static void
say_unclosed(struct span text, struct span line, uint32_t number,
	     const struct map_context *context)
{
	problems_add(context->problems, gravity(may_deny(line), PROBLEM_ERROR),
		     context->name, number,
		     "a quote does not close: %" SPAN_FMT, SPAN_ARG(text));
}

bool
text_load_login(struct span login, struct span senders, uint32_t line,
		const struct map_context *context)
{
	struct address store;
	struct pattern left;
	struct span rest = senders;
	struct span word;
	enum token_result result;
	size_t count = 0;

	if (!load_login(login, senders, line, context, &left, &store))
		return true;
	while ((result = token_next(&rest, true, &word)) == TOKEN_WORD) {
		if (!load_sender(&left, word, line, context))
			return false;
		count++;
	}
	if (result == TOKEN_UNCLOSED)
		say_unclosed(word, senders, line, context);
	else if (count == 0)
		problems_add(
		    context->problems, PROBLEM_WARNING, context->name, line,
		    "\"%" SPAN_FMT "\" has no senders and grants nothing: a "
		    "line is LOGIN SENDER[, SENDER]...",
		    SPAN_ARG(login));
	return true;
}

/* Take a line: a login, then its senders. */
static bool
load_line(struct span line, uint32_t number, const struct map_context *context)
{
	struct span rest = line;
	struct span login;

	if (token_next(&rest, false, &login) == TOKEN_WORD)
		return text_load_login(login, rest, number, context);
	say_unclosed(login, line, number, context);
	return true;
}

bool
text_load(char *content, size_t len, const struct map_context *context)
{
	return whole_lines_load(content, len, context, load_line);
}
