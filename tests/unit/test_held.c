/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Who is stuck right now, by a made-up /proc, which shows at will what the real
 * /proc shows only for a moment; and the time of a report.
 */

#include <sys/stat.h>
#include <sys/types.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#define UPTIME	    INT64_C(5000000) /* ms */
#define USER_ID	    971
#define NOT_THERE   NULL
#define TICKS(msec) ((msec) / 10)

/* A process of the made-up /proc, whose file "stat" has this text. */
struct made_up {
	const char *id;
	uid_t user;
	const char *stat; /* NOT_THERE: the process has ended meanwhile */
};

static char proc_path[] = "/tmp/tarpit-proc-XXXXXX";
static const struct made_up *processes;
static size_t process_count;
static struct passwd tarpit_user = { .pw_uid = USER_ID };
static int user_is_there, readdir_fails;

static struct passwd *
made_up_user(const char *name)
{
	ck_assert_str_eq(name, "tarpit");
	return user_is_there ? &tarpit_user : NULL;
}

static DIR *
made_up_opendir(const char *path)
{
	ck_assert_str_eq(path, "/proc");
	return opendir(proc_path);
}

static struct dirent *
made_up_readdir(DIR *dir)
{
	struct dirent *entry = readdir(dir);

	if (entry == NULL && readdir_fails)
		errno = EIO;
	return entry;
}

static int
made_up_fstatat(int dir, const char *id, struct stat *st, int flags)
{
	size_t i;

	if (fstatat(dir, id, st, flags) == -1)
		return -1;
	for (i = 0; i < process_count; i++) {
		if (strcmp(processes[i].id, id) == 0) {
			st->st_uid = processes[i].user;
			return 0;
		}
	}
	errno = ENOENT;
	return -1;
}

static int
made_up_clock(clockid_t clock, struct timespec *now)
{
	ck_assert_int_eq(clock, CLOCK_BOOTTIME);
	now->tv_sec = UPTIME / 1000;
	now->tv_nsec = UPTIME % 1000 * 1000000;
	return 0;
}

static long
made_up_sysconf(int name)
{
	ck_assert_int_eq(name, _SC_CLK_TCK);
	return 100;
}

#define getpwnam      made_up_user
#define opendir	      made_up_opendir
#define readdir	      made_up_readdir
#define fstatat	      made_up_fstatat
#define clock_gettime made_up_clock
#define sysconf	      made_up_sysconf
#include "../../stats/held.c"
#include "../../stats/edition.c"
#undef clock_gettime
#undef opendir

/* The stat of a process: its name, its state and its start in ticks. */
static const char *
stat_of(const char *name, char state, int64_t start)
{
	static char text[16][512];
	static int next;

	next = (next + 1) % 16;
	snprintf(text[next], sizeof(text[next]),
	    "42 (%s) %c 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 %lld"
	    " 77777 88888 99999\n",
	    name, state, (long long)start);
	return text[next];
}

static void
make_up(const struct made_up *made_up, size_t count)
{
	char path[128];
	FILE *file;
	size_t i;

	processes = made_up;
	process_count = count;
	user_is_there = 1;
	readdir_fails = 0;
	ck_assert_ptr_nonnull(mkdtemp(proc_path));
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", proc_path, made_up[i].id);
		ck_assert_int_eq(mkdir(path, 0700), 0);
		if (made_up[i].stat == NOT_THERE)
			continue;
		strcat(path, "/stat");
		ck_assert_ptr_nonnull(file = fopen(path, "w"));
		fputs(made_up[i].stat, file);
		ck_assert_int_eq(fclose(file), 0);
	}
}

static void
remove_proc(void)
{
	char path[128];
	size_t i;

	for (i = 0; i < process_count; i++) {
		snprintf(path, sizeof(path), "%s/%s/stat", proc_path,
		    processes[i].id);
		if (unlink(path) == -1)
			rmdir(path);
		*strrchr(path, '/') = '\0';
		ck_assert_int_eq(rmdir(path), 0);
	}
	ck_assert_int_eq(rmdir(proc_path), 0);
	strcpy(strrchr(proc_path, '-'), "-XXXXXX");
}

