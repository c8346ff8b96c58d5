/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the server counts, in one place, for the metrics. Only the event loop
 * writes it; everything counts up from the start and never back.
 */
#ifndef SERVER_COUNTERS_H
#define SERVER_COUNTERS_H

#include "policy/decide.h"
#include "server/durations.h"
#include "wire/request.h"

/* What a client can do wrong: the parser's faults, and three in time. */
enum fault {
	FAULT_TRUNCATED = REQUEST_FAULT_COUNT, /* closed within a request */
	FAULT_REQUEST_TIMEOUT,                 /* a request did not end */
	FAULT_ANSWER_TIMEOUT,                  /* an answer was not taken */
	FAULT_COUNT,
};

struct counters {
	uint64_t requests[VERDICT_TROUBLE + 1][REASON_COUNT];
	struct durations durations;   /* of all requests */
	uint64_t rule_limit_hits;     /* requests, whatever the verdict */
	uint64_t faults[FAULT_COUNT]; /* [REQUEST_FAULT_NONE] stays 0 */
	uint64_t connections; /* accepted; connections_count() are open */
	uint64_t reloads;     /* that serve, or served */
	uint64_t reloads_refused;
};

/* The name of a fault, of this enum or the parser's, for the log and the
 * metrics. */
static inline const char *
fault_name(unsigned fault)
{
	switch (fault) {
	case FAULT_TRUNCATED:
		return "truncated";
	case FAULT_REQUEST_TIMEOUT:
		return "request-timeout";
	case FAULT_ANSWER_TIMEOUT:
		return "answer-timeout";
	default:
		return request_fault_name((enum request_fault)fault);
	}
}

#endif
