/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The state file:
 *
 *	tarpit-stats state 1
 *	cursor CURSOR
 *	connections N
 *	length MS
 *	first MS
 *	last MS
 *	longest MS
 *	forgotten MS
 *	bins N		then N times:	BIN CONNECTIONS
 *	days N		then N times:	DAY CONNECTIONS MS
 *	hosts N		then N keys of 16 octets
 *	lines N		then N keys of 16 octets
 *	checksum SUM
 *
 * The key of a line is its disconnected, in ms and with the highest octet
 * first, and a hash of the rest.  SUM is FNV-1a of all before it, in hex.
 */

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

#define TITLE	      "tarpit-stats state "
#define STATE_VERSION "1"

#define LINE_LEN_MAX (CURSOR_MAX + 32)

/* FNV-1a, 64 bits. */
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

struct reader {
	FILE *file;
	uint64_t sum; /* of all lines and keys so far */
	char line[LINE_LEN_MAX];
};

struct writer {
	FILE *file;
	uint64_t sum;
};

static int is_new(struct state *, const struct hold *, long);
static struct key line_key(const struct hold *, long);
static void put_big_endian(unsigned char *, uint64_t);
static int64_t ended(const struct key *);
static uint64_t fnv(uint64_t, const void *, size_t);
static const char *read_title(struct reader *);
static int read_all(struct reader *, struct state *);
static int read_cursor(struct reader *, char *);
static int read_totals(struct reader *, struct totals *);
static int read_bins(struct reader *, struct totals *);
static int read_days(struct reader *, struct totals *);
static int read_keys(struct reader *, const char *, struct set *);
static int read_checksum(struct reader *);
static int is_sound(const struct state *);
static int lines_are_sound(const struct state *);
static int read_number(struct reader *, const char *, int64_t *);
static int read_count(struct reader *, const char *, size_t *);
static int read_fields(struct reader *, int, int64_t *);
static int parse_fields(char *, int, int64_t *);
static int read_line(struct reader *);
static void forget_old_lines(struct state *);
static int compare_keys(const void *, const void *);
static void write_totals(struct writer *, const struct totals *);
static void write_bins(struct writer *, const struct totals *);
static void write_days(struct writer *, const struct totals *);
static void write_keys(struct writer *, const char *, const struct set *);
static void put(struct writer *, const char *, ...)
    __attribute__((__format__(__printf__, 2, 3)));

void
state_init(struct state *state)
{
	memset(state, 0, sizeof(*state));
	state->forgotten = -1;
}

void
state_count(struct state *state, const struct lines *lines)
{
	struct hold new[LINES_MAX];
	size_t count = 0, i;

	for (i = 0; i < lines->count; i++) {
		if (is_new(state, &lines->holds[i], lines->pids[i]))
			new[count++] = lines->holds[i];
	}
	if (count > 0) {
		totals_add(&state->totals, new, count);
		state->changed = 1;
	}
}

static int
is_new(struct state *state, const struct hold *hold, long pid)
{
	struct key key = line_key(hold, pid);

	return hold->disconnected > state->forgotten &&
	    set_add(&state->lines, &key);
}

static struct key
line_key(const struct hold *hold, long pid)
{
	unsigned char rest[sizeof(hold->addr) + 2 * sizeof(uint64_t)];
	struct key key = { { 0 } };

	memcpy(rest, &hold->addr, sizeof(hold->addr));
	put_big_endian(rest + 16, (uint64_t)hold->connected);
	put_big_endian(rest + 24, (uint64_t)pid);
	put_big_endian(key.octet, (uint64_t)hold->disconnected);
	put_big_endian(key.octet + 8, fnv(FNV_START, rest, sizeof(rest)));
	return key;
}

static void
put_big_endian(unsigned char *octet, uint64_t n)
{
	int i;

	for (i = 7; i >= 0; i--) {
		octet[i] = (unsigned char)n;
		n >>= 8;
	}
}

static uint64_t
fnv(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *octet = data;

	while (len-- > 0)
		sum = (sum ^ *octet++) * FNV_PRIME;
	return sum;
}

void
state_set_cursor(struct state *state, const char *cursor)
{
	if (*cursor == '\0' || strcmp(cursor, state->cursor) == 0)
		return;
	strlcpy(state->cursor, cursor, sizeof(state->cursor));
	state->changed = 1;
}

const char *
state_read(struct state *state, FILE *file)
{
	struct reader reader = { .file = file, .sum = FNV_START };
	const char *problem;

	if ((problem = read_title(&reader)) != NULL)
		return problem;
	if (read_all(&reader, state) == -1)
		return ferror(file) ? strerror(errno) : "is damaged";
	return NULL;
}

static const char *
read_title(struct reader *reader)
{
	const size_t len = sizeof(TITLE) - 1;

	if (read_line(reader) == -1 || strncmp(reader->line, TITLE, len) != 0)
		return "is not a state file of tarpit-stats";
	if (strcmp(reader->line + len, STATE_VERSION) != 0)
		return "is a state file of another version of tarpit-stats";
	return NULL;
}

