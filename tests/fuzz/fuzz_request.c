/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever arrives on a policy socket. The first line is how it arrives: each
 * of its bytes is the size of a piece, modulo 64; an odd first one stands for
 * tight limits. The line is the reject_text, too. What follows it is the
 * stream. However a stream is cut, the same requests come out of it, and the
 * same end; and whatever is in a request, an answer to it is one of the four
 * that there are, on one line of clean UTF-8.
 */
#include "base/buffer.h"
#include "policy/answer.h"
#include "policy/settings.h"
#include "wire/request.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct request_limits tight = {256, 64, 8};

static void
check(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

/* Replies ----------------------------------------------------------------- */

/* Decode the character at p by RFC 3629, apart from the code that is under
 * test; returns its length, 0 where there is none. */
static size_t
decode(const unsigned char *p, size_t left, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc0 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf8 ? 4
				   : 0;

	if (len == 0 || len > left)
		return 0;
	*c = len == 1 ? p[0] : p[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3fU);
	}
	if (*c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return len;
}

/* Check that a text is clean UTF-8 on one line. */
static void
check_text(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		uint32_t c = 0;
		size_t n =
		    decode((const unsigned char *)text + at, len - at, &c);

		check(n > 0, "a reply is not UTF-8");
		check(c >= 0x20 && c != 0x7f && !(c >= 0x80 && c <= 0x9f),
		      "a reply has a control character in it");
		check(c != 0x2028 && c != 0x2029,
		      "a reply has a separator of lines in it");
		at += n;
	}
}

/* Check the grammar of a reply, which has to begin with head. */
static void
check_reply(const char *reply, size_t len, const char *head)
{
	size_t head_len = strlen(head);

	check(len <= REPLY_MAX, "a reply is too long");
	check(len > head_len + 2 && memcmp(reply, head, head_len) == 0,
	      "a reply does not begin as it should");
	check(reply[len - 1] == '\n' && reply[len - 2] == '\n',
	      "a reply does not end in an empty line");
	check(reply[head_len] != ' ' && reply[len - 3] != ' ',
	      "the text of a reply has blanks around it");
	check_text(reply, len - 2);
}

static void
check_dunno(const char *reply, size_t len)
{
	check(span_is(span_of(reply, len), "action=DUNNO\n\n"),
	      "a reply is not DUNNO");
}

/* Put any bytes into every kind of reply. */
static void
write_replies(struct span text)
{
	char reply[REPLY_MAX];

	check_dunno(reply, reply_write(REPLY_DUNNO, text, reply));
	check_reply(reply, reply_write(REPLY_REJECT, text, reply),
		    "action=553 5.7.1 ");
	check_reply(reply, reply_write(REPLY_DEFER, text, reply),
		    "action=451 4.3.0 ");
	check_reply(reply, reply_write(REPLY_WARN, text, reply),
		    "action=WARN ");
}

/* Answer a request with every verdict. */
static void
answer(const struct request *request, char *reject_text, enum setting_mode mode)
{
	static const struct {
		struct verdict verdict;
		const char *head; /* where the mode is to enforce */
	} answers[] = {
	    {{VERDICT_REJECT, REASON_NOT_OWNED, false, {0}},
	     "action=553 5.7.1 "},
	    {{VERDICT_REJECT, REASON_NOT_LOGGED_IN, false, {0}},
	     "action=553 5.7.1 "},
	    {{VERDICT_TROUBLE, REASON_RULE_LIMIT, false, {0}},
	     "action=451 4.3.0 "},
	};
	const struct verdict allow = {.kind = VERDICT_ALLOW};
	const struct settings settings = {
	    .mode = mode,
	    .reject_text = reject_text,
	};
	char reply[REPLY_MAX];

	check_dunno(reply, answer_write(&settings, &allow, request->login,
					request->sender, reply));
	for (size_t i = 0; i < COUNT(answers); i++) {
		size_t len =
		    answer_write(&settings, &answers[i].verdict, request->login,
				 request->sender, reply);

		check_reply(reply, len,
			    mode == MODE_WARN ? "action=WARN "
					      : answers[i].head);
	}
}

/* Requests ---------------------------------------------------------------- */

