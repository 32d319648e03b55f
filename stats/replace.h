/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPLACE_H
#define REPLACE_H

#include <sys/types.h>

#include <stdio.h>

/*
 * A file that is replaced as a whole: whoever reads it finds the old one or
 * the new one, and so does the machine after a crash.  The new one is written
 * beside it, as "PATH.new", by one process at a time.
 */
struct replacement {
	const char *path;
	char *new_path;
	FILE *file; /* to write to */
};

/*
 * Begin; waits while another process does the same.  A file that is new is
 * made with the given mode, less the umask.  Returns 0, or -1 with errno set.
 */
int replace_begin(struct replacement *, const char *path, mode_t mode);

/*
 * Put the new file in place of the old one, once it is on the disk.  Returns
 * 0, or -1 with errno set when anything could not be written; the old one is
 * then untouched.
 */
int replace_commit(struct replacement *);

/* Leave the old file as it is. */
void replace_abandon(struct replacement *);

#endif
