/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAGE_CURVE_H
#define PAGE_CURVE_H

#include <stdint.h>
#include <stdio.h>

#include "totals.h"

/*
 * Draw the share of holds that last longer than a time, against the logarithm
 * of that time, as the content of an SVG element like that of bars_draw().  The
 * totals must have a connection.
 */
void curve_draw(FILE *, const struct totals *);

/*
 * Returns the time, in ms, that half of the holds last longer than, or
 * CURVE_END_MSEC if the time is longer than that.
 */
int64_t curve_median(const struct totals *);

/* The median of fewer connections says nothing. */
#define CURVE_MEDIAN_MIN 10

#define CURVE_END_MSEC INT64_C(86400000)

/* Write the curve as text, at round times: "75.0% after 10 s; ..." */
void curve_describe(FILE *, const struct totals *);

#endif
