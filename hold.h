/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLD_H
#define HOLD_H

#include <netinet/in.h>

#include <stddef.h>
#include <stdint.h>

/* All times and lengths of time are in ms. */
#define SECOND_MSEC INT64_C(1000)
#define HOUR_MSEC   (3600 * SECOND_MSEC)
#define DAY_MSEC    (24 * HOUR_MSEC)

/*
 * One hold, and all that is ever recorded of it.  Addresses are kept as IPv6,
 * an IPv4 address in its IPv4-mapped form (RFC 4291, 2.5.5.2).
 */
struct hold {
	struct in6_addr addr; /* the client's */
	int64_t connected;    /* ms since the epoch, UTC */
	int64_t disconnected; /* ms, not before connected */
};

/* The latest time that fits a line: the last ms of the year 9999. */
#define HOLD_TIME_MAX INT64_C(253402300799999)

/* Room for the longest line that hold_format() makes, 121 bytes, and a NUL. */
#define HOLD_LINE_MAX 128

/*
 * Write the hold to buf, of size bytes, as one line without a newline:
 *
 *	ip=ADDRESS connected=TIME disconnected=TIME
 *
 * TIME is RFC 3339 in UTC with milliseconds, for the years 1970 to 9999; an
 * IPv4-mapped address is written as IPv4.  Returns the line's length, or -1 if
 * the times are out of range or in the wrong order, or buf is too small
 * (HOLD_LINE_MAX never is).
 */
int hold_format(const struct hold *, char *buf, size_t size);

/*
 * Read the hold back from one line of len bytes, which need not end in NUL.
 * Whatever stands before the word "ip=" is passed over, so that the prefix of
 * any syslog daemon will do, with a byte order mark or without a blank; blanks
 * and the end of a line may follow.  Returns 0, or -1 when the rest is not
 * exactly what hold_format() writes; the hold is then untouched.
 */
int hold_parse(const char *line, size_t len, struct hold *);

/* Map an IPv4 address into IPv6, the form in which struct hold keeps it. */
void hold_map_ipv4(const struct in_addr *, struct in6_addr *);

#endif
