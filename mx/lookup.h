/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "domain.h"

/*
 * Look up the MX records of a domain and the addresses of the hosts in them;
 * or, for a domain without MX records, its own addresses (RFC 5321, 5.1).  The
 * caller sets the domain's name and tarpit, and leaves the rest zero.  Marks
 * the host that has the tarpit's name.
 */
void lookup_domain(struct domain *);

/* Look up the names that the domain's tarpits greet with. */
void lookup_greetings(struct domain *);

#endif
