/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules that a sender cannot match cost nothing. A rule whose pattern ends in
 * "@" and a literal domain is found by that domain, in a hash of buckets; only
 * the others are tried for every sender, and of these only those whose
 * literal end and certain bytes the sender has. Items are always met in the
 * order of the file. An if stays among the others, since what is in its block
 * must not be met where it does not hold; so does a negated rule, which holds
 * where its pattern does not match.
 */
#include "base/memory.h"
#include "rules_internal.h"
#include "rules_pattern.h"

#include <stdlib.h>

/* Ask PCRE2 for a byte that every match has; -1 where it knows none. */
static int16_t
certain_byte(const pcre2_code *code)
{
	uint32_t type = 0;
	uint32_t unit = 0;

	/* Neither argument can be wrong. */
	(void)pcre2_pattern_info(code, PCRE2_INFO_LASTCODETYPE, &type);
	if (type != 1)
		return -1;
	(void)pcre2_pattern_info(code, PCRE2_INFO_LASTCODEUNIT, &unit);
	return (unsigned char)byte_lower((char)unit);
}

bool
rule_note_facts(struct rule *rule)
{
	struct pattern_facts facts;

	pattern_look(span_text(rule->pattern), rule->options, &facts);
	rule->literals =
	    memory_try_zero(1, facts.head_len + facts.tail_len + 1);
	if (rule->literals == NULL)
		return false;
	memcpy(rule->literals, facts.head, facts.head_len);
	memcpy(rule->literals + facts.head_len, facts.tail, facts.tail_len);
	rule->head = span_of(rule->literals, facts.head_len);
	rule->tail = span_of(rule->literals + facts.head_len, facts.tail_len);
	rule->last = certain_byte(rule->code);
	rule->pairs = facts.pairs;
	rule->local_min = (int16_t)facts.local_min;
	return true;
}

/* The domain that a rule is found by; empty: it is tried always. */
static struct span
indexed_domain(const struct rule *rule)
{
	const char *at = memrchr(rule->tail.data, '@', rule->tail.len);

	if (at == NULL || rule->is_if || rule->negated)
		return SPAN_NONE;
	return span_from(rule->tail, (size_t)(at - rule->tail.data) + 1);
}

/* The bucket of a domain, which is in lower case. */
static size_t
bucket_of(const struct rule_index *index, struct span domain)
{
	return hash_bytes(&index->key, domain.data, domain.len) &
	       (index->buckets - 1);
}

/* Count the items of each bucket into starts, one place further. */
static void
count_items(struct rules *rules)
{
	struct rule_index *index = &rules->index;

	for (size_t i = 0; i < rules->count; i++) {
		struct span domain = indexed_domain(&rules->list[i]);

		if (domain.len > 0)
			index->starts[bucket_of(index, domain) + 1]++;
	}
	for (size_t i = 0; i < index->buckets; i++)
		index->starts[i + 1] += index->starts[i];
}

/* What an if leads to, and a negated rule, is wanted where they do not match:
 * they are met whatever the subject has. */
static void
add_always(struct rule_index *index, const struct rule *rule, uint32_t number)
{
	index->pairs[index->always_count] =
	    rule->is_if || rule->negated ? 0 : rule->pairs;
	index->always[index->always_count++] = number;
}

/* Put every item where it belongs; used counts what is in each bucket. */
static void
place_items(struct rules *rules, uint32_t *used)
{
	struct rule_index *index = &rules->index;

	for (size_t i = 0; i < rules->count; i++) {
		struct span domain = indexed_domain(&rules->list[i]);
		size_t bucket;

		if (domain.len == 0) {
			add_always(index, &rules->list[i], (uint32_t)i);
			continue;
		}
		bucket = bucket_of(index, domain);
		index->items[index->starts[bucket] + used[bucket]++] =
		    (uint32_t)i;
	}
}

