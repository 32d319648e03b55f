/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The time at which a report is made, which tests and reproducible builds set.
 */

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <bsd/stdlib.h>

#include "edition.h"
#include "held.h"
#include "../hold.h"

const char *
edition_begin(struct edition *edition)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	const char *problem = NULL;

	if (epoch == NULL) {
		edition->made = (int64_t)time(NULL) * SECOND_MSEC;
		held_count(&edition->held);
		return NULL;
	}
	edition->held.known = 0;
	edition->made = strtonum(epoch, 0, EDITION_SECONDS_MAX, &problem) *
	    SECOND_MSEC;
	return problem;
}
