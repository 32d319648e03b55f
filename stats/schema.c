/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The tables of the database.  SQLite stores the comments in the SQL, too, for
 * whoever looks at a database with sqlite3(1).
 */

#include <sqlite3.h>

#include "schema.h"

/* A value of another type is refused, but by SQLite before 3.37 (Debian 11). */
#if SQLITE_VERSION_NUMBER >= 3037000
#define STRICT		  " STRICT"
#define AND_WITHOUT_ROWID ", WITHOUT ROWID"
#else
#define STRICT		  ""
#define AND_WITHOUT_ROWID " WITHOUT ROWID"
#endif

#define TEXT(number)  #number
#define VALUE(number) TEXT(number)

/* clang-format off */
const char schema_create[] =
"PRAGMA application_id = " VALUE(SCHEMA_APPLICATION_ID) ";\n"
"PRAGMA user_version = " VALUE(SCHEMA_VERSION) ";\n"
"CREATE TABLE totals ( -- numbers that belong to no day and to no length\n"
"	only_row INTEGER PRIMARY KEY CHECK (only_row = 1),\n"
"	unique_hosts INTEGER NOT NULL DEFAULT 0,\n"
"	days_remembered INTEGER NOT NULL DEFAULT 35, -- 0: for ever\n"
"	lines_remembered INTEGER NOT NULL DEFAULT 0,\n"
"	-- holds that ended by this time are not counted again\n"
"	forgotten_until_ms INTEGER NOT NULL DEFAULT -1,\n"
"	lines_skipped INTEGER NOT NULL DEFAULT 0, -- of the last input\n"
"	journal_cursor TEXT NOT NULL DEFAULT ''\n"
")" STRICT ";\n"
"INSERT INTO totals (only_row) VALUES (1);\n"

"CREATE TABLE days ( -- connections that began on a day of the local time zone\n"
"	day INTEGER PRIMARY KEY, -- counted from 1 January 1970\n"
"	connections INTEGER NOT NULL,\n"
"	held_ms INTEGER NOT NULL,\n"
"	first_connected_ms INTEGER NOT NULL, -- since 1970, UTC\n"
"	last_disconnected_ms INTEGER NOT NULL,\n"
"	longest_ms INTEGER NOT NULL,\n"
"	date TEXT AS (date(day * 86400, 'unixepoch'))\n"
")" STRICT ";\n"

"CREATE TABLE lengths ( -- connections longer than the previous row's up_to_ms\n"
"	up_to_ms INTEGER PRIMARY KEY,\n"
"	connections INTEGER NOT NULL\n"
")" STRICT ";\n"

"CREATE TABLE lines ( -- log lines that are remembered, to count none twice\n"
"	disconnected_ms INTEGER NOT NULL,\n"
"	connected_ms INTEGER NOT NULL,\n"
"	address TEXT NOT NULL,\n"
"	process_id INTEGER NOT NULL,\n"
"	day INTEGER NOT NULL,\n"
"	counted INTEGER NOT NULL DEFAULT 1 CHECK (counted IN (0, 1)),\n"
"	date TEXT AS (date(day * 86400, 'unixepoch')),\n"
"	PRIMARY KEY (disconnected_ms, connected_ms, address, process_id)\n"
")" STRICT AND_WITHOUT_ROWID ";\n"

"CREATE TABLE hosts ( -- IPv4 addresses and IPv6 networks of remembered lines\n"
"	host TEXT PRIMARY KEY,\n"
"	last_seen_ms INTEGER NOT NULL\n"
")" STRICT AND_WITHOUT_ROWID ";\n"

"-- to take a wrong line out: UPDATE lines SET counted = 0 WHERE ...\n"
"CREATE TRIGGER line_taken_out AFTER UPDATE OF counted ON lines\n"
"	WHEN OLD.counted = 1 AND NEW.counted = 0\n"
"BEGIN\n"
"	UPDATE days SET connections = connections - 1,\n"
"		held_ms = held_ms - (NEW.disconnected_ms - NEW.connected_ms)\n"
"		WHERE day = NEW.day;\n"
"	DELETE FROM days WHERE day = NEW.day AND connections <= 0;\n"
"	UPDATE lengths SET connections = connections - 1 WHERE up_to_ms =\n"
"		(SELECT min(up_to_ms) FROM lengths WHERE up_to_ms >=\n"
"		NEW.disconnected_ms - NEW.connected_ms);\n"
"END;\n";
