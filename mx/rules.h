/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULES_H
#define RULES_H

#include "domain.h"

enum verdict { VERDICT_OK, VERDICT_UNKNOWN, VERDICT_WRONG };

/* A finding is one sentence of printable ASCII, without a full stop. */
typedef void rules_say(void *arg, enum verdict, const char *finding);

/*
 * Hold a domain, as it was looked up and as its hosts answered, against the
 * rules of CAVEATS in tarpit.8, for a cap in seconds.  Every finding goes to
 * the function with its argument.  Returns the worst verdict among them.
 */
enum verdict rules_check(
    const struct domain *, int cap, rules_say *, void *arg);

/* What was seen at an address, in a few words. */
const char *rules_seen(enum service);

#endif
