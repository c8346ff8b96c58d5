/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "maps/rules.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

enum { OUT = 4096 };

static struct rules *
load(const char *table, size_t len, struct problems *problems)
{
	char *content = memory_copy(table, len);
	struct rules *rules = rules_load("t", content, len, problems);

	/* What was compiled must not need the file's content. */
	memset(content, '#', len);
	free(content);
	return rules;
}

/* Spell an answer: "miss", "trouble 3", "hit 2 =name @domain *". */
static void
answer(const struct rules *rules, struct rules_scratch *scratch,
       struct span subject, char out[OUT])
{
	static const char marks[] = {[RULE_OWNER_NAME] = '=',
				     [RULE_OWNER_DOMAIN] = '@',
				     [RULE_OWNER_ANY] = '*'};
	enum rule_owner_kind kind;
	struct span owner;
	uint32_t line;
	int len;

	switch (rules_lookup(rules, scratch, subject, &line)) {
	case RULES_MISS:
		(void)snprintf(out, OUT, "miss");
		return;
	case RULES_TROUBLE:
		(void)snprintf(out, OUT, "trouble %u", line);
		return;
	case RULES_HIT:
		break;
	}
	len = snprintf(out, OUT, "hit %u", line);
	for (size_t i = 0; rules_owner(rules, scratch, i, &kind, &owner); i++)
		len += snprintf(out + len, (size_t)(OUT - len), " %c%" SPAN_FMT,
				marks[kind],
				kind == RULE_OWNER_ANY ? 0 : (int)owner.len,
				owner.data);
}

static void
expect(const char *table, struct span subject, const char *want)
{
	struct rules *rules = load(table, strlen(table), NULL);
	struct rules_scratch *scratch = rules_scratch_new();
	char got[OUT];

	ck_assert_ptr_nonnull(rules);
	ck_assert_ptr_nonnull(scratch);
	answer(rules, scratch, subject, got);
	ck_assert_msg(strcmp(got, want) == 0, "%s<- %.60s\n got: %s\nwant: %s",
		      table, subject.data, got, want);
	rules_scratch_free(scratch);
	rules_free(rules);
}

