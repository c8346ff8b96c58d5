/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"
#include "base/lines.h"

#include <check.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
#define NO_NEWLINE "no newline at the end of the file"
#define CRLF "the line ends are CRLF (sed -i 's/\\r$//' f)"
#define NO_START                                                           \
	"starts with white space, but there is no line before it that it " \
	"could continue"
#define NUL "has a NUL byte in it"

/* Write down the problems, "w2:text|" for a warning of line 2, "e" for an
 * error. */
static void
note_problems(const struct problems *problems, struct buffer *out)
{
	static const char letters[] = {
	    [PROBLEM_WARNING] = 'w',
	    [PROBLEM_ERROR] = 'e',
	    [PROBLEM_REFUSAL] = 'r',
	};

	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];

		ck_assert_str_eq(problem->file, "f");
		buffer_format(out, "%c%u:%s|", letters[problem->severity],
			      problem->line, problem->text);
	}
}

/* Read a copy of exactly these bytes, and write down the lines ("1:text|")
 * and the problems. */
static void
read_lines(struct span content, struct buffer *lines_out,
	   struct buffer *problems_out)
{
	char *copy = malloc(content.len > 0 ? content.len : 1);
	struct problems problems;
	struct lines lines;
	struct span line;
	uint32_t number;
	uint32_t before = 0;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, content.data, content.len);
	problems_init(&problems);
	lines_init(&lines, copy, content.len, "f", &problems);
	while (lines_next(&lines, &line, &number)) {
		ck_assert_uint_gt(number, before);
		ck_assert_uint_gt(line.len, 0);
		ck_assert(span_equal(span_trim(line), line));
		ck_assert(line.data[0] != '#');
		before = number;
		buffer_format(lines_out, "%u:", number);
		buffer_add(lines_out, line);
		buffer_byte(lines_out, '|');
	}
	ck_assert(!lines_next(&lines, &line, &number));
	note_problems(&problems, problems_out);
	problems_fini(&problems);
	free(copy);
}

static const struct row {
	struct span content;
	const char *lines;
	const char *problems;
} rows[] = {
    {BYTES(""), "", ""},
    {BYTES("\n"), "", ""},
    {BYTES("a\n"), "1:a|", ""},
    {BYTES("a b = c\nd\n"), "1:a b = c|2:d|", ""},
    {BYTES("a\na\n"), "1:a|2:a|", ""},
    {BYTES("a \t\v\f\n"), "1:a|", ""},
    {BYTES("a\rb\n"), "1:a\rb|", ""},
    {BYTES("\xff\xfe\n"), "1:\xff\xfe|", ""},
    /* lines that say nothing */
    {BYTES("\n\n \n\t\na\n"), "5:a|", ""},
    {BYTES("# c\n  # c\n#\na\n"), "4:a|", ""},
    {BYTES("a # b\n"), "1:a # b|", ""},
    {BYTES("# c\0\na\n"), "2:a|", ""},
    {BYTES(" "), "", "w1:" NO_NEWLINE "|"},
    {BYTES("# c"), "", "w1:" NO_NEWLINE "|"},
    {BYTES("\r\n"), "", "w1:" CRLF "|"},
    /* continuations */
    {BYTES("a\n b\n"), "1:a b|", ""},
    {BYTES("a\n\tb\n  c\nd\n"), "1:a\tb  c|4:d|", ""},
    {BYTES("a\n\vb\n\fc\n\rd\n"), "1:a\vb\fc\rd|", ""},
    {BYTES("a\n# c\n b\n"), "1:a b|", ""},
    {BYTES("a\n # c\n b\n"), "1:a b|", ""},
    {BYTES("a\n\n b\n"), "1:a b|", ""},
    {BYTES("a\n \n\n#\n b\nc\n"), "1:a b|6:c|", ""},
    {BYTES("a\n b # c\n"), "1:a b # c|", ""},
    {BYTES("a\n\n#\n\nb\n"), "1:a|5:b|", ""},
    {BYTES("a\n \n"), "1:a|", ""},
    {BYTES("a \n b"), "1:a  b|", "w2:" NO_NEWLINE "|"},
    {BYTES("a\n b"), "1:a b|", "w2:" NO_NEWLINE "|"},
    {BYTES("a\n "), "1:a|", "w2:" NO_NEWLINE "|"},
    /* warnings */
    {BYTES("a"), "1:a|", "w1:" NO_NEWLINE "|"},
    {BYTES("a\nb"), "1:a|2:b|", "w2:" NO_NEWLINE "|"},
    {BYTES("a\r\nb\r\n c\r\n"), "1:a|2:b c|", "w1:" CRLF "|"},
    {BYTES("a\n\r\nb\n"), "1:a|3:b|", "w2:" CRLF "|"},
    {BYTES("a\r\r\n"), "1:a|", "w1:" CRLF "|"},
    {BYTES("a\r"), "1:a|", "w1:" NO_NEWLINE "|w1:" CRLF "|"},
    /* errors */
    {BYTES(" a\n"), "", "e1:" NO_START "|"},
    {BYTES("# c\n\n a\n b\nc\n"), "5:c|", "e3:" NO_START "|"},
    {BYTES(" a"), "", "w1:" NO_NEWLINE "|e1:" NO_START "|"},
    {BYTES("a\0b\n"), "", "e1:" NUL "|"},
    {BYTES("\0\n"), "", "e1:" NUL "|"},
    {BYTES("a\nb\0\nc\n"), "1:a|3:c|", "e2:" NUL "|"},
    {BYTES("a\n b\n \0\n d\ne\n"), "5:e|", "e1:" NUL "|"},
    {BYTES("a\0\nb\0\n"), "", "e1:" NUL "|e2:" NUL "|"},
};

