/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Sums and remembered lines in a file of SQLite.
 *
 * The lines of a run are collected in a temporary table, so that a line that is
 * read twice counts once, and so that the file itself is written in one go at
 * the end.  No step goes through everything that is remembered: the cost of a
 * run depends only on what is new in it.
 */

#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>

#include <bsd/string.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calendar.h"
#include "database.h"
#include "schema.h"

#define NOT_OURS      "not a database of tarpit-stats; it is left as it was"
#define TEXT(number)  #number
#define VALUE(number) TEXT(number)
#define SECONDS_TEXT  VALUE(DATABASE_WAIT_SECONDS)

/* The most connections of all days together, as LENGTH_MAX is for lengths. */
#define CONNECTIONS_MAX (INT64_MAX / 2)

#define FILE_MODE 0600 /* as private as the log: the file has addresses */

/* Room for an IPv6 network, such as "2001:db8:1:2::/64", and a NUL. */
#define HOST_MAX (INET6_ADDRSTRLEN + 3)

/* One statement for several lines takes half of the time for each line. */
#define MANY	    16
#define LINE_VALUES 4
#define LINE	    "(?, ?, ?, ?)"
#define FOUR_LINES  LINE ", " LINE ", " LINE ", " LINE

enum statement {
	IS_REMEMBERED, /* takes a line, and looks in the file */
	COLLECT,       /* takes a line */
	COLLECT_MANY,  /* takes MANY lines */
	IS_KNOWN_HOST, /* takes a host */
	ADD_TO_DAY,    /* takes a day */
	ADD_TO_LENGTH, /* takes a bin */
	STATEMENTS
};

static const char *const statement_text[STATEMENTS] = {
	[IS_REMEMBERED] = "SELECT 1 FROM lines WHERE disconnected_ms = ?1"
			  " AND connected_ms = ?2 AND address = ?3"
			  " AND process_id = ?4",
	[COLLECT] = "INSERT OR IGNORE INTO new_lines VALUES " LINE,
	[COLLECT_MANY] = "INSERT INTO new_lines VALUES " FOUR_LINES
			 ", " FOUR_LINES ", " FOUR_LINES ", " FOUR_LINES,
	[IS_KNOWN_HOST] = "SELECT 1 FROM hosts WHERE host = ?1",
	[ADD_TO_DAY] =
	    "INSERT INTO days VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
	    " ON CONFLICT (day) DO UPDATE SET"
	    " connections = connections + excluded.connections,"
	    " held_ms = held_ms + excluded.held_ms,"
	    " first_connected_ms ="
	    "  min(first_connected_ms, excluded.first_connected_ms),"
	    " last_disconnected_ms ="
	    "  max(last_disconnected_ms, excluded.last_disconnected_ms),"
	    " longest_ms = max(longest_ms, excluded.longest_ms)",
	[ADD_TO_LENGTH] = "INSERT INTO lengths VALUES (?1, ?2)"
			  " ON CONFLICT (up_to_ms) DO UPDATE SET"
			  " connections = connections + excluded.connections",
};

static const char collect_table[] =
    "CREATE TEMP TABLE new_lines ("
    " disconnected_ms INTEGER NOT NULL, connected_ms INTEGER NOT NULL,"
    " address TEXT NOT NULL, process_id INTEGER NOT NULL,"
    " PRIMARY KEY (disconnected_ms, connected_ms, address, process_id)"
    ") WITHOUT ROWID";

struct database {
	const char *path;
	sqlite3 *file; /* NULL: there is no file yet */
	int writing;
	sqlite3_stmt *statement[STATEMENTS];
	struct totals new; /* of lines that no run has counted before */
	int64_t days_remembered;
	int64_t lines_remembered;
	int64_t forgotten_until;
	int64_t latest; /* ms: when the latest hold of a known line ended */
};

static void open_file(struct database *, int);
static int was_interrupted(struct database *);
static const char *foreign(struct database *);
static int has_tables(struct database *);
static void begin_writing(struct database *);
static void create_file(const char *);
static void define_function(struct database *, const char *,
    void (*)(sqlite3_context *, int, sqlite3_value **));
