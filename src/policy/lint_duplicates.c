/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands twice: a grant, or the key that a line begins with. */
#include "base/memory.h"
#include "lint.h"

#include <stdlib.h>

enum { LINE_GRANTS_MAX = 256 }; /* of one line that are compared */

/* What a line of the map begins with. */
struct key {
	grant_name name;
	uint32_t line;
};

/* The second reading of one map, and what its current line has granted. */
struct reading {
	struct lint *lint;
	uint16_t map;
	uint32_t line;
	struct key *keys;
	size_t key_count;
	size_t key_room;
	struct {
		grant_name left;
		grant_name right;
		bool denial;
	} granted[LINE_GRANTS_MAX];
	size_t count;
};

/* Has this line had that grant before? Else it has from now on. */
static bool
comes_again(struct reading *reading, grant_name left, grant_name right,
	    bool denial)
{
	for (size_t i = 0; i < reading->count; i++)
		if (reading->granted[i].left == left &&
		    reading->granted[i].right == right &&
		    reading->granted[i].denial == denial)
			return true;
	if (reading->count < LINE_GRANTS_MAX) {
		reading->granted[reading->count].left = left;
		reading->granted[reading->count].right = right;
		reading->granted[reading->count++].denial = denial;
	}
	return false;
}

/* What a line is found by: an owners: map begins with the sender. */
static const struct pattern *
key_of(const struct reading *reading, const struct map_entry *entry)
{
	const struct snapshot *snapshot = reading->lint->snapshot;

	return snapshot->maps[reading->map].spec->type == MAP_OWNERS
		   ? &entry->right
		   : &entry->left;
}

/* Note which line begins with what. */
static void
note_key(struct reading *reading, const struct map_entry *entry)
{
	const struct pattern *pattern = key_of(reading, entry);
	struct key *last = reading->key_count > 0
			       ? &reading->keys[reading->key_count - 1]
			       : NULL;
	grant_name name =
	    grants_name(reading->lint->grants, pattern->kind, pattern->text);

	if (last != NULL && last->name == name && last->line == entry->line)
		return;
	if (memory_try_grow((void **)&reading->keys, &reading->key_room,
			    reading->key_count, sizeof(*reading->keys)))
		reading->keys[reading->key_count++] =
		    (struct key){name, entry->line};
}

static int
compare_keys(const void *a, const void *b)
{
	const struct key *x = a;
	const struct key *y = b;

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Postfix refuses a table in which a key stands twice; here both count. */
static void
check_keys(struct reading *reading)
{
	if (reading->key_count > 0)
		qsort(reading->keys, reading->key_count, sizeof(struct key),
		      compare_keys);
	for (size_t i = 1; i < reading->key_count; i++) {
		const struct key *key = &reading->keys[i];
		char *spelt;

		if (key->name != key[-1].name || key->line == key[-1].line)
			continue;
		spelt = lint_spell(reading->lint, key->name);
		lint_warn(reading->lint,
			  (struct origin){reading->map, key->line},
			  "%s stands in line %u already: what both lines give "
			  "adds up",
			  spelt, key[-1].line);
		free(spelt);
	}
}

/* The grants keep where one was seen first: is it here? */
static bool
take_entry(void *arg, const struct map_entry *entry)
{
	struct reading *reading = arg;
	struct lint *lint = reading->lint;
	grant_name left =
	    grants_name(lint->grants, entry->left.kind, entry->left.text);
	grant_name right =
	    grants_name(lint->grants, entry->right.kind, entry->right.text);
	struct origin first;
	char *text;

	if (lint->snapshot->maps[reading->map].spec->type != MAP_CDB)
		note_key(reading, entry);
	if (entry->line != reading->line)
		reading->count = 0;
	reading->line = entry->line;
	if (entry->kind != ENTRY_GRANT ||
	    !grants_find(lint->grants, left, right, entry->denial, &first) ||
	    (first.map == reading->map && first.line == entry->line &&
	     !comes_again(reading, left, right, entry->denial)))
		return true;
	text = snapshot_origin(lint->snapshot, first);
	lint_warn(lint, (struct origin){reading->map, entry->line},
		  "the same %s stands at %s already: leave one of them out",
		  entry->denial ? "denial" : "grant", text);
	free(text);
	return true;
}

void
lint_duplicates(struct lint *lint)
{
	const struct settings *settings = lint->snapshot->settings;
	struct reading reading = {.lint = lint};
	struct map_context context = {
	    .local_domains = settings->local_domains.list,
	    .local_domain_count = settings->local_domains.count,
	    .sink = take_entry,
	    .arg = &reading,
	};

	for (size_t i = 0; i < settings->maps.count; i++) {
		const struct map_spec *spec = &settings->maps.list[i];

		if (spec->type == MAP_PCRE)
			continue;
		reading.map = (uint16_t)i;
		reading.count = 0;
		reading.key_count = 0;
		context.name = spec->path;
		/* What is wrong with it has been said when it was loaded. */
		(void)map_load(spec, &context);
		check_keys(&reading);
	}
	free(reading.keys);
}
