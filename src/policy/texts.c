/* SPDX-License-Identifier: BSD-2-Clause */
#include "texts.h"
#include "base/memory.h"

#include <stdlib.h>

void
texts_init(struct texts *texts)
{
	*texts = (struct texts){0};
	pool_init(&texts->pool);
	hash_key_random(&texts->key);
}

void
texts_fini(struct texts *texts)
{
	pool_fini(&texts->pool);
	free(texts->slots);
	texts->slots = NULL;
}

struct span
texts_at(const struct texts *texts, uint32_t text)
{
	const char *place = pool_at(&texts->pool, text);
	uint16_t len;

	memcpy(&len, place, sizeof(len));
	return span_of(place + sizeof(len), len);
}

void
texts_expect(const struct texts *texts, uint32_t text)
{
	if (text != 0)
		__builtin_prefetch(pool_at(&texts->pool, text));
}

static uint32_t
tag_of(const struct texts *texts, struct span text)
{
	return (uint32_t)(hash_bytes(&texts->key, text.data, text.len) >> 32);
}

/* The slot of a text, or the free one where it would be. */
static struct text_slot *
find_slot(const struct texts *texts, uint32_t tag, struct span text)
{
	size_t i = slot_of(tag, texts->size);

	for (;;) {
		struct text_slot *slot = &texts->slots[i];

		if (slot->text == 0 ||
		    (slot->tag == tag &&
		     span_equal(texts_at(texts, slot->text), text)))
			return slot;
		if (++i == texts->size)
			i = 0;
	}
}

/* Make the table twice as large. */
static bool
grow(struct texts *texts)
{
	size_t size = texts->size == 0 ? 16 : texts->size * 2;
	struct text_slot *slots = memory_try_zero(size, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (size_t k = 0; k < texts->size; k++) {
		size_t i = slot_of(texts->slots[k].tag, size);

		if (texts->slots[k].text == 0)
			continue;
		while (slots[i].text != 0)
			if (++i == size)
				i = 0;
		slots[i] = texts->slots[k];
	}
	free(texts->slots);
	texts->slots = slots;
	texts->size = size;
	return true;
}

/* Put a text into the pool and its slot. */
static uint32_t
store(struct texts *texts, struct text_slot *slot, uint32_t tag,
      struct span text)
{
	const uint16_t len = (uint16_t)text.len;
	char *place;

	slot->text = pool_add(&texts->pool, sizeof(len) + len, &place);
	if (slot->text == 0)
		return 0;
	slot->tag = tag;
	memcpy(place, &len, sizeof(len));
	memcpy(place + sizeof(len), text.data, len);
	texts->count++;
	return slot->text;
}

uint32_t
texts_tag(const struct texts *texts, struct span text, struct text_memo *memo)
{
	if (memo->len > 0 && span_equal(span_of(memo->text, memo->len), text))
		return memo->tag;
	memo->tag = tag_of(texts, text);
	memo->len = text.len <= TEXT_MEMO_MAX ? text.len : 0;
	memcpy(memo->text, text.data, memo->len);
	if (texts->size > 0)
		__builtin_prefetch(
		    &texts->slots[slot_of(memo->tag, texts->size)]);
	return memo->tag;
}

void
texts_expect_tagged(const struct texts *texts, uint32_t tag)
{
	size_t i = slot_of(tag, texts->size);

	if (texts->size == 0)
		return;
	while (texts->slots[i].text != 0 && texts->slots[i].tag != tag)
		if (++i == texts->size)
			i = 0;
	texts_expect(texts, texts->slots[i].text);
}

uint32_t
texts_add(struct texts *texts, struct span text, uint32_t tag)
{
	struct text_slot *slot;

	if (texts->last != 0 && span_equal(texts_at(texts, texts->last), text))
		return texts->last;
	if (texts->count + texts->count / 4 >= texts->size && !grow(texts))
		return 0;
	slot = find_slot(texts, tag, text);
	texts->last =
	    slot->text != 0 ? slot->text : store(texts, slot, tag, text);
	return texts->last;
}

size_t
texts_memory(const struct texts *texts)
{
	return pool_size(&texts->pool) + texts->size * sizeof(*texts->slots);
}
