/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Writing a file so that readers find all of it or none of it.
 */

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

#define MODE 0666 /* less the umask */

static int begin_replacing(struct output *, const char *);
static char *resolve(const char *);
static int open_new(struct output *);
static int open_locked(const char *, mode_t);
static int is_still(int, const char *);
static void keep_owner(int, const char *);
static int end_writing(struct output *);
static int flush(FILE *);
static int sync_directory(char *);
static void abandon(struct output *);
static void finish(struct output *);

int
output_begin(struct output *output, const char *path)
{
	struct stat status;

	memset(output, 0, sizeof(*output));
	output->name = path;
	if (strcmp(path, "-") == 0) {
		output->name = "standard output";
		output->file = stdout;
		return 0;
	}
	if (stat(path, &status) == -1 || S_ISREG(status.st_mode))
		return begin_replacing(output, path);
	output->file = fopen(path, "we");
	return output->file == NULL ? -1 : 0;
}

static int
begin_replacing(struct output *output, const char *path)
{
	int fd;

	if ((output->path = resolve(path)) == NULL)
		return -1;
	if (asprintf(&output->new_path, "%s.new", output->path) == -1) {
		free(output->path);
		return -1;
	}
	if ((fd = open_new(output)) != -1 &&
	    (output->file = fdopen(fd, "w")) != NULL)
		return 0;
	if (fd != -1)
		close(fd);
	free(output->new_path);
	free(output->path);
	return -1;
}

/* Where a symbolic link leads, even if no file is there yet. */
static char *
resolve(const char *path)
{
	char target[PATH_MAX];
	struct stat status;

	if (lstat(path, &status) == -1 || !S_ISLNK(status.st_mode))
		return strdup(path);
	if (realpath(path, target) == NULL) {
		int fd = errno == ENOENT
		    ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, MODE)
		    : -1;

		if (fd == -1)
			return NULL;
		close(fd);
		if (realpath(path, target) == NULL)
			return NULL;
	}
	return strdup(target);
}

static int
open_new(struct output *output)
{
	int fd = open_locked(output->new_path, MODE);

	if (fd == -1)
		return -1;
	if (ftruncate(fd, 0) == -1) {
		close(fd);
		return -1;
	}
	keep_owner(fd, output->path);
	return fd;
}

/*
 * Give the new file the owner, group and mode of the old file.  A user who may
 * not give a file away gets the report all the same.
 */
static void
keep_owner(int fd, const char *path)
{
	struct stat old;

	if (stat(path, &old) == -1)
		return;
	if (fchown(fd, old.st_uid, old.st_gid) == -1)
		(void)!fchown(fd, (uid_t)-1, old.st_gid);
	fchmod(fd, old.st_mode & 0777);
}

/*
 * The lock is on the new file itself.  By the time the lock is ours, the file
 * may have been renamed or removed by another process; then start over with
 * another file.  A file that a killed process has left behind is used again.
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
output_commit(struct output *output)
{
	int status, error;

	if (output->path == NULL)
		return end_writing(output);
	if (flush(output->file) == -1 ||
	    rename(output->new_path, output->path) == -1) {
		error = errno;
		abandon(output);
		errno = error;
		return -1;
	}
	status = sync_directory(output->new_path);
	error = errno;
	finish(output);
	errno = error;
	return status;
}

/* Standard output stays open: another report may follow. */
static int
end_writing(struct output *output)
{
	if (fflush(output->file) == EOF || ferror(output->file))
		return -1;
	return output->file == stdout || fclose(output->file) == 0 ? 0 : -1;
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

/* Make the new name survive a crash as well; changes the path. */
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

static void
abandon(struct output *output)
{
	unlink(output->new_path);
	finish(output);
}

static void
finish(struct output *output)
{
	fclose(output->file);
	free(output->new_path);
	free(output->path);
}
