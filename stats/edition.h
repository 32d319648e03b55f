/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EDITION_H
#define EDITION_H

#include <stdint.h>

#include "held.h"

#define EDITION_SECONDS_MAX INT64_C(253402300799) /* the end of 9999 */

/* What a report says besides the totals: whose they are, and how it is now. */
struct edition {
	const char *title;   /* of the tarpit, in UTF-8; NULL: it has none */
	const char *warning; /* for readers of the page; NULL: there is none */
	int64_t made;	     /* ms since the epoch */
	struct held held;
	int text_held; /* whether the text has a line about them as well */
};

/*
 * Set the time of making and who is held then.  SOURCE_DATE_EPOCH is the time
 * if it is set, and who is held is unknown then, so that the same totals give
 * the same report.  Returns NULL, or what is wrong with SOURCE_DATE_EPOCH.
 */
const char *edition_begin(struct edition *);

#endif
