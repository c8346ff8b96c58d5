/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}

/* Standard error of a test goes into a pipe; what is in it comes out here. */
static int capture;

static void
start_capture(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
	ck_assert_int_eq(close(ends[1]), 0);
	capture = ends[0];
}

static const char *
captured(void)
{
	static char text[4 * LOG_LINE_MAX];
	ssize_t n = read(capture, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static const struct row {
	struct span value;
	const char *expected;
} rows[] = {
    {BYTES("user@example.com"), "user@example.com"},
    {BYTES("!#$%&'()*+,-./09:;<>?@AZ[]^_`az{|}~"),
     "!#$%&'()*+,-./09:;<>?@AZ[]^_`az{|}~"},
    /* in quotes */
    {BYTES(""), "\"\""},
    {BYTES(" "), "\" \""},
    {BYTES("a b"), "\"a b\""},
    {BYTES("a=b"), "\"a=b\""},
    {BYTES("\""), "\"\\\"\""},
    {BYTES("\\"), "\"\\\\\""},
    {BYTES("x reason=allow"), "\"x reason=allow\""},
    {BYTES("\\x0a"), "\"\\\\x0a\""},
    /* escaped */
    {BYTES("a\0b"), "\"a\\x00b\""},
    {BYTES("a\nb"), "\"a\\x0ab\""},
    {BYTES("a\rb"), "\"a\\x0db\""},
    {BYTES("\t"), "\"\\x09\""},
    {BYTES("\x1b[2J"), "\"\\x1b[2J\""},
    {BYTES("\x1f\x7f"), "\"\\x1f\\x7f\""},
    {BYTES("\xc2\x85"), "\"\\xc2\\x85\""},          /* U+0085 */
    {BYTES("\xe2\x80\xa8"), "\"\\xe2\\x80\\xa8\""}, /* U+2028 */
    {BYTES("\xe2\x80\xae"), "\"\\xe2\\x80\\xae\""}, /* U+202E */
    {BYTES("m\xc3\xbc"), "\"m\\xc3\\xbc\""},
    {BYTES("\xff\x80"), "\"\\xff\\x80\""},
};

START_TEST(escapes)
{
	char out[LOG_ESCAPED_MAX + 1];
	size_t len = log_escape(rows[_i].value, out, LOG_ESCAPED_MAX);

	ck_assert_uint_le(len, LOG_ESCAPED_MAX);
	out[len] = '\0';
	ck_assert_str_eq(out, rows[_i].expected);
}
END_TEST

START_TEST(every_byte_becomes_printable)
{
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		char out[LOG_ESCAPED_MAX];
		size_t len = log_escape(span_of(&byte, 1), out, sizeof(out));

		ck_assert_uint_gt(len, 0);
		for (size_t i = 0; i < len; i++)
			ck_assert(out[i] >= 0x20 && out[i] <= 0x7e);
	}
}
END_TEST

START_TEST(a_value_ends_after_256_bytes)
{
	char value[LOG_FIELD_MAX + 1];
	char out[LOG_ESCAPED_MAX];

	memset(value, 'a', sizeof(value));
	ck_assert_uint_eq(
	    log_escape(span_of(value, LOG_FIELD_MAX), out, sizeof(out)),
	    LOG_FIELD_MAX);
	ck_assert_uint_eq(
	    log_escape(span_of(value, sizeof(value)), out, sizeof(out)),
	    LOG_FIELD_MAX + 3);
	ck_assert_mem_eq(out + LOG_FIELD_MAX - 1, "a...", 4);
	/* a byte beyond the end is not looked at */
	value[LOG_FIELD_MAX] = '\n';
	ck_assert_uint_eq(
	    log_escape(span_of(value, sizeof(value)), out, sizeof(out)),
	    LOG_FIELD_MAX + 3);
	/* the longest there is */
	memset(value, 0x1b, sizeof(value));
	ck_assert_uint_eq(
	    log_escape(span_of(value, sizeof(value)), out, sizeof(out)),
	    LOG_ESCAPED_MAX);
	ck_assert_mem_eq(out + LOG_ESCAPED_MAX - 8, "\\x1b...\"", 8);
	ck_assert_mem_eq(out, "\"\\x1b", 5);
}
END_TEST

START_TEST(no_more_than_size_is_written)
{
	static const char *const values[] = {"aaaa", "\x1b\x1b", "", "\"\"\""};
	char large[LOG_FIELD_MAX * 2];

	memset(large, 'a', sizeof(large));
	for (size_t i = 0; i <= COUNT(values); i++)
		for (size_t size = 0; size < 20; size++) {
			struct span value = i < COUNT(values)
						? span_text(values[i])
						: span_of(large, sizeof(large));
			char out[21];

			memset(out, '#', sizeof(out));
			ck_assert_uint_le(log_escape(value, out, size), size);
			ck_assert_int_eq(out[size], '#');
		}
}
END_TEST

START_TEST(writes_a_line)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "reject");
	log_text(&line, "login", "user@example.com");
	log_field(&line, "sender", span_of("a\nb", 3));
	log_number(&line, "zero", 0);
	log_number(&line, "most", UINT64_MAX);
	log_text(&line, "empty", "");
	log_end(&line);
	ck_assert_str_eq(captured(),
			 "reject login=user@example.com sender=\"a\\x0ab\" "
			 "zero=0 most=18446744073709551615 empty=\"\"\n");
	log_begin(&line, LOG_LEVEL_ERROR, "stop");
	log_end(&line);
	ck_assert_str_eq(captured(), "stop\n");
}
END_TEST

