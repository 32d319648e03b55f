/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A wall clock that somebody sets during the hold: linked with the real objects
 * and with -Wl,--wrap=syscall, the clock jumps by STEP seconds, AFTER seconds
 * after the program first reads any clock.  The monotonic clock is the real
 * one: clock_gettime(2) promises that nobody can set it.
 */

#include <sys/syscall.h>

#include <stdlib.h>
#include <time.h>

long __real_syscall(long, ...);
long __wrap_syscall(long, long, struct timespec *, void *);

/* tarpit.c and seal.c never pass more arguments than this. */
long
__wrap_syscall(long number, long first, struct timespec *ts, void *third)
{
	static time_t start;
	struct timespec monotonic;
	const char *step = getenv("STEP"), *after = getenv("AFTER");
	long result = __real_syscall(number, first, ts, third);

	if (number != SYS_clock_gettime || step == NULL || after == NULL)
		return result;
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	if (start == 0)
		start = monotonic.tv_sec;
	if (first == CLOCK_REALTIME && monotonic.tv_sec >= start + atol(after))
		ts->tv_sec += atol(step);
	return result;
}
