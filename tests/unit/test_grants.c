/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash of grants: what was put in is found, and nothing else. */
#include "base/memory.h"
#include "base/pool.h"
#include "policy/grants.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* A grant as a test writes it: kinds and texts of both sides. */
struct row {
	enum map_entry_kind entry;
	enum pattern_kind left_kind;
	const char *left;
	enum pattern_kind right_kind;
	const char *right;
	bool denial;
};

static const struct row rows[] = {
    {ENTRY_GRANT, PATTERN_ADDRESS, "u@d", PATTERN_ADDRESS, "a@d", false},
    {ENTRY_GRANT, PATTERN_ADDRESS, "u@d", PATTERN_ADDRESS, "a@d", true},
    {ENTRY_GRANT, PATTERN_DOMAIN, "d", PATTERN_DOMAIN, "d", false},
    {ENTRY_GRANT, PATTERN_DOMAIN, "d", PATTERN_SUBDOMAINS, "d", false},
    {ENTRY_GRANT, PATTERN_ANY, "", PATTERN_NULL, "", false},
    {ENTRY_GRANT, PATTERN_ANY, "", PATTERN_ANY, "", true},
    {ENTRY_GRANT, PATTERN_ADDRESS, "d", PATTERN_OWN_AT, "d", false},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define ROWS COUNT(rows)

static bool
add(struct grants *grants, const struct row *row, uint16_t map, uint32_t line)
{
	const struct map_entry entry = {
	    .kind = row->entry,
	    .denial = row->denial,
	    .left = {row->left_kind, span_text(row->left)},
	    .right = {row->right_kind, span_text(row->right)},
	    .line = line,
	};

	return grants_add(grants, &entry, map);
}

static bool
find(const struct grants *grants, const struct row *row, struct origin *origin)
{
	return grants_find(
	    grants, grants_name(grants, row->left_kind, span_text(row->left)),
	    grants_name(grants, row->right_kind, span_text(row->right)),
	    row->denial, origin);
}

/* Does every row's side come back as it went in? */
START_TEST(patterns_come_back)
{
	static const char *const addresses[] = {
	    "u", "u@d", "a@b@d", "@d", "u@", "@", "", " \xff@\xc3\xa9",
	};
	struct grants *grants = grants_new();
	struct row row = rows[0];
	struct name_text text;

	for (size_t i = 0; i < ROWS; i++)
		ck_assert(add(grants, &rows[i], 0, 1));
	for (size_t i = 0; i < COUNT(addresses); i++) {
		row.right = addresses[i];
		ck_assert(add(grants, &row, 0, 2));
	}
	ck_assert(grants_seal(grants));
	for (size_t i = 0; i < ROWS + COUNT(addresses); i++) {
		enum pattern_kind kind =
		    i < ROWS ? rows[i].right_kind : PATTERN_ADDRESS;
		const char *spelt =
		    i < ROWS ? rows[i].right : addresses[i - ROWS];
		grant_name name = grants_name(grants, kind, span_text(spelt));
		struct pattern back;

		ck_assert_uint_ne(name, 0);
		back = grants_pattern(grants, name, &text);
		ck_assert_int_eq(back.kind, kind);
		ck_assert_int_eq(grants_kind(grants, name), kind);
		ck_assert(span_is(back.text, spelt));
	}
	ck_assert_uint_eq(
	    grants_name(grants, PATTERN_ADDRESS, span_text("u@e")), 0);
	ck_assert_uint_eq(
	    grants_name(grants, PATTERN_ADDRESS, span_text("e@d")), 0);
	grants_free(grants);
}
END_TEST

/* Two at once are what one after the other is, whichever are there. */
START_TEST(pairs_are_found)
{
	static const char *const texts[] = {"u@d", "a@d", "u",
					    "u@e", "x@d", ""};
	struct grants *grants = grants_new();
	struct row row = rows[0];

	if (_i == 1) {
		ck_assert(add(grants, &row, 0, 1));
		row.right = "u";
		ck_assert(add(grants, &row, 0, 2));
	}
	ck_assert(grants_seal(grants));
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t k = 0; k < COUNT(texts); k++) {
			const struct span left = span_text(texts[i]);
			const struct span right = span_text(texts[k]);
			struct grant_ask ask;
			grant_name names[2];

			grants_ask(grants, left, right, &ask);
			grants_expect_answer(grants, &ask);
			grants_answer(grants, &ask, &names[0], &names[1]);
			ck_assert_uint_eq(
			    names[0],
			    grants_name(grants, PATTERN_ADDRESS, left));
			ck_assert_uint_eq(
			    names[1],
			    grants_name(grants, PATTERN_ADDRESS, right));
		}
	grants_free(grants);
}
END_TEST

