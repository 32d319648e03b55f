/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Adding up holds: sums, bins, days and addresses.
 */

#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "totals.h"

#define DAYS_MIN 64

/* The ends of bins that people and metrics ask about, in seconds. */
static const int marks[LENGTH_MARKS] = { 1, 2, 5, 10, 30, 60, 120, 300, 600,
	1200, 1800, 3600, 7200, 14400, 28800, 43200, 86400 };

static void add_times(struct totals *, int64_t, int64_t);
static void add_to_day(struct day *, const struct day *);
static int length_bin(int64_t);
static struct day *find_day(struct totals *, int);
static struct day *insert_day(struct totals *, size_t, int);

void
totals_add(struct totals *totals, const struct hold *holds, size_t count)
{
	struct key hosts[SET_MANY];
	size_t i;

	for (i = 0; i < count; i++) {
		add_times(totals, holds[i].connected, holds[i].disconnected);
		hosts[i] = totals_host(&holds[i].addr);
	}
	set_add_many(&totals->hosts, hosts, count);
	totals->host_count = totals->hosts.count;
}

struct key
totals_host(const struct in6_addr *addr)
{
	struct key host;

	memcpy(&host, addr, sizeof(host));
	if (!IN6_IS_ADDR_V4MAPPED(addr))
		memset(&host.byte[8], 0, sizeof(host) - 8);
	return host;
}

static void
add_times(struct totals *totals, int64_t connected, int64_t disconnected)
{
	int64_t length = disconnected - connected;
	struct day day = { local_day(connected), 1, length, connected,
		disconnected, length };

	totals->lengths[length_bin(length)]++;
	totals_add_day(totals, &day);
}

static int
length_bin(int64_t length)
{
	int64_t start = 0;
	int i;

	if (length <= 0)
		return 0;
	for (i = 0; i < LENGTH_MARKS; i++) {
		int64_t end = marks[i] * SECOND_MSEC;

		if (length <= end)
			return i * LENGTH_STEPS +
			    (int)((length - start - 1) * LENGTH_STEPS /
				(end - start));
		start = end;
	}
	return LENGTH_BINS - 1;
}

int64_t
length_end(int bin)
{
	int mark = bin / LENGTH_STEPS;
	int64_t start = mark == 0 ? 0 : marks[mark - 1] * SECOND_MSEC;
	int64_t end = marks[mark] * SECOND_MSEC;

	return start + (end - start) * (bin % LENGTH_STEPS + 1) / LENGTH_STEPS;
}

uint64_t
lengths_within(const struct totals *totals, int bin)
{
	uint64_t count = 0;
	int i;

	for (i = 0; i <= bin; i++)
		count += totals->lengths[i];
	return count;
}

void
totals_add_day(struct totals *totals, const struct day *more)
{
	if (totals->connections == 0 || more->first < totals->first)
		totals->first = more->first;
	if (totals->connections == 0 || more->last > totals->last)
		totals->last = more->last;
	if (more->longest > totals->longest)
		totals->longest = more->longest;
	totals->connections += more->connections;
	totals->length += more->length;
	add_to_day(find_day(totals, more->number), more);
}

static void
add_to_day(struct day *day, const struct day *more)
{
	if (day->connections == 0 || more->first < day->first)
		day->first = more->first;
	if (day->connections == 0 || more->last > day->last)
		day->last = more->last;
	if (more->longest > day->longest)
		day->longest = more->longest;
	day->connections += more->connections;
	day->length += more->length;
}

/* Find a day in the list, which is in order; mostly it is the last day. */
static struct day *
find_day(struct totals *totals, int number)
{
	size_t low = 0, high = totals->day_count;

	if (high > 0 && totals->days[high - 1].number <= number)
		low = high - 1;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (totals->days[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < totals->day_count && totals->days[low].number == number)
		return &totals->days[low];
	return insert_day(totals, low, number);
}

static struct day *
insert_day(struct totals *totals, size_t at, int number)
{
	struct day *day;

	if (totals->day_count == totals->day_room) {
		totals->day_room = totals->day_room == 0 ? DAYS_MIN
							 : 2 * totals->day_room;
		totals->days = reallocarray(
		    totals->days, totals->day_room, sizeof(*totals->days));
		if (totals->days == NULL)
			err(1, "%zu days", totals->day_count);
	}
	day = &totals->days[at];
	memmove(day + 1, day, (totals->day_count - at) * sizeof(*day));
	totals->day_count++;
	*day = (struct day){ .number = number };
	return day;
}
