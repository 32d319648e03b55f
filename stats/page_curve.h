/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAGE_CURVE_H
#define PAGE_CURVE_H

#include <stdint.h>
#include <stdio.h>

#include "totals.h"

/*
 * Draw the share of holds that last longer than a time, over the logarithm of
 * the time, as the content of an SVG element, as bars_draw() does.  There must
 * be a connection.
 */
void curve_draw(FILE *, const struct totals *);

/*
 * The time, in ms, that half of the holds last longer than; CURVE_END_MSEC
 * stands for all longer times as well.
 */
int64_t curve_median(const struct totals *);

/* The median of fewer connections says nothing. */
#define CURVE_MEDIAN_MIN 10

#define CURVE_END_MSEC INT64_C(86400000)

/* Write as text what the curve shows at round times: "75.0% after 10 s; ". */
void curve_describe(FILE *, const struct totals *);

#endif
