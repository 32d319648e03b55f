/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROBE_H
#define PROBE_H

#include "domain.h"

/* How long an address has for each step, in seconds. */
#define CONNECT_SECONDS	 5
#define GREETING_SECONDS 8 /* some servers wait 6 s, to catch the hasty */
#define REPLY_SECONDS	 8 /* to begin a reply; a tarpit does within 4.8 s */
#define HANG_SECONDS	 5 /* to end a reply that has begun */

struct target {
	struct in6_addr addr;
	int is_first; /* ask this address before the others */
	struct answer answer;
};

/*
 * Find out what answers on port 25 of count addresses, all at once, by saying
 * EHLO and QUIT and nothing else.  Each address with is_first is reached, or
 * found out of reach, before any other address is tried.  The whole takes no
 * longer than the limits above together, unless there are more addresses than
 * a process may have descriptors.
 */
void probe(struct target *, size_t count);

/* Whether an address belongs to this machine. */
int probe_is_own(const struct in6_addr *);

#endif
