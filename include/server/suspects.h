/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logins that are refused many different senders in a short time: who mistypes
 * tries the same one again, who has stolen a password tries one after the
 * other. Bounded, and nothing of a sender is kept but a hash.
 */
#ifndef SERVER_SUSPECTS_H
#define SERVER_SUSPECTS_H

#include "base/hash.h"
#include "base/span.h"

enum {
	SUSPECT_SENDERS = 10,       /* different ones */
	SUSPECT_WINDOW_MS = 600000, /* within ten minutes make one */
	SUSPECTS_KEPT = 1024,       /* logins; a new one takes the place of
				       another with the same place */
};

/* One login that was refused lately, in one cache line. */
struct suspect {
	uint64_t login; /* a hash; 0: nobody */
	uint64_t since_ms;
	uint32_t senders[SUSPECT_SENDERS]; /* hashes */
	uint32_t count;
};

struct suspects {
	struct hash_key key;
	struct suspect kept[SUSPECTS_KEPT];
};

/* The caller's storage; nothing to free. */
void suspects_init(struct suspects *suspects);

/*
 * Note that a login was refused a sender at now_ms, by a clock that does not
 * jump. True once a window: with the sender that makes SUSPECT_SENDERS
 * different ones.
 */
bool suspects_note(struct suspects *suspects, struct span login,
		   struct span sender, uint64_t now_ms);

#endif
