/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request is looked at line by line, and every byte once. One that arrives
 * whole is parsed where it lies, in the caller's bytes. One that does not is
 * moved to a buffer of the parser's own when the fed bytes are at their end;
 * from then on its lines are appended there, up to its empty line and no
 * further, so that what follows it is again parsed in place. What is known
 * of it are offsets from its first byte, which stand wherever that lies.
 */
#include "wire/request.h"
#include "base/block.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

enum field {
	FIELD_REQUEST,
	FIELD_SENDER,
	FIELD_LOGIN,
	FIELD_INSTANCE,
	FIELD_QUEUE_ID,
	FIELD_CLIENT_ADDRESS,
	FIELD_RECIPIENT,
	FIELD_PROTOCOL_STATE,
	FIELD_COUNT,
	FIELD_UNKNOWN = FIELD_COUNT,
};

/* Where a value stands in the request. It stands behind a name and '=', so
 * that at is 0 only where there was none. */
struct place {
	size_t at;
	size_t len;
};

enum { HELD_MIN = 1024 }; /* holds an ordinary request */

struct request_parser {
	struct request_limits limits;
	enum request_fault fault;
	const char *fed; /* borrowed; what is not taken of it yet */
	size_t left;
	const char *nul; /* the first NUL in what was fed, or NULL */
	bool has_nul;    /* the last line has one */
	char *held;      /* owned; the request, where it did not arrive whole */
	size_t room;
	const char *begin; /* of the request, where nothing is held */
	size_t used;       /* bytes of the request that are taken */
	size_t line_at;    /* where its last line begins */
	size_t attributes; /* its complete ones */
	struct place places[FIELD_COUNT];
};

struct request_parser *
request_parser_new(const struct request_limits *limits)
{
	struct request_parser *parser = memory_try_zero(1, sizeof(*parser));

	if (parser != NULL)
		parser->limits = *limits;
	return parser;
}

/* Give the buffer back. */
static void
release(struct request_parser *parser)
{
	free(parser->held);
	parser->held = NULL;
	parser->room = 0;
}

void
request_parser_free(struct request_parser *parser)
{
	if (parser == NULL)
		return;
	release(parser);
	free(parser);
}

void
request_feed(struct request_parser *parser, const char *data, size_t len)
{
	assert(parser->left == 0);
	if (parser->fault != REQUEST_FAULT_NONE)
		return;
	parser->fed = data;
	parser->left = len;
	/* There is none: one look at all bytes costs less than one a line. */
	parser->nul = len > 0 ? memchr(data, '\0', len) : NULL;
}

/* Be bad for good. Neither the fed bytes nor our own are needed any more. */
static enum request_state
fail(struct request_parser *parser, enum request_fault fault)
{
	parser->fault = fault;
	parser->left = 0;
	parser->used = 0;
	release(parser);
	return REQUEST_BAD;
}

/* Name the fault of the first byte that is one too many, if there is one among
 * the next n bytes, of which the first content belong to the line. */
static enum request_fault
find_excess(const struct request_parser *parser, size_t content, size_t n)
{
	const struct request_limits *limits = &parser->limits;
	size_t line_room = limits->line - (parser->used - parser->line_at);
	size_t room = limits->request - parser->used;

	if (content > 0 && parser->attributes == limits->attributes)
		return REQUEST_FAULT_ATTRIBUTES;
	if (content > line_room && line_room <= room)
		return REQUEST_FAULT_LINE;
	if (n > room)
		return REQUEST_FAULT_SIZE;
	return REQUEST_FAULT_NONE;
}

/* Make room for a request of need bytes, which is at most the limit. */
static bool
reserve(struct request_parser *parser, size_t need)
{
	size_t limit = parser->limits.request;
	size_t room = parser->room > 0 ? parser->room : HELD_MIN;
	char *grown;

	if (need <= parser->room)
		return true;
	while (room < need)
		room = room > limit / 2 ? limit : room * 2;
	grown = memory_try_resize(parser->held, room, 1);
	if (grown == NULL)
		return false;
	parser->held = grown;
	parser->room = room;
	return true;
}

/* Take the next n bytes into the request; keep them beyond the caller's bytes
 * where these end, or where others have been kept before. */
static bool
take(struct request_parser *parser, size_t n, bool fed_ends)
{
	size_t total = parser->used + n;
	bool in_place = parser->held == NULL;

	if (total == 0)
		return true;
	if (parser->used == 0)
		parser->begin = parser->fed;
	if (!in_place || fed_ends) {
		if (!reserve(parser, total))
			return false;
		assert(parser->held != NULL);
		if (in_place)
			memcpy(parser->held, parser->begin, total);
		else if (n > 0)
			memcpy(parser->held + parser->used, parser->fed, n);
	}
	if (parser->nul != NULL && parser->nul < parser->fed + n)
		parser->has_nul = true;
	parser->used = total;
	parser->fed += n;
	parser->left -= n;
	return true;
}

