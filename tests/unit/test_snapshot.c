/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "policy/decide.h"
#include "policy/snapshot.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LOADS_MAX = 5000 };

static const struct {
	const char *name;
	const char *content;
} files[] = {
    {"text", "user@d a@d, !b@d, @x.d, %n@d\n@d c@d\n* <>\n"},
    {"owners", "info@d user@d, other@d\n@y.d user@d\n"},
    {"virtual", "list@d user@d, other@d\n@z.d user@d\n@w.d @d\n"},
    {"aliases", "root: user\npostmaster: root, |/bin/false\n"},
    {"accounts", "user@d|secret\nother@d|secret\n"},
    {"rules",
     "/^(.*)@r\\.d$/ ${1}@d\nif /x/\n/^x@d$/ user@d, other@d\nendif\n"},
};

static const char *const options[] = {
    ("maps=text:text, owners:owners, virtual:virtual, aliases:aliases, "
     "accounts:accounts, pcre:rules, ?text:missing"),
    "local_domains=d, e.d",
    "recipient_delimiter=+",
};

static char folder[] = "/tmp/fromguard-snapshot-XXXXXX";

static void
make_files(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	for (size_t i = 0; i < COUNT(files); i++) {
		FILE *file = fopen(files[i].name, "we");

		ck_assert_ptr_nonnull(file);
		ck_assert_int_ge(fputs(files[i].content, file), 0);
		ck_assert_int_eq(fclose(file), 0);
	}
}

static void
remove_files(void)
{
	for (size_t i = 0; i < COUNT(files); i++)
		(void)unlink(files[i].name); /* as far as it was made */
	(void)chdir("/");
	(void)rmdir(folder);
}

/* Load everything, with the n-th allocation failing and all behind it; 0: none
 * does. */
static struct snapshot *
load(size_t n, struct problems *problems)
{
	struct settings *settings;
	struct snapshot *snapshot;

	problems_init(problems);
	settings = settings_load(NULL, NULL, options, COUNT(options), problems);
	ck_assert_ptr_nonnull(settings);
	memory_fail_after(n);
	snapshot = snapshot_load(settings, problems);
	memory_fail_after(0);
	return snapshot;
}

static enum verdict_kind
ask(const struct snapshot *snapshot, const char *login, const char *sender)
{
	struct decider *decider = decider_new();
	struct verdict verdict;

	ck_assert_ptr_nonnull(decider);
	verdict = decide(snapshot, decider, span_text(login), span_text(sender),
			 NULL);
	decider_free(decider);
	return verdict.kind;
}

START_TEST(every_map_is_loaded)
{
	static const char *const may[] = {
	    "a@d",      "z@x.d",   "user@d",   "c@d",      "info@d", "list@d",
	    "root@e.d", "any@z.d", "user@w.d", "user@r.d", "x@d"};
	struct problems problems;
	struct snapshot *snapshot = load(0, &problems);

	ck_assert_ptr_nonnull(snapshot);
	for (size_t i = 0; i < COUNT(may); i++)
		ck_assert_msg(ask(snapshot, "user@d", may[i]) == VERDICT_ALLOW,
			      "%s", may[i]);
	ck_assert_int_eq(ask(snapshot, "user@d", "b@d"), VERDICT_REJECT);
	ck_assert_int_eq(ask(snapshot, "other@d", "a@d"), VERDICT_REJECT);
	ck_assert_uint_eq(snapshot->rule_count, 2);
	ck_assert(snapshot->maps[6].missing);
	snapshot_free(snapshot);
	problems_fini(&problems);
}
END_TEST

/* Whichever allocation fails, the load fails alone, says so once, and leaks
 * nothing: never is there a snapshot with less in it. */
START_TEST(every_allocation_may_fail)
{
	struct snapshot *snapshot = NULL;
	struct problems problems;
	size_t n = 0;

	while (snapshot == NULL) {
		n++;
		ck_assert_uint_lt(n, LOADS_MAX);
		snapshot = load(n, &problems);
		if (snapshot == NULL)
			ck_assert_msg(problems.refusals > 0, "%zu: no reason",
				      n);
		else
			ck_assert_uint_eq(problems.errors, 0);
		problems_fini(&problems);
	}
	ck_assert_uint_gt(n, 50);
	ck_assert_int_eq(ask(snapshot, "user@d", "b@d"), VERDICT_REJECT);
	ck_assert_int_eq(ask(snapshot, "user@d", "x@d"), VERDICT_ALLOW);
	snapshot_free(snapshot);
}
END_TEST

/* A map so large that its names are counted before, of many domains. */
START_TEST(large_map)
{
	static const char *const large[] = {"maps=text:text"};
	enum { LINES = 40000, DOMAINS = 300, STEP = 97 };
	FILE *file = fopen("text", "we");
	struct problems problems;
	struct snapshot *snapshot;
	char login[64];
	char sender[64];

	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < LINES; i++)
		fprintf(file, "user%d@d%d.example  alias%d@d%d.example\n", i,
			i % DOMAINS, i, (i + 1) % DOMAINS);
	ck_assert_int_eq(fclose(file), 0);
	problems_init(&problems);
	snapshot = snapshot_load(
	    settings_load(NULL, NULL, large, COUNT(large), &problems),
	    &problems);
	ck_assert_ptr_nonnull(snapshot);
	ck_assert_uint_eq(problems.count, 0);
	for (int i = 0; i < LINES; i += STEP) {
		snprintf(login, sizeof(login), "user%d@d%d.example", i,
			 i % DOMAINS);
		snprintf(sender, sizeof(sender), "alias%d@d%d.example", i,
			 (i + 1) % DOMAINS);
		ck_assert_int_eq(ask(snapshot, login, sender), VERDICT_ALLOW);
		snprintf(sender, sizeof(sender), "alias%d@d%d.example", i,
			 (i + 2) % DOMAINS);
		ck_assert_int_eq(ask(snapshot, login, sender), VERDICT_REJECT);
	}
	snapshot_free(snapshot);
	problems_fini(&problems);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *tcase = tcase_create("snapshot");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, make_files, remove_files);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, every_map_is_loaded);
	tcase_add_test(tcase, every_allocation_may_fail);
	tcase_add_test(tcase, large_map);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
