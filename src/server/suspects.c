/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/suspects.h"

void
suspects_init(struct suspects *suspects)
{
	*suspects = (struct suspects){0};
	hash_key_random(&suspects->key);
}

/* Hash a text; never 0. */
static uint64_t
hash(const struct suspects *suspects, struct span text)
{
	return hash_bytes(&suspects->key, text.data, text.len) | 1;
}

static bool
has_sender(const struct suspect *suspect, uint32_t sender)
{
	for (unsigned i = 0; i < suspect->count; i++)
		if (suspect->senders[i] == sender)
			return true;
	return false;
}

bool
suspects_note(struct suspects *suspects, struct span login, struct span sender,
	      uint64_t now_ms)
{
	uint64_t who = hash(suspects, login);
	uint32_t what = (uint32_t)hash(suspects, sender);
	struct suspect *suspect = &suspects->kept[(who >> 1) % SUSPECTS_KEPT];

	if (suspect->login != who ||
	    now_ms - suspect->since_ms >= SUSPECT_WINDOW_MS) {
		suspect->login = who;
		suspect->since_ms = now_ms;
		suspect->count = 0;
	}
	/* Full: it has been told of in this window. */
	if (suspect->count == SUSPECT_SENDERS || has_sender(suspect, what))
		return false;
	suspect->senders[suspect->count++] = what;
	return suspect->count == SUSPECT_SENDERS;
}
