/* SPDX-License-Identifier: BSD-2-Clause */
/* What lint finds in maps, and above all what it does not. */
#include "base/buffer.h"
#include "base/memory.h"
#include "policy/lint.h"
#include "policy/snapshot.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/fromguard-lint-XXXXXX";

struct row {
	const char *text;     /* a text: map */
	const char *virtual;  /* a virtual: map, or NULL */
	const char *accounts; /* an accounts: map, or NULL */
	const char *rules;    /* a pcre: map, or NULL */
	const char *option;   /* a setting more, or NULL */
	const char *found;    /* "file:line word..." of each, or "" */
};

#define NOTHING "denies nothing"

static const struct row rows[] = {
    /* A denial of one pair is put to the decision itself. */
    {"u@d !a@d\n", NULL, NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"u@d !u@d\n", NULL, NULL, NULL, NULL, ""},
    {"u@d !u@d\n", NULL, NULL, NULL, "self=no", "text:1 " NOTHING "\n"},
    {"u@d a@d !a@d\n", NULL, NULL, NULL, NULL, ""},
    {"u@d @d !a@d\n", NULL, NULL, NULL, NULL, ""},
    {"u@d !<>\n", NULL, NULL, NULL, NULL, ""},
    {"u@d !<>\n", NULL, NULL, NULL, "null_sender=reject",
     "text:1 " NOTHING "\n"},
    {"u@d !%n@e\n", NULL, NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"u@d %n@e !%n@e\n", NULL, NULL, NULL, NULL, ""},
    {"u !%n@e\n", NULL, NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"u@d !a@d\n", "a@d u@d\n", NULL, NULL, NULL, ""},
    {"u@d !a@d\n", NULL, NULL, "/^a@d$/ u@d\n", NULL, ""},
    {"u@d !a@d\n", NULL, NULL, NULL, "unlisted_sender=allow", ""},
    /* One of a domain is compared with what is granted. */
    {"u@d !@e\n", NULL, NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"u@d !@d\n", NULL, NULL, NULL, NULL, ""},
    {"u@d !@d\n", NULL, NULL, NULL, "self=no", "text:1 " NOTHING "\n"},
    {"u@d x@e !@e\n", NULL, NULL, NULL, NULL, ""},
    {"v@d x@e\nu@d !@e\n", NULL, NULL, NULL, NULL, "text:2 " NOTHING "\n"},
    {"@d x@e\nu@d !@e\n", NULL, NULL, NULL, NULL, ""},
    {"@f x@e\nu@d !@e\n", NULL, NULL, NULL, NULL, "text:2 " NOTHING "\n"},
    {"* x@e\nu@d !@e\n", NULL, NULL, NULL, NULL, ""},
    {"v x@e\n@d !@e\n", NULL, NULL, NULL, NULL, ""},
    {"u@d * !@e\n", NULL, NULL, NULL, NULL, ""},
    {"u@d x@e\n* !@e\n", NULL, NULL, NULL, NULL, ""},
    {"@d !a@d\n", NULL, NULL, NULL, NULL, ""},
    {"@d !a@e\n", NULL, NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"@d !<>\n", NULL, NULL, NULL, NULL, ""},
    {"@d !<>\n", NULL, NULL, NULL, "null_sender=reject",
     "text:1 " NOTHING "\n"},
    {"u@d <>\n@d !<>\n", NULL, NULL, NULL, "null_sender=reject", ""},
    {"u@d *\n@d !<>\n", NULL, NULL, NULL, "null_sender=reject",
     "text:2 " NOTHING "\n"},
    /* Sub-domains, on either side or both. */
    {"u@d x@a.e !@.e\n", NULL, NULL, NULL, NULL, ""},
    {"u@d x@e !@.e\n", NULL, NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"u@d x@ae !@.e\n", NULL, NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"u@d @.e !@a.e\n", NULL, NULL, NULL, NULL, ""},
    {"u@d @.a.e !@.e\n", NULL, NULL, NULL, NULL, ""},
    {"u@d @.e !@.a.e\n", NULL, NULL, NULL, NULL, ""},
    {"u@d @.e !@.e\n", NULL, NULL, NULL, NULL, ""},
    {"u@d @.f !@.e\n", NULL, NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"u@d x@aae !@.e\n", NULL, NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"u@d x@a.f !@.e\n", NULL, NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"u@d <> !@e\n", NULL, NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"u@d x@e !*\n", NULL, NULL, NULL, "self=no", ""},
    {"u@d !*\n", NULL, NULL, NULL, "self=no", "text:1 " NOTHING "\n"},
    {"u@d !@e\n", NULL, NULL, NULL, "unlisted_sender=allow", ""},
    /* A login without a domain may be one of any. */
    {"@d x@e\nu !@e\n", NULL, NULL, NULL, NULL, ""},
    /* Aliases may lead to anybody. */
    {"u@d !@e\n", "x@e u@d\n", NULL, NULL, NULL, ""},
    {"u@d !@e\n", "x@f u@d\n", NULL, NULL, NULL, "text:1 " NOTHING "\n"},
    {"u@d !@e\n", NULL, NULL, "/^x@f$/ v@f\n", NULL, ""},
    /* The same twice, with the place of the first. */
    {"u@d a@d\nu@D a@d\n", NULL, NULL, NULL, NULL,
     "text:2 the same grant stands at\n"
     "text:2 u@d stands in line 1 already\n"},
    {"u@d a@d !a@d\n", NULL, NULL, NULL, NULL, ""},
    {"u@d a@d\n", "a@d u@d\na@d u@d\n", NULL, NULL, NULL,
     "virtual:2 a@d stands in line 1 already\n"},
    {"", "a@d u@d, u@d\nb@d u@d\n", NULL, NULL, NULL, ""},
    {"u@d a@d\nv@d a@d\n\nU@D b@d\n", NULL, NULL, NULL, NULL,
     "text:4 u@d stands in line 1 already\n"},
    {"", "a@d u@d\na@d v@d\na@d w@d\n", NULL, NULL, NULL,
     "virtual:2 in line 1 already\nvirtual:3 in line 2 already\n"},
    {"", NULL, "u@d|\nv@d|\nu@d|\n", NULL, NULL,
     "accounts:3 in line 1 already\n"},
    /* Logins that are none; those of a domain are not looked for. */
    {"v@d a@d\n@d b@d\n* c@d\n", NULL, "u@d|\n", NULL, NULL,
     "text:1 no accounts: map has such a login\n"},
    {"u@d a@d\n", NULL, "u@d|\nv@d|\n", NULL, NULL, ""},
    {"v@d a@d !a@d\n", NULL, "u@d|\n", NULL, NULL,
     "text:1 a denial to v@d\ntext:1 a grant to v@d\n"},
    {"u a@d\n", NULL, "u@d|\n", NULL, "local_domains=d", ""},
    /* Destinations that are no login, where it is known who is one. */
    {"", "a@d x@d\n", NULL, NULL, "local_domains=d", ""},
    {"", "a@d x@d\n", "u@d|\n", NULL, "local_domains=d",
     "virtual:1 x@d, which is no login\n"},
    {"", "a@d u@d\n", "u@d|\n", NULL, NULL, ""},
    {"", "a@d b@d\nb@d u@d\n", "u@d|\n", NULL, NULL, ""},
    {"", "a@d u+x@d\n", "u@d|\n", NULL, "recipient_delimiter=+", ""},
    {"", "a@d x@d\n", "u@d|\n", "/^x@d$/ u@d\n", NULL, ""},
    {"", "@c u@d\na@d x@c\n", "u@d|\n", NULL, NULL, ""},
    {"", "a@d x+y@d\n", "u@d|\n", "/^x@d$/ u@d\n", "recipient_delimiter=+", ""},
    {"", "a@d x+y@d\n", "u@d|\n", NULL, "recipient_delimiter=+",
     "virtual:1 x+y@d, which is no login\n"},
    {"", "a@d b+y@d\nb@d u@d\n", "u@d|\n", NULL, "recipient_delimiter=+", ""},
    {"", "@c @d\na@d u@d\n", "u@d|\n", NULL, NULL, ""},
    /* Loops and long chains. */
    {"", "a@d b@d\nb@d a@d\n", NULL, NULL, NULL, "virtual:2 alias loop\n"},
    {"", "a@d a@d\n", NULL, NULL, NULL, ""},
    {"", "a@d b@d\nb@d c@d\nc@d u@d\n", NULL, NULL, "alias_depth=2",
     "virtual:1 3 links\n"},
    {"", "a@d b@d\nb@d c@d\nc@d u@d\n", NULL, NULL, "alias_depth=3", ""},
    {"", "a@d b@d\nb@d c@d\nc@d b@d\n", NULL, NULL, NULL,
     "virtual:3 alias loop: b@d -> c@d -> b@d:\n"},
    {"", "a@d u@d\nu@d a@d\n", "u@d|\n", NULL, NULL, ""},
    {"", "a@d u@d\nu@d a@d\n", "u@d|\n", NULL, "forwards=grant",
     "virtual:2 alias loop\n"},
    {"", "@d u@d\n", NULL, NULL, NULL, ""},
    {"", "a@d b+x@d\nb@d a@d\n", NULL, NULL, "recipient_delimiter=+",
     "virtual:2 alias loop\n"},
    {"", "a@d u+x@d\nu@d a@d\n", "u@d|\n", NULL, "recipient_delimiter=+", ""},
    {"", "@c @d\n@d @c\n", NULL, NULL, NULL, "virtual:2 alias loop\n"},
    /* Two ways to one end: the longer one counts. */
    {"", "a@d e@d, b@d\nb@d c@d\nc@d e@d\ne@d u@d\n", NULL, NULL,
     "alias_depth=3", "virtual:1 4 links\n"},
    {"", "a@d b@d, c@d\nb@d e@d\nc@d b@d\ne@d u@d\n", NULL, NULL,
     "alias_depth=3", "virtual:1 4 links\n"},
    /* Rules. */
    {"", NULL, NULL, "/a@d\\.example$/ u@d\n", NULL,
     "rules:1 not anchored with ^\n"},
    {"", NULL, NULL, "/^a@d\\.example/ u@d\n", NULL,
     "rules:1 not anchored with $\n"},
    {"", NULL, NULL, "/^a@d.example$/ u@d\n", NULL,
     "rules:1 a dot that matches any byte\n"},
    {"", NULL, NULL, "/^a@[d.]\\.example$/ u@d\n", NULL, ""},
    {"", NULL, NULL, "!/^a@d\\.example$/ u@d\n", NULL, ""},
    {"", NULL, "a@d.example|\nu@d|\n", "/^a@d\\.example$/ u@d\n", NULL,
     "rules:1 covers the account a@d.example\n"},
    {"", NULL, "u@d|\n", "/^(.*)$/ $1\n", NULL, ""},
    {"", NULL, NULL, "/a@d\\.example/ u@d\n", NULL,
     "rules:1 with ^ at its start and with $ at its end\n"},
    {"", NULL, "a@d.example|\nab@d.example|\nu@d|\n",
     "/^a.*@d\\.example$/ u@d\n", NULL,
     "rules:1 the account a@d.example and 1 more\n"},
    {"", NULL, "a@d.example|\nb@d.example|\nu@d|\n",
     "/^a@d\\.example$/ u@d\n/^b@d\\.example$/ u@d\n", NULL,
     "rules:1 the account a@d.example,\nrules:2 the account b@d.example,\n"},
    /* The account is among the owners, one way or another. */
    {"", NULL, "a@d.example|\n", "/^a@d\\.example$/ *\n", NULL, ""},
    {"", NULL, "a@d.example|\n", "/^a@d\\.example$/ @D.example\n", NULL, ""},
    {"", NULL, "a@d.example|\n", "/^a@d\\.example$/ @e.example\n", NULL,
     "rules:1 the account a@d.example,\n"},
    {"", NULL, "a@d.example|\nu@d|\n", "/^a@d\\.example$/ u@d, A@D.example\n",
     NULL, ""},
    /* Accounts without a domain are no sender. */
    {"", NULL, "a|\nu@d|\n", "/^a$/ u@d\n", NULL, ""},
};

