/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a pcre: map, and senders to match it with: a line "=====" parts
 * them. However odd a sender is, it changes neither how many owners a rule has
 * nor what kind they are, and asked twice it gets the same answer.
 */
#include "base/buffer.h"
#include "base/memory.h"
#include "maps/rules.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SUBJECTS_MAX = 16, OWNERS_MAX = 256 };

static void
check(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

/* How many owners the rules have that stand in a line, and of which kinds. */
static size_t
written_owners(const struct rules *rules, uint32_t line,
	       enum rule_owner_kind kinds[OWNERS_MAX])
{
	struct rule_info info;
	struct buffer text = {0};
	size_t count = 0;
	size_t i = 0;

	while (rules_describe(rules, i, &info) && info.line != line)
		i++;
	check(info.line == line, "a rule of no line");
	while (count < OWNERS_MAX &&
	       rules_describe_owner(rules, i, count, 'x', &kinds[count], &text))
		count++;
	buffer_fini(&text);
	return count;
}

/* Look one subject up and hold the answer against the rule. */
static enum rules_result
look_up(const struct rules *rules, struct rules_scratch *scratch,
	struct span subject, uint32_t *line)
{
	enum rule_owner_kind kinds[OWNERS_MAX];
	enum rule_owner_kind kind;
	enum rules_result result;
	struct span owner;
	size_t wanted;
	size_t count = 0;

	rules_begin(scratch, 10000, 1000000);
	result = rules_lookup(rules, scratch, subject, line);
	if (result != RULES_HIT) {
		check(!rules_owner(rules, scratch, 0, &kind, &owner),
		      "an owner without a match");
		return result;
	}
	wanted = written_owners(rules, *line, kinds);
	while (rules_owner(rules, scratch, count, &kind, &owner)) {
		/* No more than those were written down. */
		check(count >= OWNERS_MAX ||
			  (count < wanted && kind == kinds[count]),
		      "an owner that the rule does not have");
		check(owner.len <= 4096, "an owner without a bound");
		count++;
	}
	check(count == wanted || (wanted == OWNERS_MAX && count > wanted),
	      "an owner is lost");
	return result;
}

static void
check_subjects(const struct rules *rules, struct span subjects)
{
	static struct rules_scratch *scratch;

	if (scratch == NULL)
		scratch = rules_scratch_new();
	for (size_t i = 0; i < SUBJECTS_MAX && subjects.len > 0; i++) {
		const char *end = memchr(subjects.data, '\n', subjects.len);
		size_t len =
		    end == NULL ? subjects.len : (size_t)(end - subjects.data);
		struct span subject = span_of(subjects.data, len);
		uint32_t first = 0;
		uint32_t second = 0;
		enum rules_result result =
		    look_up(rules, scratch, subject, &first);

		check(look_up(rules, scratch, subject, &second) == result &&
			  first == second,
		      "another answer to the same question");
		subjects = span_from(subjects, end == NULL ? len : len + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "=====\n";
	struct problems problems;
	char *content = memory_copy((const char *)data, size);
	char *middle = memmem(content, size, mark, sizeof(mark) - 1);
	size_t len = middle == NULL ? size : (size_t)(middle - content);
	struct rules *rules;

	problems_init(&problems);
	/* The loader may write into what it reads. */
	rules = rules_load("map", content, len, &problems);
	check(rules != NULL, "no memory");
	for (size_t i = 0; i < problems.count; i++)
		check(problems.list[i].text[0] != '\0' &&
			  problems.list[i].line > 0,
		      "a problem without a line or reason");
	if (middle != NULL)
		check_subjects(rules, span_of(middle + sizeof(mark) - 1,
					      size - len - (sizeof(mark) - 1)));
	rules_free(rules);
	problems_fini(&problems);
	free(content);
	return 0;
}
