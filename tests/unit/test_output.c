/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Replacing a file as a whole, while any call on the way may fail. */

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

#include "unit.h"

/* The call that is to fail, after it has succeeded so many times. */
static struct {
	const char *call;
	int after;
	int error;
} failing;

static int
fails(const char *call)
{
	if (failing.call == NULL || strcmp(failing.call, call) != 0 ||
	    failing.after-- > 0)
		return 0;
	errno = failing.error;
	return 1;
}

static void
put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

/* The owner that the file was given, or -1. */
static uid_t owner;

static int
noted_fchown(int fd, uid_t user, gid_t group)
{
	if (fails(user == (uid_t)-1 ? "chgrp" : "chown") || fails("fchown"))
		return -1;
	owner = user;
	return fchown(fd, (uid_t)-1, group);
}

static int
failing_fclose(FILE *file)
{
	int status = fclose(file);

	return fails("fclose") ? EOF : status;
}

/*
 * While this process waits for the lock, a second process renames the file, and
 * a third process begins a file of the same name.
 */
static int
waiting_flock(int fd, int how)
{
	if (fails("renamed")) {
		failing.call = NULL;
		put("page.new", "of another process");
		ck_assert_int_eq(rename("page.new", "page"), 0);
		put("page.new", "");
	}
	return fails("flock") ? -1 : flock(fd, how);
}

/* Fail only once, since the program repeats the call until it succeeds. */
static int
failing_fstat(int fd, struct stat *st)
{
	if (!fails("fstat"))
		return fstat(fd, st);
	failing.call = NULL;
	return -1;
}

#undef asprintf /* a macro in a fortified build */
#define asprintf(...)	  (fails("asprintf") ? -1 : asprintf(__VA_ARGS__))
#define strdup(path)	  (fails("strdup") ? NULL : strdup(path))
#define open(...)	  (fails("open") ? -1 : open(__VA_ARGS__))
#define ftruncate(fd, n)  (fails("ftruncate") ? -1 : ftruncate(fd, n))
#define fdopen(fd, mode)  (fails("fdopen") ? NULL : fdopen(fd, mode))
#define fflush(file)	  (fails("fflush") ? EOF : fflush(file))
#define fsync(fd)	  (fails("fsync") ? -1 : fsync(fd))
#define rename(from, to)  (fails("rename") ? -1 : rename(from, to))
#define fstat(fd, st)	  failing_fstat(fd, st)
#define ferror(file)	  (fails("ferror") ? 1 : ferror(file))
#define fchown		  noted_fchown
#define fclose		  failing_fclose
#define flock(fd, how)	  waiting_flock(fd, how)
#define realpath(path, p) (fails("realpath") ? NULL : realpath(path, p))
#include "../../stats/output.c"
#undef open
#undef fclose
#undef rename

static char directory[] = "/tmp/tarpit-output-XXXXXX";

static void
enter(void)
{
	failing.call = NULL;
	owner = (uid_t)-1;
	umask(022);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static void
leave(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(directory), 0);
	strcpy(strrchr(directory, '-'), "-XXXXXX");
}

static void
fail_from_now(const char *call, int after, int error)
{
	failing.call = call;
	failing.after = after;
	failing.error = error;
}

