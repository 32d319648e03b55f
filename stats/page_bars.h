/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAGE_BARS_H
#define PAGE_BARS_H

#include <stdio.h>

#include "page_periods.h"

/* What the bars show of each period. */
struct measure {
	const char *name; /* begins the heading: "Hours" */
	double least;	  /* the smallest step that an axis can have */
	double (*value)(const struct period *);
	void (*write)(FILE *, const struct period *); /* "2 hours" */
};

/*
 * Draw the bars and their axes, as the content of an SVG element of any size:
 * lengths are in per cent of it, so that it fits a telephone and a large
 * screen while its letters stay the same.  What is of the class "w" is for
 * plots of more than 400 pixels.  The axes' labels stand outside.
 */
void bars_draw(FILE *, const struct periods *, const struct measure *);

/* The index of the period with the highest bar. */
int bars_peak(const struct periods *, const struct measure *);

#endif
