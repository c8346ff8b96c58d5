/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/lines.h"
#include "base/memory.h"
#include "rules_internal.h"

#include <stdlib.h>

enum { NO_ITEM = UINT32_MAX };

/* One file on its way to rules. */
struct loader {
	struct rules *rules;
	pcre2_compile_context *context;
	struct rule_place place;
	/* The innermost if that is open; its next is the one around it. */
	uint32_t open;
	/* Blocks inside a broken if, it included, that are open: what stands
	 * in them is checked and left out. */
	size_t broken;
};

/* Say what is wrong where only the words differ. */
static void
complain(const struct loader *loader, enum severity severity, const char *what)
{
	problems_add(loader->place.problems, severity, loader->place.file,
		     loader->place.line, "%s", what);
}

static void
rule_fini(struct rule *rule)
{
	pcre2_code_free(rule->code);
	free(rule->pattern);
	free(rule->literals);
	free(rule->result);
}

/* PCRE2's memory is ours, so that running out of it is one case, not two. */
static void *
allocate(size_t size, void *unused)
{
	(void)unused;
	return memory_try_resize(NULL, size, 1);
}

static void
release(void *block, void *unused)
{
	(void)unused;
	free(block);
}

static pcre2_compile_context *
new_context(void)
{
	pcre2_general_context *general =
	    pcre2_general_context_create(allocate, release, NULL);
	pcre2_compile_context *context;

	if (general == NULL)
		return NULL;
	context = pcre2_compile_context_create(general);
	pcre2_general_context_free(general);
	return context;
}

static enum rule_result
compile_pattern(struct loader *loader, const struct rule_line *line,
		pcre2_code **code)
{
	PCRE2_UCHAR reason[256];
	PCRE2_SIZE offset;
	int number;

	if (line->pattern.len > RULE_PATTERN_MAX) {
		problems_add(loader->place.problems, PROBLEM_ERROR,
			     loader->place.file, loader->place.line,
			     "the pattern is longer than %d bytes: divide it "
			     "among several rules",
			     RULE_PATTERN_MAX);
		return RULE_BAD;
	}
	*code = pcre2_compile((PCRE2_SPTR)line->pattern.data, line->pattern.len,
			      line->options, &number, &offset, loader->context);
	if (*code != NULL)
		return RULE_GOOD;
	if (number == PCRE2_ERROR_HEAP_FAILED)
		return RULE_NO_MEMORY;
	/* A message that is cut, or none, is what there is to say. */
	if (pcre2_get_error_message(number, reason, sizeof(reason)) ==
	    PCRE2_ERROR_BADDATA)
		reason[0] = '\0';
	problems_add(loader->place.problems, PROBLEM_ERROR, loader->place.file,
		     loader->place.line, "the pattern: %s at offset %zu",
		     (const char *)reason, offset);
	return RULE_BAD;
}

/* The captures that a result may name. */
static uint32_t
usable_captures(const struct rule *rule)
{
	uint32_t count = 0;

	/* Neither argument can be wrong. */
	if (!rule->negated)
		(void)pcre2_pattern_info(rule->code, PCRE2_INFO_CAPTURECOUNT,
					 &count);
	return count < RULE_CAPTURE_MAX ? count : RULE_CAPTURE_MAX;
}

/* Compile the result of a rule whose pattern is. */
static enum rule_result
compile_result(struct loader *loader, struct span text, struct rule *rule)
{
	struct rule_owners *owners = &loader->rules->owners;
	enum rule_result result;

	if (text.len == 0)
		complain(loader, PROBLEM_WARNING,
			 "no result: what matches belongs to nobody; write the "
			 "logins behind the pattern");
	rule->result = memory_try_copy(text.data, text.len);
	if (rule->result == NULL)
		return RULE_NO_MEMORY;
	rule->owner_first = (uint32_t)owners->count;
	result = rule_owners_add(owners, span_of(rule->result, text.len),
				 usable_captures(rule), &loader->place);
	rule->owner_count = (uint32_t)owners->count - rule->owner_first;
	return result;
}

/* Compile an if or rule; what it holds is the caller's even where it fails. */
static enum rule_result
compile_rule(struct loader *loader, const struct rule_line *line,
	     struct rule *rule)
{
	enum rule_result result = compile_pattern(loader, line, &rule->code);

	if (result != RULE_GOOD)
		return result;
	rule->options = line->options;
	rule->pattern = memory_try_copy(line->pattern.data, line->pattern.len);
	if (rule->pattern == NULL || !rule_note_facts(rule))
		return RULE_NO_MEMORY;
	if (line->kind == RULE_PLAIN)
		return compile_result(loader, line->rest, rule);
	if (line->rest.len > 0)
		complain(loader, PROBLEM_WARNING,
			 "ignored what stands behind the if: a rule has a "
			 "line of its own, without blanks in front");
	return RULE_GOOD;
}

