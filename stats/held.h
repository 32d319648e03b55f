/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HELD_H
#define HELD_H

#include <stdint.h>

/* The connections that are held at this moment, on this machine. */
struct held {
	int known; /* 0: the members below mean nothing */
	uint64_t connections;
	int64_t longest; /* ms, of the one that began first */
};

/*
 * Count the processes named tarpit that the user tarpit owns: there is one for
 * each connection, whatever super-server started it.  The count stays unknown
 * where there is no such user, no /proc, or a /proc that hides the processes
 * of others.
 */
void held_count(struct held *);

#endif