static const struct {
	const char *table;
	const char *subject;
	const char *want;
} lookups[] = {
    /* Patterns, delimiters, flags. */
    {"/^a@b\\.c$/ x\n", "a@b.c", "hit 1 =x"},
    {"/^a@b\\.c$/ x\n", "a@bxc", "miss"},
    {"/a/ x\n", "A", "hit 1 =x"},
    {"/a/i x\n", "A", "miss"},
    {"/a/ii x\n", "A", "hit 1 =x"},
    {"/a.b/ x\n", "a\nb", "hit 1 =x"},
    {"/a.b/s x\n", "a\nb", "miss"},
    {"/^b/ x\n", "a\nb", "miss"},
    {"/^b/m x\n", "a\nb", "hit 1 =x"},
    {"/a b/x x\n", "ab", "hit 1 =x"},
    {"/b/A x\n", "ab", "miss"},
    {"/a$/ x\n", "a\n", "hit 1 =x"},
    {"/a$/E x\n", "a\n", "miss"},
    {"/^(a+)/U $1\n", "aaa", "hit 1 =a"},
    {"/a/X x\n", "a", "hit 1 =x"},
    {"~a/b~ x\n", "a/b", "hit 1 =x"},
    {"{a{ x\n", "a", "hit 1 =x"},
    {"/a\\/b/ x\n", "a/b", "hit 1 =x"},
    {"// x\n", "", "hit 1 =x"},
    {"/a/ x\n", "", "miss"},
    {"", "a", "miss"},
    /* Negation. */
    {"!/a/ x\n", "b", "hit 1 =x"},
    {"!/a/ x\n", "a", "miss"},
    {"! ! /a/ x\n", "a", "hit 1 =x"},
    /* Order and blocks. */
    {"/a/ x\n/a/ y\n", "a", "hit 1 =x"},
    {"/b/ x\n/a/ y\n", "a", "hit 2 =y"},
    {"if /a/\n/b/ x\nendif\n/./ y\n", "ab", "hit 2 =x"},
    {"if /a/\n/b/ x\nendif\n/./ y\n", "a", "hit 4 =y"},
    {"if /a/\n/b/ x\nendif\n/./ y\n", "b", "hit 4 =y"},
    {"IF!/a/\n/b/ x\nEndIf\n", "b", "hit 2 =x"},
    {"if !/a/\n/b/ x\nendif\n", "ab", "miss"},
    {"if /a/\nif /b/\n/c/ x\nendif\n/d/ y\nendif\n/./ z\n", "abc", "hit 3 =x"},
    {"if /a/\nif /b/\n/c/ x\nendif\n/d/ y\nendif\n/./ z\n", "ad", "hit 5 =y"},
    {"if /a/\nif /b/\n/c/ x\nendif\n/d/ y\nendif\n/./ z\n", "bcd", "hit 7 =z"},
    {"if /a/\nendif\n/./ y\n", "a", "hit 3 =y"},
    {"if /a/\n/b/ x\n/./ y\n", "a", "hit 3 =y"},
    {"if /a/\n/b/ x\n/./ y\n", "b", "miss"},
    {"if /a/\nif /b/\n/./ x\n", "a", "miss"},
    /* Owners and captures. */
    {"/a/ x,y  z\tq ,\n", "a", "hit 1 =x =y =z =q"},
    {"/a/ *, *@b, @c.d, @, x@*\n", "a", "hit 1 * =*@b @c.d @ =x@*"},
    {"/(.*)@(.*)/ $1@$(2),${2}\n", "u@d", "hit 1 =u@d =d"},
    {"/(.*)/ $1\n", "x,u@d,y", "hit 1 =x,u@d,y"},
    {"/(.*)/ $1\n", "@d", "hit 1 =@d"},
    {"/(.*)/ $1\n", "*", "hit 1 =*"},
    {"/(.*)/ $1\n", "$1 ${1}", "hit 1 =$1 ${1}"},
    {"/@(.*)/ @$1, @x.$1\n", "u@d", "hit 1 @d @x.d"},
    {"/(a)|(b)/ ${1}x$2 $2\n", "a", "hit 1 =ax ="},
    {"/(b)?a/ @$1\n", "a", "hit 1 @"},
    {"/a/ $$, $$1 a$$b$$\n", "a", "hit 1 =$ =$1 =a$b$"},
    {"!/a/ b$$\n", "b", "hit 1 =b$"},
    {"/(a)/ ${01}\n", "a", "hit 1 =a"},
    {"/a/\n", "a", "hit 1"},
    {"/a/ ,\n", "a", "hit 1"},
    {"/a/ x,\n y\n", "a", "hit 1 =x =y"},
    /* Bytes: no character has a case but ASCII's; what is not UTF-8 is
     * found by nothing, not even by a negation. */
    {"/^.$/ x\n/^..$/ y\n", "\xc3\xa9", "hit 2 =y"},
    {"/\xc3\xa9/ x\n", "\xc3\x89", "miss"},
    {"/k/ x\n", "\xe2\x84\xaa", "miss"},
    {"/(*UTF)k/ x\n", "\xe2\x84\xaa", "hit 1 =x"},
    {"/./ x\n", "a\xff", "miss"},
    {"!/a/ x\n", "\xff", "miss"},
    {"!/a/ x\n", "\xc0\x80", "miss"},
    {"!/a/ x\n", "\xed\xa0\x80", "miss"},
    {"!/a/ x\n", "\xe0\x80\x80", "miss"},
    {"!/a/ x\n", "\xf0\x8f\xbf\xbf", "miss"},
    {"!/a/ x\n", "\xf4\x90\x80\x80", "miss"},
    {"!/a/ x\n", "\xe2\x84", "miss"},
    {"!/a/ x\n", "\xe2\x84x", "miss"},
    {"!/a/ x\n", "\xf4\x8f\xbf\xbf", "hit 1 =x"},
    {"!/a/ x\n", "\xed\x9f\xbf", "hit 1 =x"},
    /* A rule that is wrong is left out, the others stand. */
    {"/(a/ x\n/a/ y\n", "a", "hit 2 =y"},
    {"/a/ x $9 y\n/a/ z,q\n", "a", "hit 2 =z =q"},
    {"if /(/\n/./ x\nendif\n/./ y\n", "a", "hit 4 =y"},
    {"if\nif /./\n/./ x\nendif\n/./ y\nendif\n/./ z\n", "a", "hit 7 =z"},
    {"if /./\nif /a/q\n/./ x\nendif\n/./ y\nendif\n", "a", "hit 5 =y"},
    /* Limits are trouble, and end the lookup. */
    {"/^(a+)+$/ x\n/./ y\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
     "trouble 1"},
    {"!/^(a+)+$/ x\n/./ y\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
     "trouble 1"},
    {"if /^(a+)+$/\nendif\n/./ y\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
     "trouble 1"},
    {"/b/ x\nif !/^(a+)+$/\n/./ y\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac",
     "trouble 2"},
};

