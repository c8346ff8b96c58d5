/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"
#include "base/memory.h"
#include "wire/request.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define TYPE "request=smtpd_access_policy\n"
#define MINIMAL TYPE "sender=\n\n"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Feeds of a test: the stream is cut in front of each of these offsets. */
struct cuts {
	size_t count;
	size_t at[2];
};

/* Write a request down as text, so that two can be compared. */
static void
note_request(struct buffer *out, const struct request *request)
{
	const struct span fields[] = {
	    request->sender,         request->login,
	    request->instance,       request->queue_id,
	    request->client_address, request->recipient,
	    request->protocol_state,
	};

	for (size_t i = 0; i < COUNT(fields); i++) {
		buffer_byte(out, '[');
		buffer_add(out, fields[i]);
		buffer_byte(out, ']');
	}
	buffer_byte(out, '\n');
}

/*
 * Feed a copy of exactly len bytes, take out what comes, and spoil the copy:
 * a parser that looks beyond it, or keeps it, is found out.
 */
static enum request_state
feed_copy(struct request_parser *parser, const char *data, size_t len,
	  struct buffer *out)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum request_state state;
	struct request request;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, data, len);
	request_feed(parser, copy, len);
	while ((state = request_next(parser, &request)) == REQUEST_READY)
		note_request(out, &request);
	memset(copy, '#', len);
	free(copy);
	return state;
}

/* Write down what the parser ends as, and free it. */
static void
note_end(struct buffer *out, struct request_parser *parser)
{
	buffer_format(out, "%s%s", request_fault_name(request_fault(parser)),
		      request_has_begun(parser) ? " begun" : "");
	request_parser_free(parser);
}

/* Parse a stream that is cut as cuts say. */
static void
parse_cut(const struct request_limits *limits, struct span stream,
	  const struct cuts *cuts, struct buffer *out)
{
	struct request_parser *parser = request_parser_new(limits);
	size_t from = 0;

	buffer_clear(out);
	for (size_t i = 0; i < cuts->count; i++) {
		(void)feed_copy(parser, stream.data + from, cuts->at[i] - from,
				out);
		from = cuts->at[i];
	}
	(void)feed_copy(parser, stream.data + from, stream.len - from, out);
	note_end(out, parser);
}

/* Parse a stream that arrives byte by byte. */
static void
parse_trickle(const struct request_limits *limits, struct span stream,
	      struct buffer *out)
{
	struct request_parser *parser = request_parser_new(limits);

	buffer_clear(out);
	for (size_t i = 0; i < stream.len; i++)
		(void)feed_copy(parser, stream.data + i, 1, out);
	note_end(out, parser);
}

/* Check that a stream gives the expected text whole, in any two parts, and
 * byte by byte. */
static void
check_stream(const struct request_limits *limits, struct span stream,
	     const char *expected)
{
	struct cuts cuts = {0};
	struct buffer got = {0};

	parse_cut(limits, stream, &cuts, &got);
	ck_assert_str_eq(got.data, expected);
	cuts.count = 1;
	for (cuts.at[0] = 0; cuts.at[0] <= stream.len; cuts.at[0]++) {
		parse_cut(limits, stream, &cuts, &got);
		ck_assert_str_eq(got.data, expected);
	}
	parse_trickle(limits, stream, &got);
	ck_assert_str_eq(got.data, expected);
	buffer_fini(&got);
}

/* What Postfix 3.7 sends, and with odd values. */
static const char full_request[] =
    TYPE "protocol_state=RCPT\nprotocol_name=ESMTP\nclient_address=192.0.2.7\n"
	 "client_name=a.example\nclient_port=41234\nhelo_name=[192.0.2.7]\n"
	 "sender=a=b \"c\"@m\xc3\xbcnchen.example\nrecipient=r@example.org\n"
	 "recipient_count=0\nqueue_id=4WX\ninstance=1f.65.2\nsize=0\nstress=\n"
	 "sasl_method=plain\nsasl_username=user@example.com\nsasl_sender=x\n"
	 "senders=no\nreques=no\nqueue_ie=no\nSender=no\n\n";
