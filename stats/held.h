/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HELD_H
#define HELD_H

#include <stdint.h>

/* The connections that are held at this moment, on this machine. */
struct held {
	int known; /* 0: the members below mean nothing */
	uint64_t connections;
	int64_t longest; /* ms since the first of them began */
};

/*
 * Count the processes named tarpit that belong to the user tarpit: whatever the
 * super-server, each connection has one process.  The count stays unknown where
 * the user does not exist, or /proc does not, or /proc hides the processes of
 * other users.
 */
void held_count(struct held *);

#endif
