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
arrivals_add(struct arrivals *arrivals, const struct names *names,
	     const struct map_entry *entry, uint16_t map)
{
	struct arrival *arrival = &arrivals->list[arrivals->count++];

	*arrival = (struct arrival){
	    .kind = entry->kind,
	    .denial = entry->denial,
	    .map = map,
	    .line = entry->line,
	    .left = copy(arrivals, entry->left),
	    .right = copy(arrivals, right_of(entry)),
	};
	arrival->left_tag = names_expect(names, &arrival->left);
	if (entry->kind != ENTRY_ACCOUNT)
		arrival->right_tag = names_expect(names, &arrival->right);
}