START_TEST(contents)
{
	struct buffer lines = {0};
	struct buffer problems = {0};

	buffer_add(&lines, SPAN_NONE); /* a text even where there is no line */
	buffer_add(&problems, SPAN_NONE);
	read_lines(rows[_i].content, &lines, &problems);
	ck_assert_str_eq(lines.data, rows[_i].lines);
	ck_assert_str_eq(problems.data, rows[_i].problems);
	buffer_fini(&lines);
	buffer_fini(&problems);
}
END_TEST

/* Whatever a file ends with, nothing beyond it is read; read_lines() knows what
 * holds of every line. */
START_TEST(truncated_anywhere)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t len = 0; len < rows[i].content.len; len++) {
			struct buffer lines = {0};
			struct buffer problems = {0};

			read_lines(span_of(rows[i].content.data, len), &lines,
				   &problems);
			buffer_fini(&lines);
			buffer_fini(&problems);
		}
}
END_TEST

START_TEST(problems_may_go_nowhere)
{
	char content[] = " x\na\0b\nc\r\nd";
	struct lines lines;
	struct span line;
	uint32_t number;

	lines_init(&lines, content, sizeof(content) - 1, "f", NULL);
	ck_assert(lines_next(&lines, &line, &number));
	ck_assert(span_is(line, "c"));
	ck_assert_uint_eq(number, 3);
	ck_assert(lines_next(&lines, &line, &number));
	ck_assert(span_is(line, "d"));
	ck_assert(!lines_next(&lines, &line, &number));
}
END_TEST

START_TEST(lines_stay_while_others_are_read)
{
	char content[] = "a\n b\nc\n d\n";
	struct lines lines;
	struct span first;
	struct span second;
	uint32_t number;

	lines_init(&lines, content, sizeof(content) - 1, "f", NULL);
	ck_assert(lines_next(&lines, &first, &number));
	ck_assert(lines_next(&lines, &second, &number));
	ck_assert(span_is(first, "a b"));
	ck_assert(span_is(second, "c d"));
}
END_TEST

/* One line out of very many pieces, in a time that is not their square. */
START_TEST(a_line_may_be_very_long)
{
	enum { PIECES = 400000 };
	struct buffer content = {0};
	struct lines lines;
	struct span line;
	uint32_t number;

	buffer_add(&content, span_text("a\n"));
	for (int i = 0; i < PIECES; i++)
		buffer_add(&content, span_text(i % 2 == 0 ? " b\n" : "# c\n"));
	buffer_add(&content, span_text("z\n"));
	lines_init(&lines, content.data, content.len, "f", NULL);
	ck_assert(lines_next(&lines, &line, &number));
	ck_assert_uint_eq(number, 1);
	ck_assert_uint_eq(line.len, 1 + PIECES);
	ck_assert(lines_next(&lines, &line, &number));
	ck_assert_uint_eq(number, PIECES + 2);
	ck_assert(span_is(line, "z"));
	buffer_fini(&content);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lines");
	TCase *tcase = tcase_create("lines");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, contents, 0, (int)COUNT(rows));
	tcase_add_test(tcase, truncated_anywhere);
	tcase_add_test(tcase, problems_may_go_nowhere);
	tcase_add_test(tcase, lines_stay_while_others_are_read);
	tcase_add_test(tcase, a_line_may_be_very_long);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
