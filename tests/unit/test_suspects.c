/* SPDX-License-Identifier: BSD-2-Clause */
/* The thief is found; who mistypes is not. */
#include "server/suspects.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct suspects suspects;

static void
setup(void)
{
	suspects_init(&suspects);
}

/* Refuse a login senders 0 to count - 1, one every step_ms from start_ms on.
 * Returns how often it was told of. */
static int
refuse(const char *login, int count, uint64_t start_ms, uint64_t step_ms)
{
	int told = 0;
	char sender[32];

	for (int i = 0; i < count; i++) {
		(void)snprintf(sender, sizeof(sender), "s%d@example.com", i);
		told += suspects_note(&suspects, span_text(login),
				      span_text(sender),
				      start_ms + (uint64_t)i * step_ms);
	}
	return told;
}

static const struct {
	int senders;
	uint64_t step_ms;
	int told;
} rows[] = {
    {SUSPECT_SENDERS - 1, 1000, 0},
    {SUSPECT_SENDERS, 1000, 1},
    {SUSPECT_SENDERS, 0, 1},
    /* Once a window, however many it tries. */
    {SUSPECT_SENDERS * 20, 1000, 1},
    /* Too slow to be one. */
    {SUSPECT_SENDERS * 20, SUSPECT_WINDOW_MS / (SUSPECT_SENDERS - 1) + 1, 0},
    /* Twice as many in two windows. */
    {SUSPECT_SENDERS * 2, SUSPECT_WINDOW_MS / SUSPECT_SENDERS, 2},
};

START_TEST(thief)
{
	ck_assert_int_eq(
	    refuse("thief@d", rows[_i].senders, 5, rows[_i].step_ms),
	    rows[_i].told);
}
END_TEST

/* Who tries the same few senders again and again is none, for hours. */
START_TEST(mistypes)
{
	for (uint64_t i = 0; i < 10000; i++)
		ck_assert_int_eq(
		    refuse("user@d", SUSPECT_SENDERS - 1, i * 1000, 1), 0);
}
END_TEST

/* Senders of one login do not count for another. */
START_TEST(apart)
{
	char login[32];

	for (int i = 0; i < 100; i++) {
		(void)snprintf(login, sizeof(login), "user%d@d", i);
		ck_assert_int_eq(refuse(login, SUSPECT_SENDERS - 1, 0, 1), 0);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("suspects");
	TCase *tcase = tcase_create("suspects");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, thief, 0,
			    (int)(sizeof(rows) / sizeof(*rows)));
	tcase_add_test(tcase, mistypes);
	tcase_add_test(tcase, apart);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