static const char full_expected[] =
    "[a=b \"c\"@m\xc3\xbcnchen.example][user@example.com][1f.65.2][4WX]"
    "[192.0.2.7][r@example.org][RCPT]\n";

START_TEST(reads_what_postfix_sends)
{
	struct buffer expected = {0};

	buffer_format(&expected, "%snone", full_expected);
	check_stream(&REQUEST_LIMITS, span_text(full_request), expected.data);
	buffer_fini(&expected);
}
END_TEST

START_TEST(cut_at_every_pair_of_bytes)
{
	static const char stream[] =
	    TYPE "sender=a@b\nsasl_username=u\n\n" MINIMAL;
	struct buffer got = {0};
	struct cuts cuts = {.count = 2};

	for (cuts.at[0] = 0; cuts.at[0] < sizeof(stream); cuts.at[0]++)
		for (cuts.at[1] = cuts.at[0]; cuts.at[1] < sizeof(stream);
		     cuts.at[1]++) {
			parse_cut(&REQUEST_LIMITS, span_text(stream), &cuts,
				  &got);
			ck_assert_str_eq(got.data, "[a@b][u][][][][][]\n"
						   "[][][][][][][]\nnone");
		}
	buffer_fini(&got);
}
END_TEST

START_TEST(pipelined_requests_keep_their_order)
{
	struct buffer stream = {0};
	struct buffer expected = {0};

	for (int i = 0; i < 20; i++) {
		buffer_format(&stream, TYPE "sender=s%d\ninstance=%d\n\n", i,
			      i * i);
		buffer_format(&expected, "[s%d][][%d][][][][]\n", i, i * i);
	}
	buffer_format(&stream, "request=smt");
	buffer_format(&expected, "none begun");
	check_stream(&REQUEST_LIMITS, buffer_span(&stream), expected.data);
	buffer_fini(&stream);
	buffer_fini(&expected);
}
END_TEST

#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}