/* The request's first byte. */
static const char *
base(const struct request_parser *parser)
{
	return parser->held != NULL ? parser->held : parser->begin;
}

/* Take the rest of a line: READY with the line, MORE where it does not end. */
static enum request_state
take_line(struct request_parser *parser, struct span *line)
{
	const char *newline = NULL;
	size_t content = parser->left;
	size_t n = content;
	enum request_fault fault;

	if (n > 0)
		newline = memchr(parser->fed, '\n', n);
	if (newline != NULL) {
		content = (size_t)(newline - parser->fed);
		n = content + 1;
	}
	fault = find_excess(parser, content, n);
	if (fault != REQUEST_FAULT_NONE)
		return fail(parser, fault);
	if (!take(parser, n, newline == NULL))
		return fail(parser, REQUEST_FAULT_MEMORY);
	if (newline == NULL)
		return REQUEST_MORE;
	*line = span_of(base(parser) + parser->line_at,
			parser->used - 1 - parser->line_at);
	return REQUEST_READY;
}

/* For every line of every request: a call would take as long as itself. */
static inline __attribute__((always_inline)) enum field
find_field(struct span name)
{
	switch (name.len) {
	case 6:
		return span_is(name, "sender") ? FIELD_SENDER : FIELD_UNKNOWN;
	case 7:
		return span_is(name, "request") ? FIELD_REQUEST : FIELD_UNKNOWN;
	case 8:
		if (span_is(name, "instance"))
			return FIELD_INSTANCE;
		return span_is(name, "queue_id") ? FIELD_QUEUE_ID
						 : FIELD_UNKNOWN;
	case 9:
		return span_is(name, "recipient") ? FIELD_RECIPIENT
						  : FIELD_UNKNOWN;
	case 13:
		return span_is(name, "sasl_username") ? FIELD_LOGIN
						      : FIELD_UNKNOWN;
	case 14:
		if (span_is(name, "client_address"))
			return FIELD_CLIENT_ADDRESS;
		return span_is(name, "protocol_state") ? FIELD_PROTOCOL_STATE
						       : FIELD_UNKNOWN;
	default:
		return FIELD_UNKNOWN;
	}
}

/* The value of a field; empty where the request has not got it. */
static struct span
value_of(const struct request_parser *parser, enum field field)
{
	const struct place *place = &parser->places[field];

	return place->at == 0 ? SPAN_NONE
			      : span_of(base(parser) + place->at, place->len);
}

/* Remember a value. Who is asked about has to be the same throughout: nobody
 * could tell which of two Postfix would go by. */
static enum request_fault
set_field(struct request_parser *parser, enum field field, struct span value)
{
	struct place *place = &parser->places[field];

	if ((field == FIELD_SENDER || field == FIELD_LOGIN) && place->at != 0 &&
	    !span_equal(value_of(parser, field), value))
		return REQUEST_FAULT_CONFLICT;
	place->at = (size_t)(value.data - base(parser));
	place->len = value.len;
	return REQUEST_FAULT_NONE;
}

/* Parse a line that is not empty. */
static enum request_fault
parse_line(struct request_parser *parser, struct span line)
{
	const char *equals;
	enum field field;
	size_t name_len;

	if (parser->has_nul)
		return REQUEST_FAULT_NUL;
	if (line.data[line.len - 1] == '\r')
		return REQUEST_FAULT_CR;
	equals = memchr(line.data, '=', line.len);
	if (equals == NULL || equals == line.data)
		return REQUEST_FAULT_SYNTAX;
	parser->attributes++;
	name_len = (size_t)(equals - line.data);
	field = find_field(span_of(line.data, name_len));
	if (field == FIELD_UNKNOWN)
		return REQUEST_FAULT_NONE;
	return set_field(parser, field, span_from(line, name_len + 1));
}

/* Take a line that is an attribute without fault: from its first byte to its
 * newline; equals is the first equals sign from there on, if there is one.
 * False for any other line. */
static inline bool
take_plain_line(struct request_parser *parser, const char *line,
		const char *equals, const char *newline)
{
	const struct request_limits *limits = &parser->limits;
	struct span value;
	enum field field;

	if (equals == NULL || equals == line || equals > newline ||
	    newline[-1] == '\r' || (size_t)(newline - line) > limits->line ||
	    (size_t)(newline - parser->begin) >= limits->request ||
	    parser->attributes == limits->attributes)
		return false;
	field = find_field(span_of(line, (size_t)(equals - line)));
	value = span_of(equals + 1, (size_t)(newline - equals - 1));
	if (field != FIELD_UNKNOWN &&
	    set_field(parser, field, value) != REQUEST_FAULT_NONE)
		return false;
	parser->attributes++;
	return true;
}

