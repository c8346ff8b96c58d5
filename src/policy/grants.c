/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/grants.h"
#include "arrivals.h"
#include "base/memory.h"
#include "grant_list.h"
#include "origins.h"

#include <stdlib.h>

enum {
	/* Grants between the one that is put into the table and the one whose
	 * slot is asked for, so that memory is not waited for. */
	AHEAD = 16,
	CACHE_LINE = 64, /* bytes, on most machines */
};

struct grants {
	struct names names;
	struct arrivals arrivals;
	struct origins origins;
	struct grant_list added; /* until they are sealed */
	struct hash_key key;     /* of the table of grants */
	struct grant *slots;     /* the table, once sealed */
	size_t size;             /* of slots */
	size_t count;
	struct grant_edge *edges; /* sorted by from, once sealed */
	size_t edge_count;
	size_t edge_room;
	size_t accounts;
	/* By the kinds of both sides: grants as they were added, one that is
	 * there twice counted twice; denials, each once. */
	size_t added_kinds[PATTERN_KINDS * PATTERN_KINDS];
	size_t denials[PATTERN_KINDS * PATTERN_KINDS];
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

/* Where the search for a grant begins. */
static struct grant *
first_slot(const struct grants *grants, grant_name left, grant_name right,
	   bool denial)
{
	return &grants->slots[slot_of(hash_pair(grants, left, right, denial),
				      grants->size)];
}

/* The slot of a grant, or the free one where it would be. */
static struct grant *
find_slot(const struct grants *grants, grant_name left, grant_name right,
	  bool denial)
{
	struct grant *slot = first_slot(grants, left, right, denial);

	while (slot->left != 0 && (slot->left != left || slot->right != right ||
				   slot->denial != denial))
		if (++slot == grants->slots + grants->size)
			slot = grants->slots;
	return slot;
}

static size_t
kinds_of(enum pattern_kind left, enum pattern_kind right)
{
	return (size_t)left * PATTERN_KINDS + (size_t)right;
}

/* Put a grant into the table, unless it is there. */
static void
insert(struct grants *grants, const struct grant *grant)
{
	const struct names *names = &grants->names;
	struct grant *slot =
	    find_slot(grants, grant->left, grant->right, grant->denial);

	if (slot->left != 0)
		return;
	*slot = *grant;
	grants->count++;
	if (grant->denial)
		grants->denials[kinds_of(names_kind(names, grant->left),
					 names_kind(names, grant->right))]++;
}

/* Ask memory for the slots where a search begins, and a little further. */
static void
fetch_slots(const struct grant *slot)
{
	__builtin_prefetch(slot);
	__builtin_prefetch((const char *)slot + CACHE_LINE);
}

/* Put a part of what was added into its part of the table. */
static void
insert_part(struct grants *grants, const struct grant_part *part)
{
	for (size_t i = 0; i < part->count; i++) {
		if (i + AHEAD < part->count) {
			const struct grant *next =
			    grant_part_at(part, i + AHEAD);

			fetch_slots(first_slot(grants, next->left, next->right,
					       next->denial));
		}
		insert(grants, grant_part_at(part, i));
	}
}

/* Make the table of what was added, now that its size is known. */
static bool
build(struct grants *grants)
{
	struct grant_list *added = &grants->added;

	grants->size = added->count + added->count / 4 + 1;
	grants->slots = memory_try_zero(grants->size, sizeof(*grants->slots));
	if (grants->slots == NULL)
		return false;
	for (size_t i = 0; i < GRANT_PARTS; i++) {
		insert_part(grants, &added->parts[i]);
		grant_part_fini(&added->parts[i]);
	}
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
	grant_list_fini(&grants->added);
	origins_fini(&grants->origins);
	free(grants->slots);
	free(grants->edges);
	free(grants);
}

static bool
add_grant(struct grants *grants, const struct arrival *arrival, grant_name left,
	  grant_name right)
{
	const struct origin origin = {arrival->map, arrival->line};
	struct grant grant = {
	    .left = left, .right = right, .denial = arrival->denial};
	uint32_t number;

	if (!origins_add(&grants->origins, origin, &number))
		return false;
	grant.origin = number & ORIGIN_MAX;
	if (!grant_list_add(&grants->added, &grant,
			    hash_pair(grants, left, right, arrival->denial)))
		return false;
	if (arrival->left.kind == PATTERN_ADDRESS)
		names_mark(&grants->names, left, NAME_LOGIN);
	if (arrival->denial)
		return true;
	names_mark(&grants->names, right, NAME_SENDER);
	grants
	    ->added_kinds[kinds_of(arrival->left.kind, arrival->right.kind)]++;
	return true;
}

static bool
add_edge(struct grants *grants, const struct arrival *arrival, grant_name from,
	 grant_name to)
{
	if (!memory_try_grow((void **)&grants->edges, &grants->edge_room,
			     grants->edge_count, sizeof(*grants->edges)))
		return false;
	grants->edges[grants->edge_count++] =
	    (struct grant_edge){from, to, {arrival->map, arrival->line}};
	names_mark(&grants->names, from, NAME_ALIAS);
	names_mark(&grants->names, to, NAME_TARGET);
	return true;
}

static void
add_account(struct grants *grants, grant_name name)
{
	if ((names_about(&grants->names, name) & NAME_ACCOUNT) == 0)
		grants->accounts++;
	names_mark(&grants->names, name, NAME_ACCOUNT | NAME_LOGIN);
}

/* Give an arrival its place. */
static bool
settle_one(struct grants *grants, const struct arrival *arrival)
{
	struct names *names = &grants->names;
	grant_name left = names_add(names, &arrival->left);
	grant_name right;

	if (left == 0)
		return false;
	if (arrival->kind == ENTRY_ACCOUNT) {
		add_account(grants, left);
		return true;
	}
	right = names_add(names, &arrival->right);
	if (right == 0)
		return false;
	return arrival->kind == ENTRY_GRANT
		   ? add_grant(grants, arrival, left, right)
		   : add_edge(grants, arrival, left, right);
}

/* Give all that have arrived their places. */
static bool
settle(struct grants *grants)
{
	struct arrivals *arrivals = &grants->arrivals;
	size_t count = arrivals->count;

	arrivals->count = 0;
	arrivals->used = 0;
	arrivals_expect(arrivals, &grants->names, count);
	for (size_t i = 0; i < count; i++)
		if (!settle_one(grants, &arrivals->list[i]))
			return false;
	return true;
}

void
grants_expect(struct grants *grants, size_t names)
{
	names_reserve(&grants->names, names);
}

bool
grants_add(struct grants *grants, const struct map_entry *entry, uint16_t map)
{
	if (entry->left.text.len > ADDRESS_MAX ||
	    entry->right.text.len > ADDRESS_MAX)
		return false;
	if (!arrivals_have_room(&grants->arrivals, entry) && !settle(grants))
		return false;
	arrivals_add(&grants->arrivals, &grants->names, entry, map);
	return true;
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
	if (!settle(grants))
		return false;
	if (grants->edge_count > 0)
		qsort(grants->edges, grants->edge_count, sizeof(*grants->edges),
		      compare_edges);
	return names_seal(&grants->names) && build(grants);
}

bool
grants_have_kind(const struct grants *grants, enum pattern_kind kind)
{
	return grants->names.kinds[kind] > 0;
}

grant_name
grants_name(const struct grants *grants, enum pattern_kind kind,
	    struct span text)
{
	return names_find(&grants->names, kind, text);
}

void
grants_ask(const struct grants *grants, struct span left, struct span right,
	   struct grant_ask *ask)
{
	names_ask(&grants->names, left, &ask->left);
	names_ask(&grants->names, right, &ask->right);
}

void
grants_expect_answer(const struct grants *grants, struct grant_ask *ask)
{
	grant_name left = names_expect_answer(&grants->names, &ask->left);
	grant_name right = names_expect_answer(&grants->names, &ask->right);

	if (left != 0 && right != 0)
		fetch_slots(first_slot(grants, left, right, false));
}

void
grants_answer(const struct grants *grants, const struct grant_ask *ask,
	      grant_name *left, grant_name *right)
{
	*left = names_answer(&grants->names, &ask->left);
	*right = names_answer(&grants->names, &ask->right);
}

enum pattern_kind
grants_kind(const struct grants *grants, grant_name name)
{
	return names_kind(&grants->names, name);
}

struct pattern
grants_pattern(const struct grants *grants, grant_name name,
	       struct name_text *text)
{
	return names_pattern(&grants->names, name, text);
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
	*origin = origins_at(&grants->origins, slot->origin);
	return true;
}

bool
grants_any(const struct grants *grants, enum pattern_kind left,
	   enum pattern_kind right, bool denial)
{
	size_t kinds = kinds_of(left, right);

	return (denial ? grants->denials[kinds] : grants->added_kinds[kinds]) >
	       0;
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
			   origins_at(&grants->origins, slot->origin)))
			return false;
	}
	return true;
}

bool
grants_each_name(const struct grants *grants, grants_visit_name *visit,
		 void *arg)
{
	return names_each(&grants->names, visit, arg);
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
	for (int i = 0; i < PATTERN_KINDS * PATTERN_KINDS; i++)
		counts->denials += grants->denials[i];
}