/* Streams, and what comes of them however they are cut. */
static const struct row {
	struct span stream;
	const char *expected;
} rows[] = {
    {BYTES(""), "none"},
    {BYTES("r"), "none begun"},
    {BYTES(TYPE "sender=\n"), "none begun"},
    {BYTES(MINIMAL), "[][][][][][][]\nnone"},
    {BYTES("sender=x\n" TYPE "\n"), "[x][][][][][][]\nnone"},
    {BYTES(MINIMAL MINIMAL "x"), "[][][][][][][]\n[][][][][][][]\nnone begun"},
    /* values */
    {BYTES(TYPE "sender==\n\n"), "[=][][][][][][]\nnone"},
    {BYTES(TYPE "sender=a\rb\n\n"), "[a\rb][][][][][][]\nnone"},
    {BYTES(TYPE "sender= a \t\n\n"), "[ a \t][][][][][][]\nnone"},
    {BYTES(TYPE "sender=\xff\xfe\n\n"), "[\xff\xfe][][][][][][]\nnone"},
    /* names */
    {BYTES(TYPE " sender=x\nsender =y\nsender=z\n\n"), "[z][][][][][][]\nnone"},
    {BYTES(TYPE "sender=x\nq=1\nq=2\n\n"), "[x][][][][][][]\nnone"},
    /* repetitions */
    {BYTES(TYPE "sender=x\nsender=x\n\n"), "[x][][][][][][]\nnone"},
    {BYTES(TYPE "sender=\nsender=\n\n"), "[][][][][][][]\nnone"},
    {BYTES(TYPE TYPE "sender=\nsasl_username=u\nsasl_username=u\n\n"),
     "[][u][][][][][]\nnone"},
    {BYTES(TYPE "sender=\ninstance=1\ninstance=2\nqueue_id=1\nqueue_id=\n"
		"client_address=1\nclient_address=2\nrecipient=1\n"
		"recipient=2\nprotocol_state=1\nprotocol_state=2\n\n"),
     "[][][2][][2][2][2]\nnone"},
    {BYTES("request=x\n" MINIMAL), "[][][][][][][]\nnone"},
    {BYTES(TYPE "sender=x\nsender=y\n"), "conflicting-attributes"},
    {BYTES(TYPE "sender=x\nsender=\n\n"), "conflicting-attributes"},
    {BYTES(TYPE "sender=\nsender=x\n\n"), "conflicting-attributes"},
    {BYTES(TYPE "sender=x\nsender=xy\n\n"), "conflicting-attributes"},
    {BYTES("sasl_username=x\nsasl_username=X\n"), "conflicting-attributes"},
    {BYTES("sasl_username=\nsasl_username=x\n"), "conflicting-attributes"},
    {BYTES("sasl_username=x\nsasl_username=\n"), "conflicting-attributes"},
    /* what one request has does not go over to the next */
    {BYTES(TYPE "sender=x\nsasl_username=u\ninstance=i\n\n" MINIMAL),
     "[x][u][i][][][][]\n[][][][][][][]\nnone"},
    {BYTES(MINIMAL TYPE "\n"), "[][][][][][][]\nno-sender"},
    {BYTES(MINIMAL "sender=\n\n"), "[][][][][][][]\nunknown-request"},
    /* the type */
    {BYTES("\n"), "unknown-request"},
    {BYTES(MINIMAL "\n"), "[][][][][][][]\nunknown-request"},
    {BYTES("sender=x\n\n"), "unknown-request"},
    {BYTES("request=\nsender=x\n\n"), "unknown-request"},
    {BYTES("request=smtpd_access_polic\nsender=x\n\n"), "unknown-request"},
    {BYTES("request=smtpd_access_policy \nsender=\n\n"), "unknown-request"},
    {BYTES("request=SMTPD_ACCESS_POLICY\nsender=\n\n"), "unknown-request"},
    {BYTES(TYPE "request=x\nsender=\n\n"), "unknown-request"},
    {BYTES(TYPE "\n"), "no-sender"},
    {BYTES(TYPE "sasl_username=u\n\n"), "no-sender"},
    /* syntax */
    {BYTES("GET / HTTP/1.1\n"), "no-equals-sign"},
    {BYTES(TYPE "sender\n"), "no-equals-sign"},
    {BYTES(TYPE "=x\n"), "no-equals-sign"},
    {BYTES(TYPE "=\n"), "no-equals-sign"},
    {BYTES(TYPE " \n"), "no-equals-sign"},
    {BYTES(MINIMAL "x\n" MINIMAL), "[][][][][][][]\nno-equals-sign"},
    {BYTES(TYPE "sender=a\0b\n"), "nul-byte"},
    {BYTES(TYPE "sen\0der=a\n"), "nul-byte"},
    {BYTES("\0\n"), "nul-byte"},
    {BYTES(TYPE "sender=\0\r\n"), "nul-byte"},
    {BYTES("request=smtpd_access_policy\r\n"), "carriage-return"},
    {BYTES(TYPE "sender=\r\n"), "carriage-return"},
    {BYTES(TYPE "sender=\n\r\n"), "carriage-return"},
    {BYTES("x\r\n"), "carriage-return"},
};

START_TEST(streams)
{
	check_stream(&REQUEST_LIMITS, rows[_i].stream, rows[_i].expected);
}
END_TEST

/* Add a line "x=aaa..." of len bytes and its newline. */
static void
add_line(struct buffer *stream, size_t len)
{
	buffer_add(stream, span_text("x="));
	for (size_t i = 2; i < len; i++)
		buffer_byte(stream, 'a');
	buffer_byte(stream, '\n');
}

