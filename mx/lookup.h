/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "domain.h"

/*
 * Look up the MX records of a domain and their addresses, or those of its own
 * if it has no such record: RFC 5321, 5.1.  The domain's name and tarpit are
 * set before, and all else is zero.  A host of the tarpit's name is marked.
 */
void lookup_domain(struct domain *);

/* Look up the names that the domain's tarpits greet with. */
void lookup_greetings(struct domain *);

#endif
