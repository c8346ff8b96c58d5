/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long answers take: a histogram from 10 microseconds to a second. To
 * note one is to increment a number in an array.
 */
#ifndef SERVER_DURATIONS_H
#define SERVER_DURATIONS_H

#include <stddef.h>
#include <stdint.h>

enum { DURATION_BUCKETS = 16 };

/* The longest duration that each bucket counts, in microseconds; the one
 * behind them counts what took longer. */
extern const uint32_t duration_limits_us[DURATION_BUCKETS];

struct durations {
	uint64_t buckets[DURATION_BUCKETS + 1]; /* each counts its own alone */
	uint64_t sum_ns;
};

/* Note that each of so many requests took ns nanoseconds. */
void durations_note(struct durations *durations, uint64_t ns,
		    uint64_t requests);

/* How many were noted. */
uint64_t durations_count(const struct durations *durations);

/*
 * The limit, in microseconds, that percent of all stayed within, by whole
 * buckets; 0 where nothing was noted, UINT32_MAX where it is beyond the last.
 */
uint32_t durations_within(const struct durations *durations, unsigned percent);

#endif
