/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "../hold.h"

/* The longest journal cursor that is taken, with a NUL. */
#define CURSOR_MAX 512

/* Lines that tell of a hold. */
#define LINES_MAX 64
struct lines {
	size_t count;
	struct hold holds[LINES_MAX];
	long pids[LINES_MAX]; /* who logged it; 0 if the line does not say */
};

/* What reading log lines leads to. */
struct input {
	void (*count)(void *, const struct lines *); /* called with arg */
	void *arg;
	int with_pids;		 /* whether to look for them */
	uint64_t read;		 /* lines, all but the journal's remarks */
	uint64_t skipped;	 /* those that tell of no hold */
	char cursor[CURSOR_MAX]; /* the last of "journalctl --show-cursor" */
};

/*
 * Read the lines of a file to its end, in the form of any syslog daemon or of
 * journalctl(1), and have them counted.  A last line without a newline counts
 * if it is whole.  Returns 0, or -1 with errno set; what was read before is
 * counted.
 */
int input_read(struct input *, int fd);

#endif
