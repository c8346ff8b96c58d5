/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "base/utf8.h"
#include "rules_internal.h"

#include <stdlib.h>
#include <time.h>

enum {
	/* Frames of the interpreter: of one pattern, and the KiB they take. */
	DEPTH_LIMIT = 10000,
	HEAP_LIMIT_KIB = 4096,
	/* Bytes of the stack of compiled patterns, as it starts and ends. */
	JIT_STACK = 32 * 1024,
	JIT_STACK_MAX = 512 * 1024,
	/* Until rules_begin() says otherwise. */
	MATCH_LIMIT = 100000,
	BUDGET_US = 20000,
};

struct rules_scratch {
	pcre2_match_context *context;
	pcre2_match_data *match;
	pcre2_jit_stack *stack;
	/* Half of the budget is measured by the clock on the wall, the other
	 * half by the work of this thread. */
	uint64_t half_ns;
	uint64_t wall_end;   /* of the first half; 0: no rule was tried yet */
	uint64_t thread_end; /* of the second; 0: it has not begun */
	/* The last hit. */
	const struct rule *rule;
	struct span subject;
	char owner[RULE_OWNER_MAX];
};

void
rules_begin(struct rules_scratch *scratch, uint32_t match_limit,
	    uint32_t budget_us)
{
	/* Setting a limit can not fail. */
	(void)pcre2_set_match_limit(scratch->context, match_limit);
	scratch->half_ns = (uint64_t)budget_us * 1000 / 2;
	scratch->wall_end = 0;
	scratch->thread_end = 0;
	scratch->rule = NULL;
}

struct rules_scratch *
rules_scratch_new(void)
{
	struct rules_scratch *scratch = memory_try_zero(1, sizeof(*scratch));

	if (scratch == NULL)
		return NULL;
	scratch->context = pcre2_match_context_create(NULL);
	scratch->match = pcre2_match_data_create(RULE_CAPTURE_MAX + 1, NULL);
	scratch->stack = pcre2_jit_stack_create(JIT_STACK, JIT_STACK_MAX, NULL);
	if (scratch->context == NULL || scratch->match == NULL ||
	    scratch->stack == NULL) {
		rules_scratch_free(scratch);
		return NULL;
	}
	(void)pcre2_set_depth_limit(scratch->context, DEPTH_LIMIT);
	(void)pcre2_set_heap_limit(scratch->context, HEAP_LIMIT_KIB);
	pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
	rules_begin(scratch, MATCH_LIMIT, BUDGET_US);
	return scratch;
}

void
rules_scratch_free(struct rules_scratch *scratch)
{
	if (scratch == NULL)
		return;
	pcre2_match_context_free(scratch->context);
	pcre2_match_data_free(scratch->match);
	pcre2_jit_stack_free(scratch->stack);
	free(scratch);
}

/* Read a clock, which exists on every Linux. */
static uint64_t
clock_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Start the clock with the first rule of a decision. */
static void
start_clock(struct rules_scratch *scratch)
{
	if (scratch->wall_end == 0)
		scratch->wall_end =
		    clock_ns(CLOCK_MONOTONIC_COARSE) + scratch->half_ns;
}

/*
 * Is the budget used up? The coarse clock costs a few nanoseconds, but runs on
 * while a busy machine does something else, which is not the rules' fault. The
 * thread's own takes a system call, and only slow rules come to it.
 */
static bool
is_used_up(struct rules_scratch *scratch)
{
	uint64_t now;

	if (scratch->thread_end == 0 &&
	    clock_ns(CLOCK_MONOTONIC_COARSE) <= scratch->wall_end)
		return false;
	now = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	if (scratch->thread_end == 0)
		scratch->thread_end = now + scratch->half_ns;
	return now > scratch->thread_end;
}

/* Run a pattern; as pcre2_match(3) answers. */
static int
run_pattern(const struct rule *rule, struct rules_scratch *scratch)
{
	PCRE2_SPTR text = (PCRE2_SPTR)scratch->subject.data;
	size_t len = scratch->subject.len;

	if (!rule->jit)
		return pcre2_match(rule->code, text, len, 0, 0, scratch->match,
				   scratch->context);
	/* The same without checks of arguments that are always good. */
	return pcre2_jit_match(rule->code, text, len, 0, 0, scratch->match,
			       scratch->context);
}

