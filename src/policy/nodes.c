/* SPDX-License-Identifier: BSD-2-Clause */
#include "nodes.h"
#include "base/memory.h"

#include <stdlib.h>

void
nodes_init(struct nodes *nodes)
{
	*nodes = (struct nodes){0};
	hash_key_random(&nodes->key);
}

void
nodes_fini(struct nodes *nodes)
{
	free(nodes->list);
	free(nodes->seen);
	buffer_fini(&nodes->texts);
}

void
nodes_clear(struct nodes *nodes)
{
	nodes->count = 0;
	nodes->generation++;
	buffer_clear(&nodes->texts);
}

struct span
nodes_text(const struct nodes *nodes, size_t node)
{
	return span_of(nodes->texts.data + nodes->list[node].text,
		       nodes->list[node].len);
}

/* The place of a text in the set: its node's, or a free one. */
static struct seen *
find_seen(const struct nodes *nodes, struct span text)
{
	size_t mask = nodes->seen_size - 1;
	size_t i = hash_bytes(&nodes->key, text.data, text.len) & mask;

	while (nodes->seen[i].generation == nodes->generation &&
	       !span_equal(nodes_text(nodes, nodes->seen[i].node), text))
		i = (i + 1) & mask;
	return &nodes->seen[i];
}

/* Make room for one more node, in the list and in the set. */
static void
grow(struct nodes *nodes)
{
	struct node *list;

	if (nodes->count < nodes->room)
		return;
	nodes->room = nodes->room == 0 ? 32 : nodes->room * 2;
	list = memory_zero(nodes->room, sizeof(*list));
	if (nodes->count > 0)
		memcpy(list, nodes->list, nodes->count * sizeof(*list));
	free(nodes->list);
	nodes->list = list;
	free(nodes->seen);
	nodes->seen_size = nodes->room * 2;
	nodes->seen = memory_zero(nodes->seen_size, sizeof(*nodes->seen));
	nodes->generation = 1;
	for (size_t i = 0; i < nodes->count; i++)
		*find_seen(nodes, nodes_text(nodes, i)) =
		    (struct seen){nodes->generation, i};
}

void
nodes_add(struct nodes *nodes, struct span text, uint32_t depth,
	  struct origin first)
{
	struct seen *seen;

	grow(nodes);
	seen = find_seen(nodes, text);
	if (seen->generation == nodes->generation)
		return;
	nodes->list[nodes->count] = (struct node){
	    .text = nodes->texts.len,
	    .len = text.len,
	    .depth = depth,
	    .first = first,
	};
	buffer_add(&nodes->texts, text);
	*seen = (struct seen){nodes->generation, nodes->count++};
}
