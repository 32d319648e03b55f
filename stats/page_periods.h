/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAGE_PERIODS_H
#define PAGE_PERIODS_H

#include <stdint.h>
#include <stdio.h>

#include "totals.h"

/* However many years there are, that many bars fit a telephone. */
#define PERIODS_MAX 100

/* A stretch of the calendar: so many days, or else so many months. */
struct span {
	const char *name;
	int days;
	int months;
};

struct period {
	uint64_t connections;
	int64_t length; /* ms */
};

/* All days, collected in as many equal parts as can be drawn. */
struct periods {
	const struct span *span;
	int first; /* the first one's number */
	int count;
	int first_day;
	int last_day; /* the periods may reach beyond it */
	struct period period[PERIODS_MAX];
};

/* There must be at least one day. */
void periods_collect(struct periods *, const struct totals *);

/* Where it is: "on 3 May 2026", "in the week of 3 May 2026", "in May 2026". */
void periods_write_place(FILE *, const struct periods *, int i);

/*
 * The spans of the calendar are counted as days are, from 1970.  Which one a
 * day is in, and the day it begins with.
 */
int span_number(const struct span *, int day);
int span_begin(const struct span *, int number);

#endif
