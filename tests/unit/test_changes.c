/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said to be different between two snapshots. */
#include "base/memory.h"
#include "server/changes.h"

#include <check.h>
#include <stdlib.h>

/* Two contents of a text: and a virtual: map, and what is different. */
struct row {
	const char *old_text;
	const char *old_virtual;
	const char *new_text;
	const char *new_virtual;
	struct changes changes; /* grants, aliases, owners: added, removed */
};

static const struct row rows[] = {
    {"", "", "", "", {{0, 0}, {0, 0}, {0, 0}}},
    {"u@d s@d\n", "", "u@d s@d\n", "", {{0, 0}, {0, 0}, {0, 0}}},
    {"", "", "u@d s@d\n", "", {{1, 0}, {0, 0}, {1, 0}}},
    {"u@d s@d\n", "", "", "", {{0, 1}, {0, 0}, {0, 1}}},
    /* a line that moves is no change */
    {"u@d s@d\n", "", "\n\n#\nu@d s@d\n", "", {{0, 0}, {0, 0}, {0, 0}}},
    /* one login loses what another one gets */
    {"u@d s@d\n", "", "v@d s@d\n", "", {{1, 1}, {0, 0}, {1, 1}}},
    {"u@d s@d\n", "", "u@d t@d\n", "", {{1, 1}, {0, 0}, {0, 0}}},
    /* a grant becomes a denial */
    {"u@d s@d\n", "", "u@d !s@d\n", "", {{1, 1}, {0, 0}, {0, 0}}},
    /* what is a sender there is a login here */
    {"u@d s@d\n", "", "s@d u@d\n", "", {{1, 1}, {0, 0}, {1, 1}}},
    /* the same text in another kind of pattern */
    {"u@d @d\n", "", "u@d @.d\n", "", {{1, 1}, {0, 0}, {0, 0}}},
    {"", "a@d x@d\n", "", "a@d x@d\n", {{0, 0}, {0, 0}, {0, 0}}},
    {"", "", "", "a@d x@d, y@d\n", {{0, 0}, {2, 0}, {0, 0}}},
    {"",
     "a@d x@d, y@d, z@d\n",
     "",
     "a@d z@d, x@d, w@d\n",
     {{0, 0}, {1, 1}, {0, 0}}},
    {"", "a@d x@d\n", "", "b@d x@d\n", {{0, 0}, {1, 1}, {0, 0}}},
};

static bool
add(void *arg, const struct map_entry *entry)
{
	return grants_add(arg, entry, 0);
}

/* Make the grants of two maps. */
static struct grants *
load(const char *text, const char *aliases)
{
	struct grants *grants = grants_new();
	const struct map_context context = {
	    .name = "test",
	    .sink = add,
	    .arg = grants,
	};
	char *copy = memory_copy(text, strlen(text));
	char *virtual_copy = memory_copy(aliases, strlen(aliases));

	ck_assert(text_load(copy, strlen(text), &context));
	ck_assert(virtual_load(virtual_copy, strlen(aliases), &context));
	ck_assert(grants_seal(grants));
	free(copy);
	free(virtual_copy);
	return grants;
}

static void
check(const struct changes_count *found, const struct changes_count *wanted,
      const char *what)
{
	ck_assert_msg(found->added == wanted->added, "%s added: %zu, not %zu",
		      what, found->added, wanted->added);
	ck_assert_msg(found->removed == wanted->removed,
		      "%s removed: %zu, not %zu", what, found->removed,
		      wanted->removed);
}

START_TEST(differences)
{
	const struct row *row = &rows[_i];
	struct snapshot old = {.grants = load(row->old_text, row->old_virtual)};
	struct snapshot new = {.grants = load(row->new_text, row->new_virtual)};
	struct changes changes;

	changes_find(&old, &new, &changes);
	check(&changes.grants, &row->changes.grants, "grants");
	check(&changes.aliases, &row->changes.aliases, "aliases");
	check(&changes.owners, &row->changes.owners, "owners");
	grants_free(old.grants);
	grants_free(new.grants);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("changes");
	TCase *cases = tcase_create("changes");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(cases, differences, 0,
			    sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
