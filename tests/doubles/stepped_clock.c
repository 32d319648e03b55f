/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A wall clock that somebody sets while the hold lasts: linked with the real
 * objects and with -Wl,--wrap=syscall, it jumps by STEP seconds so many
 * seconds after the program first asks for any time as AFTER says.  The
 * monotonic clock is the real one, as the kernel promises in clock_gettime(2).
 */

#include <sys/syscall.h>

#include <stdlib.h>
#include <time.h>

long __real_syscall(long, ...);
long __wrap_syscall(long, long, struct timespec *, void *);

/* With as many arguments as tarpit.c and seal.c give. */
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
