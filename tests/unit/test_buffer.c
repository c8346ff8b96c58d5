/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
#define BAD "\xef\xbf\xbd" /* U+FFFD */

START_TEST(texts_add_up)
{
	struct buffer buffer;

	buffer_init(&buffer);
	ck_assert_uint_eq(buffer_span(&buffer).len, 0);
	ck_assert_ptr_nonnull(buffer_span(&buffer).data);
	buffer_add(&buffer, span_text("one"));
	buffer_byte(&buffer, ' ');
	buffer_format(&buffer, "%s %d", "two", 3);
	ck_assert_str_eq(buffer.data, "one two 3");
	ck_assert(span_is(buffer_span(&buffer), "one two 3"));
	buffer_fini(&buffer);
	ck_assert_uint_eq(buffer.len, 0);
	buffer_fini(&buffer);
	buffer_fini(NULL);
}
END_TEST

START_TEST(nothing_can_be_added)
{
	struct buffer buffer = {0};

	buffer_add(&buffer, SPAN_NONE);
	ck_assert_str_eq(buffer.data, "");
	buffer_format(&buffer, "%s", "");
	buffer_add(&buffer, SPAN_NONE);
	ck_assert_str_eq(buffer.data, "");
	ck_assert_uint_eq(buffer.len, 0);
	buffer_fini(&buffer);
}
END_TEST

START_TEST(any_byte_can_be_in_it)
{
	struct buffer buffer = {0};

	for (int i = 0; i < 256; i++)
		buffer_byte(&buffer, (char)i);
	ck_assert_uint_eq(buffer.len, 256);
	for (int i = 0; i < 256; i++)
		ck_assert_int_eq(buffer.data[i], (char)i);
	ck_assert_int_eq(buffer.data[256], '\0');
	buffer_fini(&buffer);
}
END_TEST

START_TEST(clear_keeps_the_memory)
{
	struct buffer buffer = {0};
	char *data;

	buffer_clear(&buffer);
	ck_assert_uint_eq(buffer_span(&buffer).len, 0);
	buffer_format(&buffer, "%500d", 1);
	data = buffer.data;
	buffer_clear(&buffer);
	ck_assert_str_eq(buffer.data, "");
	ck_assert_uint_eq(buffer_span(&buffer).len, 0);
	buffer_format(&buffer, "%400d", 1);
	ck_assert_ptr_eq(buffer.data, data);
	buffer_fini(&buffer);
}
END_TEST

/* Every length around those at which the memory grows. */
START_TEST(it_grows_to_the_byte)
{
	static const char text[1200] = {0};

	for (size_t first = 0; first < 300; first += 37)
		for (size_t len = 0; len < sizeof(text); len++) {
			struct buffer buffer = {0};

			buffer_add(&buffer, span_of(text, first));
			buffer_add(&buffer, span_of(text, len));
			ck_assert_uint_eq(buffer.len, first + len);
			ck_assert_uint_gt(buffer.room, buffer.len);
			ck_assert_int_eq(buffer.data[buffer.len], '\0');
			buffer_fini(&buffer);
		}
}
END_TEST

START_TEST(a_format_grows_to_the_byte)
{
	for (int len = 1; len < 1200; len++) {
		struct buffer buffer = {0};

		buffer_format(&buffer, "%*d", len, 1);
		buffer_format(&buffer, "%*d", len, 2);
		ck_assert_uint_eq(buffer.len, 2 * (size_t)len);
		ck_assert_uint_eq(strlen(buffer.data), buffer.len);
		ck_assert_int_eq(buffer.data[len - 1], '1');
		buffer_fini(&buffer);
	}
}
END_TEST

/* JSON strings, without their quotes. */
static const struct row {
	struct span bytes;
	const char *expected;
} rows[] = {
    {BYTES(""), ""},
    {BYTES("user@example.com"), "user@example.com"},
    {BYTES("a/b 'c' <d>"), "a/b 'c' <d>"},
    {BYTES("a\"b"), "a\\\"b"},
    {BYTES("a\\b"), "a\\\\b"},
    {BYTES("\\u0041"), "\\\\u0041"},
    {BYTES("%s%n"), "%s%n"},
    /* control characters */
    {BYTES("a\0b"), "a\\u0000b"},
    {BYTES("\n\r\t"), "\\u000a\\u000d\\u0009"},
    {BYTES("\x1b[2J\x1f"), "\\u001b[2J\\u001f"},
    {BYTES("\x7f"), "\\u007f"},
    {BYTES("\xc2\x80\xc2\x9f\xc2\xa0"), "\\u0080\\u009f\xc2\xa0"},
    /* UTF-8 */
    {BYTES("m\xc3\xbcnchen"), "m\xc3\xbcnchen"},
    {BYTES("\xe2\x82\xac\xf0\x9f\x98\x80"), "\xe2\x82\xac\xf0\x9f\x98\x80"},
    {BYTES("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf"},
    {BYTES(BAD), BAD},
    /* and what is none: each byte for itself */
    {BYTES("\x80"), BAD},
    {BYTES("a\xff"
	   "b"),
     "a" BAD "b"},
    {BYTES("\xc3"), BAD},
    {BYTES("\xc3\""), BAD "\\\""},
    {BYTES("\xc0\x80"), BAD BAD},                 /* overlong */
    {BYTES("\xe0\x80\xaf"), BAD BAD BAD},         /* overlong */
    {BYTES("\xed\xa0\x80"), BAD BAD BAD},         /* surrogate */
    {BYTES("\xf4\x90\x80\x80"), BAD BAD BAD BAD}, /* beyond U+10FFFF */
    {BYTES("\xe2\x82"), BAD BAD},
    {BYTES("\xf0\x9f\x98"), BAD BAD BAD},
};

START_TEST(json_strings)
{
	struct buffer buffer = {0};
	char *expected;

	ck_assert_int_ge(asprintf(&expected, "x\"%s\"", rows[_i].expected), 0);
	buffer_byte(&buffer, 'x');
	buffer_json(&buffer, rows[_i].bytes);
	ck_assert_str_eq(buffer.data, expected);
	free(expected);
	buffer_fini(&buffer);
}
END_TEST

/* Every byte in front of a quote: it can not swallow it. */
START_TEST(json_strings_end_where_they_should)
{
	for (int i = 0; i < 256; i++) {
		const char bytes[] = {(char)i, '"'};
		struct buffer buffer = {0};

		buffer_json(&buffer, span_of(bytes, 2));
		ck_assert_uint_ge(buffer.len, 5);
		ck_assert_str_eq(buffer.data + buffer.len - 3, "\\\"\"");
		for (size_t j = 0; j < buffer.len; j++)
			ck_assert((unsigned char)buffer.data[j] >= 0x20);
		buffer_fini(&buffer);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("buffer");
	TCase *tcase = tcase_create("buffer");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, texts_add_up);
	tcase_add_test(tcase, nothing_can_be_added);
	tcase_add_test(tcase, any_byte_can_be_in_it);
	tcase_add_test(tcase, clear_keeps_the_memory);
	tcase_add_test(tcase, it_grows_to_the_byte);
	tcase_add_test(tcase, a_format_grows_to_the_byte);
	tcase_add_loop_test(tcase, json_strings, 0, (int)COUNT(rows));
	tcase_add_test(tcase, json_strings_end_where_they_should);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
