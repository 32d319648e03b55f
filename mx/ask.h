/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ASK_H
#define ASK_H

#include "domain.h"

enum families { FAMILY_ANY, FAMILY_IPV4, FAMILY_IPV6 };

/*
 * Find out what answers at the addresses of all hosts of all domains.  Each
 * address is asked once, and hosts that may be tarpits come first: with
 * units/nftables, a tarpit refuses whoever has been to the mail server before.
 * Marks the hosts that turn out to be tarpits.
 */
void ask_hosts(struct domain *, size_t, enum families);

#endif
