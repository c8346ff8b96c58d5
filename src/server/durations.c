/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/durations.h"

const uint32_t duration_limits_us[DURATION_BUCKETS] = {
    10,   25,    50,    100,   250,    500,    1000,   2500,
    5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,
};

void
durations_note(struct durations *durations, uint64_t ns, uint64_t requests)
{
	size_t i = 0;

	while (i < DURATION_BUCKETS &&
	       ns > (uint64_t)duration_limits_us[i] * 1000)
		i++;
	durations->buckets[i] += requests;
	durations->sum_ns += ns * requests;
}

uint64_t
durations_count(const struct durations *durations)
{
	uint64_t count = 0;

	for (size_t i = 0; i <= DURATION_BUCKETS; i++)
		count += durations->buckets[i];
	return count;
}

uint32_t
durations_within(const struct durations *durations, unsigned percent)
{
	uint64_t count = durations_count(durations);
	/* Rounded up, and in this order because the product could overflow. */
	uint64_t wanted =
	    count / 100 * percent + (count % 100 * percent + 99) / 100;
	uint64_t seen = 0;

	if (count == 0)
		return 0;
	for (size_t i = 0; i < DURATION_BUCKETS; i++) {
		seen += durations->buckets[i];
		if (seen >= wanted)
			return duration_limits_us[i];
	}
	return UINT32_MAX;
}
