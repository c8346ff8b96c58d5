/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules_pattern.h"

#include <pcre2.h>

/* What stands at one place of a pattern (pcre2pattern(3)). */
enum atom {
	ATOM_LITERAL, /* one byte for itself */
	ATOM_ANY,     /* an unescaped dot */
	ATOM_OTHER,   /* something that matches no certain byte */
	ATOM_START,   /* ^ or \A */
	ATOM_STOP,    /* $ or \z or \Z */
	ATOM_REPEAT,  /* a quantifier of the atom before */
	ATOM_OPEN,
	ATOM_CLOSE,
	ATOM_OR,
	ATOM_END, /* of the pattern */
	ATOM_ODD, /* something that may change what the rest means */
};

/* A pattern that is being read. */
struct reader {
	struct span rest;
	char byte; /* of the last ATOM_LITERAL */
};

/* The length of "[:alpha:]" or "[:^alpha:]" at the start of rest; 0 where it
 * begins otherwise. */
static size_t
named_class(struct span rest)
{
	size_t i = 2;

	if (rest.len < i || memcmp(rest.data, "[:", i) != 0)
		return 0;
	if (i < rest.len && rest.data[i] == '^')
		i++;
	while (i < rest.len && byte_lower(rest.data[i]) >= 'a' &&
	       byte_lower(rest.data[i]) <= 'z')
		i++;
	return rest.len - i >= 2 && memcmp(rest.data + i, ":]", 2) == 0 ? i + 2
									: 0;
}

/* Skip a class up to its ']'; false where it has none, or where something is
 * in it that can make a ']' mean itself. */
static bool
skip_class(struct span *rest)
{
	size_t i = 1;

	if (i < rest->len && rest->data[i] == '^')
		i++;
	if (i < rest->len && rest->data[i] == ']')
		i++;
	while (i < rest->len && rest->data[i] != ']') {
		size_t named = named_class(span_from(*rest, i));

		if (rest->data[i] == '\\' && i + 1 < rest->len &&
		    strchr("cEQ", rest->data[i + 1]) != NULL)
			return false;
		i += rest->data[i] == '\\' ? 2 : named > 0 ? named : 1;
	}
	if (i >= rest->len)
		return false;
	*rest = span_from(*rest, i + 1);
	return true;
}

/* Read what stands behind a backslash. */
static enum atom
read_escape(struct reader *reader)
{
	char c;

	if (reader->rest.len < 2)
		return ATOM_ODD;
	c = reader->rest.data[1];
	reader->rest = span_from(reader->rest, 2);
	if (c == 'A')
		return ATOM_START;
	if (c == 'z' || c == 'Z')
		return ATOM_STOP;
	if (strchr("dDwWsSbBhHvVR", c) != NULL && c != '\0')
		return ATOM_OTHER;
	/* Digits and other letters: references, codes, quoting. */
	if ((c >= '0' && c <= '9') ||
	    (byte_lower(c) >= 'a' && byte_lower(c) <= 'z'))
		return ATOM_ODD;
	reader->byte = c;
	return ATOM_LITERAL;
}

/* Read "(", "(?:" as well; other groups can do anything. */
static enum atom
read_open(struct reader *reader)
{
	static const char plain[] = "(?:";
	size_t len = 1;

	if (reader->rest.len > 1 && reader->rest.data[1] == '*')
		return ATOM_ODD;
	if (reader->rest.len > 1 && reader->rest.data[1] == '?') {
		len = sizeof(plain) - 1;
		if (reader->rest.len < len ||
		    memcmp(reader->rest.data, plain, len) != 0)
			return ATOM_ODD;
	}
	reader->rest = span_from(reader->rest, len);
	return ATOM_OPEN;
}

/* Read "{3}" or "{3,5}"; a '{' of another kind is too rare to tell it. */
static enum atom
read_count(struct reader *reader)
{
	size_t i = 1;

	while (i < reader->rest.len &&
	       strchr("0123456789, ", reader->rest.data[i]) != NULL &&
	       reader->rest.data[i] != '\0')
		i++;
	if (i < 2 || i >= reader->rest.len || reader->rest.data[i] != '}')
		return ATOM_ODD;
	reader->rest = span_from(reader->rest, i + 1);
	return ATOM_REPEAT;
}

