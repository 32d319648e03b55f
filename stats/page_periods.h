/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAGE_PERIODS_H
#define PAGE_PERIODS_H

#include <stdint.h>
#include <stdio.h>

#include "edition.h"
#include "totals.h"

/* A telephone has room for so many bars. */
#define PERIODS_MAX 100

/* A stretch of the calendar: a number of days, or else of months. */
struct span {
	const char *name;
	int days;
	int months;
};

struct period {
	uint64_t connections;
	int64_t length; /* ms */
};

/* All days, collected in equal periods, one for each bar. */
struct periods {
	const struct span *span;
	int first; /* the number of the first period, see span_number() */
	int count;
	int first_day;
	int last_day; /* of the totals: the last period may reach beyond it */
	int made_day; /* of the page */
	struct period period[PERIODS_MAX];
};

/* Collect the days of totals that have at least one day. */
void periods_collect(
    struct periods *, const struct totals *, const struct edition *);

/*
 * Whether a period is not covered as a whole: the first period began before
 * the first connection, and a period that the page was made in goes on.
 */
int periods_is_part(const struct periods *, int i);

/* Where a period is: "on 3 May 2026", "in the week of 3 May 2026", "in May
 * 2026". */
void periods_write_place(FILE *, const struct periods *, int i);

/*
 * The number of the span that a day is in, and the day that begins the span of
 * a number.  Days and weeks are counted from 1970, and months from the year 0.
 */
int span_number(const struct span *, int day);
int span_begin(const struct span *, int number);

#endif
