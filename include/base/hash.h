/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash-1-3, a keyed hash (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF"): who does not know the key cannot make keys that collide.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0;
	uint64_t k1;
};

/* Fill *key from the system's random source. */
void hash_key_random(struct hash_key *key);
/* Hash len bytes. */
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);

#endif
