/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How one line gets to syslog, or to standard error.  Nothing in this file
 * opens a file or connects a socket, so that all of it works after seal().
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <paths.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define SYSLOG_TEXT_MAX 384 /* prefix, text and NUL */

/* How long a process waits while there is no syslog daemon. */
#define ABSENT_MSEC 5000

/* The waits between tries double from the first length to the last. */
#define FIRST_WAIT_MSEC 16
#define LAST_WAIT_MSEC	512

const struct sockaddr_un log_address = { .sun_family = AF_UNIX,
	.sun_path = _PATH_LOG };

static int log_to_stderr;
static const sigset_t *log_signals;
static pid_t log_pid;

static int send_to_syslog(const char *, size_t, int);
static int try_syslog(const char *, size_t);
static int64_t now_msec(void);
static int wait_msec(int);

void
log_open(int to_stderr, const sigset_t *signals)
{
	log_to_stderr = to_stderr;
	log_signals = signals;
	log_pid = getpid();
}

int
log_send(int priority, const char *text, int msec)
{
	char buf[SYSLOG_TEXT_MAX];
	int len;

	if (log_to_stderr)
		len = snprintf(
		    buf, sizeof(buf), "tarpit[%ld]: %s\n", (long)log_pid, text);
	else
		len = snprintf(buf, sizeof(buf), "<%d>tarpit[%ld]: %s",
		    LOG_MAIL | priority, (long)log_pid, text);
	if ((size_t)len >= sizeof(buf))
		len = sizeof(buf) - 1;

	if (log_to_stderr)
		return write(STDERR_FILENO, buf, (size_t)len) == len ? 0 : -1;
	return send_to_syslog(buf, (size_t)len, msec);
}

/*
 * Try again and again: sendto(2), left to wait for room in the daemon's queue,
 * would wait with every signal blocked.
 */
static int
send_to_syslog(const char *buf, size_t len, int msec)
{
	int64_t until = now_msec() + msec, absent_until = INT64_MAX;
	int wait = FIRST_WAIT_MSEC;

	while (try_syslog(buf, len) == -1) {
		int64_t now;
		int full = errno == EAGAIN;

		if (wait_msec(wait) == -1 &&
		    until > now_msec() + LOG_HURRY_MSEC)
			until = now_msec() + LOG_HURRY_MSEC;
		if (wait < LAST_WAIT_MSEC)
			wait *= 2;
		now = now_msec();
		if (full)
			absent_until = INT64_MAX;
		else if (absent_until == INT64_MAX)
			absent_until = now + ABSENT_MSEC;
		if (now > until || now > absent_until)
			return -1;
	}
	return 0;
}

static int
try_syslog(const char *buf, size_t len)
{
	int fd, error = 0;

	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	if (sendto(fd, buf, len, MSG_DONTWAIT,
		(const struct sockaddr *)&log_address,
		sizeof(log_address)) == -1)
		error = errno;
	close(fd);
	errno = error;
	return error == 0 ? 0 : -1;
}

static int64_t
now_msec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

/*
 * Wait, with the signals let in; returns -1 when a signal came.  The wait is up
 * to twice as long, depending on the process id, so that processes that ended
 * together do not all try again together.
 */
static int
wait_msec(int msec)
{
	struct timespec ts = { 0 };

	msec += msec * (int)(log_pid % 64) / 64;
	ts.tv_sec = msec / 1000;
	ts.tv_nsec = msec % 1000 * 1000000L;
	return ppoll(NULL, 0, &ts, log_signals);
}