/* Match where the subject ends with the rule's tail, without its pattern. */
static int
take_local(const struct rule *rule, struct rules_scratch *scratch)
{
	PCRE2_SIZE *ends = pcre2_get_ovector_pointer(scratch->match);
	size_t local = scratch->subject.len - rule->tail.len;

	if (local < (size_t)rule->local_min)
		return PCRE2_ERROR_NOMATCH;
	ends[0] = ends[2] = 0;
	ends[1] = scratch->subject.len;
	ends[3] = local;
	return 2;
}

/* Match one item; HIT is "its condition holds", negation included. */
static enum rules_result
try_rule(const struct rule *rule, struct rules_scratch *scratch,
	 const struct rule_subject *subject)
{
	int found = PCRE2_ERROR_NOMATCH;

	if (rule_can_match(rule, subject))
		found = rule->local_min >= 0 && subject->plain
			    ? take_local(rule, scratch)
			    : run_pattern(rule, scratch);
	if (found < 0 && found != PCRE2_ERROR_NOMATCH)
		return RULES_TROUBLE;
	return (found >= 0) != rule->negated ? RULES_HIT : RULES_MISS;
}

/*
 * Try all items that the subject could match, in their order. A rule that
 * matches decides, however long it took; one that does not, when the budget is
 * used up, ends the lookup, and *line names it.
 */
static enum rules_result
try_items(const struct rules *rules, struct rules_scratch *scratch,
	  uint32_t *line)
{
	struct rule_subject subject;
	size_t i = 0;

	rule_subject_init(&subject, rules, scratch->subject);
	while ((i = rule_subject_next(&subject, rules, i)) < rules->count) {
		const struct rule *rule = &rules->list[i];
		enum rules_result result = try_rule(rule, scratch, &subject);

		*line = rule->line;
		if (result == RULES_TROUBLE)
			return RULES_TROUBLE;
		if (result == RULES_HIT && !rule->is_if) {
			scratch->rule = rule;
			return RULES_HIT;
		}
		if (is_used_up(scratch))
			return RULES_TROUBLE;
		i = result == RULES_HIT ? i + 1 : rule->next;
	}
	return RULES_MISS;
}

enum rules_result
rules_lookup(const struct rules *rules, struct rules_scratch *scratch,
	     struct span subject, uint32_t *line)
{
	scratch->rule = NULL;
	scratch->subject = subject;
	*line = 0;
	/* As in Postfix, which asks no table about what is not UTF-8 but
	 * compiles patterns that see bytes. Otherwise !/x/ would match it. */
	if (rules->count == 0 || !utf8_is_valid(subject))
		return RULES_MISS;
	start_clock(scratch);
	return try_items(rules, scratch, line);
}

/* What a piece stands for; a capture that took no part is empty. */
static struct span
piece_text(const struct rule_piece *piece, const struct rules_scratch *scratch)
{
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(scratch->match);
	size_t start;
	size_t end;

	if (piece->capture == 0)
		return piece->literal;
	start = ends[(size_t)piece->capture * 2];
	end = ends[(size_t)piece->capture * 2 + 1];
	if (start == PCRE2_UNSET || end <= start)
		return SPAN_NONE;
	return span_of(scratch->subject.data + start, end - start);
}

/* Put the pieces of an owner together; one too long to be listed is empty. */
static struct span
assemble(const struct rule_piece *pieces, size_t count,
	 struct rules_scratch *scratch)
{
	size_t len = 0;

	if (count == 1)
		return piece_text(pieces, scratch);
	for (size_t i = 0; i < count; i++) {
		struct span text = piece_text(&pieces[i], scratch);

		if (text.len > sizeof(scratch->owner) - len)
			return SPAN_NONE;
		memcpy(scratch->owner + len, text.data, text.len);
		len += text.len;
	}
	return span_of(scratch->owner, len);
}

bool
rules_owner(const struct rules *rules, struct rules_scratch *scratch, size_t i,
	    enum rule_owner_kind *kind, struct span *owner)
{
	const struct rule_owner *found;

	if (scratch->rule == NULL || i >= scratch->rule->owner_count)
		return false;
	found = &rules->owners.list[scratch->rule->owner_first + i];
	*kind = found->kind;
	*owner = assemble(rules->owners.pieces + found->first, found->count,
			  scratch);
	return true;
}
