/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's only clock: one that no administrator can set. */
#ifndef SERVER_CLOCK_H
#define SERVER_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since some point in the past, a few of them late. Read once in
 * a callback. */
static inline uint64_t
clock_ms(void)
{
	struct timespec now = {0};

	/* Fails for no clock that Linux has. */
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Nanoseconds since some point in the past, exact: for what takes but a few
 * microseconds. */
static inline uint64_t
clock_ns(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A duration as libevent's timers take it. */
static inline struct timeval
clock_timeval(uint64_t ms)
{
	return (struct timeval){
	    .tv_sec = (time_t)(ms / 1000),
	    .tv_usec = (suseconds_t)(ms % 1000 * 1000),
	};
}

#endif
