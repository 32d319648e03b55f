/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

/*
 * Where a report goes: "-" is standard output.
 *
 * A regular file is replaced as a whole: whoever reads it finds the old one or
 * the new one, and so does the machine after a crash.  The new one is written
 * beside it, as "FILE.new", by one process at a time, and has the mode of the
 * old one, and its owner and group where that is permitted.  A symbolic link
 * stays, and the file that it leads to is replaced.  Anything else, such as a
 * device or a pipe, is written into.
 */
struct output {
	const char *name; /* for messages */
	FILE *file;	  /* to write to */
	char *path;	  /* of the file to replace; NULL: none is replaced */
	char *new_path;
};

/*
 * Begin; waits while another process replaces the same file.  A file that is
 * new has all permissions that the umask leaves.  Returns 0, or -1 with errno
 * set.
 */
int output_begin(struct output *, const char *path);

/*
 * Put the new file in place of the old one, once it is on the disk.  Returns
 * 0, or -1 with errno set when anything could not be written; an old file is
 * then untouched.
 */
int output_commit(struct output *);

#endif