static void read_settings(struct database *);
static void collect_many(
    struct database *, const struct lines *, const size_t *);
static int is_new(struct database *, const struct lines *, size_t);
static void bind_line(
    sqlite3_stmt *, size_t, const struct lines *, size_t, char *);
static void address_text(const struct in6_addr *, char *);
static void ipv4_text(const unsigned char *, char *);
static void host_text(const struct in6_addr *, char *);
static void host_of_address(sqlite3_context *, int, sqlite3_value **);
static void day_of_time(sqlite3_context *, int, sqlite3_value **);
static int has_old_lines(struct database *, int64_t);
static int64_t oldest_remembered(const struct database *, int64_t);
static void add_new_to_sums(struct database *);
static void add_new_days(struct database *);
static void add_new_lengths(struct database *);
static int64_t unknown_hosts(struct database *);
static void remember_new(struct database *, int64_t);
static void forget_until(struct database *, int64_t);
static void bound_lines(struct database *);
static void read_days(struct database *, struct totals *);
static int day_is_sound(const struct day *, const struct totals *);
static void read_lengths(struct database *, struct totals *);
static int bin_that_ends(int64_t);
static int64_t bin_end(int);
static void check_sums(struct database *, const struct totals *);
static int64_t number(struct database *, const char *, int64_t);
static int64_t number_of(struct database *, const char *, int64_t, int64_t);
static void change(struct database *, const char *, int64_t);
static sqlite3_stmt *prepare(struct database *, const char *);
static int step(struct database *, sqlite3_stmt *);
static void run_once(struct database *, enum statement);
static void execute(struct database *, const char *);
static void check(struct database *, int);
static _Noreturn void fail(struct database *, const char *);

struct database *
database_open(const char *path)
{
	struct database *db = calloc(1, sizeof(*db));
	const char *reason;

	if (db == NULL)
		err(EXIT_FAILURE, "%s", path);
	db->path = path;
	/* A program of one thread needs no locks, and no count of memory. */
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (access(path, F_OK) == -1 && errno == ENOENT)
		return db;
	open_file(db, SQLITE_OPEN_READONLY);
	if (was_interrupted(db)) {
		sqlite3_close(db->file);
		open_file(db, SQLITE_OPEN_READWRITE);
	}
	if ((reason = foreign(db)) != NULL)
		fail(db, reason);
	return db;
}

static void
open_file(struct database *db, int flags)
{
	int status = sqlite3_open_v2(db->path, &db->file, flags, NULL);

	if (db->file == NULL)
		errx(EXIT_FAILURE, "%s: out of memory", db->path);
	check(db, status);
	check(db, sqlite3_busy_timeout(db->file, DATABASE_WAIT_SECONDS * 1000));
	sqlite3_extended_result_codes(db->file, 1);
}

/* Whether a process was killed while it wrote: its changes must be undone. */
static int
was_interrupted(struct database *db)
{
	int status = sqlite3_exec(
	    db->file, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);

	return (status & 0xff) == SQLITE_READONLY;
}

/* Why the file cannot be used, or NULL if it can; an empty file can. */
static const char *
foreign(struct database *db)
{
	int64_t id = number(db, "PRAGMA application_id", 0);
	int64_t version = number(db, "PRAGMA user_version", 0);
	struct stat status;

	if (stat(db->path, &status) == 0 && status.st_size == 0)
		return NULL;
	if (id != SCHEMA_APPLICATION_ID)
		return NOT_OURS;
	if (version > SCHEMA_VERSION)
		return "made by a later version of tarpit-stats;"
		       " it is left as it was";
	return version == SCHEMA_VERSION ? NULL : "damaged";
}

/* Before the first line is counted there is no file, or an empty file. */
static int
has_tables(struct database *db)
{
	return db->file != NULL && number(db, "PRAGMA application_id", 0) != 0;
}

