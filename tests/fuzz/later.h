/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For targets that write a file and have it read at once: by their clock that
 * was an hour ago. Otherwise each load would wait until the file cannot have
 * been written to since, a hundredth of a second that no parser uses.
 */
#ifndef FROMGUARD_TESTS_FUZZ_LATER_H
#define FROMGUARD_TESTS_FUZZ_LATER_H

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, now);

	if (result == 0 && clock == CLOCK_REALTIME)
		now->tv_sec += 3600;
	return result;
}

#endif