static void
check_held(const struct made_up *made_up, size_t count, uint64_t connections,
    int64_t longest)
{
	struct held held;

	make_up(made_up, count);
	held_count(&held);
	remove_proc();
	ck_assert_int_eq(held.known, 1);
	ck_assert_uint_eq(held.connections, connections);
	ck_assert_int_eq(held.longest, longest);
}

START_TEST(held_are_the_processes_of_the_user)
{
	const struct made_up some[] = {
		{ "1", 0, stat_of("init", 'S', 0) },
		{ "300", USER_ID, stat_of("tarpit", 'S', TICKS(4000000)) },
		{ "301", USER_ID, stat_of("tarpit", 'R', TICKS(3000000)) },
		{ "302", USER_ID, stat_of("tarpit", 'S', TICKS(4500000)) },
		{ "303", 0, stat_of("tarpit", 'S', TICKS(1000000)) },
		{ "304", USER_ID, stat_of("tarpit-stats", 'S', TICKS(10)) },
		{ "305", USER_ID, stat_of("tarpi", 'S', TICKS(10)) },
		{ "self", USER_ID, stat_of("tarpit", 'S', TICKS(10)) },
		{ "12x", USER_ID, stat_of("tarpit", 'S', TICKS(10)) },
	};

	check_held(some, COUNT(some), 3, 2000000);
	check_held(some, 1, 0, 0);
}
END_TEST

START_TEST(held_is_nobody_who_has_ended)
{
	const struct made_up some[] = {
		{ "1", 0, stat_of("init", 'S', 0) },
		{ "300", USER_ID, stat_of("tarpit", 'Z', TICKS(10)) },
		{ "301", USER_ID, NOT_THERE },
		{ "302", USER_ID, stat_of("tarpit", 'S', TICKS(4999990)) },
	};

	check_held(some, COUNT(some), 1, 10);
}
END_TEST

/* A process that seems to start a tick from now has a length of zero. */
START_TEST(held_longest_is_never_negative)
{
	const struct made_up some[] = {
		{ "1", 0, stat_of("init", 'S', 0) },
		{ "300", USER_ID, stat_of("tarpit", 'S', TICKS(5000010)) },
	};

	check_held(some, COUNT(some), 1, 0);
}
END_TEST

