/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A clock of the test's own: linked with the real objects and with
 * -Wl,--wrap=ppoll,--wrap=syscall,--wrap=clock_gettime.  The clock stands still
 * except during a wait: the wait is over at once, and the clock leaps forward
 * by its length.  A wait for the client's command lasts until the command
 * comes, unless SILENT is set, which says that the client will send nothing.
 *
 * The file that WAITS names gets two numbers of 64 bits for each wait: the
 * nanoseconds, and whether the wait was for the client.  The file is mapped
 * before anything else, since a sealed process cannot open it.
 */

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC INT64_C(1000000000)

struct wait {
	int64_t nsec;
	int64_t for_client;
};

int __real_ppoll(
    struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
int __wrap_ppoll(
    struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
long __real_syscall(long, ...);
long __wrap_syscall(long, long, struct timespec *, void *);
int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t, struct timespec *);

static struct wait *waits;
static size_t waits_max, waits_count;
static int64_t later; /* ns: the sum of all waits */

static void __attribute__((__constructor__)) map_waits(void)
{
	const char *path = getenv("WAITS");
	struct stat st;
	int fd;

	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		return;
	if (fstat(fd, &st) == -1)
		abort();
	waits_max = (size_t)st.st_size / sizeof(*waits);
	waits = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (waits == MAP_FAILED)
		abort();
	close(fd);
}

static void
leap(const struct timespec *wait, int for_client)
{
	int64_t nsec = wait->tv_sec * NSEC_PER_SEC + wait->tv_nsec;

	if (waits_count < waits_max)
		waits[waits_count++] = (struct wait){ .nsec = nsec,
			.for_client = for_client };
	later += nsec;
}

int
__wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *wait,
    const sigset_t *mask)
{
	const struct timespec none = { 0, 0 };
	int result;

	if (count > 0 && fds[0].events != 0 && getenv("SILENT") == NULL)
		return __real_ppoll(fds, count, NULL, mask);
	result = __real_ppoll(fds, count, &none, mask);
	if (result == 0)
		leap(wait, count > 0);
	return result;
}

/* The time at which the clock was first read, plus all leaps since. */
static void
leaped(clockid_t clock, struct timespec *ts)
{
	static struct timespec first[2]; /* CLOCK_REALTIME, CLOCK_MONOTONIC */
	int64_t nsec;

	if (first[clock].tv_sec == 0)
		first[clock] = *ts;
	nsec = first[clock].tv_nsec + later;
	ts->tv_sec = first[clock].tv_sec + (time_t)(nsec / NSEC_PER_SEC);
	ts->tv_nsec = (long)(nsec % NSEC_PER_SEC);
}

/* tarpit.c and seal.c never pass more arguments than this. */
long
__wrap_syscall(long number, long first, struct timespec *ts, void *third)
{
	long result = __real_syscall(number, first, ts, third);

	if (number == SYS_clock_gettime)
		leaped((clockid_t)first, ts);
	return result;
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	int result = __real_clock_gettime(clock, ts);

	leaped(clock, ts);
	return result;
}
