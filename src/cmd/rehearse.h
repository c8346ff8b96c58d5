/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of a rehearsal. */
#ifndef CMD_REHEARSE_H
#define CMD_REHEARSE_H

#include "policy/rehearsal.h"

/*
 * Decide every pair and print the report, as text or as JSON: the pairs that
 * would be refused, or all. True where some would be.
 */
bool rehearse_report(struct rehearsal *rehearsal,
		     const struct snapshot *snapshot, struct decider *decider,
		     uint64_t lines, bool json, bool all);

#endif
