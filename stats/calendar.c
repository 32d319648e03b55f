/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Local time, days and their names.
 */

#include <stdint.h>
#include <time.h>

#include "calendar.h"

#define SECONDS_PER_DAY 86400
#define QUARTER_MSEC	INT64_C(900000)
#define QUARTERS_KNOWN	65536 /* quarters of an hour: almost two years */

const char *const month_names[12] = { "January", "February", "March", "April",
	"May", "June", "July", "August", "September", "October", "November",
	"December" };

const char *
ordinal(int n)
{
	static const char *const endings[] = { "th", "st", "nd", "rd" };

	if (n % 10 > 3 || n / 10 % 10 == 1)
		return endings[0];
	return endings[n % 10];
}

/* localtime_r(3) cannot fail: any int64_t of ms is in a year that fits int. */
struct tm
local_time(int64_t msec)
{
	time_t sec = (time_t)(msec / 1000);
	struct tm tm;

	localtime_r(&sec, &tm);
	return tm;
}

/*
 * localtime(3) takes longer than everything else that is done with a hold, so
 * its answer is kept for each quarter of an hour: every time zone differs from
 * UTC by a multiple of that.
 */
int
local_day(int64_t msec)
{
	static struct {
		int64_t quarter; /* counted from 1: 0 is no entry */
		int day;
	} known[QUARTERS_KNOWN];
	int64_t quarter = msec / QUARTER_MSEC + 1;
	size_t i = (size_t)quarter % QUARTERS_KNOWN;
	struct tm tm;

	if (known[i].quarter != quarter) {
		/* The local date, taken for a date in UTC. */
		tm = local_time(msec);
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		known[i].quarter = quarter;
		known[i].day = (int)(timegm(&tm) / SECONDS_PER_DAY);
	}
	return known[i].day;
}

struct tm
day_date(int day)
{
	time_t sec = (time_t)day * SECONDS_PER_DAY;
	struct tm tm;

	gmtime_r(&sec, &tm);
	return tm;
}
