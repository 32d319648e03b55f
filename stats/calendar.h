/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CALENDAR_H
#define CALENDAR_H

#include <stdint.h>
#include <time.h>

/* The year in which tm_year of struct tm is 0. */
#define TM_YEAR_BASE 1900

/* The months in English, whatever the locale; January is 0. */
extern const char *const month_names[12];

/* What follows a day of the month, from 1 to 31: "st", "nd", "rd" or "th". */
const char *ordinal(int);

/* A time in ms since the epoch, in the local time zone. */
struct tm local_time(int64_t msec);

/* The day, in the local time zone, of a time in ms; 1 January 1970 is day 0. */
int local_day(int64_t msec);

/* The date of a day that local_day() returned. */
struct tm day_date(int day);

#endif
