/* SPDX-License-Identifier: BSD-2-Clause */
/* The environment variables of systemd, right and wrong ones. */
#include "server/systemd.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Set a variable, or unset it; "PID" stands for our own. */
static void
put(const char *name, const char *value)
{
	char pid[32];

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (value == NULL)
		ck_assert_int_eq(unsetenv(name), 0);
	else
		ck_assert_int_eq(
		    setenv(name, strcmp(value, "PID") == 0 ? pid : value, 1),
		    0);
}

static const struct {
	const char *pid;
	const char *fds;
	bool ok;
	size_t count;
} listen_rows[] = {
    {"PID", "2", true, 2},
    {"PID", "0", true, 0},
    {"PID", NULL, true, 0},
    {NULL, "2", true, 0},
    {"1", "2", true, 0},
    {"", "2", true, 0},
    {"PIDx", "2", true, 0},
    {"-1", "2", true, 0},
    {"1", "junk", true, 0},
    {"PID", "", false, 0},
    {"PID", "junk", false, 0},
    {"PID", "2x", false, 0},
    {"PID", "-1", false, 0},
    {"PID", " 2", false, 0},
    {"PID", "99999999999999999999", false, 0},
};

START_TEST(listen_fds)
{
	struct error error;
	size_t count = 99;

	put("LISTEN_PID", listen_rows[_i].pid);
	put("LISTEN_FDS", listen_rows[_i].fds);
	put("LISTEN_FDNAMES", "x");
	ck_assert_int_eq(systemd_listen_fds(&count, &error),
			 listen_rows[_i].ok);
	ck_assert_uint_eq(count, listen_rows[_i].count);
	ck_assert_ptr_null(getenv("LISTEN_PID"));
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
}
END_TEST

static const struct {
	const char *usec;
	const char *pid;
	uint64_t us;
} watchdog_rows[] = {
    {"30000000", "PID", 30000000},
    {"30000000", NULL, 30000000},
    {"30000000", "1", 0},
    {"30000000", "", 0},
    {NULL, "PID", 0},
    {"", NULL, 0},
    {"30s", NULL, 0},
    {"-1", NULL, 0},
    {"0", NULL, 0},
    {"99999999999999999999999", NULL, 0},
};

START_TEST(watchdog)
{
	put("WATCHDOG_USEC", watchdog_rows[_i].usec);
	put("WATCHDOG_PID", watchdog_rows[_i].pid);
	ck_assert_uint_eq(systemd_watchdog_us(), watchdog_rows[_i].us);
}
END_TEST

/* Nothing to notify, or nothing that makes sense, is no trouble. */
START_TEST(nobody_to_notify)
{
	static const char *const rows[] = {
	    NULL,
	    "",
	    "@",
	    "/",
	    "relative",
	    "/nowhere/at/all",
	    "@nobody-there",
	    "/a/path/that/is/longer/than/the/hundred/and/seven/bytes/which/an/"
	    "address/of/a/unix/socket/has/room/for/at/the/most",
	};

	put("NOTIFY_SOCKET", rows[_i]);
	systemd_notify("READY=%d", 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("systemd");
	TCase *cases = tcase_create("environment");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(cases, listen_fds, 0,
			    sizeof(listen_rows) / sizeof(listen_rows[0]));
	tcase_add_loop_test(cases, watchdog, 0,
			    sizeof(watchdog_rows) / sizeof(watchdog_rows[0]));
	tcase_add_loop_test(cases, nobody_to_notify, 0, 8);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