/* Keep all other writers out until database_commit(). */
static void
begin_writing(struct database *db)
{
	const char *reason;
	int i;

	if (db->writing)
		return;
	if (db->file == NULL)
		create_file(db->path);
	sqlite3_close(db->file);
	open_file(db, SQLITE_OPEN_READWRITE);
	/* Deleted addresses must be gone from the disk, not only from sight. */
	execute(db, "PRAGMA secure_delete = ON");
	execute(db, collect_table);
	execute(db, "BEGIN IMMEDIATE");
	if ((reason = foreign(db)) != NULL)
		fail(db, reason);
	db->writing = 1;
	if (!has_tables(db))
		execute(db, schema_create);
	define_function(db, "host", host_of_address);
	define_function(db, "local_day", day_of_time);
	for (i = 0; i < STATEMENTS; i++)
		db->statement[i] = prepare(db, statement_text[i]);
	read_settings(db);
}

/* Make the file, unless another process has made it meanwhile. */
static void
create_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);

	if (fd == -1)
		err(EXIT_FAILURE, "%s", path);
	close(fd);
}

/* Define an SQL function of one argument. */
static void
define_function(struct database *db, const char *name,
    void (*function)(sqlite3_context *, int, sqlite3_value **))
{
	check(db,
	    sqlite3_create_function(db->file, name, 1,
		SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, function, NULL,
		NULL));
}

static void
read_settings(struct database *db)
{
	db->days_remembered = number(
	    db, "SELECT days_remembered FROM totals", 0);
	db->lines_remembered = number(
	    db, "SELECT lines_remembered FROM totals", 0);
	db->forgotten_until = number(
	    db, "SELECT forgotten_until_ms FROM totals", 0);
	db->latest = number(db, "SELECT max(disconnected_ms) FROM lines", -1);
	if (db->latest < db->forgotten_until)
		db->latest = db->forgotten_until;
}

void
database_set_days(struct database *db, int days)
{
	if (has_tables(db) &&
	    number(db, "SELECT days_remembered FROM totals", -1) == days)
		return;
	begin_writing(db);
	db->days_remembered = days;
}

void
database_reset(struct database *db, int64_t now)
{
	begin_writing(db);
	execute(db,
	    "DELETE FROM days; DELETE FROM lengths;"
	    "DELETE FROM lines; DELETE FROM hosts;"
	    "UPDATE totals SET unique_hosts = 0");
	db->lines_remembered = 0;
	db->forgotten_until = now;
	if (now > db->latest)
		db->latest = now;
}

/*
 * A line whose hold ended later than that of any known line must be new, and
 * needs no looking up.  Most lines of a log are such lines.
 */
void
database_count(struct database *db, const struct lines *lines)
{
	size_t order[LINES_MAX], later = 0, other = lines->count, many, i;
	struct hold new[LINES_MAX];
	size_t count = 0;

	begin_writing(db);
	for (i = 0; i < lines->count; i++) {
		if (lines->holds[i].disconnected > db->latest) {
			db->latest = lines->holds[i].disconnected;
			order[later++] = i;
		} else {
			order[--other] = i;
		}
	}
	for (many = 0; many + MANY <= later; many += MANY)
		collect_many(db, lines, &order[many]);
	for (i = 0; i < lines->count; i++) {
		if (i < many || is_new(db, lines, order[i]))
			new[count++] = lines->holds[order[i]];
	}
	if (count > 0)
		totals_add(&db->new, new, count);
}

/* Collect MANY new lines, given by their indices. */
static void
collect_many(
    struct database *db, const struct lines *lines, const size_t *index)
{
	char address[MANY][INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < MANY; i++)
		bind_line(db->statement[COLLECT_MANY], i, lines, index[i],
		    address[i]);
	run_once(db, COLLECT_MANY);
}

/* Collect a line, unless it was counted before; returns whether it is new. */
static int
is_new(struct database *db, const struct lines *lines, size_t index)
{
	sqlite3_stmt *remembered = db->statement[IS_REMEMBERED];
	char address[INET6_ADDRSTRLEN];
	int found = 0;

	if (lines->holds[index].disconnected <= db->forgotten_until)
		return 0;
	if (db->lines_remembered > 0) {
		bind_line(remembered, 0, lines, index, address);
		found = step(db, remembered);
		check(db, sqlite3_reset(remembered));
	}
	if (found)
		return 0;
	bind_line(db->statement[COLLECT], 0, lines, index, address);
	run_once(db, COLLECT);
	return sqlite3_changes(db->file) == 1;
}

