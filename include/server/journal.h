/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the server says in its log about requests: one line a mail that was
 * refused, and no more lines about broken requests than somebody can read.
 */
#ifndef SERVER_JOURNAL_H
#define SERVER_JOURNAL_H

#include "base/hash.h"
#include "policy/decide.h"
#include "wire/request.h"

enum {
	JOURNAL_FAULTS_A_SECOND = 5, /* protocol-error lines */
};

struct journal {
	struct hash_key key;
	uint64_t second;   /* in which faults were counted last */
	uint64_t said;     /* faults of that second that were logged */
	uint64_t withheld; /* faults since then that were not */
};

/* The caller's storage; nothing to free. */
void journal_init(struct journal *journal);

/*
 * Log a verdict: a reject ("would-reject" with mode = warn) as information,
 * trouble as a warning, an allow for debugging. *last is what this connection
 * has logged last, 0 at first: Postfix asks once for each recipient of a mail,
 * with the same instance, and once is enough to say it.
 */
void journal_verdict(const struct journal *journal,
		     const struct snapshot *snapshot,
		     const struct request *request,
		     const struct verdict *verdict, uint64_t *last);

/* Log that the login of a request was refused many different senders within a
 * short time (suspects_note()), and from where the last one came. */
void journal_suspect(const struct request *request);

/* Log that the client at the other end of fd broke the protocol ("kind=..."),
 * or count it where there have been enough this second. */
void journal_fault(struct journal *journal, const char *kind, int fd,
		   uint64_t now_ms);

/* Say how many faults were withheld once the second is over. */
void journal_tick(struct journal *journal, uint64_t now_ms);

#endif
