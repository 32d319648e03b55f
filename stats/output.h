/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

/*
 * Where a report goes: "-" is standard output.
 *
 * A regular file is replaced as a whole: whoever reads FILE finds either the
 * old report or the new one, even after a crash.  One process at a time writes
 * the new file, as "FILE.new" in the same directory.  The new file has the mode
 * of the old one, and its owner and group where that is permitted.  If FILE is
 * a symbolic link, the link stays, and the file that it leads to is replaced.
 * Anything else, such as a device or a pipe, is written into.
 */
struct output {
	const char *name; /* for messages */
	FILE *file;	  /* to write to */
	char *path;	  /* of the file to replace; NULL: replace nothing */
	char *new_path;
};

/*
 * Begin to write, once no other process is replacing the same file.  Where no
 * old file exists, the new file has all permissions that the umask leaves.
 * Returns 0, or -1 with errno set.
 */
int output_begin(struct output *, const char *path);

/*
 * Put the new file in place of the old one, once the new file is on the disk.
 * Returns 0; or -1 with errno set when anything could not be written.  The old
 * file is then untouched, unless the directory alone could not be written.
 */
int output_commit(struct output *);

#endif
