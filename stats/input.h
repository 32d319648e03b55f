/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "../hold.h"

/* Room for the longest journal cursor that is accepted, with its NUL. */
#define CURSOR_MAX 512

/* A line that does not fit the buffer cannot be tarpit's. */
#define INPUT_BUFFER_SIZE 65536

/* Log lines of holds. */
#define LINES_MAX 64
struct lines {
	size_t count;
	struct hold holds[LINES_MAX];
	long pids[LINES_MAX]; /* 0 if the line has no process id */
};

/* Log files that are read one after another. */
struct input {
	/* The caller sets these members before input_begin(). */
	char **paths;	/* of the files, then NULL; "-": standard input */
	int with_pids;	/* whether to look for process ids */
	int64_t latest; /* ms since the epoch: no hold can end later */

	/* The caller reads these members once input_next() has returned 0. */
	uint64_t read;		 /* all lines but the journal's remarks */
	uint64_t skipped;	 /* lines without a hold */
	uint64_t impossible;	 /* lines whose hold is impossible */
	int failed;		 /* a file could not be read to its end */
	char cursor[CURSOR_MAX]; /* the last of "journalctl --show-cursor" */

	/* These members are for input.c alone. */
	int fd;	       /* of the file that is being read, or -1 */
	int at_start;  /* nothing of this file has been looked at */
	int too_long;  /* the line in data began earlier: it is skipped */
	size_t next;   /* where the next line begins in data */
	size_t filled; /* how much of data has been read */
	char data[INPUT_BUFFER_SIZE];
};

/* Begin with the first file, once the caller has set its members. */
void input_begin(struct input *);

/*
 * Read the next lines, in the form of any syslog daemon or of journalctl(1).  A
 * last line that is complete except for its newline counts.  A file that cannot
 * be read, or is compressed, is named on standard error and noted as a failure,
 * and reading goes on with the next file.  Returns 1, or 0 when there are no
 * more lines.
 */
int input_next(struct input *, struct lines *);

#endif