START_TEST(lookup_finds_the_first_match)
{
	expect(lookups[_i].table, span_text(lookups[_i].subject),
	       lookups[_i].want);
}
END_TEST

START_TEST(subject_may_hold_nul)
{
	expect("/^a.b$/ x\n", span_of("a\0b", 3), "hit 1 =x");
	expect("/^a$/ x\n", span_of("a\0b", 3), "miss");
}
END_TEST

static const struct {
	const char *table;
	size_t rules;
	const char *want; /* of each problem its severity, line and a part */
} problem_rows[] = {
    {"/a/ x\n", 1, ""},
    {"# c\n\n/a/ x\n", 1, ""},
    {"/a/\n", 1, "W1 no result"},
    {"if /a/ b\nendif c\n", 0, "W1 behind the if|W2 behind the endif"},
    {"if /a/\n /b/ x\nendif\n", 0, "W1 behind the if"},
    {"endif\n", 0, "W1 endif without an if"},
    {"if /a/\nif /b/\n/c/ x\n", 1, "W2 no endif|W1 no endif"},
    {"/a/X x\n", 1, "W1 flag X"},
    {"/a/q x\n", 0, "E1 unknown flag q"},
    {"/a/\x01 x\n", 0, "E1 unknown flag \\x01"},
    {"/a\\\\//  x\n", 0, "E1 unknown flag /"},
    {"/a x\n", 0, "E1 begins with / "},
    {"/a\\\n", 0, "E1 does not end"},
    {"\xc2\xa7"
     "a\xc2\xa7 x\n",
     0, "E1 unknown flag \\xa7"},
    {"!\n", 0, "E1 no pattern"},
    {"if\nendif\n", 0, "E1 no pattern|W1 is left out"},
    {"abc\n", 0, "E1 neither /pattern/"},
    {"ifx /a/\nendif2\n", 0, "E1 neither|E2 neither"},
    {"/(a/ x\n", 0, "E1 missing closing parenthesis at offset 2"},
    {"/a/ x\n/b[/ x\n", 1, "E2 at offset 2"},
    {"/a\\j/ x\n", 0, "E1 offset"},
    {"/(a)/ $foo\n", 0, "E1 $foo in the result: a capture has a number"},
    {"/(a)/ $1x\n", 0, "E1 $1x"},
    {"/(a)/ ${1_}\n", 0, "E1 ${1_}"},
    {"/(a)/ ${1?x}\n", 0, "E1 has a number"},
    {"/(a)/ $((1))\n", 0, "E1 has a number"},
    {"/(a)/ $0\n", 0, "E1 count from 1"},
    {"/(a)/ $2\n", 0, "E1 has fewer captures"},
    {"/(a)/ $4294967297\n", 0, "E1 only captures up to 99"},
    {"/(a)/ ${18446744073709551617}\n", 0, "E1 only captures up to 99"},
    {"/a/ $1\n", 0, "E1 no captures"},
    {"!/(a)/ $1\n", 0, "E1 no captures"},
    {"!/(a)/ $foo\n", 0, "E1 $foo"},
    {"/a/ x$\n", 0, "E1 write $$"},
    {"/a/ $ x\n", 0, "E1 write $$"},
    {"/a/ $@x\n", 0, "E1 write $$"},
    {"/(a)/ ${}\n", 0, "E1 has a number"},
    {"/(a)/ ${1\n", 0, "E1 not closed"},
    {"/(a)/ $(1}\n", 0, "E1 not closed"},
    {"/a/ x\r\n", 1, "W1 CRLF"},
    {"/a/ x", 1, "W1 no newline"},
    {" /a/ x\n", 0, "E1 white space"},
    {"if /(/\n/(/ x\nif /[/\nendif\nendif\n/b/ x\n", 1,
     "E1 offset|W1 is left out|E2 offset|E3 offset"},
};

