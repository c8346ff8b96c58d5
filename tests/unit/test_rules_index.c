/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules that are left out by their literals or found by their domain: random
 * tables answer as the patterns do when PCRE2 runs each of them in turn.
 */
#include "base/buffer.h"
#include "maps/rules.h"

#include <check.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

enum { TABLES = 3000, ITEMS_MAX = 24, SUBJECTS = 40 };

/* One line of a table. */
struct item {
	enum { PLAIN, IF, ENDIF } kind;
	bool negated;
	pcre2_code *code;
};

static uint64_t seed;

static unsigned
random_below(unsigned n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * 2685821657736338717U) >> 33) % n;
}

#define PICK(list) ((list)[random_below(sizeof(list) / sizeof(*(list)))])

static const char *const starts[] = {
    "^",    "",      "",      "^a",    "^ab",    "^a*",   "^(a|b)",    "(^a)",
    "\\Aa", "^.*",   "^[ab]", "^a?b",  "^A\\.b", "^a{2}", "^\\x61",    "(?i)a",
    "^a|b", "^(.*)", "^(.+)", "^(.+)", "(.*)",   "ab",    "^(.*)\\.b",
};
static const char *const middles[] = {
    "",       "b",           ".*",     "[0-9]+",  "\\.",     "(.*)",
    "b?",     "(a|b)*",      "x{2,3}", "[]a]+",   "\\Qa\\E", "(?:b)",
    "\\w+",   "axx",         "ab?",    "aab*",    "b@a|ax",  "A\\.b",
    "a(b)x",  "ax{1}x",      "(?#b)a", "a{,2}",   "a{2",     "{",
    "\\d*",   "[[:alpha:]]", "[^]b]",  "[a\\]b]", "a{1,}?",  "(*UCP)a",
    "(?i:a)", "\\-",         "\\Ba",   "a.ax",    "b.e",
};
static const char *const ends[] = {
    "@d\\.e$",     "@d\\.e",    "@D\\.e$",     "@d.e$",       "\\.e$",
    "@(d\\.e)$",   "@d\\.e|b$", "@d\\.e\\z",   "@d\\.e?$",    "@d\\.e+$",
    "@d\\.e{1}$",  "@[d]\\.e$", "@f\\.g$",     "@(d|f)\\.e$", "@d\\.e$$",
    "@d\\.e(?=$)", "@d\\.e\\Z", "\\x40d\\.e$", "@\\Qd.e\\E$", "@d\\.e$.*",
    "e$",          "@d\\.e($)", "@@d\\.e$",    "$",           "",
};

static const char *const locals[] = {"a",   "ab", "b", "A.b", "aab", "a1",
				     "axx", "",   "]", "a@",  "a\n"};
static const char *const domains[] = {"@d.e", "@D.E",   "@dxe",  "@f.g",
				      "@d.",  "@d.ee",  "@f.e",  "",
				      "@e",   "@d.e\n", "@@d.e", "@\xe9.e"};

/* Add a random line; deep counts the blocks that are open. */
static bool
add_item(struct buffer *table, struct item *item, unsigned *deep)
{
	struct buffer pattern = {0};
	unsigned kind = random_below(10);
	PCRE2_SIZE offset;
	int number;

	*item = (struct item){.kind = kind == 0 ? IF : PLAIN,
			      .negated = random_below(8) == 0};
	if (kind == 1 && *deep > 0) {
		item->kind = ENDIF;
		(*deep)--;
		buffer_add(table, span_text("endif\n"));
		return true;
	}
	buffer_format(&pattern, "%s%s%s", PICK(starts), PICK(middles),
		      PICK(ends));
	item->code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.len,
				   PCRE2_CASELESS | PCRE2_DOTALL, &number,
				   &offset, NULL);
	if (item->code != NULL) {
		*deep += item->kind == IF;
		buffer_format(table, "%s%s/%s/%s\n",
			      item->kind == IF ? "if " : "",
			      item->negated ? "!" : "", pattern.data,
			      item->kind == IF ? "" : " owner");
	}
	buffer_fini(&pattern);
	return item->code != NULL;
}

