/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WRITE_H
#define WRITE_H

#include <stdint.h>
#include <stdio.h>

/*
 * Numbers, dates and lengths of time as people write them, in English.
 */

/* A number with commas: 11,438. */
void write_count(FILE *, uint64_t);

/* A number of things, with commas: "1 host", "2,000 hosts". */
void write_counted(FILE *, uint64_t, const char *thing);

/* A length of time in hours, rounded to hundredths, with commas: 3,439.29. */
void write_hours(FILE *, int64_t msec);

/* A length of time in hours, rounded to hundredths, for programs: 3439.29. */
void write_plain_hours(FILE *, int64_t msec);

/* A length of time in its two largest units, rounded down: "4 min 10 s". */
void write_length(FILE *, int64_t msec);

/* A day as calendar.h counts it: "21 September 2006". */
void write_day(FILE *, int day);

/* A time in the local zone: "21st September 2006 @ 21:09". */
void write_moment(FILE *, int64_t msec);

/* A part of all in per cent: "12.3%". */
void write_share(FILE *, uint64_t part, uint64_t all);

#endif
