/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/grants.h"
#include "base/memory.h"
#include "names.h"

#include <stdlib.h>

/* One grant or denial. left is 0 in a free slot. */
struct grant {
	grant_name left;
	grant_name right;
	uint32_t line;
	uint16_t map;
	uint16_t denial;
};

struct grants {
	struct names names;
	struct hash_key key; /* of the table of grants */
	struct grant *slots;
	size_t size; /* of slots */
	size_t count;
	struct grant_edge *edges; /* sorted by from, once sealed */
	size_t edge_count;
	size_t edge_room;
	size_t accounts;
	/* How many there are by the kinds of both sides and denial. */
	size_t kinds[PATTERN_KINDS][PATTERN_KINDS][2];
};

/*
 * Mix two names, which no stranger can choose: they count up in the order of
 * the maps. The key keeps apart what an unlucky order would bring together.
 */
static uint32_t
hash_pair(const struct grants *grants, grant_name left, grant_name right,
	  bool denial)
{
	uint64_t x = (((uint64_t)left << 32) | right) ^ grants->key.k0;

	x += denial ? grants->key.k1 : 0;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93U;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93U;
	return (uint32_t)(x >> 32);
}

/* The slot of a grant, or the free one where it would be. */
static struct grant *
find_slot(const struct grants *grants, grant_name left, grant_name right,
	  bool denial)
{
	size_t i =
	    slot_of(hash_pair(grants, left, right, denial), grants->size);

	for (;;) {
		struct grant *slot = &grants->slots[i];

		if (slot->left == 0 ||
		    (slot->left == left && slot->right == right &&
		     slot->denial == denial))
			return slot;
		if (++i == grants->size)
			i = 0;
	}
}

/* Give the table another size; it has to be more than count. */
static bool
resize(struct grants *grants, size_t size)
{
	struct grant *old = grants->slots;
	size_t old_size = grants->size;
	struct grant *slots = memory_try_zero(size, sizeof(*slots));

	if (slots == NULL)
		return false;
	grants->slots = slots;
	grants->size = size;
	for (size_t i = 0; i < old_size; i++)
		if (old[i].left != 0)
			*find_slot(grants, old[i].left, old[i].right,
				   old[i].denial) = old[i];
	free(old);
	return true;
}

struct grants *
grants_new(void)
{
	struct grants *grants = memory_try_zero(1, sizeof(*grants));

	if (grants == NULL)
		return NULL;
	names_init(&grants->names);
	hash_key_random(&grants->key);
	return grants;
}

void
grants_free(struct grants *grants)
{
	if (grants == NULL)
		return;
	names_fini(&grants->names);
	free(grants->slots);
	free(grants->edges);
	free(grants);
}

static bool
add_grant(struct grants *grants, const struct map_entry *entry, uint16_t map)
{
	grant_name left = names_add(&grants->names, &entry->left);
	grant_name right = names_add(&grants->names, &entry->right);
	struct grant *slot;

	if (left == 0 || right == 0)
		return false;
	if (grants->count + grants->count / 4 >= grants->size &&
	    !resize(grants, grants->size == 0 ? 64 : grants->size * 2))
		return false;
	slot = find_slot(grants, left, right, entry->denial);
	if (slot->left != 0)
		return true;
	*slot = (struct grant){left, right, entry->line, map, entry->denial};
	grants->count++;
	grants->kinds[entry->left.kind][entry->right.kind][entry->denial]++;
	if (entry->left.kind == PATTERN_ADDRESS)
		names_mark(&grants->names, left, NAME_LOGIN);
	if (!entry->denial)
		names_mark(&grants->names, right, NAME_SENDER);
	return true;
}

static bool
add_edge(struct grants *grants, const struct map_entry *entry, uint16_t map)
{
	grant_name from = names_add(&grants->names, &entry->left);
	grant_name to = names_add(&grants->names, &entry->right);

	if (from == 0 || to == 0 ||
	    !memory_try_grow((void **)&grants->edges, &grants->edge_room,
			     grants->edge_count, sizeof(*grants->edges)))
		return false;
	grants->edges[grants->edge_count++] =
	    (struct grant_edge){from, to, {map, entry->line}};
	names_mark(&grants->names, from, NAME_ALIAS);
	names_mark(&grants->names, to, NAME_TARGET);
	return true;
}

