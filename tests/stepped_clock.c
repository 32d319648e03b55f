/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A wall clock that somebody sets while the hold lasts: linked with the real
 * objects and with -Wl,--wrap=clock_gettime, it jumps by STEP seconds one
 * second after the program first asks for any time.  The monotonic clock is
 * the real one, as the kernel promises in clock_gettime(2).
 */

#include <stdlib.h>
#include <time.h>

int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t, struct timespec *);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	static time_t first;
	struct timespec monotonic;
	const char *step = getenv("STEP");

	__real_clock_gettime(CLOCK_MONOTONIC, &monotonic);
	if (first == 0)
		first = monotonic.tv_sec;
	if (__real_clock_gettime(clock, ts) == -1)
		return -1;
	if (clock == CLOCK_REALTIME && step != NULL && monotonic.tv_sec > first)
		ts->tv_sec += atol(step);
	return 0;
}
