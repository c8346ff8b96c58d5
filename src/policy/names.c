/* SPDX-License-Identifier: BSD-2-Clause */
#include "names.h"
#include "base/memory.h"

#include <stdlib.h>

enum { PART_MIN = 16 }; /* slots */

/* How a name lies in the pool: this, not aligned, then its local part. */
struct __attribute__((packed)) record {
	uint32_t domain;
	uint16_t len;
	uint8_t bits; /* its kind, and above that what is known of it */
};

enum { KIND_BITS = 3, KIND = (1 << KIND_BITS) - 1 };

_Static_assert(sizeof(struct record) == 7, "there are millions of them");

_Static_assert(PATTERN_KINDS <= 1 << KIND_BITS, "the bits hold a kind");
_Static_assert(NAME_TARGET << KIND_BITS <= UINT8_MAX, "and the rest");

static enum pattern_kind
kind_of(const struct record *record)
{
	return (enum pattern_kind)(record->bits & KIND);
}

static struct record
record_at(const struct names *names, grant_name name)
{
	struct record record;

	memcpy(&record, pool_at(&names->pool, name), sizeof(record));
	return record;
}

static struct span
local_at(const struct names *names, grant_name name, size_t len)
{
	return span_of(pool_at(&names->pool, name) + sizeof(struct record),
		       len);
}

/* Divide a pattern's text; *has_domain tells whether it has such a part. */
static struct span
divide(enum pattern_kind kind, struct span text, struct span *domain,
       bool *has_domain)
{
	const char *at;

	*has_domain = true;
	*domain = text;
	switch (kind) {
	case PATTERN_DOMAIN:
	case PATTERN_SUBDOMAINS:
	case PATTERN_OWN_AT:
		return SPAN_NONE;
	default:
		at = text.len > 0 ? memrchr(text.data, '@', text.len) : NULL;
		*has_domain = at != NULL;
		if (at == NULL)
			return text;
		*domain = span_from(text, (size_t)(at - text.data) + 1);
		return span_of(text.data, (size_t)(at - text.data));
	}
}

/* Hash a pattern; its kind, which no stranger can choose, is part of the hash's
 * own key. */
static uint32_t
hash_of(const struct names *names, enum pattern_kind kind, struct span text)
{
	const struct hash_key own = {names->key.k0,
				     names->key.k1 ^ (uint64_t)kind};

	return (uint32_t)(hash_bytes(&own, text.data, text.len) >> 32);
}

/* Is that the name of a key with that domain? */
static bool
has_key(const struct names *names, grant_name name, const struct name_key *key,
	uint32_t domain)
{
	struct record record = record_at(names, name);

	return record.len == key->local.len && record.domain == domain &&
	       kind_of(&record) == key->kind &&
	       span_equal(local_at(names, name, record.len), key->local);
}

/* Does a name spell that pattern? No domain has a '@', so that the same text
 * is divided at the same place. */
static bool
spells(const struct names *names, grant_name name, enum pattern_kind kind,
       struct span text)
{
	struct record record = record_at(names, name);

	if (kind_of(&record) != kind || record.len > text.len ||
	    memcmp(text.data, pool_at(&names->pool, name) + sizeof(record),
		   record.len) != 0)
		return false;
	text = span_from(text, record.len);
	if (record.domain == 0)
		return text.len == 0;
	if (kind == PATTERN_ADDRESS) {
		if (text.len == 0 || text.data[0] != '@')
			return false;
		text = span_from(text, 1);
	}
	return span_equal(texts_at(&names->domains, record.domain), text);
}

static size_t
part_number(uint32_t hash)
{
	return hash >> (32 - NAME_PART_BITS);
}

static const struct name_part *
part_of(const struct names *names, uint32_t hash)
{
	return &names->parts[part_number(hash)];
}

/* Where the search for a hash begins in its part. */
static size_t
first_slot(const struct name_part *part, uint32_t hash)
{
	return slot_of(hash << NAME_PART_BITS, part->size);
}

/* The slot of a key with that domain in its part, or the free one where it
 * would be. */