/* Look whether problem is what want, up to its end or '|', asks for. */
static bool
is_wanted(const struct problem *problem, const char *want)
{
	const char *part = strchr(want, ' ') + 1;
	struct span wanted = span_of(part, strcspn(part, "|"));

	return want[0] == (problem->severity == PROBLEM_WARNING ? 'W' : 'E') &&
	       strtoul(want + 1, NULL, 10) == problem->line &&
	       memmem(problem->text, strlen(problem->text), wanted.data,
		      wanted.len) != NULL;
}

START_TEST(problems_are_said)
{
	const char *table = problem_rows[_i].table;
	const char *want = problem_rows[_i].want;
	struct problems problems;
	struct rules *rules;

	problems_init(&problems);
	rules = load(table, strlen(table), &problems);
	ck_assert_ptr_nonnull(rules);
	ck_assert_uint_eq(rules_count(rules), problem_rows[_i].rules);
	for (size_t i = 0; i < problems.count; i++) {
		ck_assert_str_eq(problems.list[i].file, "t");
		ck_assert_msg(*want != '\0' &&
				  is_wanted(&problems.list[i], want),
			      "%s: %u: %s", table, problems.list[i].line,
			      problems.list[i].text);
		want += strcspn(want, "|");
		want += *want == '|';
	}
	ck_assert_msg(*want == '\0', "%s: no problem: %s", table, want);
	problems_fini(&problems);
	rules_free(rules);
}
END_TEST

START_TEST(nul_is_an_error)
{
	static const char table[] = "/a/ x\0y\n/b/ y\n";
	struct problems problems;
	struct rules *rules;

	problems_init(&problems);
	rules = load(table, sizeof(table) - 1, &problems);
	ck_assert_uint_eq(problems.errors, 1);
	ck_assert_uint_eq(rules_count(rules), 1);
	problems_fini(&problems);
	rules_free(rules);
}
END_TEST

/* A file of len bytes between a head and a tail. */
static char *
filled(const char *head, char filling, size_t len, const char *tail)
{
	char *text;
	int written;

	written = asprintf(&text, "%s%*s%s", head, (int)len, "", tail);
	ck_assert_int_gt(written, 0);
	memset(text + strlen(head), filling, len);
	return text;
}

START_TEST(pattern_length_is_bounded)
{
	for (size_t len = 16383; len <= 16385; len++) {
		char *table = filled("/", 'a', len, "/ x\n");
		struct problems problems;
		struct rules *rules;

		problems_init(&problems);
		rules = load(table, strlen(table), &problems);
		ck_assert_uint_eq(rules_count(rules), len <= 16384);
		ck_assert_uint_eq(problems.errors, len > 16384);
		problems_fini(&problems);
		rules_free(rules);
		free(table);
	}
}
END_TEST

START_TEST(huge_file_is_refused_unread)
{
	char content[] = "/a/ x\n";
	struct problems problems;
	struct rules *rules;

	problems_init(&problems);
	rules = rules_load("t", content, (size_t)UINT32_MAX + 1, &problems);
	ck_assert_uint_eq(problems.refusals, 1);
	ck_assert_uint_eq(rules_count(rules), 0);
	problems_fini(&problems);
	rules_free(rules);
}
END_TEST

