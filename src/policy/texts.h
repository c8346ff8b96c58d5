/* SPDX-License-Identifier: BSD-2-Clause */
/* A set of texts, each kept once: the domains of names, which many share. */
#ifndef POLICY_TEXTS_H
#define POLICY_TEXTS_H

#include "base/hash.h"
#include "base/pool.h"
#include "base/span.h"

/* 32 bits of the hash, which place it, and where the text is; 0: free. */
struct text_slot {
	uint32_t tag;
	uint32_t text;
};

struct texts {
	struct pool pool;
	struct hash_key key;
	struct text_slot *slots;
	size_t size; /* of slots */
	size_t count;
	uint32_t last; /* added; neighbours tend to share */
};

/* The caller's storage. */
void texts_init(struct texts *texts);
void texts_fini(struct texts *texts);
/* The tag of a text asked for last: neighbours tend to share it. */
enum { TEXT_MEMO_MAX = 64 };
struct text_memo {
	char text[TEXT_MEMO_MAX];
	size_t len; /* 0: none */
	uint32_t tag;
};
/* The tag that places a text; its slot is asked for. */
uint32_t texts_tag(const struct texts *texts, struct span text,
		   struct text_memo *memo);
/* Ask for what the slot of a tag refers to. */
void texts_expect_tagged(const struct texts *texts, uint32_t tag);
/* Where a text of at most UINT16_MAX bytes with that tag is, put there if it
 * was not; 0 without memory. */
uint32_t texts_add(struct texts *texts, struct span text, uint32_t tag);
/* Ask memory for a text, or for nothing where it is 0. */
void texts_expect(const struct texts *texts, uint32_t text);
/* The text there; valid until texts_fini(). */
struct span texts_at(const struct texts *texts, uint32_t text);
size_t texts_memory(const struct texts *texts);

/*
 * Place a 32-bit hash in a table of size slots: its share of the range, so
 * that any size will do and no division is needed.
 */
static inline size_t
slot_of(uint32_t hash, size_t size)
{
	return (size_t)(((uint64_t)hash * size) >> 32);
}

#endif