static enum atom
next_atom(struct reader *reader)
{
	enum atom atom;

	if (reader->rest.len == 0)
		return ATOM_END;
	switch (reader->rest.data[0]) {
	case '\\':
		return read_escape(reader);
	case '(':
		return read_open(reader);
	case '[':
		return skip_class(&reader->rest) ? ATOM_OTHER : ATOM_ODD;
	case ')':
		atom = ATOM_CLOSE;
		break;
	case '|':
		atom = ATOM_OR;
		break;
	case '^':
		atom = ATOM_START;
		break;
	case '$':
		atom = ATOM_STOP;
		break;
	case '.':
		atom = ATOM_ANY;
		break;
	case '*':
	case '+':
	case '?':
		atom = ATOM_REPEAT;
		break;
	case '{':
		return read_count(reader);
	default:
		atom = ATOM_LITERAL;
		reader->byte = reader->rest.data[0];
	}
	reader->rest = span_from(reader->rest, 1);
	return atom;
}

/* Does a pattern go on with two or more letters and then end, or its
 * alternative: ".com$"? */
static bool
is_top_level(struct span rest)
{
	size_t letters = 0;

	while (letters < rest.len && byte_lower(rest.data[letters]) >= 'a' &&
	       byte_lower(rest.data[letters]) <= 'z')
		letters++;
	return letters >= 2 && (letters == rest.len ||
				strchr("$)|", rest.data[letters]) != NULL);
}

/* A walk over the atoms, and what has been seen. */
struct walk {
	struct reader reader;
	struct pattern_facts *facts;
	size_t depth;      /* of groups */
	bool alternatives; /* there is a '|' outside of all groups */
	bool fresh;        /* no atom of this alternative was seen */
	bool starts;       /* this alternative begins with the subject */
	bool ends;         /* the last atom is the subject's end */
	bool stopped;      /* the same, outside of all groups */
	bool heading;      /* all since the '^' in front was literal */
	bool in_run;       /* the last atom was a literal outside of groups */
	char last;         /* that */
	uint64_t pair;     /* of it and the one before; may yet be repeated */
};

/* Is a quantifier in front, one that takes all that is there? */
static bool
is_star(struct span rest)
{
	return rest.len > 0 && (rest.data[0] == '*' || rest.data[0] == '+');
}

/* Keep the literal bytes that go up to here, or forget them. */
static void
take_tail(struct walk *walk, enum atom atom)
{
	struct pattern_facts *facts = walk->facts;

	if (atom == ATOM_STOP && walk->depth == 0) {
		walk->stopped = true;
		return;
	}
	if (atom != ATOM_LITERAL || walk->depth > 0 || walk->stopped)
		facts->tail_len = 0;
	walk->stopped = false;
	if (atom != ATOM_LITERAL || walk->depth > 0)
		return;
	if (facts->tail_len == PATTERN_TAIL_MAX) {
		/* The end of a long tail is a tail, too. */
		facts->tail_len--;
		memmove(facts->tail, facts->tail + 1, facts->tail_len);
	}
	facts->tail[facts->tail_len++] = byte_lower(walk->reader.byte);
}

/* Collect the literal bytes behind a '^' that begins the pattern. */
static void
take_head(struct walk *walk, enum atom atom)
{
	struct pattern_facts *facts = walk->facts;

	if (walk->fresh && !walk->alternatives && walk->depth == 0 &&
	    atom == ATOM_START) {
		walk->heading = true;
		return;
	}
	if (!walk->heading)
		return;
	if (atom == ATOM_LITERAL && facts->head_len < PATTERN_HEAD_MAX) {
		facts->head[facts->head_len++] = byte_lower(walk->reader.byte);
		return;
	}
	/* A quantifier may take away the byte before it. */
	if (atom == ATOM_REPEAT && facts->head_len > 0)
		facts->head_len--;
	walk->heading = false;
}

/* Collect pairs of literal bytes. The last one is sure when what follows is
 * known to be no quantifier of its second byte. */