START_TEST(writes_a_note)
{
	log_note(LOG_LEVEL_WARNING, "reload", "%s:%d: %s", "a.pcre", 12,
		 "x\ny");
	ck_assert_str_eq(captured(), "reload text=\"a.pcre:12: x\\x0ay\"\n");
	log_note(LOG_LEVEL_INFO, "long", "%5000d", 1);
	ck_assert_uint_eq(strlen(captured()),
			  strlen("long text=") + LOG_FIELD_MAX + 6);
}
END_TEST

START_TEST(a_line_that_gets_too_long_ends_early)
{
	char value[LOG_FIELD_MAX];
	struct log_line line;
	const char *text;
	size_t len;

	memset(value, '\x1b', sizeof(value));
	log_begin(&line, LOG_LEVEL_INFO, "reject");
	for (int i = 0; i < 10; i++)
		log_field(&line, "k", span_of(value, sizeof(value)));
	log_text(&line, "late", "x");
	log_end(&line);
	text = captured();
	len = strlen(text);
	ck_assert_uint_le(len, LOG_LINE_MAX);
	ck_assert_uint_eq(len, strlen("reject") +
				   3 * (strlen(" k=\"\"") + 4 * 256) + 1);
	ck_assert_str_eq(text + len - 6, "\\x1b\"\n");
	ck_assert_ptr_null(strstr(text, "late"));
}
END_TEST

START_TEST(a_line_may_be_as_long_as_the_limit)
{
	/* "e" and 15 fields " k=VALUE" of 256 bytes leave 210 bytes and the
	 * newline; the value that is one longer does not fit. */
	for (size_t more = 0; more < 2; more++) {
		char value[LOG_FIELD_MAX];
		struct log_line line;

		memset(value, 'a', sizeof(value));
		log_begin(&line, LOG_LEVEL_INFO, "e");
		for (int i = 0; i < 15; i++)
			log_field(&line, "k", span_of(value, sizeof(value)));
		log_field(&line, "k",
			  span_of(value, LOG_LINE_MAX - 1 - 1 -
					     15 * (3 + LOG_FIELD_MAX) - 3 +
					     more));
		log_end(&line);
		ck_assert_uint_eq(strlen(captured()),
				  more == 0 ? LOG_LINE_MAX
					    : 2 + 15 * (3 + LOG_FIELD_MAX));
	}
}
END_TEST