/* Compare a stream's end, whole and in a few parts: too long for all cuts. */
static void
check_long(const struct buffer *stream, const char *expected)
{
	static const size_t steps[] = {SIZE_MAX, 1, 7, 4096};

	for (size_t i = 0; i < COUNT(steps); i++) {
		struct request_parser *parser =
		    request_parser_new(&REQUEST_LIMITS);
		struct buffer got = {0};
		size_t at = 0;

		while (at < stream->len) {
			size_t n = stream->len - at;

			n = n < steps[i] ? n : steps[i];
			(void)feed_copy(parser, stream->data + at, n, &got);
			at += n;
		}
		note_end(&got, parser);
		ck_assert_str_eq(got.data, expected);
		buffer_fini(&got);
	}
}

static const struct long_row {
	size_t line;    /* length of the first line */
	size_t lines;   /* lines of four bytes after it */
	size_t request; /* fill up to that size with long lines, if not 0 */
	const char *expected;
} long_rows[] = {
    {16384, 0, 0, "[][][][][][][]\nnone"}, {16385, 0, 0, "line-too-long"},
    {4, 125, 0, "[][][][][][][]\nnone"},   {4, 126, 0, "too-many-attributes"},
    {4, 0, 65536, "[][][][][][][]\nnone"}, {4, 0, 65537, "request-too-long"},
};

START_TEST(limits_at_the_border)
{
	const struct long_row *row = &long_rows[_i];
	const size_t tail = sizeof(MINIMAL) - 1;
	struct buffer stream = {0};

	add_line(&stream, row->line);
	for (size_t i = 0; i < row->lines; i++)
		add_line(&stream, 4);
	while (row->request > stream.len + tail) {
		size_t left = row->request - stream.len - tail - 1;

		/* never so that too little is left for the last line */
		add_line(&stream, left <= 16384 ? left : left / 5);
	}
	buffer_format(&stream, MINIMAL);
	ck_assert(row->request == 0 || stream.len == row->request);
	check_long(&stream, row->expected);
	buffer_fini(&stream);
}
END_TEST

START_TEST(a_request_after_a_long_one_has_its_own_limits)
{
	struct buffer stream = {0};
	struct buffer expected = {0};

	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 126; j++)
			add_line(&stream, 510);
		buffer_format(&stream, MINIMAL);
		buffer_format(&expected, "[][][][][][][]\n");
	}
	buffer_format(&expected, "none");
	check_long(&stream, expected.data);
	buffer_fini(&stream);
	buffer_fini(&expected);
}
END_TEST

START_TEST(a_limit_acts_on_the_byte_that_exceeds_it)
{
	static const struct {
		struct request_limits limits;
		const char *good;
		char excess;
		enum request_fault fault;
	} cases[] = {
	    {{100, 5, 9}, "x=aaa", 'a', REQUEST_FAULT_LINE},
	    {{100, 5, 9}, "x=\nx=aaa", '=', REQUEST_FAULT_LINE},
	    {{8, 5, 9}, "x=\nx=aaa", '\n', REQUEST_FAULT_SIZE},
	    {{7, 5, 9}, "x=\nx=aa", 'a', REQUEST_FAULT_SIZE},
	    {{100, 5, 2}, "x=\nx=\n", 'a', REQUEST_FAULT_ATTRIBUTES},
	    /* one byte too many for two limits */
	    {{5, 5, 9}, "x=aaa", 'a', REQUEST_FAULT_LINE},
	    {{6, 5, 2}, "x=\nx=\n", 'a', REQUEST_FAULT_ATTRIBUTES},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request_parser *parser =
		    request_parser_new(&cases[i].limits);
		struct buffer out = {0};

		ck_assert_int_eq(feed_copy(parser, cases[i].good,
					   strlen(cases[i].good), &out),
				 REQUEST_MORE);
		ck_assert_int_eq(feed_copy(parser, &cases[i].excess, 1, &out),
				 REQUEST_BAD);
		ck_assert_int_eq(request_fault(parser), cases[i].fault);
		request_parser_free(parser);
		buffer_fini(&out);
	}
}
END_TEST

/* A generator of tests, the same in every run (xorshift). */
static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