static void
take_pairs(struct walk *walk, enum atom atom)
{
	if (atom != ATOM_REPEAT)
		walk->facts->pairs |= walk->pair;
	walk->pair = 0;
	if (atom != ATOM_LITERAL || walk->depth > 0) {
		walk->in_run = false;
		return;
	}
	if (walk->in_run)
		walk->pair =
		    pair_bit(walk->last, byte_lower(walk->reader.byte));
	walk->in_run = true;
	walk->last = byte_lower(walk->reader.byte);
}

/* An alternative of the whole pattern is over. */
static void
end_alternative(struct walk *walk)
{
	walk->facts->anchored_start &= walk->starts;
	walk->facts->anchored_end &= walk->ends;
	walk->fresh = true;
	walk->starts = walk->ends = false;
}

/* Take note of anchors; groups are looked through. */
static void
take_anchors(struct walk *walk, enum atom atom)
{
	bool star = atom == ATOM_ANY && is_star(walk->reader.rest);

	if (atom == ATOM_OR && walk->depth == 0) {
		walk->alternatives = true;
		end_alternative(walk);
	}
	if (atom == ATOM_OPEN || atom == ATOM_CLOSE || atom == ATOM_OR)
		return;
	if (walk->fresh)
		walk->starts = atom == ATOM_START || star;
	walk->fresh = false;
	/* A '*' leaves what the dot before it has said. */
	if (atom != ATOM_REPEAT)
		walk->ends = atom == ATOM_STOP || star;
}

/* Read atoms until the end, or until something odd; tells which. */
static enum atom
read_atoms(struct walk *walk)
{
	enum atom atom;

	while ((atom = next_atom(&walk->reader)) != ATOM_END &&
	       atom != ATOM_ODD) {
		if (atom == ATOM_CLOSE && walk->depth == 0)
			return ATOM_ODD;
		walk->depth += atom == ATOM_OPEN;
		take_head(walk, atom);
		take_tail(walk, atom);
		take_pairs(walk, atom);
		take_anchors(walk, atom);
		walk->depth -= atom == ATOM_CLOSE;
		if (atom == ATOM_ANY && is_top_level(walk->reader.rest))
			walk->facts->loose_dot = true;
	}
	take_pairs(walk, atom);
	end_alternative(walk);
	return atom;
}

/* Know nothing, and find nothing wrong. */
static void
forget(struct pattern_facts *facts)
{
	facts->anchored_start = facts->anchored_end = true;
	facts->loose_dot = false;
	facts->head_len = facts->tail_len = 0;
	facts->pairs = 0;
	facts->local_min = -1;
}

/* Is it ^(.*)@example\.com$, or the same with a '+'? Then it matches where the
 * tail does. */
static void
look_for_local(struct span pattern, uint32_t options,
	       struct pattern_facts *facts)
{
	static const char start[] = "^(.";
	const uint32_t asked = PCRE2_CASELESS | PCRE2_DOTALL;
	struct reader reader = {.rest = pattern};
	size_t literals = 0;
	enum atom atom;

	if ((options & (asked | PCRE2_MULTILINE)) != asked || pattern.len < 5 ||
	    memcmp(pattern.data, start, 3) != 0 ||
	    !is_star(span_from(pattern, 3)) || pattern.data[4] != ')')
		return;
	reader.rest = span_from(pattern, 5);
	while ((atom = next_atom(&reader)) == ATOM_LITERAL)
		literals++;
	if (atom == ATOM_STOP && reader.rest.len == 0 && literals > 0 &&
	    literals == facts->tail_len)
		facts->local_min = pattern.data[3] == '+';
}

void
pattern_look(struct span pattern, uint32_t options, struct pattern_facts *facts)
{
	struct walk walk = {
	    .reader = {.rest = pattern},
	    .facts = facts,
	    .fresh = true,
	};

	forget(facts);
	if ((options & PCRE2_EXTENDED) != 0 || read_atoms(&walk) == ATOM_ODD) {
		forget(facts);
		return;
	}
	if ((options & PCRE2_ANCHORED) != 0)
		facts->anchored_start = true;
	if (walk.alternatives) {
		facts->head_len = 0;
		facts->pairs = 0;
	}
	if (!walk.stopped || walk.alternatives)
		facts->tail_len = 0;
	look_for_local(pattern, options, facts);
}