/* Captures beyond those that can be used hurt nobody. */
START_TEST(captures_are_bounded)
{
	static const struct {
		const char *result;
		const char *want;
	} rows[] = {{" $99\n", "hit 1 =b"}, {" $100\n", "miss"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char table[1024] = "/";
		size_t len = 1;

		for (int n = 1; n <= 120; n++)
			len += (size_t)sprintf(table + len, "(%s)",
					       n == 99 ? "b" : "a?");
		(void)snprintf(table + len, sizeof(table) - len, "/%s",
			       rows[i].result);
		expect(table, span_text("b"), rows[i].want);
	}
}
END_TEST

/* An owner that is too long for an address comes out empty, not cut. */
START_TEST(long_owner_is_empty)
{
	char *subject = filled("", 'a', 4096, "");
	char *want = filled("hit 1 =", 'a', 4000, "");

	expect("/^(a*)$/ ${1}${1}b, c\n", span_text(subject), "hit 1 = =c");
	expect("/^(a*)$/ ${1}\n", span_of(subject, 4000), want);
	free(want);
	free(subject);
}
END_TEST

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Each rule alone keeps its limit; together they use up the budget, once for
 * all lookups until the next begin. */
START_TEST(budget_is_of_all_rules)
{
	static const char subject[] = "aaaaaaaaaaaaaaaaaaaaaaab";
	struct rules_scratch *scratch = rules_scratch_new();
	struct rules *rules;
	char table[64 * 20];
	size_t len = 0;
	uint64_t start;
	char got[OUT];

	for (int i = 0; i < 64; i++)
		len += (size_t)sprintf(table + len, "/^(a+)+$/ x\n");
	rules = load(table, len, NULL);
	rules_begin(scratch, UINT32_MAX, 20000);
	start = now_us();
	answer(rules, scratch, span_text(subject), got);
	ck_assert_msg(strncmp(got, "trouble", 7) == 0, "%s", got);
	ck_assert_str_ne(got, "trouble 64");
	ck_assert_uint_lt(now_us() - start, 2000000);
	answer(rules, scratch, span_text("b"), got);
	ck_assert_str_eq(got, "trouble 1");
	rules_begin(scratch, UINT32_MAX, 20000);
	answer(rules, scratch, span_text("b"), got);
	ck_assert_str_eq(got, "miss");
	rules_scratch_free(scratch);
	rules_free(rules);
}
END_TEST

/* What goes by while something else runs is not held against the rules. */
START_TEST(budget_is_not_for_others)
{
	const struct timespec pause = {.tv_nsec = 60000000};
	struct rules_scratch *scratch = rules_scratch_new();
	struct rules *rules = load("/^a/ x\n", 7, NULL);
	char got[OUT];

	rules_begin(scratch, UINT32_MAX, 20000);
	for (int i = 0; i < 3; i++) {
		answer(rules, scratch, span_text("b"), got);
		ck_assert_str_eq(got, "miss");
		nanosleep(&pause, NULL);
	}
	rules_scratch_free(scratch);
	rules_free(rules);
}
END_TEST

START_TEST(match_limit_is_set)
{
	struct rules_scratch *scratch = rules_scratch_new();
	struct rules *rules = load("/^(a+)+$/ x\n", 12, NULL);
	char got[OUT];

	rules_begin(scratch, 10, 1000000);
	answer(rules, scratch, span_text("aaaaaaaaab"), got);
	ck_assert_str_eq(got, "trouble 1");
	rules_begin(scratch, 100000, 1000000);
	answer(rules, scratch, span_text("aaaaaaaaab"), got);
	ck_assert_str_eq(got, "miss");
	rules_scratch_free(scratch);
	rules_free(rules);
}
END_TEST

/* A subject that nests deep: trouble, with a JIT stack and with frames. */
START_TEST(stack_is_bounded)
{
	char *subject = filled("", 'a', 100000, "");

	expect("/^(?:(a)|b)*$/ x\n", span_of(subject, 2000), "hit 1 =x");
	expect("/^(?:a|b)*+$/ x\n", span_of(subject, 2000), "hit 1 =x");
	expect("/(*NO_START_OPT)^(?:(a)|b)*c/ x\n", span_text(subject),
	       "trouble 1");
	expect("/(*NO_JIT)(*NO_START_OPT)^(?:(a)|b)*c/ x\n", span_text(subject),
	       "trouble 1");
	free(subject);
}
END_TEST

START_TEST(scratch_forgets)
{
	struct rules_scratch *scratch = rules_scratch_new();
	struct rules *rules = load("/a/ x\n", 6, NULL);
	enum rule_owner_kind kind;
	struct span owner;
	char got[OUT];

	ck_assert(!rules_owner(rules, scratch, 0, &kind, &owner));
	answer(rules, scratch, span_text("a"), got);
	ck_assert(rules_owner(rules, scratch, 0, &kind, &owner));
	answer(rules, scratch, span_text("b"), got);
	ck_assert(!rules_owner(rules, scratch, 0, &kind, &owner));
	answer(rules, scratch, span_text("a"), got);
	rules_begin(scratch, 1000, 1000);
	ck_assert(!rules_owner(rules, scratch, 0, &kind, &owner));
	rules_scratch_free(scratch);
	rules_free(rules);
}
END_TEST

/* Whichever allocation fails, the load fails alone and leaks nothing. */
START_TEST(memory_runs_out)
{
	static const char table[] =
	    "if /a/\n/(b)/ x$1, @y\nif /(/\n/c/ z\nendif\nendif\n/(d/ q\n"
	    "/e/ $9\n/1/ a\n/1/ a\n/1/ a\n/1/ a\n/1/ a\n/1/ a\n/1/ a\n/1/ a\n"
	    "/1/ a\n/1/ a\n/1/ a\n/1/ a\n/1/ a\n/1/ a\n/1/ a\n/1/ a\n";
	struct rules *rules = NULL;
	char content[sizeof(table)];
	size_t n;

	for (n = 1; rules == NULL; n++) {
		memcpy(content, table, sizeof(table));
		memory_fail_after(n);
		rules = rules_load("t", content, sizeof(table) - 1, NULL);
		memory_fail_after(0);
		ck_assert_uint_lt(n, 1000);
	}
	ck_assert_uint_gt(n, 40);
	ck_assert_uint_eq(rules_count(rules), 17);
	rules_free(rules);
	memory_fail_after(1);
	ck_assert_ptr_null(rules_scratch_new());
	memory_fail_after(0);
}
END_TEST

START_TEST(null_is_freed)
{
	rules_free(NULL);
	rules_scratch_free(NULL);
}
END_TEST

START_TEST(machine_code_is_used)
{
	struct rules *rules = load("/(*NO_JIT)b/ x\n/a/ x\n", 22, NULL);

	ck_assert(rules_have_jit(rules));
	rules_free(rules);
}
END_TEST

/* Where no memory may become executable, everything is as before. */
START_TEST(interpreter_serves_without_jit)
{
	struct rules *rules;

	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0) {
		ck_assert_int_eq(errno, EINVAL);
		return;
	}
	rules = load("/a/ x\n", 6, NULL);
	ck_assert(!rules_have_jit(rules));
	rules_free(rules);
	rules = load("# none\n", 7, NULL);
	ck_assert(rules_have_jit(rules));
	rules_free(rules);
	for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++)
		expect(lookups[i].table, span_text(lookups[i].subject),
		       lookups[i].want);
}
END_TEST

