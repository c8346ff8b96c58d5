/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"
#include "wire/reply.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
#define REJECT "action=553 5.7.1 "

static const char *const heads[] = {
    [REPLY_DUNNO] = "action=DUNNO",
    [REPLY_REJECT] = REJECT,
    [REPLY_DEFER] = "action=451 4.3.0 ",
    [REPLY_WARN] = "action=WARN ",
};

/* Count the bytes of the character at p by the table of RFC 3629, section 4;
 * 0 where there is none. Written apart from the library that the code uses. */
static size_t
character(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char first, last; /* of the first byte */
		unsigned char low, high;   /* of the second */
		size_t len;
	} rows[] = {
	    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
	    {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
	    {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (p[0] < rows[i].first || p[0] > rows[i].last)
			continue;
		if (rows[i].len > left)
			return 0;
		if (rows[i].len > 1 &&
		    (p[1] < rows[i].low || p[1] > rows[i].high))
			return 0;
		for (size_t j = 2; j < rows[i].len; j++)
			if ((p[j] & 0xc0) != 0x80)
				return 0;
		return rows[i].len;
	}
	return 0;
}

/* The encoded characters that no reply may have in it, beside bytes below
 * 0x20 and 0x7f. */
static bool
is_forbidden(const unsigned char *p, size_t len)
{
	static const char *const list[] = {
	    "\xd8\x9c",     "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8",
	    "\xe2\x80\xa9", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac",
	    "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7",
	    "\xe2\x81\xa8", "\xe2\x81\xa9",
	};

	if (len == 1 && (p[0] < 0x20 || p[0] == 0x7f))
		return true;
	if (len == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return true;
	for (size_t i = 0; i < COUNT(list); i++)
		if (len == strlen(list[i]) && memcmp(p, list[i], len) == 0)
			return true;
	return false;
}

/* Check that a reply is one line of its kind and an empty line. */
static void
check_grammar(enum reply_kind kind, const char *reply, size_t len)
{
	const unsigned char *p = (const unsigned char *)reply;
	size_t head = strlen(heads[kind]);
	size_t end;

	ck_assert_uint_le(len, REPLY_MAX);
	ck_assert_uint_ge(len, head + 2);
	end = len - 2;
	ck_assert_mem_eq(reply, heads[kind], head);
	ck_assert_mem_eq(reply + end, "\n\n", 2);
	if (kind == REPLY_DUNNO) {
		ck_assert_uint_eq(end, head);
		return;
	}
	ck_assert_uint_gt(end, head);
	ck_assert_int_ne(reply[head], ' ');
	ck_assert_int_ne(reply[end - 1], ' ');
	for (size_t i = head, n; i < end; i += n) {
		n = character(p + i, end - i);
		ck_assert_uint_ne(n, 0);
		ck_assert(!is_forbidden(p + i, n));
	}
}

/* Write a reply behind which nothing may be written, and check its grammar. */
static size_t
write_checked(enum reply_kind kind, struct span text, char out[REPLY_MAX])
{
	char *exact = malloc(REPLY_MAX);
	size_t len;

	ck_assert_ptr_nonnull(exact);
	len = reply_write(kind, text, exact);
	check_grammar(kind, exact, len);
	memcpy(out, exact, len);
	free(exact);
	return len;
}

static void
check_reply(enum reply_kind kind, struct span text, const char *expected)
{
	char out[REPLY_MAX + 1];
	size_t len = write_checked(kind, text, out);

	out[len] = '\0';
	ck_assert_str_eq(out, expected);
}

START_TEST(each_kind)
{
	static const char text[] = "not owned by user user@example.com";

	check_reply(REPLY_DUNNO, span_text(text), "action=DUNNO\n\n");
	check_reply(REPLY_DUNNO, SPAN_NONE, "action=DUNNO\n\n");
	check_reply(REPLY_REJECT, span_text(text),
		    "action=553 5.7.1 not owned by user user@example.com\n\n");
	check_reply(REPLY_DEFER, span_text(text),
		    "action=451 4.3.0 not owned by user user@example.com\n\n");
	check_reply(REPLY_WARN, span_text(text),
		    "action=WARN not owned by user user@example.com\n\n");
}
END_TEST

static const struct row {
	struct span text;
	const char *expected; /* between head and newlines */
} rows[] = {
    /* blank */
    {BYTES(""), "not permitted"},
    {BYTES(" "), "not permitted"},
    {BYTES(" \t\r\n\v\f "), "not permitted"},
    /* at its ends */
    {BYTES("  a b  "), "a b"},
    {BYTES("a\r\n"), "a"},
    {BYTES("\n\na"), "a"},
    /* a second line, or a second attribute */
    {BYTES("a\naction=OK\n\nb"), "a?action=OK??b"},
    {BYTES("a\r\nb"), "a??b"},
    {BYTES("a\0b"), "a?b"},
    {BYTES("a\tb\x1b[31m\x7f"), "a?b?[31m?"},
    {BYTES("action=OK"), "action=OK"},
    /* what stays */
    {BYTES("m\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x93\xa7"),
     "m\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x93\xa7"},
    {BYTES("\xc2\xa0x\xc2\xa0"), "\xc2\xa0x\xc2\xa0"},
    {BYTES("%s %n ${login} \\ \" '"), "%s %n ${login} \\ \" '"},
    /* C1 */
    {BYTES("a\xc2\x80\xc2\x85\xc2\x9f\x62"), "a???b"},
    /* separators and bidirectional controls, and their neighbours */
    {BYTES("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9"), "\xe2\x80\xa7??"},
    {BYTES("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae"
	   "\xe2\x80\xaf"),
     "?????\xe2\x80\xaf"},
    {BYTES("\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9"
	   "\xe2\x81\xaa"),
     "\xe2\x81\xa5????\xe2\x81\xaa"},
    {BYTES("\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90"),
     "\xe2\x80\x8d??\xe2\x80\x90"},
    {BYTES("\xd8\x9b\xd8\x9c\xd8\x9d"), "\xd8\x9b?\xd8\x9d"},
    /* not UTF-8: stray, cut, overlong, surrogate, beyond U+10FFFF */
    {BYTES("a\x80z"), "a?z"},
    {BYTES("a\xc3"), "a?"},
    {BYTES("a\xe2\x82"), "a??"},
    {BYTES("a\xf0\x9f\x93"), "a???"},
    {BYTES("\xc3("), "?("},
    {BYTES("\xc0\xaf"), "??"},
    {BYTES("\xe0\x80\xaf"), "???"},
    {BYTES("\xed\xa0\x80"), "???"},
    {BYTES("\xf4\x90\x80\x80"), "????"},
    {BYTES("\xff\xfe"), "??"},
};

START_TEST(texts)
{
	struct buffer expected = {0};

	buffer_format(&expected, REJECT "%s\n\n", rows[_i].expected);
	check_reply(REPLY_REJECT, rows[_i].text, expected.data);
	buffer_fini(&expected);
}
END_TEST

START_TEST(every_byte)
{
	for (int c = 0; c < 256; c++) {
		char text[] = {'a', (char)c, 'z'};
		char out[REPLY_MAX];
		size_t len;

		len = write_checked(REPLY_REJECT, span_of(text, 3), out);
		ck_assert_uint_eq(len, strlen(REJECT) + 5);
		ck_assert_int_eq(out[strlen(REJECT) + 1],
				 c >= 0x20 && c <= 0x7e ? c : '?');
		(void)write_checked(REPLY_DEFER, span_of(text + 1, 1), out);
		(void)write_checked(REPLY_WARN, span_of(text + 1, 2), out);
		(void)write_checked(REPLY_WARN, span_of(text, 2), out);
	}
}
END_TEST

START_TEST(every_character)
{
	char out[REPLY_MAX];

	for (unsigned a = 0xc0; a < 256; a++)
		for (unsigned b = 0x70; b < 256; b++) {
			char text[] = {(char)a, (char)b, (char)0x80,
				       (char)0xa8};

			for (size_t n = 1; n <= sizeof(text); n++)
				(void)write_checked(REPLY_WARN,
						    span_of(text, n), out);
		}
}
END_TEST

/* Texts of one character over and over, some bytes in front of it. */
START_TEST(cut_at_a_characters_border)
{
	static const char *const characters[] = {
	    "a", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x93\xa7", "\xff", " "};
	const char *character_of = characters[_i];
	const size_t n = strlen(character_of);

	for (size_t shift = 1; shift <= 4; shift++) {
		struct buffer text = {0};
		char out[REPLY_MAX];
		size_t room = REPLY_MAX - 2 - strlen(REJECT) - shift;
		size_t len;

		for (size_t i = 0; i < shift; i++)
			buffer_byte(&text, 'x');
		while (text.len < 3000)
			buffer_add(&text, span_text(character_of));
		buffer_byte(&text, 'x');
		len = write_checked(REPLY_REJECT, buffer_span(&text), out);
		if (*character_of == ' ')
			room = 0; /* blanks at the end go */
		ck_assert_uint_eq(len,
				  strlen(REJECT) + shift + room / n * n + 2);
		buffer_fini(&text);
	}
}
END_TEST

START_TEST(longest_text_that_fits)
{
	char text[REPLY_MAX];
	char out[REPLY_MAX];
	size_t fits = REPLY_MAX - 2 - strlen(REJECT);

	memset(text, 'a', sizeof(text));
	ck_assert_uint_eq(
	    write_checked(REPLY_REJECT, span_of(text, fits - 1), out),
	    REPLY_MAX - 1);
	ck_assert_uint_eq(write_checked(REPLY_REJECT, span_of(text, fits), out),
			  REPLY_MAX);
	ck_assert_uint_eq(
	    write_checked(REPLY_REJECT, span_of(text, fits + 1), out),
	    REPLY_MAX);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reply");
	TCase *tcase = tcase_create("reply");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, each_kind);
	tcase_add_loop_test(tcase, texts, 0, (int)COUNT(rows));
	tcase_add_test(tcase, every_byte);
	tcase_add_test(tcase, every_character);
	tcase_add_loop_test(tcase, cut_at_a_characters_border, 0, 6);
	tcase_add_test(tcase, longest_text_that_fits);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
