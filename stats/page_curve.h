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
 * The time, in ms, that half of the holds last longer than; not told from
 * more once it is CURVE_END_MSEC.
 */
int64_t curve_median(const struct totals *);

/* There is no such time of fewer connections. */
#define CURVE_MEDIAN_MIN 10

#define CURVE_END_MSEC INT64_C(86400000)

/* What the curve says at times that people know, as text. */
void curve_describe(FILE *, const struct totals *);

#endif
