/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/nearest.h"

#include <check.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONG_16 "aaaaaaaaaaaaaaaa"
#define LONG_64 LONG_16 LONG_16 LONG_16 LONG_16

static const char *const names[] = {
    "mode",   "maps",        "self",  "who",
    "listen", "alias_depth", LONG_64, LONG_64 "b",
};

static const struct row {
	const char *word;
	const char *expected;
} rows[] = {
    /* a byte another, left out, put in, two swapped */
    {"mpde", "mode"},
    {"mde", "mode"},
    {"moode", "mode"},
    {"mdoe", "mode"},
    {"lisetn", "listen"},
    {"alias-depth", "alias_depth"},
    {"aliasdepht", "alias_depth"},
    {"hwo", "who"},
    {"mode", "mode"},
    /* of two that are as near, the first */
    {"mads", "maps"},
    {"mods", "mode"},
    /* another word */
    {"", ""},
    {"x", ""},
    {"zzzz", ""},
    {"smtpd_sender_login_maps", ""},
    {"depth", ""},
    /* as long as words may be, and longer */
    {LONG_16 LONG_16 LONG_16 "aaaaaaaaaaaaaaa", LONG_64},
    {LONG_64, LONG_64},
    {LONG_64 "b", ""},
};

START_TEST(finds)
{
	const struct row *row = &rows[_i];
	struct nearest nearest;

	nearest_init(&nearest, span_text(row->word));
	for (size_t i = 0; i < COUNT(names); i++)
		nearest_offer(&nearest, span_text(names[i]));
	ck_assert_msg(span_is(nearest.name, row->expected),
		      "%s: got \"%" SPAN_FMT "\", expected \"%s\"", row->word,
		      SPAN_ARG(nearest.name), row->expected);
}
END_TEST

START_TEST(finds_none_among_none)
{
	struct nearest nearest;

	nearest_init(&nearest, span_text("mode"));
	ck_assert(span_is(nearest.name, ""));
	nearest_offer(&nearest, SPAN_NONE);
	ck_assert(span_is(nearest.name, ""));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nearest");
	TCase *tcase = tcase_create("nearest");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, finds, 0, COUNT(rows));
	tcase_add_test(tcase, finds_none_among_none);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
