/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"
#include "base/memory.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A text of len bytes, longer than anything that is kept. */
static const char *
long_text(size_t len)
{
	static char text[4096];

	ck_assert_uint_lt(len, sizeof(text));
	memset(text, 'a', len);
	text[len] = '\0';
	return text;
}

START_TEST(an_error_has_its_text)
{
	struct error error = {"before"};

	error_set(&error, "%s:%d: %s", "senders", 12, "missing )");
	ck_assert_str_eq(error.text, "senders:12: missing )");
	error_set(&error, "%s", "");
	ck_assert_str_eq(error.text, "");
	error_errno(&error, ENOENT, "%s", "/no/such");
	ck_assert_str_eq(error.text, "/no/such: No such file or directory");
	error_errno(&error, EACCES, "%s", "%d%n");
	ck_assert_str_eq(error.text, "%d%n: Permission denied");
}
END_TEST

START_TEST(nobody_may_want_to_know)
{
	error_set(NULL, "%s", "x");
	error_errno(NULL, ENOENT, "%s", "x");
	problems_add(NULL, PROBLEM_ERROR, "f", 1, "%s", "x");
	problems_fini(NULL);
}
END_TEST

START_TEST(a_long_error_is_cut)
{
	struct {
		struct error error;
		char behind[8];
	} guarded = {.behind = "behind"};
	const size_t most = sizeof(guarded.error.text) - 1;

	for (size_t len = most - 2; len <= most + 2; len++) {
		size_t kept = len < most ? len : most;

		error_set(&guarded.error, "%s", long_text(len));
		ck_assert_uint_eq(strlen(guarded.error.text), kept);
		error_errno(&guarded.error, ENOENT, "%s", long_text(len));
		ck_assert_uint_eq(strlen(guarded.error.text), most);
		ck_assert_str_eq(guarded.behind, "behind");
	}
}
END_TEST

START_TEST(problems_keep_their_order)
{
	struct problems problems;

	problems_init(&problems);
	problems_add(&problems, PROBLEM_WARNING, "a", 7, "%s", "one");
	problems_add(&problems, PROBLEM_ERROR, "b", 0, "%d", 2);
	problems_add(&problems, PROBLEM_REFUSAL, "a", 3, "three");
	problems_add(&problems, PROBLEM_WARNING, "a", 7, "%s", "one");
	ck_assert_uint_eq(problems.count, 4);
	ck_assert_uint_eq(problems.warnings, 2);
	ck_assert_uint_eq(problems.errors, 2);
	ck_assert_uint_eq(problems.refusals, 1);
	ck_assert_int_eq(problems.list[0].severity, PROBLEM_WARNING);
	ck_assert_str_eq(problems.list[0].file, "a");
	ck_assert_uint_eq(problems.list[0].line, 7);
	ck_assert_str_eq(problems.list[0].text, "one");
	ck_assert_int_eq(problems.list[1].severity, PROBLEM_ERROR);
	ck_assert_str_eq(problems.list[1].text, "2");
	ck_assert_int_eq(problems.list[2].severity, PROBLEM_REFUSAL);
	problems_fini(&problems);
	ck_assert_uint_eq(problems.count, 0);
	ck_assert_uint_eq(problems.errors, 0);
	problems_fini(&problems); /* as good as a new one */
}
END_TEST

START_TEST(problems_own_their_texts)
{
	struct problems problems = {0};
	char file[] = "file";
	char text[] = "text";

	problems_add(&problems, PROBLEM_ERROR, file, 1, "%s", text);
	memset(file, 'x', sizeof(file) - 1);
	memset(text, 'x', sizeof(text) - 1);
	ck_assert_str_eq(problems.list[0].file, "file");
	ck_assert_str_eq(problems.list[0].text, "text");
	problems_fini(&problems);
}
END_TEST

START_TEST(a_long_problem_is_cut)
{
	struct problems problems = {0};
	const char *text = long_text(4000);

	problems_add(&problems, PROBLEM_ERROR, text, 1, "%s", text);
	ck_assert_str_eq(problems.list[0].file, text);
	ck_assert_uint_ge(strlen(problems.list[0].text), 512);
	ck_assert_uint_lt(strlen(problems.list[0].text), 4000);
	problems_fini(&problems);
}
END_TEST

START_TEST(all_are_counted_and_the_first_kept)
{
	struct problems problems = {0};

	for (uint32_t i = 1; i <= 3 * PROBLEMS_KEPT; i++)
		problems_add(&problems,
			     i % 3 == 0   ? PROBLEM_WARNING
			     : i % 3 == 1 ? PROBLEM_ERROR
					  : PROBLEM_REFUSAL,
			     "f", i, "%s", "x");
	ck_assert_uint_eq(problems.count, PROBLEMS_KEPT);
	ck_assert_uint_eq(problems.list[PROBLEMS_KEPT - 1].line, PROBLEMS_KEPT);
	ck_assert_uint_eq(problems.warnings, PROBLEMS_KEPT);
	ck_assert_uint_eq(problems.errors, 2 * PROBLEMS_KEPT);
	ck_assert_uint_eq(problems.refusals, PROBLEMS_KEPT);
	problems_fini(&problems);
}
END_TEST

START_TEST(without_memory_they_are_counted)
{
	/* the list, the file's name, the text */
	for (size_t n = 1; n <= 3; n++) {
		struct problems problems = {0};

		memory_fail_after(n);
		problems_add(&problems, PROBLEM_REFUSAL, "f", 1, "x");
		memory_fail_after(0);
		ck_assert_uint_eq(problems.count, 0);
		ck_assert_uint_eq(problems.errors, 1);
		ck_assert_uint_eq(problems.refusals, 1);
		problems_add(&problems, PROBLEM_WARNING, "f", 2, "y");
		ck_assert_uint_eq(problems.count, 1);
		ck_assert_str_eq(problems.list[0].text, "y");
		problems_fini(&problems);
	}
}
END_TEST

START_TEST(problems_are_spelt)
{
	char file[] = "senders.pcre";
	char text[] = "missing )";
	struct problem problem = {.file = file, .line = 12, .text = text};
	static const struct {
		uint32_t line;
		size_t size;
		const char *expected;
	} cases[] = {
	    {12, 64, "senders.pcre:12: missing )"},
	    {0, 64, "senders.pcre: missing )"},
	    {UINT32_MAX, 64, "senders.pcre:4294967295: missing )"},
	    {12, 15, "senders.pcre:1"},
	    {0, 1, ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[64];

		problem.line = cases[i].line;
		memset(out, '#', sizeof(out));
		problem_format(&problem, out, cases[i].size);
		ck_assert_str_eq(out, cases[i].expected);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("error");
	TCase *tcase = tcase_create("error");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, an_error_has_its_text);
	tcase_add_test(tcase, nobody_may_want_to_know);
	tcase_add_test(tcase, a_long_error_is_cut);
	tcase_add_test(tcase, problems_keep_their_order);
	tcase_add_test(tcase, problems_own_their_texts);
	tcase_add_test(tcase, a_long_problem_is_cut);
	tcase_add_test(tcase, all_are_counted_and_the_first_kept);
	tcase_add_test(tcase, without_memory_they_are_counted);
	tcase_add_test(tcase, problems_are_spelt);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
