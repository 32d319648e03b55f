/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Linked into each program that "make coverage" builds.  gcov writes what a
 * process has counted when the process exits, but a sealed process may not open
 * files, and a killed process never exits.  So the counters lie in a file,
 * COUNTERS, which all processes of the program map and count in together, and
 * nothing is left to do when a process ends.  With COUNTERS_TO_GCOV set, the
 * program does nothing but give the file to gcov.
 */

#include <sys/mman.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

extern char counters_start[], counters_end[]; /* by counters.ld */
extern void __gcov_dump(void);
void __wrap___gcov_exit(void);

/* Let no process write its counts at exit, where they would count twice. */
void
__wrap___gcov_exit(void)
{
}

/* Where the file cannot be opened, as in a chroot, nothing is counted. */
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