/* Origins of many maps, some of which are empty, in no order of lines. */
START_TEST(origins_come_back)
{
	static const struct origin origins[] = {
	    {0, 0},   {0, 9}, {0, 3}, {1, 0},    {4, 1u << 30},
	    {4, 700}, {5, 0}, {5, 1}, {300, 77},
	};
	struct grants *grants = grants_new();
	struct row row = rows[0];
	struct origin origin;
	char right[16];

	row.right = right;
	for (size_t i = 0; i < COUNT(origins); i++) {
		(void)snprintf(right, sizeof(right), "a%zu@d", i);
		ck_assert(add(grants, &row, origins[i].map, origins[i].line));
	}
	(void)snprintf(right, sizeof(right), "last@d");
	ck_assert(!add(grants, &row, 300, UINT32_MAX) || !grants_seal(grants));
	grants_free(grants);

	grants = grants_new();
	for (size_t i = 0; i < COUNT(origins); i++) {
		(void)snprintf(right, sizeof(right), "a%zu@d", i);
		ck_assert(add(grants, &row, origins[i].map, origins[i].line));
	}
	ck_assert(grants_seal(grants));
	for (size_t i = 0; i < COUNT(origins); i++) {
		(void)snprintf(right, sizeof(right), "a%zu@d", i);
		ck_assert(find(grants, &row, &origin));
		ck_assert_uint_eq(origin.map, origins[i].map);
		ck_assert_uint_eq(origin.line, origins[i].line);
	}
	grants_free(grants);
}
END_TEST

/* Each row alone in a set: it is found, and none of the others is. */
START_TEST(one)
{
	struct grants *grants = grants_new();
	struct grants_counts counts;
	struct origin origin;

	ck_assert(add(grants, &rows[_i], 3, 77));
	ck_assert(grants_seal(grants));
	for (int k = 0; k < (int)ROWS; k++)
		ck_assert_int_eq(find(grants, &rows[k], &origin), k == _i);
	ck_assert(find(grants, &rows[_i], &origin));
	ck_assert_uint_eq(origin.map, 3);
	ck_assert_uint_eq(origin.line, 77);
	grants_count(grants, &counts);
	ck_assert_uint_eq(counts.grants, 1);
	ck_assert_uint_eq(counts.denials, rows[_i].denial);
	grants_free(grants);
}
END_TEST

START_TEST(twice_stays_where_it_was)
{
	struct grants *grants = grants_new();
	struct grants_counts counts;
	struct origin origin;

	ck_assert(add(grants, &rows[0], 1, 10));
	ck_assert(add(grants, &rows[0], 2, 20));
	ck_assert(grants_seal(grants));
	ck_assert(find(grants, &rows[0], &origin));
	ck_assert_uint_eq(origin.map, 1);
	ck_assert_uint_eq(origin.line, 10);
	grants_count(grants, &counts);
	ck_assert_uint_eq(counts.grants, 1);
	grants_free(grants);
}
END_TEST

START_TEST(empty)
{
	struct grants *grants = grants_new();
	struct origin origin;
	size_t count = 1;

	ck_assert(grants_seal(grants));
	ck_assert_uint_eq(grants_name(grants, PATTERN_ANY, SPAN_NONE), 0);
	ck_assert(!grants_find(grants, 0, 0, false, &origin));
	ck_assert_ptr_null(grants_edges(grants, 0, &count));
	ck_assert_uint_eq(count, 0);
	ck_assert(!grants_have_edges(grants));
	grants_free(grants);
	grants_free(NULL);
}
END_TEST

START_TEST(any_tells_which_kinds_there_are)
{
	struct grants *grants = grants_new();

	ck_assert(add(grants, &rows[_i], 0, 1));
	ck_assert(grants_seal(grants));
	for (int left = 0; left < PATTERN_KINDS; left++)
		for (int right = 0; right < PATTERN_KINDS; right++)
			for (int denial = 0; denial < 2; denial++)
				ck_assert_int_eq(
				    grants_any(grants, (enum pattern_kind)left,
					       (enum pattern_kind)right,
					       denial != 0),
				    left == (int)rows[_i].left_kind &&
					right == (int)rows[_i].right_kind &&
					denial == (int)rows[_i].denial);
	grants_free(grants);
}
END_TEST

