/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A system that fails: linked with the real objects and with -Wl,--wrap for
 * each call below.  The calls whose names begin with FAIL succeed AFTER times,
 * and then fail once, and MORE times after that, with the errno ERRNO; when a
 * call fails, the file that FAILED names is made.  Some values of FAIL name an
 * event that makes no call fail.
 */

#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A call, its return value on failure, its parameters and arguments. */
#define FAILING(type, call, failure, parameters, arguments) \
	type __real_##call parameters; \
	type __wrap_##call parameters; \
	type __wrap_##call parameters \
	{ \
		return fails(#call) ? (failure) : __real_##call arguments; \
	}

static int
number(const char *name)
{
	const char *value = getenv(name);

	return value == NULL ? 0 : atoi(value);
}

static int
fails(const char *name)
{
	static int calls;
	const char *fail = getenv("FAIL"), *failed = getenv("FAILED");

	if (fail == NULL || strncmp(fail, name, strlen(fail)) != 0 ||
	    calls++ < number("AFTER") ||
	    calls > number("AFTER") + 1 + number("MORE"))
		return 0;
	if (failed != NULL)
		close(creat(failed, 0600));
	errno = number("ERRNO");
	return 1;
}

FAILING(void *, calloc, NULL, (size_t n, size_t size), (n, size))
FAILING(
    void *, reallocarray, NULL, (void *p, size_t n, size_t size), (p, n, size))
FAILING(
    ssize_t, getrandom, -1, (void *p, size_t n, unsigned flags), (p, n, flags))
FAILING(ssize_t, read, -1, (int fd, void *p, size_t size), (fd, p, size))
FAILING(int, poll, -1, (struct pollfd * fds, nfds_t count, int msec),
    (fds, count, msec))
FAILING(ssize_t, recv, -1, (int fd, void *p, size_t size, int flags),
    (fd, p, size, flags))
FAILING(int, fsync, -1, (int fd), (fd))
FAILING(int, ftruncate, -1, (int fd, off_t size), (fd, size))
FAILING(int, flock, -1, (int fd, int how), (fd, how))
FAILING(FILE *, fdopen, NULL, (int fd, const char *mode), (fd, mode))
FAILING(int, fstat, -1, (int fd, struct stat *st), (fd, st))
FAILING(int, getsockname, -1, (int fd, struct sockaddr *p, socklen_t *size),
    (fd, p, size))
FAILING(int, getsockopt, -1,
    (int fd, int level, int option, void *p, socklen_t *size),
    (fd, level, option, p, size))
FAILING(ssize_t, send, -1, (int fd, const void *p, size_t size, int flags),
    (fd, p, size, flags))
FAILING(ssize_t, sendfile, -1, (int out, int in, off_t *at, size_t size),
    (out, in, at, size))
FAILING(ssize_t, pread, -1, (int fd, void *p, size_t size, off_t at),
    (fd, p, size, at))
FAILING(int, pipe2, -1, (int *ends, int flags), (ends, flags))
FAILING(ssize_t, splice, -1,
    (int in, off_t *in_at, int out, off_t *out_at, size_t size, unsigned flags),
    (in, in_at, out, out_at, size, flags))
FAILING(int, socket, -1, (int domain, int type, int protocol),
    (domain, type, protocol))
FAILING(int, prctl, -1,
    (int option, unsigned long a, unsigned long b, unsigned long c,
	unsigned long d),
    (option, a, b, c, d))

int __real_fcntl(int, int, ...);
int __wrap_fcntl(int, int, ...);
int __wrap_asprintf(char **, const char *, ...);
int __real_gethostname(char *, size_t);
int __wrap_gethostname(char *, size_t);
int __real_stat(const char *, struct stat *);
int __wrap_stat(const char *, struct stat *);
int __real_fflush(FILE *);
int __wrap_fflush(FILE *);
long __real_syscall(long, ...);
long __wrap_syscall(long, long, struct timespec *, void *);

/* All callers here pass a third argument, an int. */
int
__wrap_fcntl(int fd, int command, ...)
{
	va_list ap;
	int argument;

	va_start(ap, command);
	argument = va_arg(ap, int);
	va_end(ap);
	return fails("fcntl") ? -1 : __real_fcntl(fd, command, argument);
}

int
__wrap_asprintf(char **p, const char *form, ...)
{
	va_list ap;
	int len;

	if (fails("asprintf"))
		return -1;
	va_start(ap, form);
	len = vasprintf(p, form, ap);
	va_end(ap);
	return len;
}

/* When this call fails, the buffer has a name in it all the same. */
int
__wrap_gethostname(char *p, size_t size)
{
	int status = __real_gethostname(p, size);

	return fails("gethostname") ? -1 : status;
}

/* The file is replaced by a file of another device with the same inode. */
int
__wrap_stat(const char *path, struct stat *st)
{
	int status = __real_stat(path, st);

	if (fails("st_dev")) {
		unlink(path);
		st->st_dev++;
	}
	return status;
}

/* An earlier write has failed, but the rest of the file is written. */
int
__wrap_fflush(FILE *file)
{
	if (fails("ferror"))
		(void)getc(file);
	return __real_fflush(file);
}

/*
 * The wall clock says 1969; or a second passes between asking for the time and
 * acting on it.  tarpit.c and seal.c never pass more arguments than this.
 */
long
__wrap_syscall(long call, long first, struct timespec *ts, void *third)
{
	long status = __real_syscall(call, first, ts, third);

	if (call != SYS_clock_gettime)
		return status;
	if (first == CLOCK_REALTIME && fails("1969"))
		ts->tv_sec = -1;
	if (first == CLOCK_MONOTONIC && fails("late"))
		ts->tv_sec++;
	return status;
}
