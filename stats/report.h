/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

#include "edition.h"
#include "totals.h"

/*
 * Write the totals as text, JSON or metrics, as described in tarpit-stats(8).
 * No report contains an address.  Times are in the local time zone unless they
 * say otherwise.  The caller finds errors with ferror(3).
 */
void report_text(FILE *, const struct totals *, const struct edition *);
void report_json(FILE *, const struct totals *, const struct edition *);
void report_prometheus(FILE *, const struct totals *, const struct edition *);

#endif
