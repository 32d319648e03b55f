/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CALENDAR_H
#define CALENDAR_H

#include <stdint.h>
#include <time.h>

/* The year in which tm_year of struct tm is 0. */
#define TM_YEAR_BASE 1900

/* In English, whatever the locale; January is 0. */
extern const char *const month_names[12];

/* Of a day of the month: "st", "nd", "rd" or "th". */
const char *ordinal(int);

/* A time in ms since the epoch, in the local time zone. */
struct tm local_time(int64_t msec);

/* Its day in the local time zone, counted from 1 January 1970. */
int local_day(int64_t msec);

/* The date of a day so counted. */
struct tm day_date(int day);

#endif
