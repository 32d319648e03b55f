/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DATABASE_H
#define DATABASE_H

#include <stddef.h>
#include <stdint.h>

#include "input.h"
#include "totals.h"

/*
 * What outlives the logs as they rotate away: the sums, and enough about recent
 * lines to count each line once.  Both are in a file of SQLite; schema.c and
 * tarpit-stats(8) describe its tables.
 *
 * All changes of a run are one transaction, which database_commit() ends: until
 * then, or if the program is stopped, the file stays as it was.  The file is
 * opened for writing only once there is something to write.
 *
 * A function that cannot do its work ends the program with a message and leaves
 * the file as it was: because the file belongs to another program or to a later
 * version, because it cannot be read or written, or because another process has
 * been writing it for DATABASE_WAIT_SECONDS.
 */
struct database;

#define DATABASE_WAIT_SECONDS 30

/* No more lines than this are remembered: the newest. */
#define DATABASE_LINES_MAX 2000000

/* Open a database; a file is made only when there is something to write. */
struct database *database_open(const char *path);

/* From now on remember lines and hosts for this many days; 0: for ever. */
void database_set_days(struct database *, int days);

/* Forget all sums, and never count a hold that ended by now (in ms). */
void database_reset(struct database *, int64_t now);

/* Count the lines that were not counted before. */
void database_count(struct database *, const struct lines *);

/*
 * Write to cursor, of size bytes (CURSOR_MAX always suffice), how far the
 * journal was read; an empty string if that was never noted.
 */
void database_cursor(struct database *, char *cursor, size_t size);

/* Note how far the journal was read; an empty cursor changes nothing. */
void database_set_cursor(struct database *, const char *cursor);

/*
 * Note how many lines of this run's input were skipped.  Returns 1 if more were
 * skipped than in the run before, and 0 if there is nothing new to tell.
 */
int database_set_skipped(struct database *, uint64_t lines);

/* Forget lines and hosts that are too old by now (in ms); write all changes. */
void database_commit(struct database *, int64_t now);

/* Read the sums of all runs into totals, which must be all zero. */
void database_read(struct database *, struct totals *);

void database_close(struct database *);

#endif
