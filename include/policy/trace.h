/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trace records what a decision tried and what came of it, so that the
 * explanation is the decision. The server attaches none.
 */
#ifndef POLICY_TRACE_H
#define POLICY_TRACE_H

#include "base/buffer.h"
#include "policy/grants.h"

enum trace_result {
	TRACE_MISS,
	TRACE_HIT,
	TRACE_NOTE, /* something found on the way, neither for nor against */
	TRACE_TROUBLE,
};

struct trace_step {
	enum trace_result result;
	bool has_origin;
	struct origin origin;
	char *text; /* for people; may hold any byte of the sender; owned */
};

struct trace {
	struct trace_step *steps;
	size_t count;
	size_t room;
};

void trace_init(struct trace *trace);
void trace_fini(struct trace *trace);
/* Record a step; trace may be NULL. origin may be NULL. */
void trace_add(struct trace *trace, enum trace_result result,
	       const struct origin *origin, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