bool
rule_index_build(struct rules *rules)
{
	struct rule_index *index = &rules->index;
	uint32_t *used;

	hash_key_random(&index->key);
	for (index->buckets = 1; index->buckets < rules->count;)
		index->buckets *= 2;
	index->always = memory_try_zero(rules->count, sizeof(uint32_t));
	index->pairs = memory_try_zero(rules->count, sizeof(uint64_t));
	index->items = memory_try_zero(rules->count, sizeof(uint32_t));
	index->starts = memory_try_zero(index->buckets + 1, sizeof(uint32_t));
	used = memory_try_zero(index->buckets, sizeof(uint32_t));
	if (index->always == NULL || index->pairs == NULL ||
	    index->items == NULL || index->starts == NULL || used == NULL) {
		free(used);
		return false;
	}
	count_items(rules);
	place_items(rules, used);
	free(used);
	return true;
}

void
rule_index_fini(struct rule_index *index)
{
	free(index->always);
	free(index->pairs);
	free(index->items);
	free(index->starts);
}

/* Find the items of the subject's domain. */
static void
find_own(struct rule_subject *subject, const struct rules *rules)
{
	const struct rule_index *index = &rules->index;
	char domain[PATTERN_TAIL_MAX];
	const char *at = memrchr(subject->text.data, '@', subject->text.len);
	struct span raw;
	size_t bucket;

	subject->own = subject->own_end = index->items;
	if (at == NULL || index->always_count == rules->count)
		return;
	raw = span_from(subject->text, (size_t)(at - subject->text.data) + 1);
	if (raw.len > sizeof(domain))
		return; /* longer than any tail */
	for (size_t i = 0; i < raw.len; i++)
		domain[i] = byte_lower(raw.data[i]);
	bucket = bucket_of(index, span_of(domain, raw.len));
	subject->own = index->items + index->starts[bucket];
	subject->own_end = index->items + index->starts[bucket + 1];
}

/* Note which bytes and pairs a subject has. */
static void
note_bytes(struct rule_subject *subject)
{
	char before = '\0';

	for (size_t i = 0; i < subject->text.len; i++) {
		char c = byte_lower(subject->text.data[i]);
		unsigned char byte = (unsigned char)c;

		subject->bytes[byte / 64] |= (uint64_t)1 << (byte % 64);
		subject->pairs |= pair_bit(before, c);
		before = c;
	}
}

void
rule_subject_init(struct rule_subject *subject, const struct rules *rules,
		  struct span text)
{
	memset(subject, 0, sizeof(*subject));
	subject->text = text;
	/* Of items that their domain finds, the literals say enough. */
	if (rules->index.always_count > 0)
		note_bytes(subject);
	else
		memset(subject->bytes, 0xff, sizeof(subject->bytes));
	subject->plain = memchr(text.data, '\n', text.len) == NULL;
	if (subject->plain)
		find_own(subject, rules);
}

/* Step over the items that no domain names, as far as they stand before first
 * or need what the subject has not got. */
static void
skip_always(struct rule_subject *subject, const struct rule_index *index,
	    size_t first)
{
	size_t i = subject->always;

	while (i < index->always_count && (index->always[i] < first ||
					   (index->pairs[i] & ~subject->pairs)))
		i++;
	subject->always = i;
}

size_t
rule_subject_next(struct rule_subject *subject, const struct rules *rules,
		  size_t first)
{
	const struct rule_index *index = &rules->index;
	size_t always = rules->count;

	/* '$' holds before a last newline as well: then tails say nothing. */
	if (!subject->plain)
		return first;
	while (subject->own < subject->own_end && *subject->own < first)
		subject->own++;
	skip_always(subject, index, first);
	if (subject->always < index->always_count)
		always = index->always[subject->always];
	return subject->own < subject->own_end && *subject->own < always
		   ? *subject->own
		   : always;
}

/* Is the literal, which is in lower case, what text is in any case? */
static bool
is_literal(const char *text, struct span literal)
{
	for (size_t i = 0; i < literal.len; i++)
		if (byte_lower(text[i]) != literal.data[i])
			return false;
	return true;
}

bool
rule_can_match(const struct rule *rule, const struct rule_subject *subject)
{
	struct span text = subject->text;

	if (rule->last >= 0 &&
	    (subject->bytes[rule->last / 64] >> (rule->last % 64) & 1) == 0)
		return false;
	if (!subject->plain)
		return true;
	return text.len >= rule->head.len && text.len >= rule->tail.len &&
	       is_literal(text.data, rule->head) &&
	       is_literal(text.data + text.len - rule->tail.len, rule->tail);
}
