/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROBE_H
#define PROBE_H

#include "domain.h"

/* How long an address has for each step, in seconds. */
#define CONNECT_SECONDS	 5
#define GREETING_SECONDS 8 /* some wait 6 on purpose, to catch the hasty */
#define REPLY_SECONDS	 8 /* to begin; a tarpit's begins within 4.8 */
#define HANG_SECONDS	 5 /* to end, once it has begun */

struct target {
	struct in6_addr addr;
	int is_first; /* to be asked before all that are not */
	struct answer answer;
};

/*
 * Ask each address what answers on its port 25, all at once: say EHLO and
 * QUIT there, nothing else.  Those that are to be asked first have been
 * reached, or not, before any other is tried.  Takes no more than the seconds
 * above together, unless there are more addresses than open files allow.
 */
void probe(struct target *, size_t);

/* Whether it is an address of this machine. */
int probe_is_own(const struct in6_addr *);

#endif
