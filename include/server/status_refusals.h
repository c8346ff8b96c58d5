/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The latest refusals, and what trouble there was, for the status page: a
 * ring of a fixed size, one place a mail.
 */
#ifndef SERVER_STATUS_REFUSALS_H
#define SERVER_STATUS_REFUSALS_H

#include "policy/decide.h"
#include "wire/request.h"

enum {
	REFUSALS_KEPT = 20,
	REFUSAL_TEXT = 128, /* bytes that are kept of a text */
};

struct refusal_text {
	size_t len;
	bool cut; /* there was more */
	char data[REFUSAL_TEXT];
};

struct refusal {
	time_t at; /* wall clock, of the first recipient */
	enum verdict_kind kind;
	enum verdict_reason reason;
	bool warned;         /* mode = warn: the mail went through */
	bool has_addresses;  /* status_addresses was yes */
	uint64_t recipients; /* for which Postfix has asked */
	struct refusal_text instance;
	struct refusal_text login; /* these only with addresses */
	struct refusal_text sender;
	struct refusal_text client;
};

/* { 0 } is an empty one. */
struct refusals {
	struct refusal ring[REFUSALS_KEPT];
	uint64_t count; /* of all that there ever were */
};

/*
 * Note a verdict that is no allow. Where the mail, which is to say its
 * instance, is among those kept with the same reason, it is one recipient
 * more. Addresses are kept with settings->status_addresses alone.
 */
void refusals_note(struct refusals *refusals, const struct settings *settings,
		   const struct request *request, const struct verdict *verdict,
		   time_t now);

/* The i-th latest, from 0; NULL where there are no more. */
const struct refusal *refusals_latest(const struct refusals *refusals,
				      size_t i);

#endif
