/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/status_hour.h"

enum { MINUTE_MS = 60000 };

void
status_hour_init(struct status_hour *hour, uint64_t now_ms)
{
	*hour = (struct status_hour){.minute = now_ms / MINUTE_MS};
}

/* Go on to the minute that it is, leaving those in between empty. */
static void
advance(struct status_hour *hour, uint64_t minute)
{
	/* After an hour of silence one round empties all. */
	if (minute > hour->minute + HOUR_MINUTES)
		hour->minute = minute - HOUR_MINUTES;
	while (hour->minute < minute) {
		hour->minute++;
		memset(hour->verdicts[hour->minute % HOUR_MINUTES], 0,
		       sizeof(hour->verdicts[0]));
	}
}

void
status_hour_note(struct status_hour *hour, const struct counters *counters,
		 uint64_t now_ms)
{
	advance(hour, now_ms / MINUTE_MS);
	for (unsigned kind = 0; kind <= VERDICT_TROUBLE; kind++) {
		uint64_t total = 0;

		for (unsigned reason = 0; reason < REASON_COUNT; reason++)
			total += counters->requests[kind][reason];
		hour->verdicts[hour->minute % HOUR_MINUTES][kind] +=
		    total - hour->seen[kind];
		hour->seen[kind] = total;
	}
}

uint64_t
status_hour_at(const struct status_hour *hour, enum verdict_kind kind,
	       unsigned ago)
{
	/* 60 more, as the clock may have started less than an hour ago. */
	return hour->verdicts[(hour->minute + HOUR_MINUTES - ago) %
			      HOUR_MINUTES][kind];
}

uint64_t
status_hour_sum(const struct status_hour *hour, enum verdict_kind kind)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < HOUR_MINUTES; i++)
		sum += hour->verdicts[i][kind];
	return sum;
}
