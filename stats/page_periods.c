/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The days of the totals, collected by day, week, month or longer.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "calendar.h"
#include "edition.h"
#include "page_periods.h"
#include "write.h"

#define SECONDS_PER_DAY 86400
#define THURSDAY	3 /* days after Monday: 1 January 1970 was a Thursday */
#define MONTHS_PER_YEAR 12
#define PERIODS_MIN	7 /* with fewer periods, a bar would fill the plot */

/* From 1970 to 9999, the last year of log lines, there are 81 centuries. */
static const struct span spans[] = {
	{ "day", .days = 1 },
	{ "week", .days = 7 },
	{ "month", .months = 1 },
	{ "quarter", .months = 3 },
	{ "year", .months = 12 },
	{ "five years", .months = 60 },
	{ "decade", .months = 120 },
	{ "century", .months = 1200 },
};

static const struct span *choose_span(int, int);
static int month_number(int);
static int month_begin(int);
static void write_months(FILE *, const struct span *, int);

void
periods_collect(struct periods *periods, const struct totals *totals,
    const struct edition *edition)
{
	int first = totals->days[0].number;
	int last = totals->days[totals->day_count - 1].number;
	size_t i;

	memset(periods, 0, sizeof(*periods));
	periods->first_day = first;
	periods->last_day = last;
	periods->made_day = local_day(edition->made);
	periods->span = choose_span(first, last);
	periods->first = span_number(periods->span, first);
	periods->count = span_number(periods->span, last) - periods->first + 1;
	if (periods->count < PERIODS_MIN)
		periods->count = PERIODS_MIN;
	for (i = 0; i < totals->day_count; i++) {
		const struct day *day = &totals->days[i];
		int at = span_number(periods->span, day->number) -
		    periods->first;
		struct period *period = &periods->period[at];

		period->connections += day->connections;
		period->length += day->length;
	}
}

int
periods_is_part(const struct periods *periods, int i)
{
	return i == 0 ||
	    periods->first + i >= span_number(periods->span, periods->made_day);
}

static const struct span *
choose_span(int first, int last)
{
	const struct span *span = spans;

	while (
	    span_number(span, last) - span_number(span, first) >= PERIODS_MAX)
		span++;
	return span;
}

/* Weeks begin on Monday.  West of Greenwich, 1970 begins on the day -1. */
int
span_number(const struct span *span, int day)
{
	if (span->months > 0)
		return month_number(day) / span->months;
	if (span->days > 1)
		return (day + THURSDAY) / span->days;
	return day;
}

int
span_begin(const struct span *span, int number)
{
	if (span->months > 0)
		return month_begin(number * span->months);
	if (span->days > 1)
		return number * span->days - THURSDAY;
	return number;
}

/* Months are counted from the year 0, so that decades begin in round years. */
static int
month_number(int day)
{
	struct tm tm = day_date(day);

	return (tm.tm_year + TM_YEAR_BASE) * MONTHS_PER_YEAR + tm.tm_mon;
}

static int
month_begin(int month)
{
	struct tm tm = {
		.tm_mday = 1,
		.tm_mon = month % MONTHS_PER_YEAR,
		.tm_year = month / MONTHS_PER_YEAR - TM_YEAR_BASE,
	};

	return (int)(timegm(&tm) / SECONDS_PER_DAY);
}

void
periods_write_place(FILE *out, const struct periods *periods, int i)
{
	const struct span *span = periods->span;
	int day = span_begin(span, periods->first + i);

	if (span->months > 0) {
		write_months(out, span, day);
		return;
	}
	fputs(span->days > 1 ? "in the week of " : "on ", out);
	write_day(out, day);
}

static void
write_months(FILE *out, const struct span *span, int day)
{
	struct tm tm = day_date(day);
	int year = tm.tm_year + TM_YEAR_BASE;

	if (span->months == 1)
		fprintf(out, "in %s %d", month_names[tm.tm_mon], year);
	else if (span->months < MONTHS_PER_YEAR)
		fprintf(out, "from %s to %s %d", month_names[tm.tm_mon],
		    month_names[tm.tm_mon + span->months - 1], year);
	else if (span->months == MONTHS_PER_YEAR)
		fprintf(out, "in %d", year);
	else
		fprintf(out, "from %d to %d", year,
		    year + span->months / MONTHS_PER_YEAR - 1);
}
