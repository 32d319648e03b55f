/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

#include "edition.h"
#include "totals.h"

/*
 * The totals as text, JSON or metrics; described in tarpit-stats(8).
 * None has an address in it.  Times are in the local time zone unless they say
 * otherwise.  Errors are left in the stream, for ferror(3).
 */
void report_text(FILE *, const struct totals *, const struct edition *);
void report_json(FILE *, const struct totals *, const struct edition *);
void report_prometheus(FILE *, const struct totals *, const struct edition *);

#endif
