/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOG_H
#define LOG_H

/*
 * Choose where log_send() writes: standard error, or syslog.  Before seal(),
 * since it asks for the process id.
 */
void log_open(int to_stderr);

/*
 * Send one line of text (no newline) as "tarpit[PID]: text", with facility
 * mail and the given priority (syslog.h); text beyond some 300 octets is cut
 * off.  Waits while a syslog daemon is slow; when there is none, tries again
 * for half a second.  Returns 0, or -1 when the line could not be sent.
 *
 * It speaks to /dev/log itself, in the form of RFC 3164 without the time,
 * which the daemon then adds: syslog(3) would have to open and read the time
 * zone's file, and neither is possible after seal().
 */
int log_send(int priority, const char *text);

#endif