/*
 * Bind a line to a place in a statement, which may have places for several
 * lines.  Binding cannot fail: the text is short, and stays where it is until
 * the statement has run.
 */
static void
bind_line(sqlite3_stmt *statement, size_t place, const struct lines *lines,
    size_t index, char *address)
{
	const struct hold *hold = &lines->holds[index];
	int first = (int)place * LINE_VALUES;

	address_text(&hold->addr, address);
	sqlite3_bind_int64(statement, first + 1, hold->disconnected);
	sqlite3_bind_int64(statement, first + 2, hold->connected);
	sqlite3_bind_text(statement, first + 3, address, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, first + 4, lines->pids[index]);
}

/* inet_ntop(3) cannot fail here: INET6_ADDRSTRLEN has room for any address. */
static void
address_text(const struct in6_addr *addr, char *text)
{
	if (IN6_IS_ADDR_V4MAPPED(addr))
		ipv4_text(&addr->s6_addr[12], text);
	else
		inet_ntop(AF_INET6, addr, text, INET6_ADDRSTRLEN);
}

/* inet_ntop(3) would take several times as long, for millions of lines. */
static void
ipv4_text(const unsigned char *byte, char *text)
{
	int i;

	for (i = 0; i < 4; i++) {
		if (byte[i] >= 100)
			*text++ = (char)('0' + byte[i] / 100);
		if (byte[i] >= 10)
			*text++ = (char)('0' + byte[i] / 10 % 10);
		*text++ = (char)('0' + byte[i] % 10);
		*text++ = '.';
	}
	text[-1] = '\0';
}

/* Write as text a host that totals_host() returned. */
static void
host_text(const struct in6_addr *host, char *text)
{
	address_text(host, text);
	if (!IN6_IS_ADDR_V4MAPPED(host))
		strlcat(text, "/64", HOST_MAX);
}