static struct name_slot *
find_slot(const struct names *names, const struct name_part *part,
	  const struct name_key *key, uint32_t domain)
{
	size_t i = first_slot(part, key->hash);

	for (;;) {
		struct name_slot *slot = &part->slots[i];

		if (slot->name == 0 ||
		    (slot->hash == key->hash &&
		     has_key(names, slot->name, key, domain)))
			return slot;
		if (++i == part->size)
			i = 0;
	}
}

/* Slots for so many names: a quarter more, and a little, as a guess may be low
 * and parts differ. */
static size_t
room_for(size_t count)
{
	return count + count / 4 + count / 16 + 1;
}

/* Give a part another size; it has to be more than it holds. */
static bool
resize(struct name_part *part, size_t size)
{
	struct name_part grown = {.size = size, .count = part->count};

	grown.slots = memory_try_zero(grown.size, sizeof(*grown.slots));
	if (grown.slots == NULL)
		return false;
	for (size_t k = 0; k < part->size; k++) {
		size_t i = first_slot(&grown, part->slots[k].hash);

		if (part->slots[k].name == 0)
			continue;
		while (grown.slots[i].name != 0)
			if (++i == grown.size)
				i = 0;
		grown.slots[i] = part->slots[k];
	}
	free(part->slots);
	*part = grown;
	return true;
}

void
names_init(struct names *names)
{
	*names = (struct names){0};
	pool_init(&names->pool);
	texts_init(&names->domains);
	hash_key_random(&names->key);
}

void
names_fini(struct names *names)
{
	pool_fini(&names->pool);
	texts_fini(&names->domains);
	for (size_t i = 0; i < NAME_PARTS; i++)
		free(names->parts[i].slots);
}

void
names_reserve(struct names *names, size_t more)
{
	size_t size = room_for((names->count + more) / NAME_PARTS);

	for (size_t i = 0; i < NAME_PARTS; i++)
		if (names->parts[i].size < size)
			(void)resize(&names->parts[i], size);
}

void
names_make_key(struct names *names, const struct pattern *pattern,
	       struct name_key *key)
{
	const struct name_part *part;

	*key = (struct name_key){.kind = pattern->kind};
	key->local = divide(pattern->kind, pattern->text, &key->domain,
			    &key->has_domain);
	if (key->has_domain)
		key->domain_tag = texts_tag(&names->domains, key->domain,
					    &names->last_domain);
	key->hash = hash_of(names, pattern->kind, pattern->text);
	part = part_of(names, key->hash);
	if (part->size > 0)
		__builtin_prefetch(&part->slots[first_slot(part, key->hash)]);
}

void
names_expect(const struct names *names, const struct name_key *key)
{
	if (key->has_domain)
		texts_expect_tagged(&names->domains, key->domain_tag);
}

grant_name
names_add(struct names *names, const struct name_key *key)
{
	struct record record = {.len = (uint16_t)key->local.len,
				.bits = (uint8_t)key->kind};
	struct name_part *part = &names->parts[part_number(key->hash)];
	struct name_slot *slot;
	char *place;

	if (key->has_domain) {
		record.domain =
		    texts_add(&names->domains, key->domain, key->domain_tag);
		if (record.domain == 0)
			return 0;
	}
	if (part->count + part->count / 4 >= part->size &&
	    !resize(part, part->size == 0 ? PART_MIN : part->size * 2))
		return 0;
	slot = find_slot(names, part, key, record.domain);
	if (slot->name != 0)
		return slot->name;
	slot->name =
	    pool_add(&names->pool, sizeof(record) + record.len, &place);
	if (slot->name == 0)
		return 0;
	memcpy(place, &record, sizeof(record));
	memcpy(place + sizeof(record), key->local.data, record.len);
	slot->hash = key->hash;
	part->count++;
	names->count++;
	names->kinds[key->kind]++;
	return slot->name;
}

bool
names_seal(struct names *names)
{
	for (size_t i = 0; i < NAME_PARTS; i++) {
		struct name_part *part = &names->parts[i];
		size_t size = room_for(part->count);

		/* Growing by doubling may have gone far; and none is empty,
		 * so that a search ends. */
		if (part->size > size + size / 8 || part->size == 0)
			if (!resize(part, size))
				return false;
	}
	return true;
}