/* Take a compiled rule or if into the table. */
static enum rule_result
add_rule(struct loader *loader, struct rule *rule)
{
	struct rules *rules = loader->rules;

	if (!memory_try_grow((void **)&rules->list, &rules->room, rules->count,
			     sizeof(*rules->list)))
		return RULE_NO_MEMORY;
	/* Where the system forbids machine code, PCRE2 interprets. */
	rule->jit = pcre2_jit_compile(rule->code, PCRE2_JIT_COMPLETE) == 0;
	rules->compiled_to_jit += rule->jit;
	rule->next = (uint32_t)rules->count + 1;
	if (rule->is_if) {
		rule->next = loader->open;
		loader->open = (uint32_t)rules->count;
	} else {
		rules->results++;
	}
	rules->list[rules->count++] = *rule;
	return RULE_GOOD;
}

/* Drop a rule that has an error or stands in a broken block. */
static void
drop_rule(struct loader *loader, struct rule *rule)
{
	if (rule->owner_count > 0)
		rule_owners_cut(&loader->rules->owners, rule->owner_first);
	rule_fini(rule);
	if (!rule->is_if)
		return;
	if (loader->broken == 0)
		complain(loader, PROBLEM_WARNING,
			 "because of the error in the if, its block up to the "
			 "endif is left out");
	loader->broken++;
}

static void
close_block(struct loader *loader, const struct rule_line *line)
{
	struct rule *block;

	if (line->rest.len > 0)
		complain(loader, PROBLEM_WARNING,
			 "ignored what stands behind the endif");
	if (loader->broken > 0) {
		loader->broken--;
		return;
	}
	if (loader->open == NO_ITEM) {
		complain(loader, PROBLEM_WARNING,
			 "ignored an endif without an if before it");
		return;
	}
	block = &loader->rules->list[loader->open];
	loader->open = block->next;
	block->next = (uint32_t)loader->rules->count;
}

/* Take one logical line; false where there is no memory. */
static bool
load_line(struct loader *loader, struct span text)
{
	struct rule rule = {.line = loader->place.line};
	struct rule_line line;
	enum rule_result result = RULE_BAD;
	bool parsed = rule_line_parse(text, &loader->place, &line);
	bool wanted;

	if (parsed && line.kind == RULE_ENDIF) {
		close_block(loader, &line);
		return true;
	}
	rule.is_if = line.kind == RULE_IF;
	rule.negated = line.negated;
	if (parsed)
		result = compile_rule(loader, &line, &rule);
	wanted = result == RULE_GOOD && loader->broken == 0;
	if (wanted)
		result = add_rule(loader, &rule);
	if (!wanted || result != RULE_GOOD)
		drop_rule(loader, &rule);
	return result != RULE_NO_MEMORY;
}

/* Let blocks that were not closed end with the file. */
static void
close_file(struct loader *loader)
{
	struct rules *rules = loader->rules;

	while (loader->open != NO_ITEM) {
		struct rule *block = &rules->list[loader->open];

		loader->place.line = block->line;
		complain(loader, PROBLEM_WARNING,
			 "the if has no endif: its block ends with the file");
		loader->open = block->next;
		block->next = (uint32_t)rules->count;
	}
}

static bool
load_lines(struct loader *loader, char *content, size_t len)
{
	struct lines lines;
	struct span line;

	/* So that every count fits 32 bits. */
	if (len > UINT32_MAX) {
		problems_add(loader->place.problems, PROBLEM_REFUSAL,
			     loader->place.file, 0,
			     "the file is larger than 4 GiB");
		return true;
	}
	lines_init(&lines, content, len, loader->place.file,
		   loader->place.problems);
	while (lines_next(&lines, &line, &loader->place.line))
		if (!load_line(loader, line))
			return false;
	close_file(loader);
	return true;
}

struct rules *
rules_load(const char *file, char *content, size_t len,
	   struct problems *problems)
{
	struct loader loader = {
	    .rules = memory_try_zero(1, sizeof(struct rules)),
	    .context = new_context(),
	    .place = {.file = file, .problems = problems},
	    .open = NO_ITEM,
	};

	if (loader.rules == NULL || loader.context == NULL ||
	    !load_lines(&loader, content, len) ||
	    !rule_index_build(loader.rules)) {
		rules_free(loader.rules);
		loader.rules = NULL;
	}
	pcre2_compile_context_free(loader.context);
	return loader.rules;
}

void
rules_free(struct rules *rules)
{
	if (rules == NULL)
		return;
	for (size_t i = 0; i < rules->count; i++)
		rule_fini(&rules->list[i]);
	rule_owners_fini(&rules->owners);
	rule_index_fini(&rules->index);
	free(rules->list);
	free(rules);
}

size_t
rules_count(const struct rules *rules)
{
	return rules->results;
}

bool
rules_have_jit(const struct rules *rules)
{
	return rules->count == 0 || rules->compiled_to_jit > 0;
}
