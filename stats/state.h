/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STATE_H
#define STATE_H

#include <stdint.h>
#include <stdio.h>

#include "input.h"
#include "totals.h"

/*
 * What is carried from run to run while the logs rotate away: the totals, and
 * what it takes to count each line once.
 *
 * A line is known by its address, its two times and its process id.  The
 * newest lines are remembered, STATE_LINES_MIN of them and up to
 * STATE_LINES_MAX; a line that is older than all of these, once any had to be
 * forgotten, was counted before.
 */
#define STATE_LINES_MAX 1048576
#define STATE_LINES_MIN 786432

struct state {
	struct totals totals;
	struct set lines;
	int64_t forgotten; /* ms: none is remembered that ended by then */
	char cursor[CURSOR_MAX];
	int changed; /* since it was read */
};

/* One that knows of no line. */
void state_init(struct state *);

/* Count the lines that were not counted before. */
void state_count(struct state *, const struct lines *);

/* Note how far the journal was read; an empty cursor changes nothing. */
void state_set_cursor(struct state *, const char *);

/*
 * Read what state_write() wrote, into a state that knows of no line.  Returns
 * NULL, or what is wrong with the file, to be said after its name.
 */
const char *state_read(struct state *, FILE *);

/* Write it.  Errors are left in the stream.  Old lines may be forgotten. */
void state_write(struct state *, FILE *);

#endif
