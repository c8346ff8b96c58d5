/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last hour, minute by minute: how many requests had which verdict. It is
 * made from the counters by looking at them every second, so that no request
 * pays for it.
 */
#ifndef SERVER_STATUS_HOUR_H
#define SERVER_STATUS_HOUR_H

#include "server/counters.h"

enum { HOUR_MINUTES = 60 };

struct status_hour {
	uint64_t verdicts[HOUR_MINUTES][VERDICT_TROUBLE + 1]; /* a ring */
	uint64_t seen[VERDICT_TROUBLE + 1]; /* what is in the ring already */
	uint64_t minute; /* that is going on; its place is minute % 60 */
};

/* Start with nothing. The caller's storage; now_ms is clock_ms()'s. */
void status_hour_init(struct status_hour *hour, uint64_t now_ms);

/* Put what the counters have more than at the last call into the minute that
 * it is now. */
void status_hour_note(struct status_hour *hour, const struct counters *counters,
		      uint64_t now_ms);

/* The requests with a verdict in the minute that was so many minutes ago, 0 to
 * HOUR_MINUTES - 1; 0 is the one that is going on. */
uint64_t status_hour_at(const struct status_hour *hour, enum verdict_kind kind,
			unsigned ago);

/* Those of the whole hour. */
uint64_t status_hour_sum(const struct status_hour *hour,
			 enum verdict_kind kind);

#endif