static void
check_text(const char *path, const char *text)
{
	char got[64];
	FILE *file = fopen(path, "r");
	size_t len;

	ck_assert_ptr_nonnull(file);
	len = fread(got, 1, sizeof(got) - 1, file);
	got[len] = '\0';
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_str_eq(got, text);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* Replace a file; returns 0, or -1 with errno set. */
static int
replace(const char *path, const char *text)
{
	struct output output;

	if (output_begin(&output, path) == -1)
		return -1;
	fputs(text, output.file);
	return output_commit(&output);
}

START_TEST(output_is_replaced)
{
	enter();
	ck_assert_int_eq(replace("page", "new"), 0);
	check_text("page", "new");
	ck_assert_int_eq(mode_of("page"), 0644);
	ck_assert_int_eq(replace("page", "newer"), 0);
	check_text("page", "newer");
	ck_assert_int_eq(access("page.new", F_OK), -1);
	ck_assert_int_eq(unlink("page"), 0);
	leave();
}
END_TEST

/* The file that a killed process left may be longer than the new report. */
START_TEST(output_takes_over_what_was_left)
{
	enter();
	put("page.new", "a report that was never finished");
	ck_assert_int_eq(replace("page", "new"), 0);
	check_text("page", "new");
	ck_assert_int_eq(access("page.new", F_OK), -1);
	ck_assert_int_eq(unlink("page"), 0);
	leave();
}
END_TEST

START_TEST(output_old_file_stays_when_a_call_fails)
{
	static const struct {
		const char *call;
		int after;
		int left; /* whether a new file stays behind */
	} calls[] = {
		{ "strdup", 0, 0 },
		{ "asprintf", 0, 0 },
		{ "open", 0, 0 },
		{ "flock", 0, 1 },
		{ "ftruncate", 0, 1 },
		{ "fdopen", 0, 1 },
		{ "fflush", 0, 0 },
		{ "ferror", 0, 0 },
		{ "fsync", 0, 0 },
		{ "rename", 0, 0 },
	};
	size_t i;

	enter();
	put("page", "old");
	for (i = 0; i < COUNT(calls); i++) {
		fail_from_now(calls[i].call, calls[i].after, EIO);
		errno = 0;
		ck_assert_int_eq(replace("page", "new"), -1);
		if (strcmp(calls[i].call, "strdup") != 0 &&
		    strcmp(calls[i].call, "asprintf") != 0)
			ck_assert_int_eq(errno, EIO);
		failing.call = NULL;
		check_text("page", "old");
		ck_assert_int_eq(
		    access("page.new", F_OK), calls[i].left ? 0 : -1);
		ck_assert_int_eq(replace("page", "old"), 0);
	}
	ck_assert_int_eq(unlink("page"), 0);
	leave();
}
END_TEST

/* The new file is in place, but nobody can say whether it survives a crash. */
START_TEST(output_tells_when_the_directory_fails)
{
	enter();
	put("page", "old");
	fail_from_now("open", 1, EMFILE);
	ck_assert_int_eq(replace("page", "new"), -1);
	ck_assert_int_eq(errno, EMFILE);
	check_text("page", "new");
	fail_from_now("fsync", 1, EIO);
	ck_assert_int_eq(replace("page", "newer"), -1);
	ck_assert_int_eq(errno, EIO);
	check_text("page", "newer");
	ck_assert_int_eq(access("page.new", F_OK), -1);
	ck_assert_int_eq(unlink("page"), 0);
	leave();
}
END_TEST

START_TEST(output_owner_and_mode_stay_as_far_as_they_can)
{
	static const struct {
		const char *call;
		int error;
	} refused[] = {
		{ NULL, 0 }, { "chown", EPERM }, { "fchown", EPERM },
		{ "fchown", EINVAL }, /* an owner unknown to the namespace */
	};
	size_t i;

	enter();
	for (i = 0; i < COUNT(refused); i++) {
		put("page", "old");
		ck_assert_int_eq(chmod("page", 0600), 0);
		owner = (uid_t)-1;
		fail_from_now(refused[i].call, 0, refused[i].error);
		ck_assert_int_eq(replace("page", "new"), 0);
		check_text("page", "new");
		ck_assert_int_eq(mode_of("page"), 0600);
		ck_assert_uint_eq(
		    owner, refused[i].call == NULL ? geteuid() : (uid_t)-1);
		ck_assert_int_eq(unlink("page"), 0);
	}
	leave();
}
END_TEST

START_TEST(output_of_another_process_is_not_written_into)
{
	struct output output;

	enter();
	put("page", "old");
	fail_from_now("renamed", 0, 0);
	ck_assert_int_eq(output_begin(&output, "page"), 0);
	check_text("page", "of another process");
	fputs("new", output.file);
	check_text("page", "of another process");
	ck_assert_int_eq(output_commit(&output), 0);
	check_text("page", "new");

	fail_from_now("fstat", 0, EIO);
	ck_assert_int_eq(replace("page", "newer"), 0);
	check_text("page", "newer");
	ck_assert_int_eq(unlink("page"), 0);
	leave();
}
END_TEST

START_TEST(output_follows_a_link)
{
	enter();
	ck_assert_int_eq(symlink("there", "link"), 0);
	ck_assert_int_eq(replace("link", "new"), 0); /* a dangling link */
	check_text("there", "new");
	ck_assert_int_eq(replace("link", "newer"), 0);
	check_text("there", "newer");

	fail_from_now("realpath", 0, EACCES);
	ck_assert_int_eq(replace("link", "none"), -1);
	ck_assert_int_eq(errno, EACCES);
	failing.call = NULL;
	check_text("there", "newer");

	ck_assert_int_eq(unlink("there"), 0);
	fail_from_now("open", 0, EROFS);
	ck_assert_int_eq(replace("link", "none"), -1);
	ck_assert_int_eq(errno, EROFS);
	/* The file is removed before its name is resolved. */
	fail_from_now("realpath", 1, ENOENT);
	ck_assert_int_eq(replace("link", "none"), -1);
	ck_assert_int_eq(errno, ENOENT);
	failing.call = NULL;
	ck_assert_int_eq(unlink("there"), 0);
	ck_assert_int_eq(unlink("link"), 0);
	leave();
}
END_TEST

START_TEST(output_into_a_device_tells_of_any_failure)
{
	enter();
	ck_assert_int_eq(replace("/dev/null", "new"), 0);
	ck_assert_int_eq(replace("/dev/full", "new"), -1);
	ck_assert_int_eq(errno, ENOSPC);
	fail_from_now("ferror", 0, EIO);
	ck_assert_int_eq(replace("/dev/null", "new"), -1);
	fail_from_now("fclose", 0, EIO);
	ck_assert_int_eq(replace("/dev/null", "new"), -1);
	ck_assert_int_eq(errno, EIO);
	failing.call = NULL;
	ck_assert_int_eq(replace("/", "new"), -1);
	ck_assert_int_eq(errno, EISDIR);
	leave();
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("output");

	tcase_add_test(tcase, output_is_replaced);
	tcase_add_test(tcase, output_takes_over_what_was_left);
	tcase_add_test(tcase, output_old_file_stays_when_a_call_fails);
	tcase_add_test(tcase, output_tells_when_the_directory_fails);
	tcase_add_test(tcase, output_owner_and_mode_stay_as_far_as_they_can);
	tcase_add_test(tcase, output_of_another_process_is_not_written_into);
	tcase_add_test(tcase, output_follows_a_link);
	tcase_add_test(tcase, output_into_a_device_tells_of_any_failure);
	return run_case(tcase, "output");
}
