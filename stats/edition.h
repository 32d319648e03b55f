/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EDITION_H
#define EDITION_H

#include <stdint.h>

#include "held.h"

#define EDITION_SECONDS_MAX INT64_C(253402300799) /* the end of 9999 */

/* What a report says besides the totals. */
struct edition {
	const char *title;   /* of the tarpit, in UTF-8; NULL: no title */
	const char *warning; /* to readers of the page; NULL: no warning */
	int64_t made;	     /* ms since the epoch */
	struct held held;
	int text_held; /* whether the text report has a line about held */
};

/*
 * Set the time at which the report is made, and who is held at that time.  If
 * SOURCE_DATE_EPOCH is set, it is the time, and who is held is unknown, so that
 * the same totals give the same report.  Returns NULL, or what is wrong with
 * SOURCE_DATE_EPOCH.
 */
const char *edition_begin(struct edition *);

#endif
