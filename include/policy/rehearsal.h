/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rehearsal: who would have been refused? It takes the lines of a mail log,
 * joins login and sender of a mail by its queue id, counts the pairs, and asks
 * decide() about each. Its memory is bounded by the number of different pairs
 * (REHEARSAL_PAIRS_MAX) and of mails under way (REHEARSAL_MAILS_MAX).
 */
#ifndef POLICY_REHEARSAL_H
#define POLICY_REHEARSAL_H

#include "policy/decide.h"
#include "wire/maillog.h"

enum {
	REHEARSAL_PAIRS_MAX = 1000000,
	REHEARSAL_MAILS_MAX = 100000,
};

/* One login with one sender, and what the log says of them. */
struct rehearsal_pair {
	struct span login;
	struct span sender; /* not quoted; empty: the null sender */
	struct span client; /* the last one's address */
	uint64_t mails;     /* accepted */
	uint64_t refused;   /* recipients refused */
	uint64_t warned;    /* recipients warned about */
	int64_t first;      /* seconds since 1970 */
	int64_t last;
};

struct rehearsal_counts {
	uint64_t mails; /* accepted mails of logins that were joined */
	uint64_t refused;
	uint64_t warned;
	uint64_t unjoined; /* mails of logins whose sender the log lacks */
	size_t pairs;
	bool full; /* there were more pairs than it keeps */
};

struct rehearsal;

struct rehearsal *rehearsal_new(void);
void rehearsal_free(struct rehearsal *rehearsal);

/* Take one line; what is kept of it is copied. */
void rehearsal_take(struct rehearsal *rehearsal,
		    const struct maillog_line *line);

void rehearsal_count(const struct rehearsal *rehearsal,
		     struct rehearsal_counts *counts);

/* Takes a pair and the verdict on it, borrowed for the call. */
typedef void rehearsal_visit(void *arg, const struct rehearsal_pair *pair,
			     const struct verdict *verdict);

/*
 * Decide every pair and visit it: by login and sender, in the order of their
 * bytes.
 */
void rehearsal_each(struct rehearsal *rehearsal,
		    const struct snapshot *snapshot, struct decider *decider,
		    rehearsal_visit *visit, void *arg);

#endif
