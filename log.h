/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOG_H
#define LOG_H

#include <sys/un.h>

#include <signal.h>

/* The address of the syslog daemon; log_send() sends to no other. */
extern const struct sockaddr_un log_address;

/*
 * How long log_send() should wait for a syslog daemon that does not read, in
 * ms: normally, and once a signal has asked the process to end, which systemd
 * follows up with SIGKILL after ten seconds.
 */
#define LOG_PATIENCE_MSEC 30000
#define LOG_HURRY_MSEC	  8000

/*
 * Choose where log_send() writes, standard error or syslog, and which signals
 * are blocked while log_send() waits (NULL: the signal mask stays as it is).
 * Call it before seal(), since it asks for the process id.
 */
void log_open(int to_stderr, const sigset_t *signals);

/*
 * Send one line of text (no newline) as "tarpit[PID]: text", with facility
 * mail and the given priority (syslog.h); text beyond some 300 bytes is cut
 * off.  Returns 0, or -1 when the line could not be sent.
 *
 * While the syslog daemon's queue is full, log_send() tries again: for msec at
 * most, and for LOG_HURRY_MSEC at most after a signal that came meanwhile.
 * While there is no daemon, log_send() tries again for five seconds at most.
 * A waiting process wakes up six times in the first second, and at most twice
 * in any later second.
 *
 * log_send() writes to /dev/log itself, in the form of RFC 3164 without the
 * time, which the daemon adds: syslog(3) would have to open and read the time
 * zone's file, which the kernel refuses after seal().
 */
int log_send(int priority, const char *text, int msec);

#endif
