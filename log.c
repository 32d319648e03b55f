/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The way of a line to syslog.  Nothing in this file opens a file, reads or
 * allocates, so that all of it works after seal().
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <paths.h>
#include <poll.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define SYSLOG_TEXT_MAX	  384 /* prefix, text and NUL */
#define SYSLOG_TRIES	  5
#define SYSLOG_RETRY_NSEC 125000000 /* 4 waits: half a second */

static int log_to_stderr;
static pid_t log_pid;

static int send_to_syslog(const char *, size_t);
static int try_syslog(const char *, size_t);

void
log_open(int to_stderr)
{
	log_to_stderr = to_stderr;
	log_pid = getpid();
}

int
log_send(int priority, const char *text)
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
	return send_to_syslog(buf, (size_t)len);
}

static int
send_to_syslog(const char *buf, size_t len)
{
	const struct timespec wait = { 0, SYSLOG_RETRY_NSEC };
	int try;

	for (try = 1; try_syslog(buf, len) == -1; try++) {
		if (try == SYSLOG_TRIES)
			return -1;
		ppoll(NULL, 0, &wait, NULL);
	}
	return 0;
}

static int
try_syslog(const char *buf, size_t len)
{
	const struct sockaddr_un sun = { .sun_family = AF_UNIX,
		.sun_path = _PATH_LOG };
	int fd, sent;

	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	/* Blocks while the daemon's queue is full: no line is lost to haste. */
	sent = sendto(fd, buf, len, 0, (const struct sockaddr *)&sun,
		   sizeof(sun)) != -1;
	close(fd);
	return sent ? 0 : -1;
}