/* Write a request down, so that two streams can be compared. */
static void
note(struct buffer *out, const struct request *request)
{
	const struct span fields[] = {
	    request->sender,         request->login,
	    request->instance,       request->queue_id,
	    request->client_address, request->recipient,
	    request->protocol_state,
	};

	for (size_t i = 0; i < COUNT(fields); i++) {
		buffer_format(out, "%zu:", fields[i].len);
		buffer_add(out, fields[i]);
	}
	buffer_byte(out, '\n');
}

/* Feed a copy of its own, so that reading beyond it, or later, is seen. */
static void
feed(struct request_parser *parser, struct span piece, struct buffer *out)
{
	char *copy = malloc(piece.len > 0 ? piece.len : 1);
	enum request_state state;
	struct request request;

	check(copy != NULL, "no memory");
	memcpy(copy, piece.data, piece.len);
	request_feed(parser, copy, piece.len);
	while ((state = request_next(parser, &request)) == REQUEST_READY)
		note(out, &request);
	check((state == REQUEST_BAD) ==
		  (request_fault(parser) != REQUEST_FAULT_NONE),
	      "a fault without a reason");
	free(copy);
}

/* Feed the stream in pieces, around and around the sizes. */
static void
feed_pieces(struct request_parser *parser, struct span sizes,
	    struct span stream, struct buffer *out)
{
	size_t turn = 0;

	while (stream.len > 0) {
		size_t n = 1;

		/* a byte after each turn, so that it ends */
		if (turn < sizes.len)
			n = (unsigned char)sizes.data[turn] % 64;
		turn = turn < sizes.len ? turn + 1 : 0;
		n = n < stream.len ? n : stream.len;
		feed(parser, span_of(stream.data, n), out);
		stream = span_from(stream, n);
	}
	feed(parser, SPAN_NONE, out);
}

/* Write down the end, check what is held then, and free the parser. */
static void
note_end(struct request_parser *parser, const struct request_limits *limits,
	 size_t idle, struct buffer *out)
{
	check(request_parser_memory(parser) <= idle + limits->request + 1024,
	      "a parser holds more than its limit");
	check(request_has_begun(parser) ||
		  request_parser_memory(parser) == idle,
	      "a parser keeps memory without a request");
	buffer_format(out, "%s %d", request_fault_name(request_fault(parser)),
		      request_has_begun(parser));
	request_parser_free(parser);
}

static void
compare(const struct request_limits *limits, struct span sizes,
	struct span stream)
{
	struct request_parser *whole = request_parser_new(limits);
	struct request_parser *cut = request_parser_new(limits);
	size_t idle = request_parser_memory(whole);
	struct buffer of_whole = {0};
	struct buffer of_cut = {0};

	feed(whole, stream, &of_whole);
	feed(whole, SPAN_NONE, &of_whole);
	feed_pieces(cut, sizes, stream, &of_cut);
	note_end(whole, limits, idle, &of_whole);
	note_end(cut, limits, idle, &of_cut);
	check(span_equal(buffer_span(&of_whole), buffer_span(&of_cut)),
	      "a cut makes a difference");
	buffer_fini(&of_whole);
	buffer_fini(&of_cut);
}

/* Answer every request of the stream. */
static void
answer_all(const struct request_limits *limits, struct span stream,
	   char *reject_text)
{
	struct request_parser *parser = request_parser_new(limits);
	struct request request;

	request_feed(parser, stream.data, stream.len);
	while (request_next(parser, &request) == REQUEST_READY) {
		answer(&request, reject_text, MODE_ENFORCE);
		answer(&request, reject_text, MODE_WARN);
		write_replies(request.sender);
		write_replies(request.login);
	}
	request_parser_free(parser);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span stream = span_of((const char *)data, size);
	const char *newline = size == 0 ? NULL : memchr(data, '\n', size);
	struct span sizes = SPAN_NONE;
	const struct request_limits *limits = &REQUEST_LIMITS;
	char *reject_text;

	if (newline != NULL) {
		sizes = span_of(stream.data, (size_t)(newline - stream.data));
		stream = span_from(stream, sizes.len + 1);
	}
	if (sizes.len > 0 && sizes.data[0] % 2 != 0)
		limits = &tight;
	reject_text = strndup(sizes.data, sizes.len);
	check(reject_text != NULL, "no memory");
	compare(limits, sizes, stream);
	answer_all(limits, stream, reject_text);
	write_replies(stream);
	free(reject_text);
	return 0;
}
