/* SPDX-License-Identifier: BSD-2-Clause */
#include "arrivals.h"

/* The right side of an entry, which an account does not have. */
static struct pattern
right_of(const struct map_entry *entry)
{
	return entry->kind == ENTRY_ACCOUNT
		   ? (struct pattern){PATTERN_ANY, SPAN_NONE}
		   : entry->right;
}

bool
arrivals_have_room(const struct arrivals *arrivals,
		   const struct map_entry *entry)
{
	return arrivals->count < ARRIVALS && arrivals->used +
						     entry->left.text.len +
						     right_of(entry).text.len <=
						 ARRIVALS_TEXT;
}

static struct pattern
copy(struct arrivals *arrivals, struct pattern pattern)
{
	char *place = arrivals->text + arrivals->used;

	memcpy(place, pattern.text.data, pattern.text.len);
	arrivals->used += pattern.text.len;
	pattern.text.data = place;
	return pattern;
}

void
arrivals_add(struct arrivals *arrivals, struct names *names,
	     const struct map_entry *entry, uint16_t map)
{
	struct arrival *arrival = &arrivals->list[arrivals->count];
	struct pattern left = copy(arrivals, entry->left);
	struct pattern right = copy(arrivals, right_of(entry));

	*arrival = (struct arrival){
	    .kind = entry->kind,
	    .denial = entry->denial,
	    .map = map,
	    .line = entry->line,
	};
	names_make_key(names, &left, &arrival->left);
	if (entry->kind != ENTRY_ACCOUNT)
		names_make_key(names, &right, &arrival->right);
	arrivals->count++;
}

void
arrivals_expect(const struct arrivals *arrivals, const struct names *names,
		size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct arrival *arrival = &arrivals->list[i];

		names_expect(names, &arrival->left);
		if (arrival->kind != ENTRY_ACCOUNT)
			names_expect(names, &arrival->right);
	}
}