/* Take plain lines where they lie; returns the first byte behind them. */
static const char *
scan_plain_lines(struct request_parser *parser, const char *data, size_t size)
{
	const char *line = data;
	const char *equals = NULL; /* the first in the line */

	for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
		const char *block = data + at;
		uint64_t newlines = block_find(block, '\n');
		uint64_t signs = block_find(block, '=');

		for (; newlines != 0; newlines &= newlines - 1) {
			unsigned i = block_first(newlines);
			const char *newline = block + i;

			if (equals == NULL && signs != 0)
				equals = block + block_first(signs);
			if (!take_plain_line(parser, line, equals, newline))
				return line;
			line = newline + 1;
			equals = NULL;
			signs = block_from(signs, i);
		}
		if (equals == NULL && signs != 0)
			equals = block + block_first(signs);
	}
	return line;
}

/*
 * Take lines where they lie, up to the first that is not an attribute without
 * fault: that one is left to take_line() and parse_line(), which look more
 * closely, and so is what is less than a block. Nearly all requests are such
 * lines up to their empty one.
 */
static void
take_plain_lines(struct request_parser *parser)
{
	const char *data = parser->fed;
	const char *rest;

	if (parser->held != NULL || parser->nul != NULL || parser->left == 0)
		return;
	if (parser->used == 0)
		parser->begin = data;
	rest = scan_plain_lines(parser, data, parser->left);
	parser->used += (size_t)(rest - data);
	parser->line_at = parser->used;
	parser->left -= (size_t)(rest - data);
	parser->fed = rest;
}

/* Hand out the request that its empty line has ended, and be ready for the
 * next one. Its bytes stay until then. */
static enum request_state
finish(struct request_parser *parser, struct request *request)
{
	if (!span_is(value_of(parser, FIELD_REQUEST), "smtpd_access_policy"))
		return fail(parser, REQUEST_FAULT_TYPE);
	if (parser->places[FIELD_SENDER].at == 0)
		return fail(parser, REQUEST_FAULT_SENDER);
	*request = (struct request){
	    .sender = value_of(parser, FIELD_SENDER),
	    .login = value_of(parser, FIELD_LOGIN),
	    .instance = value_of(parser, FIELD_INSTANCE),
	    .queue_id = value_of(parser, FIELD_QUEUE_ID),
	    .client_address = value_of(parser, FIELD_CLIENT_ADDRESS),
	    .recipient = value_of(parser, FIELD_RECIPIENT),
	    .protocol_state = value_of(parser, FIELD_PROTOCOL_STATE),
	};
	parser->used = 0;
	parser->line_at = 0;
	parser->attributes = 0;
	memset(parser->places, 0, sizeof(parser->places));
	return REQUEST_READY;
}

enum request_state
request_next(struct request_parser *parser, struct request *request)
{
	enum request_state state;
	struct span line;

	if (parser->fault != REQUEST_FAULT_NONE)
		return REQUEST_BAD;
	if (parser->used == 0)
		release(parser); /* the request handed out last */
	take_plain_lines(parser);
	while ((state = take_line(parser, &line)) == REQUEST_READY) {
		enum request_fault fault;

		if (line.len == 0)
			return finish(parser, request);
		fault = parse_line(parser, line);
		if (fault != REQUEST_FAULT_NONE)
			return fail(parser, fault);
		parser->line_at = parser->used;
	}
	return state;
}

bool
request_has_begun(const struct request_parser *parser)
{
	return parser->used > 0 || parser->left > 0;
}

enum request_fault
request_fault(const struct request_parser *parser)
{
	return parser->fault;
}

const char *
request_fault_name(enum request_fault fault)
{
	static const char *const names[REQUEST_FAULT_COUNT] = {
	    [REQUEST_FAULT_NONE] = "none",
	    [REQUEST_FAULT_LINE] = "line-too-long",
	    [REQUEST_FAULT_SIZE] = "request-too-long",
	    [REQUEST_FAULT_ATTRIBUTES] = "too-many-attributes",
	    [REQUEST_FAULT_SYNTAX] = "no-equals-sign",
	    [REQUEST_FAULT_NUL] = "nul-byte",
	    [REQUEST_FAULT_CR] = "carriage-return",
	    [REQUEST_FAULT_CONFLICT] = "conflicting-attributes",
	    [REQUEST_FAULT_TYPE] = "unknown-request",
	    [REQUEST_FAULT_SENDER] = "no-sender",
	    [REQUEST_FAULT_MEMORY] = "no-memory",
	};

	assert((unsigned)fault < REQUEST_FAULT_COUNT);
	return names[fault];
}

size_t
request_parser_memory(const struct request_parser *parser)
{
	return sizeof(*parser) + parser->room;
}