START_TEST(an_event_that_is_too_long_is_no_crash)
{
	char event[LOG_LINE_MAX + 1];
	struct log_line line;

	memset(event, 'e', LOG_LINE_MAX);
	event[LOG_LINE_MAX] = '\0';
	log_begin(&line, LOG_LEVEL_INFO, event);
	log_text(&line, "k", "v");
	log_end(&line);
	ck_assert_str_eq(captured(), "\n");
}
END_TEST

START_TEST(levels)
{
	for (int wanted = LOG_LEVEL_ERROR; wanted <= LOG_LEVEL_DEBUG;
	     wanted++) {
		log_open(LOG_TARGET_STDERR, (enum log_level)wanted);
		for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG;
		     level++) {
			struct log_line line;
			enum log_level l = (enum log_level)level;

			ck_assert_int_eq(log_wants(l), level <= wanted);
			log_note(l, "note", "x");
			ck_assert_str_eq(
			    captured(), level <= wanted ? "note text=x\n" : "");
			log_begin(&line, l, "line");
			log_number(&line, "n", 1);
			log_end(&line);
			ck_assert_str_eq(captured(),
					 level <= wanted ? "line n=1\n" : "");
		}
	}
}
END_TEST

START_TEST(info_is_the_default)
{
	ck_assert(log_wants(LOG_LEVEL_INFO));
	ck_assert(!log_wants(LOG_LEVEL_DEBUG));
}
END_TEST

START_TEST(a_log_that_can_not_be_written_stops_nobody)
{
	ck_assert_ptr_ne(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	/* full */
	for (int i = 0; i < 2000; i++)
		log_note(LOG_LEVEL_INFO, "full", "%200d", i);
	/* broken */
	ck_assert_int_eq(close(capture), 0);
	log_note(LOG_LEVEL_INFO, "broken", "x");
	/* closed */
	ck_assert_int_eq(close(STDERR_FILENO), 0);
	log_note(LOG_LEVEL_INFO, "closed", "x");
	/* nobody listens to /dev/log here, as a rule */
	log_open(LOG_TARGET_SYSLOG, LOG_LEVEL_DEBUG);
	log_note(LOG_LEVEL_DEBUG, "syslog", "%s", "%n%s");
	log_open(LOG_TARGET_SYSLOG, LOG_LEVEL_INFO);
	log_open(LOG_TARGET_STDERR, LOG_LEVEL_INFO);
}
END_TEST

START_TEST(syslog_leaves_standard_error_alone)
{
	log_open(LOG_TARGET_SYSLOG, LOG_LEVEL_INFO);
	log_note(LOG_LEVEL_INFO, "test", "x");
	ck_assert_str_eq(captured(), "");
	log_open(LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	log_note(LOG_LEVEL_INFO, "test", "x");
	ck_assert_str_eq(captured(), "test text=x\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, start_capture, NULL);
	tcase_add_loop_test(tcase, escapes, 0, (int)COUNT(rows));
	tcase_add_test(tcase, every_byte_becomes_printable);
	tcase_add_test(tcase, a_value_ends_after_256_bytes);
	tcase_add_test(tcase, no_more_than_size_is_written);
	tcase_add_test(tcase, writes_a_line);
	tcase_add_test(tcase, writes_a_note);
	tcase_add_test(tcase, a_line_that_gets_too_long_ends_early);
	tcase_add_test(tcase, a_line_may_be_as_long_as_the_limit);
	tcase_add_test(tcase, an_event_that_is_too_long_is_no_crash);
	tcase_add_test(tcase, levels);
	tcase_add_test(tcase, info_is_the_default);
	tcase_add_test(tcase, a_log_that_can_not_be_written_stops_nobody);
	tcase_add_test(tcase, syslog_leaves_standard_error_alone);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
