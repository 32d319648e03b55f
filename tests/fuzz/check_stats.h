/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CHECK_STATS_H
#define CHECK_STATS_H

#include "../../stats/totals.h"

/* One where days before 1970 and after 9999 begin. */
void set_time_zone(void);

/* The sums are those of the parts, and nothing is out of order. */
void check_totals(const struct totals *);

/* Both have counted the same holds, in the same order. */
void check_same_totals(const struct totals *, const struct totals *);

/* Each report is text, without a number that is none or is negative. */
void check_reports(const struct totals *);

/* Give the memory back. */
void free_totals(struct totals *);

#endif