START_TEST(cuts_do_not_matter_under_tight_limits)
{
	static const char *const pieces[] = {"x=\n",
					     "sender=\n",
					     "sender=a\n",
					     TYPE,
					     TYPE "sender=b\n",
					     "\n",
					     "aaaaaaaaaa",
					     "=",
					     "\r",
					     "\n\n",
					     "sasl_username=u\n",
					     "client_address=192.0.2.7\n",
					     "queue_id=a=b\n",
					     "instance=\n"};
	/* What is whole is looked at in blocks where there is enough of it. */
	static const struct {
		struct request_limits limits;
		int pieces;
	} scales[] = {
	    {{64, 28, 3}, 8}, {{200, 28, 9}, 24}, {{300, 40, 30}, 40}};
	const struct request_limits *limits = &scales[_i].limits;
	uint32_t random = 20240229;
	struct buffer stream = {0};
	struct buffer whole = {0};
	struct buffer parts = {0};

	for (int i = 0; i < 4000; i++) {
		struct cuts cuts = {0};

		buffer_clear(&stream);
		for (int j = 0; j < scales[_i].pieces; j++)
			buffer_add(
			    &stream,
			    span_text(
				pieces[next_random(&random) % COUNT(pieces)]));
		parse_cut(limits, buffer_span(&stream), &cuts, &whole);
		parse_trickle(limits, buffer_span(&stream), &parts);
		ck_assert_str_eq(whole.data, parts.data);
		cuts.count = 1;
		cuts.at[0] = next_random(&random) % stream.len;
		parse_cut(limits, buffer_span(&stream), &cuts, &parts);
		ck_assert_str_eq(whole.data, parts.data);
	}
	buffer_fini(&stream);
	buffer_fini(&whole);
	buffer_fini(&parts);
}
END_TEST

START_TEST(a_whole_request_is_neither_copied_nor_kept)
{
	static const char stream[] = MINIMAL TYPE "sender=abc\n\n";
	struct request_parser *parser = request_parser_new(&REQUEST_LIMITS);
	size_t idle = request_parser_memory(parser);
	struct request request;

	memory_fail_after(1);
	request_feed(parser, stream, sizeof(stream) - 1);
	ck_assert(request_has_begun(parser));
	ck_assert_int_eq(request_next(parser, &request), REQUEST_READY);
	ck_assert(request_has_begun(parser));
	ck_assert_int_eq(request_next(parser, &request), REQUEST_READY);
	ck_assert(!request_has_begun(parser));
	ck_assert(span_is(request.sender, "abc"));
	ck_assert_ptr_eq(request.sender.data, strstr(stream, "abc"));
	ck_assert_int_eq(request_next(parser, &request), REQUEST_MORE);
	ck_assert_uint_eq(request_parser_memory(parser), idle);
	ck_assert_uint_lt(idle, 512);
	memory_fail_after(0);
	request_parser_free(parser);
}
END_TEST

START_TEST(memory_is_given_back)
{
	struct request_parser *parser = request_parser_new(&REQUEST_LIMITS);
	size_t idle = request_parser_memory(parser);
	struct buffer stream = {0};
	struct buffer out = {0};

	for (int i = 0; i < 120; i++)
		add_line(&stream, 510);
	ck_assert_int_eq(feed_copy(parser, stream.data, stream.len, &out),
			 REQUEST_MORE);
	ck_assert(request_has_begun(parser));
	ck_assert_uint_ge(request_parser_memory(parser), stream.len);
	ck_assert_uint_le(request_parser_memory(parser), idle + 65536);
	ck_assert_int_eq(feed_copy(parser, MINIMAL, strlen(MINIMAL), &out),
			 REQUEST_MORE);
	ck_assert_str_eq(out.data, "[][][][][][][]\n");
	ck_assert(!request_has_begun(parser));
	ck_assert_uint_eq(request_parser_memory(parser), idle);
	/* when it has gone bad, too */
	(void)feed_copy(parser, stream.data, stream.len, &out);
	ck_assert_int_eq(feed_copy(parser, "x\n", 2, &out), REQUEST_BAD);
	ck_assert(!request_has_begun(parser));
	ck_assert_uint_eq(request_parser_memory(parser), idle);
	request_parser_free(parser);
	buffer_fini(&stream);
	buffer_fini(&out);
}
END_TEST

