/* SPDX-License-Identifier: BSD-2-Clause */
/* The addresses that a chain has met, each once, in the order of meeting. */
#ifndef POLICY_NODES_H
#define POLICY_NODES_H

#include "base/buffer.h"
#include "base/hash.h"
#include "policy/grants.h"

struct node {
	size_t text; /* where it is in nodes.texts */
	size_t len;
	uint32_t depth;      /* links from the start */
	struct origin first; /* the first of them */
};

/* A place of the set by text; free where its generation is an old one. */
struct seen {
	uint64_t generation;
	size_t node;
};

struct nodes {
	struct node *list;
	size_t count;
	size_t room;
	struct buffer texts;
	struct seen *seen;
	size_t seen_size; /* a power of two, twice room */
	uint64_t generation;
	struct hash_key key;
};

/* The caller's storage. */
void nodes_init(struct nodes *nodes);
void nodes_fini(struct nodes *nodes);
/* Empty it and keep its memory. */
void nodes_clear(struct nodes *nodes);
/* Add an address, unless it has been met before. */
void nodes_add(struct nodes *nodes, struct span text, uint32_t depth,
	       struct origin first);
/* The address of a node; valid until the next nodes_add(). */
struct span nodes_text(const struct nodes *nodes, size_t node);

#endif