static bool
holds(const struct item *item, struct span subject, pcre2_match_data *match)
{
	return (pcre2_match(item->code, (PCRE2_SPTR)subject.data, subject.len,
			    0, 0, match, NULL) >= 0) != item->negated;
}

/* The item behind the endif of the if at i. */
static size_t
skip_block(const struct item *items, size_t count, size_t i)
{
	size_t deep = 0;

	for (; i < count; i++) {
		deep += items[i].kind == IF;
		if (items[i].kind == ENDIF && --deep == 0)
			return i + 1;
	}
	return count;
}

/* The line, from 1, of the rule that decides; 0: none. */
static uint32_t
run_in_turn(const struct item *items, size_t count, struct span subject,
	    pcre2_match_data *match)
{
	for (size_t i = 0; i < count;) {
		bool ok =
		    items[i].kind == ENDIF || holds(&items[i], subject, match);

		if (ok && items[i].kind == PLAIN)
			return (uint32_t)i + 1;
		i = ok || items[i].kind == PLAIN ? i + 1
						 : skip_block(items, count, i);
	}
	return 0;
}

/* Ask a table about random subjects. */
static void
ask(const struct rules *rules, struct rules_scratch *scratch,
    const struct item *items, size_t count, const char *table)
{
	pcre2_match_data *match = pcre2_match_data_create(20, NULL);

	for (int i = 0; i < SUBJECTS; i++) {
		struct buffer subject = {0};
		enum rules_result result;
		uint32_t wanted;
		uint32_t line;
		bool is_utf8;

		buffer_format(&subject, "%s%s", PICK(locals), PICK(domains));
		is_utf8 = strchr(subject.data, '\xe9') == NULL;
		rules_begin(scratch, 100000, 10000000);
		result =
		    rules_lookup(rules, scratch, buffer_span(&subject), &line);
		wanted = is_utf8 ? run_in_turn(items, count,
					       buffer_span(&subject), match)
				 : 0;
		ck_assert_msg(result == (wanted > 0 ? RULES_HIT : RULES_MISS) &&
				  (wanted == 0 || line == wanted),
			      "%s: wanted line %u, got %u of\n%s", subject.data,
			      wanted, result == RULES_HIT ? line : 0, table);
		buffer_fini(&subject);
	}
	pcre2_match_data_free(match);
}

START_TEST(random_tables)
{
	struct rules_scratch *scratch = rules_scratch_new();

	seed = 88172645463325252U + (uint64_t)_i;
	for (int i = 0; i < TABLES; i++) {
		struct item items[ITEMS_MAX];
		struct buffer table = {0};
		unsigned wanted = 1 + random_below(ITEMS_MAX);
		unsigned deep = 0;
		size_t count = 0;
		struct rules *rules;
		char *content;

		while (count < wanted)
			count += add_item(&table, &items[count], &deep);
		content = strdup(table.data);
		rules = rules_load("t", content, table.len, NULL);
		free(content);
		ck_assert_ptr_nonnull(rules);
		ask(rules, scratch, items, count, table.data);
		rules_free(rules);
		for (size_t k = 0; k < count; k++)
			pcre2_code_free(items[k].code);
		buffer_fini(&table);
	}
	rules_scratch_free(scratch);
}
END_TEST

