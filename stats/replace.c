/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Replace a file as a whole.
 */

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "replace.h"

static int open_locked(const char *, mode_t);
static int is_still(int, const char *);
static int flush(FILE *);
static int sync_directory(char *);
static void finish(struct replacement *);

int
replace_begin(struct replacement *new, const char *path, mode_t mode)
{
	int fd;

	new->path = path;
	if (asprintf(&new->new_path, "%s.new", path) == -1)
		return -1;
	if ((fd = open_locked(new->new_path, mode)) == -1) {
		free(new->new_path);
		return -1;
	}
	if (ftruncate(fd, 0) == -1 || (new->file = fdopen(fd, "w")) == NULL) {
		close(fd);
		free(new->new_path);
		return -1;
	}
	return 0;
}

/*
 * The lock is on the new file itself.  When we get it, it may be in place
 * already, or gone; then we need another.  One that a killed process left is
 * taken over.
 */
static int
open_locked(const char *path, mode_t mode)
{
	const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	int fd, error;

	while (
	    (fd = open(path, flags, mode)) != -1 && flock(fd, LOCK_EX) == 0) {
		if (is_still(fd, path))
			return fd;
		close(fd);
	}
	error = errno;
	if (fd != -1)
		close(fd);
	errno = error;
	return -1;
}

static int
is_still(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

int
replace_commit(struct replacement *new)
{
	int status, error;

	if (flush(new->file) == -1 || rename(new->new_path, new->path) == -1) {
		error = errno;
		replace_abandon(new);
		errno = error;
		return -1;
	}
	status = sync_directory(new->new_path);
	error = errno;
	finish(new);
	errno = error;
	return status;
}

static int
flush(FILE *file)
{
	if (fflush(file) == EOF)
		return -1;
	if (ferror(file)) {
		errno = EIO;
		return -1;
	}
	return fsync(fileno(file));
}

/* So that the new name outlives a crash, too.  Uses up the path. */
static int
sync_directory(char *path)
{
	int fd, status;

	if ((fd = open(dirname(path), O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	status = fsync(fd);
	close(fd);
	return status;
}

void
replace_abandon(struct replacement *new)
{
	unlink(new->new_path);
	finish(new);
}

static void
finish(struct replacement *new)
{
	fclose(new->file);
	free(new->new_path);
}