static void
put_file(const char *name, const char *content)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(content, file);
	ck_assert_int_eq(fclose(file), 0);
}

/* Load the maps of a row. */
static struct snapshot *
load(const struct row *row, struct problems *problems)
{
	const struct {
		const char *type;
		const char *name;
		const char *content;
	} files[] = {
	    {"text", "text", row->text},
	    {"virtual", "virtual", row->virtual},
	    {"accounts", "accounts", row->accounts},
	    {"pcre", "rules", row->rules},
	};
	struct buffer maps = {0};
	const char *options[2];
	struct settings *settings;

	buffer_format(&maps, "maps=");
	for (size_t i = 0; i < 4; i++) {
		if (files[i].content == NULL)
			continue;
		put_file(files[i].name, files[i].content);
		buffer_format(&maps, "%s:%s/%s ", files[i].type, folder,
			      files[i].name);
	}
	options[0] = maps.data;
	options[1] = row->option;
	settings = settings_load(NULL, NULL, options,
				 row->option == NULL ? 1 : 2, problems);
	ck_assert_ptr_nonnull(settings);
	buffer_fini(&maps);
	return snapshot_load(settings, problems);
}

/* Take the next line of what is wanted off, and look for it in a problem. */
static void
expect(const char **wanted, const struct problem *problem)
{
	size_t len = strcspn(*wanted, "\n");
	char place[32];
	char words[128];
	const char *file = strrchr(problem->file, '/');

	ck_assert_msg(len > 0, "unwanted: %s:%u: %s", problem->file,
		      problem->line, problem->text);
	ck_assert_uint_lt(len, sizeof(words));
	memcpy(words, *wanted, len);
	words[len] = '\0';
	*wanted += len + 1;
	ck_assert_ptr_nonnull(file);
	len = (size_t)snprintf(place, sizeof(place), "%s:%u ", file + 1,
			       problem->line);
	ck_assert_msg(strncmp(words, place, len) == 0 &&
			  strstr(problem->text, words + len) != NULL,
		      "wanted %s, got %s%s", words, place, problem->text);
}

