/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DATABASE_H
#define DATABASE_H

#include <stddef.h>
#include <stdint.h>

#include "input.h"
#include "totals.h"

/*
 * What is carried from run to run while the logs rotate away: the sums, and
 * what it takes to count each line once, in a file of SQLite; its tables are
 * described in schema.c and tarpit-stats(8).
 *
 * All changes of a run are one transaction, which database_commit() ends: until
 * then, and whenever the program is stopped, the file is what it was.  The file
 * is opened for writing only once there is something to write.
 *
 * Each function ends the program with a message, and leaves the file as it was,
 * when it cannot do what it is for: when the file is another program's, or a
 * later version's, or cannot be read or written, or when another process has
 * been writing it for DATABASE_WAIT_SECONDS.
 */
struct database;

#define DATABASE_WAIT_SECONDS 30

/* However many lines there are, the newest that are remembered. */
#define DATABASE_LINES_MAX 2000000

/* Open a file, which is made when there is something to write into it. */
struct database *database_open(const char *path);

/* Remember lines and hosts for so many days from now on; 0: for ever. */
void database_set_days(struct database *, int days);

/* Forget all sums, and take what ended by now (in ms) for counted. */
void database_reset(struct database *, int64_t now);

/* Count the lines that were not counted before. */
void database_count(struct database *, const struct lines *);

/* How far the journal was read, in CURSOR_MAX bytes; empty if nobody said. */
void database_cursor(struct database *, char *cursor, size_t size);

/* Note how far the journal was read; an empty cursor changes nothing. */
void database_set_cursor(struct database *, const char *cursor);

/*
 * Note how many lines of this run's input were skipped.  Returns 1 if they are
 * more than in the run before, so that a line is told of once.
 */
int database_set_skipped(struct database *, uint64_t lines);

/* Forget what is old at the time of now, in ms, and write all changes. */
void database_commit(struct database *, int64_t now);

/* Read the sums of all runs into totals of nothing. */
void database_read(struct database *, struct totals *);

void database_close(struct database *);

#endif
