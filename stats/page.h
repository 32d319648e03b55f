/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAGE_H
#define PAGE_H

#include <stdio.h>

#include "edition.h"
#include "totals.h"

/*
 * Write the totals as a web page: one file that has no script, loads nothing
 * and shows no address.  tarpit-stats(8) describes the page.  Times are in the
 * local time zone.  The caller finds errors with ferror(3).
 */
void page_write(FILE *, const struct totals *, const struct edition *);

#endif
