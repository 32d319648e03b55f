/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Linked into each program that "make coverage" builds.  gcov writes what a
 * program has counted when it exits: a sealed one may not open files, and a
 * killed one never exits.  So the counters lie in a file, COUNTERS, that all
 * processes of the program map, and count in together; nothing is left to be
 * done when one ends.  Run with COUNTERS_TO_GCOV set, the program does nothing
 * but give the file to gcov.
 */

#include <sys/mman.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

extern char counters_start[], counters_end[]; /* by counters.ld */
extern void __gcov_dump(void);
void __wrap___gcov_exit(void);

/* At exit: what each process would have written would count double. */
void
__wrap___gcov_exit(void)
{
}

/* Where the file cannot be had, as in a chroot, nothing is counted. */
static void __attribute__((__constructor__)) map_counters(void)
{
	uintptr_t size = (uintptr_t)counters_end - (uintptr_t)counters_start;
	int fd = open(COUNTERS, O_RDWR | O_CLOEXEC);

	if (fd == -1)
		return;
	if (mmap(counters_start, size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		abort();
	close(fd);
	if (getenv("COUNTERS_TO_GCOV") != NULL) {
		__gcov_dump();
		_exit(0);
	}
}