/* What stands before a literal domain is the first capture, run or not. */
START_TEST(local_is_captured)
{
	static const struct {
		const char *table;
		const char *subject;
		const char *owner; /* NULL: no match */
	} rows[] = {
	    {"/^(.*)@d\\.e$/ ${1}@o", "a@d.e", "a@o"},
	    {"/^(.+)@d\\.e$/ ${1}@o", "A.b@D.E", "A.b@o"},
	    {"/^(.*)@d\\.e$/ ${1}@o", "@d.e", "@o"},
	    {"/^(.+)@d\\.e$/ ${1}@o", "@d.e", NULL},
	    {"/^(.+)@d\\.e$/ ${1}@o", "a@d.e@d.e", "a@d.e@o"},
	    {"/^(.+)@d\\.e$/ ${1}@o", "a@dxe", NULL},
	    {"/^(.+)@d\\.e$/ ${1}@o", "a@d.e\n", "a@o"},
	    {"/^(.+)@d\\.e$/ ${1}@o", "a\nb@d.e", "a\nb@o"},
	    {"/^(.+)@d\\.e$/s ${1}@o", "a@d.e", "a@o"},
	    {"/^(.+)@d\\.e$/m ${1}@o", "a@d.e", "a@o"},
	    {"/^(.+)@D\\.e$/i ${1}@o", "a@d.e", NULL},
	    {"/^(.+)@D\\.e$/i ${1}@o", "a@D.e", "a@o"},
	    {"/^(.+?)@d\\.e$/ ${1}@o", "a@d.e", "a@o"},
	    {"/^(.+)@d\\.e*$/ ${1}@o", "a@d.", "a@o"},
	    {"/^(.)@d\\.e$/ ${1}@o", "ab@d.e", NULL},
	    {"/^(.+)x$/ ${1}@o", "abx", "ab@o"},
	};
	struct rules_scratch *scratch = rules_scratch_new();
	char *content = strdup(rows[_i].table);
	struct rules *rules = rules_load("t", content, strlen(content), NULL);
	enum rule_owner_kind kind;
	struct span owner;
	uint32_t line;

	ck_assert_ptr_nonnull(rules);
	ck_assert_int_eq(
	    rules_lookup(rules, scratch, span_text(rows[_i].subject), &line),
	    rows[_i].owner != NULL ? RULES_HIT : RULES_MISS);
	if (rows[_i].owner != NULL) {
		ck_assert(rules_owner(rules, scratch, 0, &kind, &owner));
		ck_assert(span_is(owner, rows[_i].owner));
	}
	free(content);
	rules_free(rules);
	rules_scratch_free(scratch);
}
END_TEST

/* Where a class ends, as PCRE2 has it; no rule is left out for being misread.
 */
START_TEST(class_is_read_whole)
{
	static const struct {
		const char *pattern;
		const char *subject; /* that it matches */
	} rows[] = {
	    {"^[]x]@d\\.e$", "]@d.e"},   {"^[^]x]@d\\.e$", "a@d.e"},
	    {"^[\\]x]@d\\.e$", "]@d.e"}, {"^x[\\E]a]$", "xa"},
	    {"^x[\\Q]a\\Eb]$", "xb"},    {"x[\\c]]$", "x\x1d"},
	    {"^[[:alpha:]]x$", "ax"},    {"^[[:^digit:]]x$", "ax"},
	    {"^[a[:]b|x]@d\\.e$", "ab"}, {"^[[:a]b|c:]x]@d\\.e$", "ab"},
	    {"^[a[]x$", "[x"},           {"^[a[b]x$", "[x"},
	};
	struct rules_scratch *scratch = rules_scratch_new();
	const char *subject = rows[_i].subject;
	char line[64];
	int len =
	    snprintf(line, sizeof(line), "/%s/ owner\n", rows[_i].pattern);
	struct problems problems;
	struct rules *rules;

	problems_init(&problems);
	rules = rules_load("t", line, (size_t)len, &problems);
	ck_assert_uint_eq(problems.errors, 0);
	ck_assert_ptr_nonnull(rules);
	ck_assert_int_eq(
	    rules_lookup(rules, scratch, span_text(subject), &(uint32_t){0}),
	    RULES_HIT);
	rules_free(rules);
	rules_scratch_free(scratch);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rules_index");
	TCase *tcase = tcase_create("rules_index");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, random_tables, 0, 3);
	tcase_add_loop_test(tcase, local_is_captured, 0, 16);
	tcase_add_loop_test(tcase, class_is_read_whole, 0, 12);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
