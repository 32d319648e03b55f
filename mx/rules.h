/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULES_H
#define RULES_H

#include "domain.h"

enum verdict { VERDICT_OK, VERDICT_UNKNOWN, VERDICT_WRONG };

/* A finding is one sentence of printable ASCII, without a full stop. */
typedef void rules_say(void *arg, enum verdict, const char *finding);

/*
 * Check a domain, as looked up and with the answers of its hosts, against the
 * rules in CAVEATS of tarpit.8, for a cap in seconds.  Calls the function with
 * arg and each finding.  Returns the worst verdict of all findings.
 */
enum verdict rules_check(
    const struct domain *, int cap, rules_say *, void *arg);

/* What was seen at an address, in a few words. */
const char *rules_seen(enum service);

#endif
