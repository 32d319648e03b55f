/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TOTALS_H
#define TOTALS_H

#include <stddef.h>
#include <stdint.h>

#include "../hold.h"
#include "set.h"

/*
 * How long holds last is counted in bins.  Bin i has the holds that are longer
 * than length_end(i - 1) and no longer than length_end(i), in ms; the last one
 * has no end.  Every LENGTH_STEPS bins the end is one of LENGTH_MARKS round
 * figures, from a second to a day.
 */
#define LENGTH_MARKS 17
#define LENGTH_STEPS 20
#define LENGTH_BINS  (LENGTH_MARKS * LENGTH_STEPS + 1)

/* All holds together last no longer: 146 million years, in ms. */
#define LENGTH_MAX (INT64_MAX / 2)

/* The holds that began on one day of the local time zone. */
struct day {
	int number; /* of days from 1 January 1970 */
	uint64_t connections;
	int64_t length;	 /* ms, of all of them */
	int64_t first;	 /* ms since the epoch: the earliest connected */
	int64_t last;	 /* the latest disconnected */
	int64_t longest; /* ms */
};

/* All that is known of the holds so far; all zero is nothing. */
struct totals {
	uint64_t connections;
	int64_t length; /* ms, of all holds */
	/* The rest is meaningless while there are no connections. */
	int64_t first;	 /* ms since the epoch: the earliest connected */
	int64_t last;	 /* the latest disconnected */
	int64_t longest; /* ms */
	uint64_t lengths[LENGTH_BINS];
	struct day *days; /* those with connections, in order */
	size_t day_count;
	size_t day_room;
	uint64_t host_count; /* different hosts */
	struct set hosts;    /* the hosts of totals_add(), by totals_host() */
};

/*
 * The key of the host that an address belongs to: an IPv4 address is one, and
 * so is an IPv6 network of 64 bits, in which a host moves as it likes.
 */
struct key totals_host(const struct in6_addr *);

/*
 * Count so many more holds, at most SET_MANY.  Ends the program when there is
 * no memory.
 */
void totals_add(struct totals *, const struct hold *, size_t);

/*
 * Count all holds of a day, which need not be there yet, as far as a day tells
 * of them: neither hosts nor lengths.  For reading back what was counted
 * before.
 */
void totals_add_day(struct totals *, const struct day *);

/* The longest hold of a bin, in ms, of all but the last. */
int64_t length_end(int bin);

/* The holds in the first bins, as far as and with this one. */
uint64_t lengths_within(const struct totals *, int bin);

#endif