static bool
add_account(struct grants *grants, const struct map_entry *entry)
{
	grant_name name = names_add(&grants->names, &entry->left);

	if (name == 0)
		return false;
	if ((names_about(&grants->names, name) & NAME_ACCOUNT) == 0)
		grants->accounts++;
	names_mark(&grants->names, name, NAME_ACCOUNT | NAME_LOGIN);
	return true;
}

bool
grants_add(struct grants *grants, const struct map_entry *entry, uint16_t map)
{
	switch (entry->kind) {
	case ENTRY_GRANT:
		return add_grant(grants, entry, map);
	case ENTRY_ALIAS:
		return add_edge(grants, entry, map);
	case ENTRY_ACCOUNT:
		return add_account(grants, entry);
	}
	return false;
}

static int
compare_edges(const void *a, const void *b)
{
	const struct grant_edge *x = a;
	const struct grant_edge *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->origin.map != y->origin.map)
		return x->origin.map < y->origin.map ? -1 : 1;
	if (x->origin.line != y->origin.line)
		return x->origin.line < y->origin.line ? -1 : 1;
	/* Names count up in the order in which they came. */
	return x->to < y->to ? -1 : x->to > y->to;
}

bool
grants_seal(struct grants *grants)
{
	size_t wanted = grants->count + grants->count / 4 + 1;

	if (grants->edge_count > 0)
		qsort(grants->edges, grants->edge_count, sizeof(*grants->edges),
		      compare_edges);
	if (!names_seal(&grants->names))
		return false;
	return wanted >= grants->size || resize(grants, wanted);
}

grant_name
grants_name(const struct grants *grants, enum pattern_kind kind,
	    struct span text)
{
	return names_find(&grants->names, kind, text);
}

struct pattern
grants_pattern(const struct grants *grants, grant_name name)
{
	return names_pattern(&grants->names, name);
}

unsigned
grants_about(const struct grants *grants, grant_name name)
{
	return names_about(&grants->names, name);
}

bool
grants_find(const struct grants *grants, grant_name left, grant_name right,
	    bool denial, struct origin *origin)
{
	const struct grant *slot;

	if (left == 0 || right == 0 || grants->count == 0)
		return false;
	slot = find_slot(grants, left, right, denial);
	if (slot->left == 0)
		return false;
	*origin = (struct origin){slot->map, slot->line};
	return true;
}

bool
grants_any(const struct grants *grants, enum pattern_kind left,
	   enum pattern_kind right, bool denial)
{
	return grants->kinds[left][right][denial] > 0;
}

const struct grant_edge *
grants_edges(const struct grants *grants, grant_name from, size_t *count)
{
	size_t low = 0;
	size_t high = grants->edge_count;
	size_t end;

	*count = 0;
	if (from == 0 || (grants_about(grants, from) & NAME_ALIAS) == 0)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (grants->edges[middle].from < from)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low;
	     end < grants->edge_count && grants->edges[end].from == from;)
		end++;
	*count = end - low;
	return &grants->edges[low];
}

bool
grants_have_edges(const struct grants *grants)
{
	return grants->edge_count > 0;
}

bool
grants_each(const struct grants *grants, grants_visit *visit, void *arg)
{
	for (size_t i = 0; i < grants->size; i++) {
		const struct grant *slot = &grants->slots[i];

		if (slot->left != 0 &&
		    !visit(arg, slot->left, slot->right, slot->denial,
			   (struct origin){slot->map, slot->line}))
			return false;
	}
	return true;
}

bool
grants_each_name(const struct grants *grants, grants_visit_name *visit,
		 void *arg)
{
	for (size_t i = 0; i < grants->names.size; i++)
		if (grants->names.slots[i].name != 0 &&
		    !visit(arg, grants->names.slots[i].name))
			return false;
	return true;
}

void
grants_count(const struct grants *grants, struct grants_counts *counts)
{
	*counts = (struct grants_counts){
	    .grants = grants->count,
	    .names = grants->names.count,
	    .edges = grants->edge_count,
	    .accounts = grants->accounts,
	    .bytes = sizeof(*grants) + names_memory(&grants->names) +
		     grants->size * sizeof(*grants->slots) +
		     grants->edge_room * sizeof(*grants->edges),
	};
	for (int left = 0; left < PATTERN_KINDS; left++)
		for (int right = 0; right < PATTERN_KINDS; right++)
			counts->denials += grants->kinds[left][right][1];
}