static Suite *
rules_suite(void)
{
	Suite *suite = suite_create("rules");
	TCase *tcase = tcase_create("rules");

	tcase_add_loop_test(tcase, lookup_finds_the_first_match, 0,
			    sizeof(lookups) / sizeof(lookups[0]));
	tcase_add_test(tcase, subject_may_hold_nul);
	tcase_add_loop_test(tcase, problems_are_said, 0,
			    sizeof(problem_rows) / sizeof(problem_rows[0]));
	tcase_add_test(tcase, nul_is_an_error);
	tcase_add_test(tcase, pattern_length_is_bounded);
	tcase_add_test(tcase, huge_file_is_refused_unread);
	tcase_add_test(tcase, captures_are_bounded);
	tcase_add_test(tcase, long_owner_is_empty);
	tcase_add_test(tcase, budget_is_not_for_others);
	tcase_add_test(tcase, match_limit_is_set);
	tcase_add_test(tcase, stack_is_bounded);
	tcase_add_test(tcase, scratch_forgets);
	tcase_add_test(tcase, memory_runs_out);
	tcase_add_test(tcase, null_is_freed);
	tcase_add_test(tcase, machine_code_is_used);
	suite_add_tcase(suite, tcase);
	/* valgrind is slow, and makes machine code itself. */
	tcase = tcase_create("not under valgrind");
	tcase_set_tags(tcase, "bare");
	tcase_add_test(tcase, budget_is_of_all_rules);
	tcase_add_test(tcase, interpreter_serves_without_jit);
	suite_add_tcase(suite, tcase);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(rules_suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
