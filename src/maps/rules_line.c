/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of pcre_table(5): "/pattern/flags result", "if /pattern/flags" and
 * "endif". What the manual leaves open is as Postfix 3.7 does it.
 */
#include "rules_internal.h"

#include <stdio.h>

/* Spell a byte of the file so that it can stand in a message. */
static const char *
spell(char byte, char out[5])
{
	if (byte > ' ' && byte <= '~')
		(void)snprintf(out, 5, "%c", byte);
	else
		(void)snprintf(out, 5, "\\x%02x", (unsigned char)byte);
	return out;
}

static struct span
skip_blanks(struct span s)
{
	while (s.len > 0 && byte_is_blank(s.data[0]))
		s = span_from(s, 1);
	return s;
}

/* Take a word in any case off the front, unless more of a name follows. */
static bool
take_word(struct span *rest, const char *word)
{
	size_t len = strlen(word);

	if (rest->len < len ||
	    !span_is_nocase(span_of(rest->data, len), word) ||
	    (rest->len > len && byte_is_alnum(rest->data[len])))
		return false;
	*rest = span_from(*rest, len);
	return true;
}

/* Take the '!'s in front; blanks may stand among them. */
static bool
take_negation(struct span *rest)
{
	bool negated = false;

	for (*rest = skip_blanks(*rest); rest->len > 0 && rest->data[0] == '!';
	     *rest = skip_blanks(span_from(*rest, 1)))
		negated = !negated;
	return negated;
}

/* Take the pattern and its delimiters; a backslash hides one from being the
 * end, and stays in the pattern. */
static bool
take_pattern(struct span *rest, const struct rule_place *place,
	     struct span *pattern)
{
	char spelt[5];
	size_t i;

	if (rest->len == 0) {
		problems_add(place->problems, PROBLEM_ERROR, place->file,
			     place->line,
			     "there is no pattern: write /pattern/");
		return false;
	}
	for (i = 1; i < rest->len && rest->data[i] != rest->data[0]; i++)
		if (rest->data[i] == '\\')
			i++;
	if (i < rest->len) {
		*pattern = span_of(rest->data + 1, i - 1);
		*rest = span_from(*rest, i + 1);
		return true;
	}
	problems_add(place->problems, PROBLEM_ERROR, place->file, place->line,
		     "the pattern does not end: it begins with %s and so has "
		     "to end with it",
		     spell(rest->data[0], spelt));
	return false;
}

/* The option of PCRE2 that a flag toggles, or 0. */
static uint32_t
flag_option(char flag)
{
	switch (flag) {
	case 'i':
		return PCRE2_CASELESS;
	case 'm':
		return PCRE2_MULTILINE;
	case 's':
		return PCRE2_DOTALL;
	case 'x':
		return PCRE2_EXTENDED;
	case 'A':
		return PCRE2_ANCHORED;
	case 'E':
		return PCRE2_DOLLAR_ENDONLY;
	case 'U':
		return PCRE2_UNGREEDY;
	default:
		return 0;
	}
}

/* Take the flags, up to a blank. */
static bool
take_flags(struct span *rest, const struct rule_place *place, uint32_t *options)
{
	*options = PCRE2_CASELESS | PCRE2_DOTALL;
	for (; rest->len > 0 && !byte_is_blank(rest->data[0]);
	     *rest = span_from(*rest, 1)) {
		char flag = rest->data[0];
		char spelt[5];

		*options ^= flag_option(flag);
		if (flag_option(flag) != 0)
			continue;
		if (flag == 'X') {
			problems_add(place->problems, PROBLEM_WARNING,
				     place->file, place->line,
				     "the flag X says nothing any more: PCRE2 "
				     "always refuses unknown escapes");
			continue;
		}
		problems_add(place->problems, PROBLEM_ERROR, place->file,
			     place->line,
			     "unknown flag %s behind the pattern: there are "
			     "i m s x A E U X, and inside the pattern a \\ has "
			     "to stand before its delimiter",
			     spell(flag, spelt));
		return false;
	}
	return true;
}

bool
rule_line_parse(struct span line, const struct rule_place *place,
		struct rule_line *parsed)
{
	struct span rest = line;

	*parsed = (struct rule_line){.kind = RULE_PLAIN};
	if (take_word(&rest, "endif")) {
		parsed->kind = RULE_ENDIF;
		parsed->rest = span_trim(rest);
		return true;
	}
	if (take_word(&rest, "if")) {
		parsed->kind = RULE_IF;
	} else if (rest.len > 0 && byte_is_alnum(rest.data[0])) {
		problems_add(place->problems, PROBLEM_ERROR, place->file,
			     place->line,
			     "neither /pattern/ nor if nor endif: a pattern "
			     "can not begin with a letter or digit");
		return false;
	}
	parsed->negated = take_negation(&rest);
	if (!take_pattern(&rest, place, &parsed->pattern) ||
	    !take_flags(&rest, place, &parsed->options))
		return false;
	parsed->rest = span_trim(rest);
	return true;
}
