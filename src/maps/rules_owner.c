/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The result of a rule, split into owners where Postfix would split it (at
 * commas and blanks), but before captures go in.
 */
#include "base/memory.h"
#include "rules_internal.h"

#include <stdlib.h>

/* What Postfix's sender_login_maps separates logins by. */
static bool
is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Say what is wrong with a result. */
static bool
refuse(const struct rule_place *place, struct span reference, const char *cure)
{
	problems_add(place->problems, PROBLEM_ERROR, place->file, place->line,
		     "%" SPAN_FMT " in the result: %s", SPAN_ARG(reference),
		     cure);
	return false;
}

/* The bytes of a reference behind its '$': "1", "{1}" or "(1)", or as far as
 * it goes. *number is what stands for the number; false where it has no end. */
static bool
measure_reference(struct span rest, size_t *len, struct span *number)
{
	char close = '\0';
	size_t i = 0;

	if (rest.len > 0 && (rest.data[0] == '{' || rest.data[0] == '('))
		close = rest.data[0] == '{' ? '}' : ')';
	if (close != '\0') {
		for (i = 1; i < rest.len && rest.data[i] != close; i++)
			;
		*number = span_of(rest.data + 1, i - 1);
		*len = i < rest.len ? i + 1 : i;
		return i < rest.len;
	}
	while (i < rest.len &&
	       (rest.data[i] == '_' || byte_is_alnum(rest.data[i])))
		i++;
	*number = span_of(rest.data, i);
	*len = i;
	return true;
}

/* Read digits; what is above every limit stays there. */
static bool
parse_number(struct span text, uint32_t *number)
{
	*number = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		if (*number <= RULE_CAPTURE_MAX)
			*number = *number * 10 + (uint32_t)(text.data[i] - '0');
	}
	return text.len > 0;
}

/* Take "$1", "${1}" or "$(1)" off the front. */
static bool
take_reference(struct span *rest, uint32_t captures,
	       const struct rule_place *place, struct rule_piece *piece)
{
	struct span number;
	struct span reference;
	size_t len;
	bool closed = measure_reference(span_from(*rest, 1), &len, &number);

	reference = span_of(rest->data, len + 1);
	if (!closed)
		return refuse(place, reference, "the bracket is not closed");
	if (len == 0)
		return refuse(place, reference,
			      "write $$ for a dollar sign, ${1} for a capture");
	if (!parse_number(number, &piece->capture))
		return refuse(place, reference,
			      "a capture has a number, and stands in ${} where "
			      "a letter, digit or _ follows");
	if (piece->capture < 1)
		return refuse(place, reference, "captures count from 1");
	if (captures == 0)
		return refuse(place, reference,
			      "the rule has no captures: write the login out");
	if (piece->capture > captures)
		return refuse(place, reference,
			      piece->capture > RULE_CAPTURE_MAX
				  ? "only captures up to 99 can be used"
				  : "the pattern has fewer captures");
	*rest = span_from(*rest, reference.len);
	return true;
}

/* Take literal bytes up to a separator or reference; "$$" ends a piece behind
 * its first dollar sign, so that the piece can stay where it is. */
static void
take_literal(struct span *rest, struct rule_piece *piece)
{
	size_t i = 0;
	size_t skipped = 0;

	while (i < rest->len && rest->data[i] != '$' &&
	       !is_separator(rest->data[i]))
		i++;
	if (i + 1 < rest->len && rest->data[i] == '$' &&
	    rest->data[i + 1] == '$') {
		i++;
		skipped = 1;
	}
	*piece = (struct rule_piece){.literal = span_of(rest->data, i)};
	*rest = span_from(*rest, i + skipped);
}

static enum rule_result
add_piece(struct rule_owners *owners, struct span *rest, uint32_t captures,
	  const struct rule_place *place)
{
	struct rule_piece piece = {0};

	if (!memory_try_grow((void **)&owners->pieces, &owners->piece_room,
			     owners->piece_count, sizeof(piece)))
		return RULE_NO_MEMORY;
	if (rest->data[0] != '$' || (rest->len > 1 && rest->data[1] == '$'))
		take_literal(rest, &piece);
	else if (!take_reference(rest, captures, place, &piece))
		return RULE_BAD;
	owners->pieces[owners->piece_count++] = piece;
	return RULE_GOOD;
}

/* Tell an owner's kind by what stands in the rule itself, and take the '@' of
 * a domain off. */
static void
set_kind(struct rule_owner *owner, struct rule_piece *pieces)
{
	struct span *literal = &pieces[0].literal;

	owner->kind = RULE_OWNER_NAME;
	if (owner->count == 1 && literal->len == 1 && literal->data[0] == '*')
		owner->kind = RULE_OWNER_ANY;
	if (literal->len > 0 && literal->data[0] == '@') {
		owner->kind = RULE_OWNER_DOMAIN;
		*literal = span_from(*literal, 1);
	}
}

/* Add the owner that rest begins with. */
static enum rule_result
add_owner(struct rule_owners *owners, struct span *rest, uint32_t captures,
	  const struct rule_place *place)
{
	struct rule_owner owner = {.first = (uint32_t)owners->piece_count};

	if (!memory_try_grow((void **)&owners->list, &owners->room,
			     owners->count, sizeof(owner)))
		return RULE_NO_MEMORY;
	do {
		enum rule_result result =
		    add_piece(owners, rest, captures, place);

		if (result != RULE_GOOD)
			return result;
		owner.count++;
	} while (rest->len > 0 && !is_separator(rest->data[0]));
	set_kind(&owner, owners->pieces + owner.first);
	owners->list[owners->count++] = owner;
	return RULE_GOOD;
}

enum rule_result
rule_owners_add(struct rule_owners *owners, struct span result,
		uint32_t captures, const struct rule_place *place)
{
	size_t count = owners->count;
	size_t piece_count = owners->piece_count;
	struct span rest = result;

	for (;;) {
		enum rule_result added;

		while (rest.len > 0 && is_separator(rest.data[0]))
			rest = span_from(rest, 1);
		if (rest.len == 0)
			return RULE_GOOD;
		added = add_owner(owners, &rest, captures, place);
		if (added != RULE_GOOD) {
			owners->count = count;
			owners->piece_count = piece_count;
			return added;
		}
	}
}

void
rule_owners_cut(struct rule_owners *owners, size_t count)
{
	if (count < owners->count)
		owners->piece_count = owners->list[count].first;
	owners->count = count;
}

void
rule_owners_fini(struct rule_owners *owners)
{
	free(owners->list);
	free(owners->pieces);
}
