/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "../hold.h"

/* The longest journal cursor that is taken, with a NUL. */
#define CURSOR_MAX 512

/* A longer line cannot be tarpit's. */
#define INPUT_BUFFER_SIZE 65536

/* Lines that tell of a hold. */
#define LINES_MAX 64
struct lines {
	size_t count;
	struct hold holds[LINES_MAX];
	long pids[LINES_MAX]; /* who logged it; 0 if the line does not say */
};

/* Log files that are read one after the other. */
struct input {
	/* Set by the caller before input_begin(). */
	char **paths;	/* of the files, then NULL; "-": standard input */
	int with_pids;	/* whether to look for process ids */
	int64_t latest; /* ms: no hold can have ended after this */

	/* For the caller, once input_next() has returned 0. */
	uint64_t read;		 /* lines, all but the journal's remarks */
	uint64_t skipped;	 /* lines that tell of no hold */
	uint64_t impossible;	 /* lines that tell of a hold that cannot be */
	int failed;		 /* a file could not be read to its end */
	char cursor[CURSOR_MAX]; /* the last of "journalctl --show-cursor" */

	/* For input.c. */
	int fd;	       /* of the file that is being read, or -1 */
	int at_start;  /* nothing of this file has been looked at */
	int too_long;  /* the line began before data, and was given up */
	size_t next;   /* where the next line begins in data */
	size_t filled; /* how much of data has been read */
	char data[INPUT_BUFFER_SIZE];
};

/* Begin with the first file.  What is not set by the caller is set here. */
void input_begin(struct input *);

/*
 * The next lines, in the form of any syslog daemon or of journalctl(1).  A last
 * line without a newline counts if it is whole.  A file that cannot be read, or
 * that is compressed, is named on standard error and noted as a failure, and
 * the next file follows.  Returns 1, or 0 when there are no more lines.
 */
int input_next(struct input *, struct lines *);

#endif