static int
read_all(struct reader *reader, struct state *state)
{
	if (read_cursor(reader, state->cursor) == -1 ||
	    read_totals(reader, &state->totals) == -1 ||
	    read_number(reader, "forgotten", &state->forgotten) == -1 ||
	    read_bins(reader, &state->totals) == -1 ||
	    read_days(reader, &state->totals) == -1 ||
	    read_keys(reader, "hosts", &state->totals.hosts) == -1 ||
	    read_keys(reader, "lines", &state->lines) == -1)
		return -1;
	return read_checksum(reader) == 0 && is_sound(state) ? 0 : -1;
}

static int
read_cursor(struct reader *reader, char *cursor)
{
	static const char key[] = "cursor ";

	if (read_line(reader) == -1 ||
	    strncmp(reader->line, key, sizeof(key) - 1) != 0)
		return -1;
	strlcpy(cursor, reader->line + sizeof(key) - 1, CURSOR_MAX);
	return 0;
}

static int
read_totals(struct reader *reader, struct totals *totals)
{
	int64_t connections;

	if (read_number(reader, "connections", &connections) == -1 ||
	    connections < 0 ||
	    read_number(reader, "length", &totals->length) == -1 ||
	    read_number(reader, "first", &totals->first) == -1 ||
	    read_number(reader, "last", &totals->last) == -1)
		return -1;
	totals->connections = (uint64_t)connections;
	return read_number(reader, "longest", &totals->longest);
}

/* All connections are in them. */
static int
read_bins(struct reader *reader, struct totals *totals)
{
	uint64_t left = totals->connections;
	int64_t field[2], bin = -1;
	size_t count;

	if (read_count(reader, "bins", &count) == -1)
		return -1;
	while (count-- > 0) {
		if (read_fields(reader, 2, field) == -1 || field[0] <= bin ||
		    field[0] >= LENGTH_BINS || field[1] < 1 ||
		    (uint64_t)field[1] > left)
			return -1;
		bin = field[0];
		totals->lengths[bin] = (uint64_t)field[1];
		left -= (uint64_t)field[1];
	}
	return left == 0 ? 0 : -1;
}

/* And in these, with all of their time. */
static int
read_days(struct reader *reader, struct totals *totals)
{
	uint64_t connections = totals->connections;
	int64_t field[3], number = -2, length = totals->length;
	struct day day;
	size_t count;

	if (read_count(reader, "days", &count) == -1)
		return -1;
	while (count-- > 0) {
		if (read_fields(reader, 3, field) == -1 || field[0] <= number ||
		    field[0] > INT_MAX || field[1] < 1 ||
		    (uint64_t)field[1] > connections || field[2] < 0 ||
		    field[2] > length)
			return -1;
		number = field[0];
		day.number = (int)number;
		day.connections = (uint64_t)field[1];
		day.length = field[2];
		totals_add_day(totals, &day);
		connections -= day.connections;
		length -= day.length;
	}
	return connections == 0 && length == 0 ? 0 : -1;
}

static int
read_keys(struct reader *reader, const char *name, struct set *set)
{
	struct key key;
	size_t count;

	if (read_count(reader, name, &count) == -1)
		return -1;
	while (count-- > 0) {
		if (fread(&key, sizeof(key), 1, reader->file) != 1 ||
		    !set_add(set, &key))
			return -1;
		reader->sum = fnv(reader->sum, &key, sizeof(key));
	}
	return 0;
}

static int
read_checksum(struct reader *reader)
{
	char expected[sizeof("checksum 0123456789abcdef")];

	snprintf(
	    expected, sizeof(expected), "checksum %016" PRIx64, reader->sum);
	if (read_line(reader) == -1 || strcmp(reader->line, expected) != 0 ||
	    getc(reader->file) != EOF)
		return -1;
	return 0;
}

/*
 * A checksum can be right and the numbers wrong.  The reports rely on these,
 * and on the sums that were seen to above.
 */
static int
is_sound(const struct state *state)
{
	const struct totals *totals = &state->totals;

	if (totals->first < 0 || totals->first > totals->last ||
	    totals->last > HOLD_TIME_MAX || totals->longest < 0 ||
	    totals->longest > totals->length || totals->length > LENGTH_MAX ||
	    totals->longest > totals->last - totals->first ||
	    totals->hosts.count > totals->connections ||
	    (totals->hosts.count == 0 && totals->connections > 0))
		return 0;
	/* Days of whatever time zone it was. */
	if (totals->day_count > 0 &&
	    (totals->days[0].number < totals->first / DAY_MSEC - 1 ||
		totals->days[totals->day_count - 1].number >
		    totals->last / DAY_MSEC + 1))
		return 0;
	return lines_are_sound(state);
}

static int
lines_are_sound(const struct state *state)
{
	size_t i;

	if (state->lines.count > state->totals.connections ||
	    state->forgotten > state->totals.last)
		return 0;
	for (i = 0; i < state->lines.count; i++) {
		int64_t msec = ended(&state->lines.keys[i]);

		if (msec <= state->forgotten || msec > state->totals.last)
			return 0;
	}
	return 1;
}