/* Many logins by many senders: every pair that is there, none that is not. */
START_TEST(many)
{
	struct grants *grants = grants_new();
	struct row row = rows[0];
	struct grants_counts counts;
	struct origin origin;
	char left[32];
	char right[32];

	row.left = left;
	row.right = right;
	for (uint32_t i = 0; i < 20000; i++) {
		(void)snprintf(left, sizeof(left), "u%u@d", i % 500);
		(void)snprintf(right, sizeof(right), "a%u@d", i);
		ck_assert(add(grants, &row, 0, i + 1));
	}
	ck_assert(grants_seal(grants));
	for (uint32_t i = 0; i < 20000; i++) {
		(void)snprintf(right, sizeof(right), "a%u@d", i);
		(void)snprintf(left, sizeof(left), "u%u@d", i % 500);
		ck_assert(find(grants, &row, &origin));
		ck_assert_uint_eq(origin.line, i + 1);
		(void)snprintf(left, sizeof(left), "u%u@d", (i + 1) % 500);
		ck_assert(!find(grants, &row, &origin));
	}
	grants_count(grants, &counts);
	ck_assert_uint_eq(counts.grants, 20000);
	ck_assert_uint_eq(counts.names, 20500);
	/* Tens of bytes a grant, the names included, in whole chunks. */
	ck_assert_uint_lt(counts.bytes, 20000 * 64 + 2 * POOL_CHUNK);
	grants_free(grants);
}
END_TEST

static bool
collect(void *arg, grant_name left, grant_name right, bool denial,
	struct origin origin)
{
	unsigned *seen = arg;

	ck_assert_uint_ne(left, 0);
	ck_assert_uint_ne(right, 0);
	ck_assert_int_eq(denial, rows[origin.line].denial);
	seen[origin.line]++;
	return true;
}

START_TEST(each_comes_once)
{
	struct grants *grants = grants_new();
	unsigned seen[ROWS] = {0};

	for (uint32_t i = 0; i < ROWS; i++)
		ck_assert(add(grants, &rows[i], 0, i));
	ck_assert(grants_seal(grants));
	ck_assert(grants_each(grants, collect, seen));
	for (size_t i = 0; i < ROWS; i++)
		ck_assert_uint_eq(seen[i], 1);
	grants_free(grants);
}
END_TEST

