/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAGE_BARS_H
#define PAGE_BARS_H

#include <stdio.h>

#include "page_periods.h"

/* The quantity that the bars show. */
struct measure {
	const char *name; /* begins the heading: "Hours" */
	double least;	  /* the smallest step that an axis can have */
	double (*value)(const struct period *);
	void (*write)(FILE *, const struct period *); /* "2 hours" */
};

/*
 * Draw the bars and their axes, as the content of an SVG element.  Lengths are
 * in per cent of that element, so that the same plot fits a telephone and a
 * large screen, with letters of the same size.  Elements of the class "w" are
 * for plots wider than 400 pixels.  The labels of the axes stand outside.
 */
void bars_draw(FILE *, const struct periods *, const struct measure *);

/* The index of the period with the highest bar. */
int bars_peak(const struct periods *, const struct measure *);

#endif
