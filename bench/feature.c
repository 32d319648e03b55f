/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Functions of libbsd that tarpit does without.  Linked with the objects of
 * tarpit, they show the benchmark what each would cost.
 */

#include <bsd/stdlib.h>
#include <bsd/unistd.h>

void use_feature(void);

__attribute__((__constructor__)) void
use_feature(void)
{
#if defined(ARC4RANDOM)
	(void)arc4random();
#elif defined(SETPROCTITLE)
	setproctitle("held");
#else
#error "define the feature"
#endif
}
