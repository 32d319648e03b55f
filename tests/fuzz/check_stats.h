/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CHECK_STATS_H
#define CHECK_STATS_H

#include "../../stats/totals.h"

/* Set a time zone in which days before 1970 and after 9999 begin. */
void set_time_zone(void);

/* Check that sums are the sums of their parts, and that all is in order. */
void check_totals(const struct totals *);

/* Check that two totals have counted the same holds in the same order. */
void check_same_totals(const struct totals *, const struct totals *);

/* Check that each report is text, without a NaN or a negative number. */
void check_reports(const struct totals *);

/* Free the memory of totals. */
void free_totals(struct totals *);

#endif