/* The SQL function host(address): an IPv4 address is its own host. */
static void
host_of_address(sqlite3_context *context, int count, sqlite3_value **value)
{
	const char *address = (const char *)sqlite3_value_text(value[0]);
	struct in6_addr addr;
	char text[HOST_MAX];
	struct key host;

	(void)count;
	if (address == NULL || inet_pton(AF_INET6, address, &addr) != 1) {
		sqlite3_result_value(context, value[0]);
		return;
	}
	host = totals_host(&addr);
	memcpy(&addr, &host, sizeof(addr));
	host_text(&addr, text);
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* The SQL function local_day(connected_ms). */
static void
day_of_time(sqlite3_context *context, int count, sqlite3_value **value)
{
	(void)count;
	sqlite3_result_int(context, local_day(sqlite3_value_int64(value[0])));
}

void
database_cursor(struct database *db, char *cursor, size_t size)
{
	sqlite3_stmt *statement;

	*cursor = '\0';
	if (!has_tables(db))
		return;
	statement = prepare(db, "SELECT journal_cursor FROM totals");
	if (step(db, statement))
		snprintf(cursor, size, "%s",
		    (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
}

void
database_set_cursor(struct database *db, const char *cursor)
{
	sqlite3_stmt *statement;

	if (*cursor == '\0')
		return;
	begin_writing(db);
	statement = prepare(db,
	    "UPDATE totals SET journal_cursor = ?1 WHERE journal_cursor <> ?1");
	sqlite3_bind_text(statement, 1, cursor, -1, SQLITE_STATIC);
	step(db, statement);
	sqlite3_finalize(statement);
}

int
database_set_skipped(struct database *db, uint64_t lines)
{
	int64_t before = 0;

	if (has_tables(db))
		before = number(db, "SELECT lines_skipped FROM totals", 0);
	if ((int64_t)lines == before)
		return 0;
	begin_writing(db);
	change(db, "UPDATE totals SET lines_skipped = ?1", (int64_t)lines);
	return (int64_t)lines > before;
}

void
database_commit(struct database *db, int64_t now)
{
	int64_t oldest;

	if (!db->writing) {
		if (!has_old_lines(db, now))
			return;
		begin_writing(db);
	}
	oldest = oldest_remembered(db, now);
	forget_until(db, oldest);
	if (db->new.connections > 0) {
		add_new_to_sums(db);
		remember_new(db, oldest);
	}
	bound_lines(db);
	change(db,
	    "UPDATE totals SET days_remembered = ?1 WHERE days_remembered <> ?1",
	    db->days_remembered);
	change(db,
	    "UPDATE totals SET lines_remembered = ?1 WHERE lines_remembered <> ?1",
	    db->lines_remembered);
	change(db,
	    "UPDATE totals SET forgotten_until_ms = ?1 WHERE forgotten_until_ms <> ?1",
	    db->forgotten_until);
	execute(db, "COMMIT");
	db->writing = 0;
}

/* Lines too old to remember are left to the next writer if we may not write. */
static int
has_old_lines(struct database *db, int64_t now)
{
	if (!has_tables(db) || access(db->path, W_OK) == -1)
		return 0;
	read_settings(db);
	return number(db, "SELECT min(disconnected_ms) FROM lines",
		   INT64_MAX) <= oldest_remembered(db, now);
}

/* A line is too old to be remembered if its hold ended by this time, in ms. */
static int64_t
oldest_remembered(const struct database *db, int64_t now)
{
	return db->days_remembered == 0 ? -1
					: now - db->days_remembered * DAY_MSEC;
}

static void
add_new_to_sums(struct database *db)
{
	add_new_days(db);
	add_new_lengths(db);
	change(db, "UPDATE totals SET unique_hosts = unique_hosts + ?1",
	    unknown_hosts(db));
}

static void
add_new_days(struct database *db)
{
	sqlite3_stmt *statement = db->statement[ADD_TO_DAY];
	size_t i;

	for (i = 0; i < db->new.day_count; i++) {
		const struct day *day = &db->new.days[i];

		sqlite3_bind_int(statement, 1, day->number);
		sqlite3_bind_int64(statement, 2, (int64_t)day->connections);
		sqlite3_bind_int64(statement, 3, day->length);
		sqlite3_bind_int64(statement, 4, day->first);
		sqlite3_bind_int64(statement, 5, day->last);
		sqlite3_bind_int64(statement, 6, day->longest);
		run_once(db, ADD_TO_DAY);
	}
}

static void
add_new_lengths(struct database *db)
{
	sqlite3_stmt *statement = db->statement[ADD_TO_LENGTH];
	int bin;

	for (bin = 0; bin < LENGTH_BINS; bin++) {
		if (db->new.lengths[bin] == 0)
			continue;
		sqlite3_bind_int64(statement, 1, bin_end(bin));
		sqlite3_bind_int64(statement, 2, (int64_t)db->new.lengths[bin]);
		run_once(db, ADD_TO_LENGTH);
	}
}

/* How many hosts of the new lines are not remembered. */
static int64_t
unknown_hosts(struct database *db)
{
	sqlite3_stmt *statement = db->statement[IS_KNOWN_HOST];
	const struct set *hosts = &db->new.hosts;
	char text[HOST_MAX];
	struct in6_addr host;
	int64_t count = 0;
	size_t i;

	if (number(db, "SELECT 1 FROM hosts LIMIT 1", 0) == 0)
		return (int64_t)hosts->count;
	for (i = 0; i < hosts->count; i++) {
		memcpy(&host, &hosts->keys[i], sizeof(host));
		host_text(&host, text);
		sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
		count += !step(db, statement);
		check(db, sqlite3_reset(statement));
	}
	return count;
}

/* Remember the new lines, but none that is too old, and not too many. */
static void
remember_new(struct database *db, int64_t oldest)
{
	int64_t last;

	if (db->new.connections > DATABASE_LINES_MAX) {
		last = number_of(db,
		    "SELECT disconnected_ms FROM new_lines"
		    " ORDER BY disconnected_ms DESC LIMIT 1 OFFSET ?1",
		    DATABASE_LINES_MAX, -1);
		if (last > oldest)
			oldest = last;
	}
	last = number_of(db,
	    "SELECT max(disconnected_ms) FROM new_lines"
	    " WHERE disconnected_ms <= ?1",
	    oldest, -1);
	if (last > db->forgotten_until)
		db->forgotten_until = last;
	change(db,
	    "INSERT INTO lines SELECT disconnected_ms, connected_ms, address,"
	    " process_id, local_day(connected_ms), 1 FROM new_lines"
	    " WHERE disconnected_ms > ?1",
	    oldest);
	db->lines_remembered += sqlite3_changes(db->file);
	change(db,
	    "INSERT INTO hosts SELECT host(address), max(disconnected_ms)"
	    " FROM new_lines WHERE disconnected_ms > ?1 GROUP BY 1"
	    " ON CONFLICT (host) DO UPDATE SET"
	    " last_seen_ms = max(last_seen_ms, excluded.last_seen_ms)",
	    oldest);
}

/*
 * Forget the lines of holds that ended by the given time.  A host is forgotten
 * together with its last line.
 */
static void
forget_until(struct database *db, int64_t msec)
{
	int64_t last = number_of(db,
	    "SELECT max(disconnected_ms) FROM lines WHERE disconnected_ms <= ?1",
	    msec, -1);

	if (last == -1)
		return;
	if (last > db->forgotten_until)
		db->forgotten_until = last;
	change(db,
	    "DELETE FROM hosts WHERE last_seen_ms <= ?1 AND host IN"
	    " (SELECT host(address) FROM lines WHERE disconnected_ms <= ?1)",
	    msec);
	change(db, "DELETE FROM lines WHERE disconnected_ms <= ?1", msec);
	db->lines_remembered -= sqlite3_changes(db->file);
}

/* Forget the oldest lines when there are so many that they fill the disk. */
static void
bound_lines(struct database *db)
{
	int64_t excess = db->lines_remembered - DATABASE_LINES_MAX;

	if (excess > 0)
		forget_until(db,
		    number_of(db,
			"SELECT disconnected_ms FROM lines"
			" ORDER BY disconnected_ms LIMIT 1 OFFSET ?1",
			excess - 1, -1));
}

void
database_read(struct database *db, struct totals *totals)
{
	if (!has_tables(db))
		return;
	execute(db, "BEGIN");
	read_days(db, totals);
	read_lengths(db, totals);
	totals->host_count = (uint64_t)number(
	    db, "SELECT unique_hosts FROM totals", 0);
	execute(db, "COMMIT");
	check_sums(db, totals);
}

static void
read_days(struct database *db, struct totals *totals)
{
	sqlite3_stmt *days = prepare(db,
	    "SELECT day, connections, held_ms, first_connected_ms,"
	    " last_disconnected_ms, longest_ms FROM days ORDER BY day");
	struct day day;

	while (step(db, days)) {
		day.number = sqlite3_column_int(days, 0);
		day.connections = (uint64_t)sqlite3_column_int64(days, 1);
		day.length = sqlite3_column_int64(days, 2);
		day.first = sqlite3_column_int64(days, 3);
		day.last = sqlite3_column_int64(days, 4);
		day.longest = sqlite3_column_int64(days, 5);
		if (!day_is_sound(&day, totals))
			fail(db, "table days: impossible day");
		totals_add_day(totals, &day);
	}
	sqlite3_finalize(days);
}

/* Whether a report can show the day and add it to the other days. */
static int
day_is_sound(const struct day *day, const struct totals *others)
{
	return day->connections >= 1 &&
	    day->connections <= CONNECTIONS_MAX - others->connections &&
	    day->length >= 0 && day->length <= LENGTH_MAX - others->length &&
	    day->longest >= 0 && day->longest <= day->length &&
	    day->first >= 0 && day->first <= day->last &&
	    day->last <= HOLD_TIME_MAX &&
	    day->number >= day->first / DAY_MSEC - 1 &&
	    day->number <= day->last / DAY_MSEC + 1;
}

static void
read_lengths(struct database *db, struct totals *totals)
{
	sqlite3_stmt *lengths = prepare(
	    db, "SELECT up_to_ms, connections FROM lengths");

	while (step(db, lengths)) {
		int bin = bin_that_ends(sqlite3_column_int64(lengths, 0));
		int64_t connections = sqlite3_column_int64(lengths, 1);

		if (bin >= 0 && connections >= 0)
			totals->lengths[bin] = (uint64_t)connections;
		else
			fail(db, "table lengths: impossible length");
	}
	sqlite3_finalize(lengths);
}

/* The bin with this length_end(), or -1 if there is none. */
static int
bin_that_ends(int64_t length)
{
	int bin;

	for (bin = 0; bin < LENGTH_BINS; bin++) {
		if (bin_end(bin) == length)
			return bin;
	}
	return -1;
}

static int64_t
bin_end(int bin)
{
	return bin == LENGTH_BINS - 1 ? INT64_MAX : length_end(bin);
}

/*
 * Reports rely on days and lengths having the same connections, but somebody
 * may have changed the tables by hand.
 */
static void
check_sums(struct database *db, const struct totals *totals)
{
	uint64_t left = totals->connections;
	int bin;

	for (bin = 0; bin < LENGTH_BINS && totals->lengths[bin] <= left; bin++)
		left -= totals->lengths[bin];
	if (bin < LENGTH_BINS || left > 0)
		fail(db, "tables days and lengths differ in their connections");
}

void
database_close(struct database *db)
{
	int i;

	for (i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(db->statement[i]);
	sqlite3_close(db->file);
	free(db->new.hosts.keys);
	free(db->new.hosts.slots);
	free(db->new.days);
	free(db);
}

/* The number that a query returns; if it returns nothing or NULL, none. */
static int64_t
number(struct database *db, const char *text, int64_t none)
{
	return number_of(db, text, 0, none);
}

/* The number that a query returns with value as its ?1; or none. */
static int64_t
number_of(struct database *db, const char *text, int64_t value, int64_t none)
{
	sqlite3_stmt *statement = prepare(db, text);
	int64_t result = none;

	if (sqlite3_bind_parameter_count(statement) > 0)
		sqlite3_bind_int64(statement, 1, value);
	if (step(db, statement) &&
	    sqlite3_column_type(statement, 0) != SQLITE_NULL)
		result = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return result;
}

/* Run a statement with value as its ?1. */
static void
change(struct database *db, const char *text, int64_t value)
{
	sqlite3_stmt *statement = prepare(db, text);

	sqlite3_bind_int64(statement, 1, value);
	step(db, statement);
	sqlite3_finalize(statement);
}

static sqlite3_stmt *
prepare(struct database *db, const char *text)
{
	sqlite3_stmt *statement;

	check(db,
	    sqlite3_prepare_v3(db->file, text, -1, SQLITE_PREPARE_PERSISTENT,
		&statement, NULL));
	return statement;
}

/* Returns whether there is a row. */
static int
step(struct database *db, sqlite3_stmt *statement)
{
	int status = sqlite3_step(statement);

	if (status != SQLITE_ROW && status != SQLITE_DONE)
		check(db, status);
	return status == SQLITE_ROW;
}

/* Run a prepared statement that returns no rows. */
static void
run_once(struct database *db, enum statement which)
{
	step(db, db->statement[which]);
	check(db, sqlite3_reset(db->statement[which]));
}

static void
execute(struct database *db, const char *text)
{
	check(db, sqlite3_exec(db->file, text, NULL, NULL, NULL));
}

static void
check(struct database *db, int status)
{
	char text[256];
	int error;

	switch (status & 0xff) {
	case SQLITE_OK:
		return;
	case SQLITE_BUSY:
		fail(db,
		    "another process is writing it; waited for " SECONDS_TEXT
		    " seconds");
	case SQLITE_NOTADB:
		fail(db, NOT_OURS);
	default:
		break;
	}
	error = sqlite3_system_errno(db->file);
	snprintf(text, sizeof(text), "%s%s%s", sqlite3_errmsg(db->file),
	    error == 0 ? "" : ": ", error == 0 ? "" : strerror(error));
	fail(db, text);
}

/* End the program, with all changes undone. */
static _Noreturn void
fail(struct database *db, const char *reason)
{
	sqlite3_exec(db->file, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close_v2(db->file);
	errx(EXIT_FAILURE, "%s: %s", db->path, reason);
}
