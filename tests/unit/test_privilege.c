/* SPDX-License-Identifier: BSD-2-Clause */
/* Users and groups by name and by number, and becoming one. */
#include "server/privilege.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	bool ok;
	uint32_t id; /* of the user and of the group */
} rows[] = {
    {"", true, UINT32_MAX},   {"root", true, 0},
    {"daemon", true, 1},      {"0", true, 0},
    {"65534", true, 65534},   {"4294967294", true, 4294967294},
    {"4294967295", false, 0}, /* means "unchanged" to chown(2) */
    {"4294967296", false, 0}, {"99999999999999999999999", false, 0},
    {"-1", false, 0},         {"1x", false, 0},
    {" 1", false, 0},         {"no-such-name-here", false, 0},
};

START_TEST(ids)
{
	struct error error = {""};
	uid_t uid;
	gid_t gid;

	ck_assert_int_eq(privilege_uid(rows[_i].name, &uid, &error),
			 rows[_i].ok);
	ck_assert_int_eq(error.text[0] == '\0', rows[_i].ok);
	ck_assert_int_eq(privilege_gid(rows[_i].name, &gid, &error),
			 rows[_i].ok);
	if (rows[_i].ok) {
		ck_assert_uint_eq(uid, rows[_i].id);
		ck_assert_uint_eq(gid, rows[_i].id);
	}
}
END_TEST

/* No user, or one that does not exist: nothing is dropped. */
START_TEST(not_dropped)
{
	struct error error;
	uid_t before = geteuid();

	ck_assert(privilege_drop("", &error));
	ck_assert_int_eq(privilege_drop("no-such-name-here", &error),
			 before != 0);
	ck_assert_uint_eq(geteuid(), before);
}
END_TEST

/* As root: there is no way back. */
START_TEST(dropped)
{
	struct error error;

	if (geteuid() != 0)
		return;
	ck_assert(privilege_drop("daemon", &error));
	ck_assert_uint_eq(getuid(), 1);
	ck_assert_uint_eq(getegid(), 1);
	ck_assert_int_eq(setuid(0), -1);
	ck_assert_int_eq(setgid(0), -1);
	/* One who is nobody in particular stays who he is. */
	ck_assert(privilege_drop("root", &error));
	ck_assert_uint_eq(geteuid(), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("privilege");
	TCase *cases = tcase_create("privilege");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(cases, ids, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(cases, not_dropped);
	tcase_add_test(cases, dropped);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