START_TEST(excess_is_not_buffered)
{
	struct request_parser *parser = request_parser_new(&REQUEST_LIMITS);
	size_t idle = request_parser_memory(parser);
	struct buffer stream = {0};
	struct buffer out = {0};

	add_line(&stream, 1 << 20);
	memory_fail_after(1);
	ck_assert_int_eq(feed_copy(parser, stream.data, stream.len, &out),
			 REQUEST_BAD);
	memory_fail_after(0);
	ck_assert_int_eq(request_fault(parser), REQUEST_FAULT_LINE);
	ck_assert_uint_eq(request_parser_memory(parser), idle);
	request_parser_free(parser);
	buffer_fini(&stream);
	buffer_fini(&out);
}
END_TEST

START_TEST(bad_stays)
{
	struct request_parser *parser = request_parser_new(&REQUEST_LIMITS);
	struct buffer out = {0};

	ck_assert_int_eq(
	    feed_copy(parser, "x\n" MINIMAL, strlen("x\n" MINIMAL), &out),
	    REQUEST_BAD);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
		    feed_copy(parser, MINIMAL, strlen(MINIMAL), &out),
		    REQUEST_BAD);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(request_fault(parser), REQUEST_FAULT_SYNTAX);
	request_parser_free(parser);
}
END_TEST

START_TEST(no_memory)
{
	struct request_parser *parser = request_parser_new(&REQUEST_LIMITS);
	struct buffer stream = {0};
	struct buffer out = {0};

	memory_fail_after(1);
	ck_assert_ptr_null(request_parser_new(&REQUEST_LIMITS));
	ck_assert_int_eq(feed_copy(parser, "x=", 2, &out), REQUEST_BAD);
	ck_assert_int_eq(request_fault(parser), REQUEST_FAULT_MEMORY);
	memory_fail_after(0);
	request_parser_free(parser);
	/* and when the buffer has to grow */
	parser = request_parser_new(&REQUEST_LIMITS);
	add_line(&stream, 5000);
	ck_assert_int_eq(feed_copy(parser, "x=\n", 3, &out), REQUEST_MORE);
	memory_fail_after(1);
	ck_assert_int_eq(feed_copy(parser, stream.data, stream.len, &out),
			 REQUEST_BAD);
	ck_assert_int_eq(request_fault(parser), REQUEST_FAULT_MEMORY);
	memory_fail_after(0);
	request_parser_free(parser);
	request_parser_free(NULL);
	buffer_fini(&stream);
}
END_TEST

START_TEST(every_fault_has_a_name_of_its_own)
{
	for (int i = 0; i < REQUEST_FAULT_COUNT; i++)
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(
			    request_fault_name((enum request_fault)i),
			    request_fault_name((enum request_fault)j));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("request");
	TCase *tcase = tcase_create("request");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, reads_what_postfix_sends);
	tcase_add_test(tcase, cut_at_every_pair_of_bytes);
	tcase_add_test(tcase, pipelined_requests_keep_their_order);
	tcase_add_loop_test(tcase, streams, 0, (int)COUNT(rows));
	tcase_add_loop_test(tcase, limits_at_the_border, 0,
			    (int)COUNT(long_rows));
	tcase_add_test(tcase, a_request_after_a_long_one_has_its_own_limits);
	tcase_add_test(tcase, a_limit_acts_on_the_byte_that_exceeds_it);
	tcase_add_loop_test(tcase, cuts_do_not_matter_under_tight_limits, 0, 3);
	tcase_add_test(tcase, a_whole_request_is_neither_copied_nor_kept);
	tcase_add_test(tcase, memory_is_given_back);
	tcase_add_test(tcase, excess_is_not_buffered);
	tcase_add_test(tcase, bad_stays);
	tcase_add_test(tcase, no_memory);
	tcase_add_test(tcase, every_fault_has_a_name_of_its_own);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