START_TEST(finds)
{
	const struct row *row = &rows[_i];
	struct problems problems;
	struct decider *decider = decider_new();
	struct snapshot *snapshot;
	const char *wanted = row->found;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	problems_init(&problems);
	snapshot = load(row, &problems);
	ck_assert_ptr_nonnull(snapshot);
	ck_assert_uint_eq(problems.errors, 0);
	problems_fini(&problems);
	problems_init(&problems);
	lint_snapshot(snapshot, decider, &problems);
	for (size_t i = 0; i < problems.count; i++) {
		ck_assert_int_eq(problems.list[i].severity, PROBLEM_WARNING);
		expect(&wanted, &problems.list[i]);
	}
	ck_assert_msg(*wanted == '\0', "not found: %s", wanted);
	problems_fini(&problems);
	snapshot_free(snapshot);
	decider_free(decider);
}
END_TEST

/* Without memory lint finds less, and nothing that is not there. */
START_TEST(finds_less)
{
	enum { ENOUGH = 30 };
	struct problems problems;
	struct decider *decider = decider_new();
	struct snapshot *snapshot;
	size_t all = 0;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	problems_init(&problems);
	snapshot = load(&rows[_i], &problems);
	ck_assert_ptr_nonnull(snapshot);
	problems_fini(&problems);
	for (size_t n = 0; n < ENOUGH; n++) {
		problems_init(&problems);
		memory_fail_after(n); /* 0: nothing fails */
		lint_snapshot(snapshot, decider, &problems);
		memory_fail_after(0);
		all = n == 0 ? problems.count : all;
		ck_assert_msg(problems.count <= all, "%zu: %zu of %zu", n,
			      problems.count, all);
		problems_fini(&problems);
	}
	snapshot_free(snapshot);
	decider_free(decider);
}
END_TEST

static void
remove_files(void)
{
	static const char *const names[] = {"text", "virtual", "accounts",
					    "rules"};
	char path[128];

	/* Tests run in children, which have made the folders. */
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
}

int
main(void)
{
	Suite *suite = suite_create("lint");
	TCase *tcase = tcase_create("maps");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, NULL, remove_files);
	tcase_add_loop_test(tcase, finds, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tcase, finds_less, 0,
			    sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
