/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TOTALS_H
#define TOTALS_H

#include <stddef.h>
#include <stdint.h>

#include "../hold.h"
#include "set.h"

/*
 * Holds are counted in bins by their length.  Bin i has the holds that are
 * longer than length_end(i - 1) and no longer than length_end(i), in ms; the
 * last bin has no end.  After every LENGTH_STEPS bins the end is one of
 * LENGTH_MARKS round figures, from a second to a day.
 */
#define LENGTH_MARKS 17
#define LENGTH_STEPS 20
#define LENGTH_BINS  (LENGTH_MARKS * LENGTH_STEPS + 1)

/* The longest that all holds together may last: 146 million years, in ms. */
#define LENGTH_MAX (INT64_MAX / 2)

/* The holds that began on one day of the local time zone. */
struct day {
	int number; /* of days from 1 January 1970 */
	uint64_t connections;
	int64_t length;	 /* ms, of all holds together */
	int64_t first;	 /* the earliest connected, in ms since the epoch */
	int64_t last;	 /* the latest disconnected, in ms since the epoch */
	int64_t longest; /* ms */
};

/* All that is known of the holds so far; all zero before the first hold. */
struct totals {
	uint64_t connections;
	int64_t length; /* ms, of all holds together */
	/* Without connections, first, last and longest mean nothing. */
	int64_t first;	 /* the earliest connected, in ms since the epoch */
	int64_t last;	 /* the latest disconnected, in ms since the epoch */
	int64_t longest; /* ms */
	uint64_t lengths[LENGTH_BINS];
	struct day *days; /* the days with connections, in order */
	size_t day_count;
	size_t day_room;
	uint64_t host_count; /* different hosts */
	struct set hosts;    /* the hosts of totals_add(), by totals_host() */
};

/*
 * The key of the host that an address belongs to: an IPv4 address is a host,
 * and so is an IPv6 network of 64 bits, since a host chooses its addresses in
 * such a network freely.
 */
struct key totals_host(const struct in6_addr *);

/*
 * Add count holds, at most SET_MANY.  Ends the program when there is no memory.
 */
void totals_add(struct totals *, const struct hold *, size_t count);

/*
 * Add all holds of a day, as read back from a database.  The day may be new to
 * the totals.  Hosts and lengths, which struct day does not have, stay as they
 * are.
 */
void totals_add_day(struct totals *, const struct day *);

/* The length of the longest holds that a bin takes, in ms; not the last bin. */
int64_t length_end(int bin);

/* The number of holds from the first bin up to and including this bin. */
uint64_t lengths_within(const struct totals *, int bin);

#endif
