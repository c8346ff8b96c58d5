/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"
#include "base/word.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

/* One SipRound. */
static inline void
mix(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

/* The last word: what is left at p, and the length in its top byte. */
static inline uint64_t
load_tail(const unsigned char *p, size_t len)
{
	uint64_t word = (uint64_t)len << 56;
	size_t left = len & 7;

	/* The last eight bytes, less those that have been taken. */
	if (left > 0 && len > 8)
		return word | word_load(p + left - 8) >> (8 * (8 - left));
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)p[i] << (8 * i);
	return word;
}

void
hash_key_random(struct hash_key *key)
{
	/*
	 * Requests of up to 256 bytes are neither cut nor interrupted once
	 * the source is ready; a system without one is none to serve on.
	 */
	if (getrandom(key, sizeof(*key), 0) != (ssize_t)sizeof(*key))
		abort();
}

uint64_t
hash_bytes(const struct hash_key *key, const void *data, size_t len)
{
	struct state s = {
	    .v0 = key->k0 ^ 0x736f6d6570736575U,
	    .v1 = key->k1 ^ 0x646f72616e646f6dU,
	    .v2 = key->k0 ^ 0x6c7967656e657261U,
	    .v3 = key->k1 ^ 0x7465646279746573U,
	};
	const unsigned char *p = data;
	const unsigned char *end = p + (len & ~(size_t)7);
	uint64_t word;

	for (; p < end; p += 8) {
		word = word_load(p);
		s.v3 ^= word;
		mix(&s);
		s.v0 ^= word;
	}
	word = load_tail(p, len);
	s.v3 ^= word;
	mix(&s);
	s.v0 ^= word;
	s.v2 ^= 0xff;
	mix(&s);
	mix(&s);
	mix(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