START_TEST(held_reads_any_name)
{
	char longest[64], too_long[65];
	struct process process;

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(too_long, 'a', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';

	ck_assert_int_eq(
	    parse_process(stat_of(") R (x", 'S', 700), &process), 0);
	ck_assert_str_eq(process.name, ") R (x");
	ck_assert_int_eq(process.state, 'S');
	ck_assert_int_eq(process.start, 7000);
	ck_assert_int_eq(parse_process(stat_of("", 'S', 700), &process), 0);
	ck_assert_str_eq(process.name, "");
	ck_assert_int_eq(
	    parse_process(stat_of(longest, 'S', 700), &process), 0);
	ck_assert_str_eq(process.name, longest);
	ck_assert_int_eq(
	    parse_process(stat_of(too_long, 'S', 700), &process), -1);
}
END_TEST

START_TEST(held_takes_no_other_text)
{
	static const char *const bad[] = {
		"", "42", "42 tarpit S 1 2 3", "42 (tarpit", "42 (tarpit)",
		"42 (tarpit) S",
		"42 (tarpit) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
		"42 tarpit) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"
	};
	struct process process;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		ck_assert_int_eq(parse_process(bad[i], &process), -1);
}
END_TEST

START_TEST(held_file_that_cannot_be_read_is_passed_over)
{
	const struct made_up some[] = {
		{ "1", 0, stat_of("init", 'S', 0) },
		{ "300", USER_ID, NOT_THERE },
		{ "301", USER_ID, stat_of("tarpit", 'S', TICKS(4000000)) },
	};
	struct held held;
	char path[128];

	make_up(some, COUNT(some));
	snprintf(path, sizeof(path), "%s/300/stat", proc_path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	held_count(&held);
	remove_proc();
	ck_assert_int_eq(held.known, 1);
	ck_assert_uint_eq(held.connections, 1);
	ck_assert_int_eq(held.longest, 1000000);
}
END_TEST

START_TEST(held_is_unknown_rather_than_too_few)
{
	const struct made_up some[] = {
		{ "1", 0, stat_of("init", 'S', 0) },
		{ "300", USER_ID, stat_of("tarpit", 'S', TICKS(4000000)) },
	};
	struct held held = { .known = 1 };

	held_count(&held); /* without the directory */
	ck_assert_int_eq(held.known, 0);
	make_up(some, COUNT(some));
	user_is_there = 0;
	held_count(&held);
	ck_assert_int_eq(held.known, 0);
	user_is_there = 1;
	held_count(&held);
	ck_assert_int_eq(held.known, 1);
	readdir_fails = 1;
	held_count(&held);
	ck_assert_int_eq(held.known, 0);
	remove_proc();

	make_up(some + 1, 1); /* the first process is hidden */
	held_count(&held);
	ck_assert_int_eq(held.known, 0);
	remove_proc();
}
END_TEST

static const char *
edition_of(const char *epoch, struct edition *edition)
{
	memset(edition, 0xff, sizeof(*edition));
	if (epoch == NULL)
		unsetenv("SOURCE_DATE_EPOCH");
	else
		setenv("SOURCE_DATE_EPOCH", epoch, 1);
	return edition_begin(edition);
}

START_TEST(edition_is_made_now)
{
	const struct made_up some[] = {
		{ "1", 0, stat_of("init", 'S', 0) },
		{ "300", USER_ID, stat_of("tarpit", 'S', TICKS(4000000)) },
	};
	struct edition edition;
	int64_t before = time(NULL);

	make_up(some, COUNT(some));
	ck_assert_ptr_null(edition_of(NULL, &edition));
	remove_proc();
	ck_assert_int_ge(edition.made, before * 1000);
	ck_assert_int_le(edition.made, (int64_t)time(NULL) * 1000);
	ck_assert_int_eq(edition.held.known, 1);
	ck_assert_uint_eq(edition.held.connections, 1);
}
END_TEST

/* At the time of SOURCE_DATE_EPOCH, nobody knows who was held. */
START_TEST(edition_is_made_when_it_is_told)
{
	const struct made_up some[] = {
		{ "1", 0, stat_of("init", 'S', 0) },
	};
	struct edition edition;

	make_up(some, COUNT(some));
	ck_assert_ptr_null(edition_of("0", &edition));
	ck_assert_int_eq(edition.made, 0);
	ck_assert_int_eq(edition.held.known, 0);
	ck_assert_ptr_null(edition_of("253402300799", &edition));
	ck_assert_int_eq(edition.made, INT64_C(253402300799000));
	ck_assert_str_eq(edition_of("253402300800", &edition), "too large");
	ck_assert_str_eq(edition_of("-1", &edition), "too small");
	ck_assert_str_eq(edition_of("", &edition), "invalid");
	remove_proc();
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("held");

	tcase_add_test(tcase, held_are_the_processes_of_the_user);
	tcase_add_test(tcase, held_is_nobody_who_has_ended);
	tcase_add_test(tcase, held_longest_is_never_negative);
	tcase_add_test(tcase, held_reads_any_name);
	tcase_add_test(tcase, held_takes_no_other_text);
	tcase_add_test(tcase, held_file_that_cannot_be_read_is_passed_over);
	tcase_add_test(tcase, held_is_unknown_rather_than_too_few);
	tcase_add_test(tcase, edition_is_made_now);
	tcase_add_test(tcase, edition_is_made_when_it_is_told);
	return run_case(tcase, "held");
}