/* A line with a name and a number. */
static int
read_number(struct reader *reader, const char *name, int64_t *value)
{
	size_t len = strlen(name);

	if (read_line(reader) == -1 || strncmp(reader->line, name, len) != 0 ||
	    reader->line[len] != ' ')
		return -1;
	return parse_fields(reader->line + len + 1, 1, value);
}

static int
read_count(struct reader *reader, const char *name, size_t *count)
{
	int64_t value;

	if (read_number(reader, name, &value) == -1 || value < 0)
		return -1;
	*count = (size_t)value;
	return 0;
}

/* A line of so many numbers. */
static int
read_fields(struct reader *reader, int count, int64_t *field)
{
	return read_line(reader) == -1
	    ? -1
	    : parse_fields(reader->line, count, field);
}

static int
parse_fields(char *s, int count, int64_t *field)
{
	while (count-- > 0) {
		const char *word = strsep(&s, " "), *problem;

		if (word == NULL)
			return -1;
		*field++ = strtonum(word, -1, INT64_MAX, &problem);
		if (problem != NULL)
			return -1;
	}
	return s == NULL ? 0 : -1;
}

/* The next line, which ends in a newline, without it. */
static int
read_line(struct reader *reader)
{
	size_t len;

	if (fgets(reader->line, sizeof(reader->line), reader->file) == NULL)
		return -1;
	len = strlen(reader->line);
	if (len == 0 || reader->line[len - 1] != '\n')
		return -1;
	reader->sum = fnv(reader->sum, reader->line, len);
	reader->line[len - 1] = '\0';
	return 0;
}

void
state_write(struct state *state, FILE *file)
{
	struct writer writer = { file, FNV_START };

	forget_old_lines(state);
	put(&writer, "%s%s\n", TITLE, STATE_VERSION);
	put(&writer, "cursor %s\n", state->cursor);
	write_totals(&writer, &state->totals);
	put(&writer, "forgotten %" PRId64 "\n", state->forgotten);
	write_bins(&writer, &state->totals);
	write_days(&writer, &state->totals);
	write_keys(&writer, "hosts", &state->totals.hosts);
	write_keys(&writer, "lines", &state->lines);
	fprintf(file, "checksum %016" PRIx64 "\n", writer.sum);
}

/* Once there are too many, so many at a time that it happens rarely. */
static void
forget_old_lines(struct state *state)
{
	struct set old = state->lines;
	size_t i;

	if (old.count <= STATE_LINES_MAX)
		return;
	qsort(old.keys, old.count, sizeof(*old.keys), compare_keys);
	i = old.count - STATE_LINES_MIN;
	state->forgotten = ended(&old.keys[i - 1]);
	memset(&state->lines, 0, sizeof(state->lines));
	for (; i < old.count; i++) {
		if (ended(&old.keys[i]) > state->forgotten)
			set_add(&state->lines, &old.keys[i]);
	}
	set_free(&old);
}

/* By their first octets, which are the time. */
static int
compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct key));
}

static int64_t
ended(const struct key *key)
{
	uint64_t msec = 0;
	int i;

	for (i = 0; i < 8; i++)
		msec = msec << 8 | key->octet[i];
	return (int64_t)msec;
}

static void
write_totals(struct writer *writer, const struct totals *totals)
{
	put(writer, "connections %" PRIu64 "\n", totals->connections);
	put(writer, "length %" PRId64 "\n", totals->length);
	put(writer, "first %" PRId64 "\n", totals->first);
	put(writer, "last %" PRId64 "\n", totals->last);
	put(writer, "longest %" PRId64 "\n", totals->longest);
}

static void
write_bins(struct writer *writer, const struct totals *totals)
{
	int bin, count = 0;

	for (bin = 0; bin < LENGTH_BINS; bin++)
		count += totals->lengths[bin] != 0;
	put(writer, "bins %d\n", count);
	for (bin = 0; bin < LENGTH_BINS; bin++) {
		if (totals->lengths[bin] != 0)
			put(writer, "%d %" PRIu64 "\n", bin,
			    totals->lengths[bin]);
	}
}

static void
write_days(struct writer *writer, const struct totals *totals)
{
	size_t i;

	put(writer, "days %zu\n", totals->day_count);
	for (i = 0; i < totals->day_count; i++) {
		const struct day *day = &totals->days[i];

		put(writer, "%d %" PRIu64 " %" PRId64 "\n", day->number,
		    day->connections, day->length);
	}
}

static void
write_keys(struct writer *writer, const char *name, const struct set *set)
{
	size_t size = set->count * sizeof(*set->keys);

	put(writer, "%s %zu\n", name, set->count);
	if (size > 0)
		fwrite(set->keys, 1, size, writer->file);
	writer->sum = fnv(writer->sum, set->keys, size);
}

/* One line of text. */
static void
put(struct writer *writer, const char *form, ...)
{
	char line[LINE_LEN_MAX];
	va_list ap;

	va_start(ap, form);
	vsnprintf(line, sizeof(line), form, ap);
	va_end(ap);
	fputs(line, writer->file);
	writer->sum = fnv(writer->sum, line, strlen(line));
}
