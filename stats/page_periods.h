/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAGE_PERIODS_H
#define PAGE_PERIODS_H

#include <stdint.h>
#include <stdio.h>

#include "edition.h"
#include "totals.h"

/* A telephone has room for this many bars. */
#define PERIODS_MAX 100

/* How long a period is: a number of days, or else of months. */
struct span {
	const char *name;
	int days;
	int months;
};

struct period {
	uint64_t connections;
	int64_t length; /* ms */
};

/* All days, collected in periods of the same span; each period is one bar. */
struct periods {
	const struct span *span;
	int first; /* the number of the first period, see span_number() */
	int count;
	int first_day;
	int last_day; /* of the totals; the last period may end later */
	int made_day; /* on which the page is made */
	struct period period[PERIODS_MAX];
};

/* Collect the days of the totals, which must have at least one day. */
void periods_collect(
    struct periods *, const struct totals *, const struct edition *);

/*
 * Whether the totals cover only part of a period: the first period began before
 * the first connection, and the period in which the page is made goes on.
 */
int periods_is_part(const struct periods *, int i);

/* Write when a period is: "on 3 May 2026", "in the week of 3 May 2026". */
void periods_write_place(FILE *, const struct periods *, int i);

/*
 * The number of the period that a day is in, and the first day of the period
 * with a number, for periods of one span.  Days and weeks are counted from
 * 1970, and months from the year 0.
 */
int span_number(const struct span *, int day);
int span_begin(const struct span *, int number);

#endif
