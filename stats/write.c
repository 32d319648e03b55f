/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Numbers, dates and lengths of time, for people.
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "../hold.h"
#include "calendar.h"
#include "write.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    INT64_C(86400)

static int64_t hours_hundredths(int64_t);
static void write_two(FILE *, int64_t, const char *, int64_t, const char *);

void
write_count(FILE *out, uint64_t count)
{
	uint64_t group = 1;

	while (count / group >= 1000)
		group *= 1000;
	fprintf(out, "%" PRIu64, count / group);
	for (group /= 1000; group > 0; group /= 1000)
		fprintf(out, ",%03" PRIu64, count / group % 1000);
}

void
write_counted(FILE *out, uint64_t count, const char *thing)
{
	write_count(out, count);
	fprintf(out, " %s%s", thing, count == 1 ? "" : "s");
}

void
write_hours(FILE *out, int64_t msec)
{
	int64_t hours = hours_hundredths(msec);

	write_count(out, (uint64_t)(hours / 100));
	fprintf(out, ".%02d", (int)(hours % 100));
}

void
write_plain_hours(FILE *out, int64_t msec)
{
	int64_t hours = hours_hundredths(msec);

	fprintf(out, "%" PRId64 ".%02d", hours / 100, (int)(hours % 100));
}

static int64_t
hours_hundredths(int64_t msec)
{
	return (msec + HOUR_MSEC / 200) / (HOUR_MSEC / 100);
}

void
write_length(FILE *out, int64_t msec)
{
	int64_t sec = msec / SECOND_MSEC;

	if (sec < 10)
		fprintf(
		    out, "%d.%d s", (int)sec, (int)(msec % SECOND_MSEC / 100));
	else if (sec < MINUTE)
		fprintf(out, "%d s", (int)sec);
	else if (sec < HOUR)
		write_two(out, sec / MINUTE, "min", sec % MINUTE, "s");
	else if (sec < 2 * DAY)
		write_two(out, sec / HOUR, "h", sec % HOUR / MINUTE, "min");
	else
		write_counted(out, (uint64_t)(sec / DAY), "day");
}

/* The lesser unit is left out if it is zero. */
static void
write_two(FILE *out, int64_t greater, const char *unit, int64_t lesser,
    const char *lesser_unit)
{
	fprintf(out, "%d %s", (int)greater, unit);
	if (lesser > 0)
		fprintf(out, " %d %s", (int)lesser, lesser_unit);
}

void
write_day(FILE *out, int day)
{
	struct tm tm = day_date(day);

	fprintf(out, "%d %s %d", tm.tm_mday, month_names[tm.tm_mon],
	    tm.tm_year + TM_YEAR_BASE);
}

void
write_moment(FILE *out, int64_t msec)
{
	struct tm tm = local_time(msec);

	fprintf(out, "%d%s %s %d @ %02d:%02d", tm.tm_mday, ordinal(tm.tm_mday),
	    month_names[tm.tm_mon], tm.tm_year + TM_YEAR_BASE, tm.tm_hour,
	    tm.tm_min);
}

void
write_share(FILE *out, uint64_t part, uint64_t all)
{
	fprintf(out, "%.1f%%", 100.0 * (double)part / (double)all);
}
