/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The database, with few lines that it remembers, with memory that runs out at
 * any allocation, and with a disk that fails at any write.
 */

#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../stats/database.h"
#include "unit.h"

#undef fail /* a name of Check, too */
#undef DATABASE_LINES_MAX
#define DATABASE_LINES_MAX 100
#include "../../stats/database.c"

#define NOW   INT64_C(1795348800000)
#define START (NOW - 10 * DAY_MSEC)

/* In memory, where there is such a file system: SQLite syncs a lot. */
#define IN_MEMORY "/dev/shm"
static char path[] = IN_MEMORY "/tarpit-database-XXXXXX/db";

static void
make_directory(void)
{
	*strrchr(path, '/') = '\0';
	strcpy(strrchr(path, '-'), "-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(path));
	strcat(path, "/db");
}

/* With what a process that was killed has left. */
static void
remove_directory(void)
{
	char journal[sizeof(path) + sizeof("-journal")];

	snprintf(journal, sizeof(journal), "%s-journal", path);
	unlink(journal);
	unlink(path);
	*strrchr(path, '/') = '\0';
	ck_assert_int_eq(rmdir(path), 0);
	strcat(path, "/db");
}

/* A line by its number: an address, when it ended, and who logged it. */
static void
add_line(
    struct lines *lines, const char *address, int64_t disconnected, long pid)
{
	struct hold *hold = &lines->holds[lines->count];
	struct in_addr ipv4;

	memset(hold, 0, sizeof(*hold));
	if (inet_pton(AF_INET, address, &ipv4) == 1) {
		memset(&hold->addr.s6_addr[10], 0xff, 2);
		memcpy(&hold->addr.s6_addr[12], &ipv4, sizeof(ipv4));
	} else {
		ck_assert_int_eq(inet_pton(AF_INET6, address, &hold->addr), 1);
	}
	hold->disconnected = disconnected;
	hold->connected = disconnected - 60000;
	lines->pids[lines->count++] = pid;
}

/* Lines of different addresses, a second apart. */
static void
add_lines(struct lines *lines, int first, int count)
{
	char address[INET_ADDRSTRLEN];
	int i;

	for (i = first; i < first + count; i++) {
		snprintf(address, sizeof(address), "192.0.%u.%u",
		    (unsigned)i / 256 % 256, (unsigned)i % 256);
		add_line(lines, address, START + 1000 * i, 42);
	}
}

static void
free_totals(struct totals *totals)
{
	free(totals->days);
	memset(totals, 0, sizeof(*totals));
}

/* The sums in the file now. */
static void
read_sums(uint64_t *connections, uint64_t *hosts)
{
	struct database *db = database_open(path);
	struct totals totals = { 0 };

	database_read(db, &totals);
	database_close(db);
	*connections = totals.connections;
	*hosts = totals.host_count;
	free_totals(&totals);
}

static void
check_sums_are(uint64_t connections, uint64_t hosts)
{
	uint64_t got_connections, got_hosts;

	read_sums(&got_connections, &got_hosts);
	ck_assert_uint_eq(got_connections, connections);
	ck_assert_uint_eq(got_hosts, hosts);
}

static int64_t
ask(const char *question)
{
	sqlite3_stmt *statement;
	sqlite3 *file;
	int64_t answer;

	ck_assert_int_eq(sqlite3_open(path, &file), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_prepare_v2(file, question, -1, &statement, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	answer = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(file);
	return answer;
}

static void
tell(const char *statements)
{
	sqlite3 *file;

	ck_assert_int_eq(sqlite3_open(path, &file), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(file, statements, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(file);
}

static void
count_lines(const struct lines *lines, int64_t now)
{
	struct database *db = database_open(path);

	database_count(db, lines);
	database_commit(db, now);
	database_close(db);
}

static void
count_numbers(int first, int count)
{
	struct lines lines = { 0 };

	add_lines(&lines, first, count);
	count_lines(&lines, NOW);
}

/* What it says when it ends with a failure; empty if it ends well. */
static void
said_by(void (*run)(void), char *said, size_t size)
{
	int ends[2], status;
	FILE *in;
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	if ((child = fork()) == 0) {
		dup2(ends[1], STDERR_FILENO);
		run();
		_exit(0);
	}
	close(ends[1]);
	ck_assert_ptr_nonnull(in = fdopen(ends[0], "r"));
	said[fread(said, 1, size - 1, in)] = '\0';
	fclose(in);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), *said == '\0' ? 0 : 1);
}

static void
check_fails(void (*run)(void), const char *expected)
{
	char said[512];

	said_by(run, said, sizeof(said));
	ck_assert_msg(
	    strstr(said, expected) != NULL, "%s: not in: %s", expected, said);
	ck_assert_ptr_nonnull(strstr(said, path));
}

static void
read_it(void)
{
	uint64_t connections, hosts;

	read_sums(&connections, &hosts);
}

/* Ends that come in any order, many of them more than once. */
START_TEST(database_counts_each_line_once)
{
	uint64_t there = 0;
	int known[200] = { 0 };
	int turn, i;

	make_directory();
	srandom(1);
	for (turn = 0; turn < 60; turn++) {
		struct lines lines = { 0 };

		for (i = 0; i < LINES_MAX; i++) {
			/* Of ten that end at the same time. */
			int n = (int)(random() % 20) + turn % 4 * 20;
			char address[INET_ADDRSTRLEN];

			snprintf(address, sizeof(address), "192.0.2.%d", n);
			add_line(&lines, address, START + n / 10 * 1000, 1);
			there += !known[n];
			known[n] = 1;
		}
		count_lines(&lines, NOW);
		check_sums_are(there, there);
	}
	ck_assert_uint_eq(there, 80);
	ck_assert_int_eq(ask("SELECT count(*) FROM lines"), 80);
	remove_directory();
}
END_TEST

/* More than a statement takes, and fewer, and a line that was there before. */
START_TEST(database_counts_any_number_at_a_time)
{
	int count;

	for (count = 1; count <= LINES_MAX; count++) {
		struct lines lines = { 0 };

		make_directory();
		add_lines(&lines, 0, count);
		count_lines(&lines, NOW);
		ck_assert_int_eq(
		    ask("SELECT count(*) FROM lines WHERE process_id = 42 AND"
			" disconnected_ms - connected_ms = 60000 AND day ="
			" connected_ms / 86400000"),
		    count);
		count_lines(&lines, NOW);
		check_sums_are((uint64_t)count, (uint64_t)count);
		remove_directory();
	}
}
END_TEST

START_TEST(database_tells_lines_apart_by_each_part)
{
	struct lines lines = { 0 };

	make_directory();
	add_line(&lines, "192.0.2.1", START, 1);
	add_line(&lines, "192.0.2.2", START, 1);
	add_line(&lines, "192.0.2.1", START + 1, 1);
	add_line(&lines, "192.0.2.1", START, 2);
	add_line(&lines, "192.0.2.1", START, 1);
	lines.holds[4].connected--;
	add_line(&lines, "192.0.2.1", START, 1);
	count_lines(&lines, NOW);
	check_sums_are(5, 2);
	remove_directory();
}
END_TEST

START_TEST(database_host_is_an_address_or_a_network)
{
	static const char *const addresses[] = { "192.0.2.1", "192.0.2.10",
		"255.255.255.255", "0.0.0.0", "100.99.10.9", "2001:db8::1",
		"2001:db8::ffff:0:0:1", "2001:db8:0:1::1", "::1" };
	static const char *const hosts[] = { "192.0.2.1", "192.0.2.10",
		"255.255.255.255", "0.0.0.0", "100.99.10.9", "2001:db8::/64",
		"2001:db8:0:1::/64", "::/64" };
	struct lines lines = { 0 };
	char question[128];
	size_t i;

	make_directory();
	for (i = 0; i < COUNT(addresses); i++)
		add_line(&lines, addresses[i], START + (int64_t)i, 1);
	count_lines(&lines, NOW);
	check_sums_are(COUNT(addresses), COUNT(hosts));
	ck_assert_int_eq(ask("SELECT count(*) FROM hosts"), COUNT(hosts));
	for (i = 0; i < COUNT(hosts); i++) {
		snprintf(question, sizeof(question),
		    "SELECT count(*) FROM hosts WHERE host = '%s'", hosts[i]);
		ck_assert_int_eq(ask(question), 1);
	}
	for (i = 0; i < COUNT(addresses); i++) {
		snprintf(question, sizeof(question),
		    "SELECT count(*) FROM lines WHERE address = '%s'",
		    addresses[i]);
		ck_assert_int_eq(ask(question), 1);
	}
	remove_directory();
}
END_TEST

/* All at a time, and then a few; the newest stay, and all are counted. */
START_TEST(database_remembers_so_many_lines_and_no_more)
{
	struct database *db;
	int i;

	make_directory();
	db = database_open(path);
	for (i = 0; i < 5; i++) {
		struct lines lines = { 0 };

		add_lines(&lines, 50 * i, 50);
		database_count(db, &lines);
	}
	database_commit(db, NOW);
	database_close(db);
	check_sums_are(250, 250);
	ck_assert_int_eq(ask("SELECT count(*) FROM lines"), 100);
	ck_assert_int_eq(ask("SELECT count(*) FROM hosts"), 100);
	ck_assert_int_eq(
	    ask("SELECT min(disconnected_ms) FROM lines"), START + 150 * 1000);

	count_numbers(250, 7);
	check_sums_are(257, 257);
	ck_assert_int_eq(ask("SELECT count(*) FROM lines"), 100);
	ck_assert_int_eq(ask("SELECT count(*) FROM hosts"), 100);
	ck_assert_int_eq(
	    ask("SELECT min(disconnected_ms) FROM lines"), START + 157 * 1000);
	ck_assert_int_eq(ask("SELECT lines_remembered FROM totals"), 100);
	for (i = 0; i < 257; i += 50) /* forgotten, or remembered */
		count_numbers(i, i == 250 ? 7 : 50);
	check_sums_are(257, 257);
	remove_directory();
}
END_TEST

/* Lines that end in the same moment are forgotten together. */
START_TEST(database_bound_is_not_passed_by_many_of_one_moment)
{
	struct lines lines = { 0 };
	char address[INET_ADDRSTRLEN];
	int i;

	make_directory();
	count_numbers(0, 60);
	count_numbers(60, 30);
	for (i = 0; i < 50; i++) {
		snprintf(address, sizeof(address), "198.51.100.%d", i);
		add_line(&lines, address, START + 1000000, 1);
	}
	count_lines(&lines, NOW);
	count_lines(&lines, NOW);
	check_sums_are(140, 140);
	ck_assert_int_eq(ask("SELECT count(*) FROM lines"), 100);
	remove_directory();
}
END_TEST

START_TEST(database_day_is_that_of_the_beginning)
{
	struct lines lines = { 0 };
	int64_t midnight = START / DAY_MSEC * DAY_MSEC;

	make_directory();
	add_line(&lines, "192.0.2.1", midnight + 1000, 1);
	count_lines(&lines, NOW);
	ck_assert_int_eq(ask("SELECT day FROM lines"), midnight / DAY_MSEC - 1);
	ck_assert_int_eq(ask("SELECT day FROM days"), midnight / DAY_MSEC - 1);
	remove_directory();
}
END_TEST

START_TEST(database_forgets_after_so_many_days)
{
	struct lines lines = { 0 };
	int64_t end = START + 35 * DAY_MSEC;

	make_directory();
	add_line(&lines, "192.0.2.1", START, 1);
	count_lines(&lines, NOW);
	lines.count = 0;
	count_lines(&lines, end - 1);
	ck_assert_int_eq(ask("SELECT count(*) FROM lines"), 1);
	count_lines(&lines, end);
	ck_assert_int_eq(ask("SELECT count(*) FROM lines"), 0);
	ck_assert_int_eq(ask("SELECT count(*) FROM hosts"), 0);
	check_sums_are(1, 1);
	add_line(&lines, "192.0.2.1", START, 1);
	count_lines(&lines, end);
	check_sums_are(1, 1);
	add_line(&lines, "192.0.2.1", START + 1, 1);
	count_lines(&lines, START + 2);
	check_sums_are(2, 2); /* a host that returned */
	remove_directory();
}
END_TEST

/* A host is remembered until its last line is forgotten. */
START_TEST(database_host_stays_with_its_newest_line)
{
	struct lines lines = { 0 };

	make_directory();
	add_line(&lines, "192.0.2.1", START, 1);
	add_line(&lines, "192.0.2.1", START + 2 * DAY_MSEC, 1);
	add_line(&lines, "192.0.2.2", START, 1);
	count_lines(&lines, START + 36 * DAY_MSEC);
	ck_assert_int_eq(ask("SELECT count(*) FROM hosts"), 1);
	count_lines(&lines, START + 36 * DAY_MSEC);
	ck_assert_int_eq(
	    ask("SELECT count(*) FROM hosts WHERE host = '192.0.2.1'"), 1);
	lines.count = 0;
	count_lines(&lines, START + 37 * DAY_MSEC);
	ck_assert_int_eq(ask("SELECT count(*) FROM hosts"), 0);
	check_sums_are(3, 2);
	remove_directory();
}
END_TEST

START_TEST(database_days_to_remember_stay_until_told)
{
	struct database *db;
	struct stat before, after;

	make_directory();
	count_numbers(0, 3);
	db = database_open(path);
	database_set_days(db, 7);
	database_commit(db, NOW);
	database_close(db);
	ck_assert_int_eq(ask("SELECT days_remembered FROM totals"), 7);
	ck_assert_int_eq(ask("SELECT count(*) FROM lines"), 0);
	/* The same again is nothing to write. */
	ck_assert_int_eq(chmod(path, 0400), 0);
	ck_assert_int_eq(stat(path, &before), 0);
	db = database_open(path);
	database_set_days(db, 7);
	ck_assert_int_eq(db->writing, 0);
	database_commit(db, NOW);
	database_close(db);
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_int_eq(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
	ck_assert_int_eq(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	remove_directory();
}
END_TEST

static void
reset(int64_t now, const struct lines *lines)
{
	struct database *db = database_open(path);

	database_reset(db, now);
	database_count(db, lines);
	database_commit(db, NOW);
	database_close(db);
}

START_TEST(database_reset_forgets_sums_and_not_lines)
{
	struct lines lines = { 0 };

	make_directory();
	count_numbers(0, 10);
	add_lines(&lines, 0, LINES_MAX);
	reset(START + 60 * 1000, &lines);
	check_sums_are(LINES_MAX - 61, LINES_MAX - 61); /* after that second */
	count_lines(&lines, NOW);
	check_sums_are(LINES_MAX - 61, LINES_MAX - 61);

	reset(START + 100 * 1000, &lines);
	count_lines(&lines, NOW); /* with none that is remembered */
	check_sums_are(0, 0);
	remove_directory();
}
END_TEST

START_TEST(database_skipped_lines_are_told_once)
{
	static const struct {
		uint64_t lines;
		int told;
	} runs[] = { { 0, 0 }, { 3, 1 }, { 3, 0 }, { 2, 0 }, { 3, 1 },
		{ 0, 0 } };
	size_t i;

	make_directory();
	for (i = 0; i < COUNT(runs); i++) {
		struct database *db = database_open(path);

		ck_assert_int_eq(
		    database_set_skipped(db, runs[i].lines), runs[i].told);
		database_commit(db, NOW);
		database_close(db);
	}
	remove_directory();
}
END_TEST

START_TEST(database_cursor_is_kept)
{
	static const char *const cursors[] = { "s=1;i=2", "", "s=1;i=3" };
	static const char *const kept[] = { "s=1;i=2", "s=1;i=2", "s=1;i=3" };
	char cursor[CURSOR_MAX];
	struct database *db;
	size_t i;

	make_directory();
	db = database_open(path);
	database_cursor(db, cursor, sizeof(cursor));
	ck_assert_str_eq(cursor, "");
	database_close(db);
	for (i = 0; i < COUNT(cursors); i++) {
		db = database_open(path);
		database_set_cursor(db, cursors[i]);
		database_commit(db, NOW);
		database_close(db);
		db = database_open(path);
		database_cursor(db, cursor, sizeof(cursor));
		ck_assert_str_eq(cursor, kept[i]);
		database_close(db);
	}
	tell("DELETE FROM totals"); /* by hand */
	db = database_open(path);
	database_cursor(db, cursor, sizeof(cursor));
	ck_assert_str_eq(cursor, "");
	database_close(db);
	remove_directory();
}
END_TEST

START_TEST(database_that_cannot_be_is_refused)
{
	static const struct {
		const char *change, *said;
	} cases[] = {
		{ "PRAGMA user_version = 2", "later version" },
		{ "PRAGMA user_version = 0", "damaged" },
		{ "PRAGMA application_id = 1", NOT_OURS },
		{ "UPDATE days SET connections = 0", "impossible day" },
		{ "UPDATE days SET held_ms = -1", "impossible day" },
		{ "UPDATE days SET longest_ms = held_ms + 1",
		    "impossible day" },
		{ "UPDATE days SET day = day + 2", "impossible day" },
		{ "UPDATE days SET connections = connections - 1",
		    "differ in their connections" },
		{ "UPDATE days SET connections = connections + 1",
		    "differ in their connections" },
		{ "UPDATE lengths SET up_to_ms = up_to_ms + 1",
		    "impossible length" },
		{ "UPDATE lengths SET connections = -1", "impossible length" },
		{ "DROP TABLE days", "no such table: days" },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		make_directory();
		count_numbers(0, 3);
		tell(cases[i].change);
		check_fails(read_it, cases[i].said);
		remove_directory();
	}
}
END_TEST

static void
count_more(void)
{
	count_numbers(3, 40);
}

/* Another program puts its own file there, after this one has looked. */
static void
count_in_another_file(void)
{
	struct database *db = database_open(path);
	struct lines lines = { 0 };

	tell("PRAGMA application_id = 1");
	add_lines(&lines, 0, 3);
	database_count(db, &lines);
}

START_TEST(database_is_looked_at_again_before_it_is_written)
{
	make_directory();
	count_numbers(0, 3);
	check_fails(count_in_another_file, NOT_OURS);
	tell("PRAGMA application_id = " VALUE(SCHEMA_APPLICATION_ID));
	check_sums_are(3, 3);
	remove_directory();
}
END_TEST

static long allocations_left;
static sqlite3_mem_methods plain_memory;

static void *
bounded_malloc(int size)
{
	return --allocations_left < 0 ? NULL : plain_memory.xMalloc(size);
}

static void *
bounded_realloc(void *p, int size)
{
	return --allocations_left < 0 ? NULL : plain_memory.xRealloc(p, size);
}

static long memory_for;

static void
count_with_little_memory(void)
{
	sqlite3_mem_methods bounded;

	sqlite3_shutdown();
	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain_memory);
	bounded = plain_memory;
	bounded.xMalloc = bounded_malloc;
	bounded.xRealloc = bounded_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &bounded);
	allocations_left = memory_for;
	count_more();
}

/* Whenever it runs out, what was there before is there, or all of it is. */
START_TEST(database_memory_may_run_out_at_any_time)
{
	char said[512] = "at first";
	uint64_t connections, hosts;
	int runs = 0, ends = 0;

	for (memory_for = 0; *said != '\0';
	     memory_for += 1 + memory_for / 16, runs++) {
		make_directory();
		count_numbers(0, 3);
		said_by(count_with_little_memory, said, sizeof(said));
		ck_assert_ptr_nonnull(
		    *said == '\0' ? said : strstr(said, path));
		ends += strstr(said, "out of memory") != NULL;
		read_sums(&connections, &hosts);
		ck_assert_uint_eq(connections, *said == '\0' ? 43 : 3);
		ck_assert_uint_eq(hosts, connections);
		remove_directory();
	}
	ck_assert_int_gt(memory_for, 1000);
	ck_assert_int_eq(ends, runs - 1);
}
END_TEST

static long calls_left;
static const char *call_that_fails;
static int call_error;
static sqlite3_syscall_ptr plain_call;

static int
fails_now(void)
{
	if (calls_left-- > 0)
		return 0;
	errno = call_error;
	return 1;
}

static ssize_t
failing_pwrite(int fd, const void *p, size_t size, off_t at)
{
	return fails_now()
	    ? -1
	    : ((ssize_t(*)(int, const void *, size_t, off_t))plain_call)(
		  fd, p, size, at);
}

static ssize_t
failing_pread(int fd, void *p, size_t size, off_t at)
{
	return fails_now()
	    ? -1
	    : ((ssize_t(*)(int, void *, size_t, off_t))plain_call)(
		  fd, p, size, at);
}

static int
failing_open(const char *name, int flags, int mode)
{
	return fails_now()
	    ? -1
	    : ((int (*)(const char *, int, int))plain_call)(name, flags, mode);
}

static int
failing_unlink(const char *name)
{
	return fails_now() ? -1 : ((int (*)(const char *))plain_call)(name);
}

static void
count_on_a_disk_that_fails(void)
{
	static const struct {
		const char *name;
		sqlite3_syscall_ptr call;
	} calls[] = {
		{ "pwrite", (sqlite3_syscall_ptr)failing_pwrite },
		{ "pwrite64", (sqlite3_syscall_ptr)failing_pwrite },
		{ "pread", (sqlite3_syscall_ptr)failing_pread },
		{ "pread64", (sqlite3_syscall_ptr)failing_pread },
		{ "open", (sqlite3_syscall_ptr)failing_open },
		{ "unlink", (sqlite3_syscall_ptr)failing_unlink },
	};
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	size_t i;

	for (i = 0; i < COUNT(calls); i++) {
		if (strncmp(calls[i].name, call_that_fails,
			strlen(call_that_fails)) != 0 ||
		    (plain_call = vfs->xGetSystemCall(vfs, calls[i].name)) ==
			NULL)
			continue;
		vfs->xSetSystemCall(vfs, calls[i].name, calls[i].call);
		break;
	}
	count_more();
}

/* From any call on, whether it is the journal's or the file's own. */
START_TEST(database_disk_may_fail_at_any_time)
{
	static const struct {
		const char *call;
		int error;
		int times_min;	 /* calls in a run, at the least */
		int may_be_done; /* the failure may be after the commit */
	} cases[] = {
		{ "pwrite", ENOSPC, 8, 0 },
		{ "pwrite", EIO, 8, 0 },
		{ "pread", EIO, 4, 0 },
		{ "open", EMFILE, 2, 1 },
		{ "unlink", EIO, 1, 0 },
	};
	uint64_t connections, hosts;
	char said[512];
	size_t i;
	int times;

	for (i = 0; i < COUNT(cases); i++) {
		call_that_fails = cases[i].call;
		call_error = cases[i].error;
		*said = '?';
		for (times = 0; *said != '\0'; times++) {
			make_directory();
			count_numbers(0, 3);
			calls_left = times;
			said_by(count_on_a_disk_that_fails, said, sizeof(said));
			ck_assert_ptr_nonnull(
			    *said == '\0' ? said : strstr(said, path));
			read_sums(&connections, &hosts);
			if (*said == '\0' || cases[i].may_be_done)
				ck_assert(connections == 43 ||
				    (*said != '\0' && connections == 3));
			else
				ck_assert_uint_eq(connections, 3);
			ck_assert_uint_eq(hosts, connections);
			remove_directory();
		}
		ck_assert_int_gt(times, cases[i].times_min);
	}
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("database");

	setenv("TZ", "UTC", 1);
	if (access(IN_MEMORY, W_OK) == -1)
		strcpy(path, "/tmp/tarpit-database-XXXXXX/db");
	tcase_add_test(tcase, database_counts_each_line_once);
	tcase_add_test(tcase, database_counts_any_number_at_a_time);
	tcase_add_test(tcase, database_tells_lines_apart_by_each_part);
	tcase_add_test(tcase, database_host_is_an_address_or_a_network);
	tcase_add_test(tcase, database_remembers_so_many_lines_and_no_more);
	tcase_add_test(
	    tcase, database_bound_is_not_passed_by_many_of_one_moment);
	tcase_add_test(tcase, database_day_is_that_of_the_beginning);
	tcase_add_test(tcase, database_forgets_after_so_many_days);
	tcase_add_test(tcase, database_host_stays_with_its_newest_line);
	tcase_add_test(tcase, database_days_to_remember_stay_until_told);
	tcase_add_test(tcase, database_reset_forgets_sums_and_not_lines);
	tcase_add_test(tcase, database_skipped_lines_are_told_once);
	tcase_add_test(tcase, database_cursor_is_kept);
	tcase_add_test(tcase, database_that_cannot_be_is_refused);
	tcase_add_test(tcase, database_is_looked_at_again_before_it_is_written);
	tcase_add_test(tcase, database_memory_may_run_out_at_any_time);
	tcase_add_test(tcase, database_disk_may_fail_at_any_time);
	return run_case(tcase, "database");
}