/* Step from slot i to the first that is of a hash or free. */
static grant_name
next_candidate(const struct name_part *part, uint32_t hash, size_t *i)
{
	for (;;) {
		const struct name_slot *slot = &part->slots[*i];

		if (slot->name == 0 || slot->hash == hash)
			return slot->name;
		if (++*i == part->size)
			*i = 0;
	}
}

/* The name of a pattern with that hash, or 0. */
static grant_name
find_name(const struct names *names, uint32_t hash, enum pattern_kind kind,
	  struct span text)
{
	const struct name_part *part = part_of(names, hash);
	size_t i = first_slot(part, hash);
	grant_name name;

	while ((name = next_candidate(part, hash, &i)) != 0 &&
	       !spells(names, name, kind, text))
		if (++i == part->size)
			i = 0;
	return name;
}

grant_name
names_find(const struct names *names, enum pattern_kind kind, struct span text)
{
	if (names->kinds[kind] == 0)
		return 0;
	return find_name(names, hash_of(names, kind, text), kind, text);
}

void
names_ask(const struct names *names, struct span address, struct name_ask *ask)
{
	const struct name_part *part;

	ask->address = address;
	ask->guess = 0;
	ask->hash = hash_of(names, PATTERN_ADDRESS, address);
	part = part_of(names, ask->hash);
	__builtin_prefetch(&part->slots[first_slot(part, ask->hash)]);
}

grant_name
names_expect_answer(const struct names *names, struct name_ask *ask)
{
	const struct name_part *part = part_of(names, ask->hash);
	size_t i = first_slot(part, ask->hash);

	if (ask->guess != 0) {
		texts_expect(&names->domains,
			     record_at(names, ask->guess).domain);
		return 0;
	}
	ask->guess = next_candidate(part, ask->hash, &i);
	if (ask->guess != 0)
		__builtin_prefetch(pool_at(&names->pool, ask->guess));
	return ask->guess;
}

grant_name
names_answer(const struct names *names, const struct name_ask *ask)
{
	return find_name(names, ask->hash, PATTERN_ADDRESS, ask->address);
}

enum pattern_kind
names_kind(const struct names *names, grant_name name)
{
	const struct record record = record_at(names, name);

	return kind_of(&record);
}

struct pattern
names_pattern(const struct names *names, grant_name name,
	      struct name_text *text)
{
	struct record record = record_at(names, name);
	struct pattern pattern = {kind_of(&record), SPAN_NONE};
	struct span domain;

	pattern.text = local_at(names, name, record.len);
	if (record.domain == 0)
		return pattern;
	domain = texts_at(&names->domains, record.domain);
	if (pattern.kind != PATTERN_ADDRESS) {
		pattern.text = domain;
		return pattern;
	}
	memcpy(text->bytes, pattern.text.data, record.len);
	text->bytes[record.len] = '@';
	memcpy(text->bytes + record.len + 1, domain.data, domain.len);
	pattern.text = span_of(text->bytes, record.len + 1U + domain.len);
	return pattern;
}

unsigned
names_about(const struct names *names, grant_name name)
{
	return record_at(names, name).bits >> KIND_BITS;
}

void
names_mark(struct names *names, grant_name name, unsigned about)
{
	char *place = names->pool.chunks[name >> POOL_CHUNK_BITS] +
		      (name & (POOL_CHUNK - 1));

	/* That byte alone: the record may just have been written. */
	place[offsetof(struct record, bits)] |= (char)(about << KIND_BITS);
}

bool
names_each(const struct names *names, bool (*visit)(void *arg, grant_name name),
	   void *arg)
{
	for (size_t i = 0; i < NAME_PARTS; i++)
		for (size_t k = 0; k < names->parts[i].size; k++) {
			grant_name name = names->parts[i].slots[k].name;

			if (name != 0 && !visit(arg, name))
				return false;
		}
	return true;
}

size_t
names_memory(const struct names *names)
{
	size_t size = pool_size(&names->pool) + texts_memory(&names->domains);

	for (size_t i = 0; i < NAME_PARTS; i++)
		size += names->parts[i].size * sizeof(struct name_slot);
	return size;
}
