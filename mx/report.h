/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

#include "domain.h"
#include "rules.h"

/*
 * Write a domain, a line for each address of its hosts, and a line for each
 * finding.  Returns the worst verdict.
 */
enum verdict report(FILE *, const struct domain *, int cap);

#endif
