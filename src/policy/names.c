/* SPDX-License-Identifier: BSD-2-Clause */
#include "names.h"
#include "base/memory.h"

#include <stdlib.h>

/* How a name lies in the pool: this, not aligned, then its text. */
struct record {
	uint16_t len;
	uint8_t kind;
	uint8_t about;
};

static struct record
record_at(const struct names *names, grant_name name)
{
	struct record record;

	memcpy(&record, pool_at(&names->pool, name), sizeof(record));
	return record;
}

static uint32_t
tag_of(const struct names *names, enum pattern_kind kind, struct span text)
{
	uint64_t hash = hash_bytes(&names->key, text.data, text.len);

	return (uint32_t)(hash >> 32) ^ ((uint32_t)kind * 0x9e3779b1U);
}

static bool
is_name(const struct names *names, grant_name name, enum pattern_kind kind,
	struct span text)
{
	const char *place = pool_at(&names->pool, name);
	struct record record;

	memcpy(&record, place, sizeof(record));
	return record.len == text.len && record.kind == kind &&
	       memcmp(place + sizeof(record), text.data, text.len) == 0;
}

/* The slot of a pattern, or the free one where it would be. */
static struct name_slot *
find_slot(const struct names *names, uint32_t tag, enum pattern_kind kind,
	  struct span text)
{
	size_t i = slot_of(tag, names->size);

	for (;;) {
		struct name_slot *slot = &names->slots[i];

		if (slot->name == 0 || (slot->tag == tag &&
					is_name(names, slot->name, kind, text)))
			return slot;
		if (++i == names->size)
			i = 0;
	}
}

/* Give the table another size; it has to be more than count. */
static bool
resize(struct names *names, size_t size)
{
	struct name_slot *slots = memory_try_zero(size, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (size_t k = 0; k < names->size; k++) {
		size_t i = slot_of(names->slots[k].tag, size);

		if (names->slots[k].name == 0)
			continue;
		while (slots[i].name != 0)
			if (++i == size)
				i = 0;
		slots[i] = names->slots[k];
	}
	free(names->slots);
	names->slots = slots;
	names->size = size;
	return true;
}

void
names_init(struct names *names)
{
	*names = (struct names){0};
	pool_init(&names->pool);
	hash_key_random(&names->key);
}

void
names_fini(struct names *names)
{
	pool_fini(&names->pool);
	free(names->slots);
	names->slots = NULL;
}

uint32_t
names_expect(const struct names *names, const struct pattern *pattern)
{
	uint32_t tag = tag_of(names, pattern->kind, pattern->text);

	if (names->size > 0)
		__builtin_prefetch(&names->slots[slot_of(tag, names->size)]);
	return tag;
}

grant_name
names_add(struct names *names, const struct pattern *pattern, uint32_t tag)
{
	struct record record = {.len = (uint16_t)pattern->text.len,
				.kind = (uint8_t)pattern->kind};
	struct name_slot *slot;
	char *place;

	if (names->count + names->count / 4 >= names->size &&
	    !resize(names, names->size == 0 ? 64 : names->size * 2))
		return 0;
	slot = find_slot(names, tag, pattern->kind, pattern->text);
	if (slot->name != 0)
		return slot->name;
	slot->name =
	    pool_add(&names->pool, sizeof(record) + record.len, &place);
	if (slot->name == 0)
		return 0;
	memcpy(place, &record, sizeof(record));
	memcpy(place + sizeof(record), pattern->text.data, record.len);
	slot->tag = tag;
	names->count++;
	names->kinds[pattern->kind]++;
	return slot->name;
}

grant_name
names_find(const struct names *names, enum pattern_kind kind, struct span text)
{
	if (names->kinds[kind] == 0)
		return 0;
	return find_slot(names, tag_of(names, kind, text), kind, text)->name;
}

bool
names_seal(struct names *names)
{
	size_t wanted = names->count + names->count / 4 + 1;

	/* To copy it is not worth a small gain. */
	return wanted + wanted / 4 >= names->size || resize(names, wanted);
}

struct pattern
names_pattern(const struct names *names, grant_name name)
{
	struct record record = record_at(names, name);

	return (struct pattern){
	    (enum pattern_kind)record.kind,
	    span_of(pool_at(&names->pool, name) + sizeof(record), record.len)};
}

unsigned
names_about(const struct names *names, grant_name name)
{
	return record_at(names, name).about;
}

void
names_mark(struct names *names, grant_name name, unsigned about)
{
	char *place = names->pool.chunks[name >> POOL_CHUNK_BITS] +
		      (name & (POOL_CHUNK - 1));
	struct record record = record_at(names, name);

	record.about |= (uint8_t)about;
	memcpy(place, &record, sizeof(record));
}

size_t
names_memory(const struct names *names)
{
	return pool_size(&names->pool) + names->size * sizeof(*names->slots);
}