START_TEST(edges_keep_the_order_of_the_maps)
{
	static const struct row edges[] = {
	    {ENTRY_ALIAS, PATTERN_ADDRESS, "b@d", PATTERN_ADDRESS, "x@d", 0},
	    {ENTRY_ALIAS, PATTERN_ADDRESS, "a@d", PATTERN_ADDRESS, "z@d", 0},
	    {ENTRY_ALIAS, PATTERN_ADDRESS, "a@d", PATTERN_ADDRESS, "y@d", 0},
	    {ENTRY_ALIAS, PATTERN_DOMAIN, "d", PATTERN_DOMAIN, "e", 0},
	};
	struct grants *grants = grants_new();
	const struct grant_edge *found;
	struct name_text text;
	grant_name a;
	size_t count;

	for (uint32_t i = 0; i < 4; i++)
		ck_assert(add(grants, &edges[i], 0, i + 1));
	ck_assert(grants_seal(grants));
	ck_assert(grants_have_edges(grants));
	a = grants_name(grants, PATTERN_ADDRESS, span_text("a@d"));
	found = grants_edges(grants, a, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert(
	    span_is(grants_pattern(grants, found[0].to, &text).text, "z@d"));
	ck_assert(
	    span_is(grants_pattern(grants, found[1].to, &text).text, "y@d"));
	ck_assert_uint_eq(grants_about(grants, a), NAME_ALIAS);
	a = grants_name(grants, PATTERN_ADDRESS, span_text("y@d"));
	ck_assert_ptr_null(grants_edges(grants, a, &count));
	ck_assert_uint_eq(grants_about(grants, a), NAME_TARGET);
	a = grants_name(grants, PATTERN_DOMAIN, span_text("d"));
	found = grants_edges(grants, a, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(grants_kind(grants, found[0].to), PATTERN_DOMAIN);
	grants_free(grants);
}
END_TEST

START_TEST(about)
{
	static const struct row account = {
	    ENTRY_ACCOUNT, PATTERN_ADDRESS, "u@d", PATTERN_ADDRESS, "", 0};
	struct grants *grants = grants_new();
	struct grants_counts counts;
	grant_name name;

	ck_assert(add(grants, &account, 0, 1));
	ck_assert(add(grants, &account, 1, 1));
	ck_assert(add(grants, &rows[0], 0, 1));
	ck_assert(grants_seal(grants));
	name = grants_name(grants, PATTERN_ADDRESS, span_text("u@d"));
	ck_assert_uint_eq(grants_about(grants, name),
			  NAME_LOGIN | NAME_ACCOUNT);
	name = grants_name(grants, PATTERN_ADDRESS, span_text("a@d"));
	ck_assert_uint_eq(grants_about(grants, name), NAME_SENDER);
	grants_count(grants, &counts);
	ck_assert_uint_eq(counts.accounts, 1);
	grants_free(grants);
}
END_TEST

/* More grants than wait at a time, or than a block of the list has, and sides
 * as long as they get; each is found where it was first added. */
START_TEST(many_and_long)
{
	static char longest[ADDRESS_MAX + 1];
	const uint32_t pairs = 100000;
	struct grants *grants = grants_new();
	struct row row = rows[0];
	struct grants_counts counts;
	struct origin origin;
	char right[32];

	memset(longest, 'a', ADDRESS_MAX);
	for (uint32_t i = 0; i < 2 * pairs; i++) {
		uint16_t map = (uint16_t)(i / pairs);
		bool is_long = i % 500 == 499;

		(void)snprintf(right, sizeof(right), "a%u@d", i % pairs);
		row.left = is_long && map == 1 ? longest : "u@d";
		row.right = is_long && map == 0 ? longest : right;
		ck_assert(add(grants, &row, map, i));
	}
	ck_assert(grants_seal(grants));
	for (uint32_t i = 0; i < pairs; i++) {
		bool is_long = i % 500 == 499;

		(void)snprintf(right, sizeof(right), "a%u@d", i);
		row.left = "u@d";
		row.right = is_long ? longest : right;
		ck_assert(find(grants, &row, &origin));
		ck_assert_uint_eq(origin.map, 0);
		ck_assert_uint_eq(origin.line, is_long ? 499 : i);
	}
	grants_count(grants, &counts);
	/* Of 500 pairs one has the longest name on its right, and once more
	 * on its left. */
	ck_assert_uint_eq(counts.grants, pairs + 1);
	grants_free(grants);
}
END_TEST

/* What is longer than any address can not be added. */
START_TEST(too_long)
{
	static char longer[ADDRESS_MAX + 2];
	struct grants *grants = grants_new();
	struct row row = rows[0];

	memset(longer, 'a', ADDRESS_MAX + 1);
	row.right = longer;
	ck_assert(!add(grants, &row, 0, 1));
	row.right = row.left;
	row.left = longer;
	ck_assert(!add(grants, &row, 0, 1));
	grants_free(grants);
}
END_TEST

/* Make everything, with the n-th allocation failing; false where one did. */
static bool
build(size_t n)
{
	struct grants *grants;
	struct row row = rows[0];
	char right[32];
	bool ok;

	memory_fail_after(n);
	grants = grants_new();
	ok = grants != NULL;
	row.right = right;
	for (uint32_t i = 0; ok && i < 200; i++) {
		(void)snprintf(right, sizeof(right), "a%u@d", i);
		row.entry = i % 2 == 0 ? ENTRY_GRANT : ENTRY_ALIAS;
		ok = add(grants, &row, 0, i);
	}
	ok = ok && grants_seal(grants);
	memory_fail_after(0);
	grants_free(grants);
	return ok;
}

START_TEST(every_allocation_may_fail)
{
	size_t n = 1;

	while (!build(n)) {
		n++;
		ck_assert_uint_lt(n, 1000);
	}
	ck_assert_uint_gt(n, 5);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("grants");
	TCase *tcase = tcase_create("grants");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, one, 0, (int)ROWS);
	tcase_add_test(tcase, patterns_come_back);
	tcase_add_loop_test(tcase, pairs_are_found, 0, 2);
	tcase_add_test(tcase, origins_come_back);
	tcase_add_test(tcase, twice_stays_where_it_was);
	tcase_add_test(tcase, empty);
	tcase_add_loop_test(tcase, any_tells_which_kinds_there_are, 0,
			    (int)ROWS);
	tcase_add_test(tcase, many);
	tcase_add_test(tcase, each_comes_once);
	tcase_add_test(tcase, edges_keep_the_order_of_the_maps);
	tcase_add_test(tcase, about);
	tcase_add_test(tcase, many_and_long);
	tcase_add_test(tcase, too_long);
	tcase_add_test(tcase, every_allocation_may_fail);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
