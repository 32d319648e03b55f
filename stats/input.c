/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Reading logs: lines in, holds out.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cap.h"
#include "input.h"

#define CURSOR_TAG "-- cursor: "

/* A hold that ends at the longest cap, and a minute for a busy machine. */
#define LENGTH_POSSIBLE_MAX (CAP_MAX * SECOND_MSEC + 60 * SECOND_MSEC)
/* 1 January 2000: a clock that has not been set shows 1970. */
#define CONNECTED_POSSIBLE_MIN INT64_C(946684800000)

#define PID_DIGITS_MAX 9
#define MAGIC_MAX      8 /* bytes that tell what a file is */

/* Part of a line. */
struct text {
	const char *start;
	size_t len;
};

struct compression {
	const char *program; /* that decompresses */
	size_t len;
	const char *magic;
};

static int next_line(struct input *, struct text *);
static int line_in_buffer(struct input *, struct text *);
static int rest_of_file(struct input *, struct text *);
static int open_next(struct input *);
static void close_file(struct input *);
static int fill(struct input *);
static void make_room(struct input *);
static ssize_t read_more(struct input *);
static void fail(struct input *, const char *, const char *);
static const char *decompressor(const struct input *);
static void take_line(struct input *, struct text, struct lines *);
static int is_possible(const struct hold *, int64_t);
static void take_remark(struct input *, const struct text *);
static int parse(struct text *, struct hold *);
static int is_raw(const struct text *);
static int find_message(const struct text *, struct text *);
static int skip(struct text *, const char *);
static void skip_spaces(struct text *);
static long logged_by(const struct text *);
static long pid_in_brackets(const struct text *);
static const char *find_hold(const struct text *);
static long pid_of_rfc5424(const struct text *);
static struct text next_word(struct text *);
static long number(const char *, const char *);

void
input_begin(struct input *input)
{
	input->read = input->skipped = input->impossible = 0;
	input->failed = input->too_long = 0;
	input->cursor[0] = '\0';
	input->fd = -1;
	input->next = input->filled = 0;
}

int
input_next(struct input *input, struct lines *lines)
{
	struct text line;

	lines->count = 0;
	while (lines->count < LINES_MAX && next_line(input, &line))
		take_line(input, line, lines);
	return lines->count > 0;
}

/* The next line of any file, without its newline. */
static int
next_line(struct input *input, struct text *line)
{
	for (;;) {
		if (line_in_buffer(input, line))
			return 1;
		if (input->fd == -1) {
			if (!open_next(input))
				return 0;
		} else if (!fill(input)) {
			close_file(input);
			if (rest_of_file(input, line))
				return 1;
		}
	}
}

static int
line_in_buffer(struct input *input, struct text *line)
{
	for (;;) {
		const char *newline;

		line->start = input->data + input->next;
		newline = memchr(
		    line->start, '\n', input->filled - input->next);
		if (newline == NULL)
			return 0;
		line->len = (size_t)(newline - line->start);
		input->next += line->len + 1;
		if (!input->too_long)
			return 1;
		input->too_long = 0;
	}
}

/* The last line of a file, which has no newline. */
static int
rest_of_file(struct input *input, struct text *line)
{
	int is_line = input->filled > input->next && !input->too_long;

	line->start = input->data + input->next;
	line->len = input->filled - input->next;
	input->next = input->filled = 0;
	input->too_long = 0;
	return is_line;
}

static int
open_next(struct input *input)
{
	for (; *input->paths != NULL; input->paths++) {
		const char *path = *input->paths;

		input->at_start = 1;
		input->fd = strcmp(path, "-") == 0
		    ? STDIN_FILENO
		    : open(path, O_RDONLY | O_CLOEXEC);
		if (input->fd != -1)
			return 1;
		fail(input, strerror(errno), "");
	}
	return 0;
}

static void
close_file(struct input *input)
{
	if (input->fd != STDIN_FILENO)
		close(input->fd);
	input->fd = -1;
	input->paths++;
}

/* Returns 0 at the end of the file, or if the rest of it is of no use. */
static int
fill(struct input *input)
{
	const char *program;
	ssize_t got;

	make_room(input);
	do {
		if ((got = read_more(input)) == -1)
			fail(input, strerror(errno), "");
	} while (got > 0 && input->at_start && input->filled < MAGIC_MAX);

	if (input->at_start && (program = decompressor(input)) != NULL) {
		fail(input, "compressed; use ", program);
		input->next = input->filled = 0;
		return 0;
	}
	input->at_start = 0;
	return got > 0;
}

static void
make_room(struct input *input)
{
	size_t left = input->filled - input->next;

	if (left == sizeof(input->data)) {
		if (!input->too_long) {
			input->read++;
			input->skipped++;
		}
		input->too_long = 1;
		left = 0;
	}
	memmove(input->data, input->data + input->next, left);
	input->next = 0;
	input->filled = left;
}

static ssize_t
read_more(struct input *input)
{
	ssize_t got;

	do {
		got = read(input->fd, input->data + input->filled,
		    sizeof(input->data) - input->filled);
	} while (got == -1 && errno == EINTR);
	if (got > 0)
		input->filled += (size_t)got;
	return got;
}

static void
fail(struct input *input, const char *problem, const char *more)
{
	const char *path = *input->paths;

	warnx("%s: %s%s", strcmp(path, "-") == 0 ? "standard input" : path,
	    problem, more);
	input->failed = 1;
}

/* The program that turns a compressed file into text, or NULL. */
static const char *
decompressor(const struct input *input)
{
	static const struct compression known[] = {
		{ "zcat", 2, "\x1f\x8b" },
		{ "xzcat", 6,
		    "\xfd"
		    "7zXZ\0" },
		{ "zstdcat", 4, "\x28\xb5\x2f\xfd" },
		{ "bzcat", 3, "BZh" },
		{ "lz4cat", 4, "\x04\x22\x4d\x18" },
		{ "journalctl --file", 8, "LPKSHHRH" },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (input->filled >= known[i].len &&
		    memcmp(input->data, known[i].magic, known[i].len) == 0)
			return known[i].program;
	}
	return NULL;
}

static void
take_line(struct input *input, struct text line, struct lines *lines)
{
	struct hold *hold = &lines->holds[lines->count];
	struct text message = line;

	if (line.len > 0 && line.start[line.len - 1] == '\r')
		line.len--;
	if (line.len >= 3 && memcmp(line.start, "-- ", 3) == 0) {
		take_remark(input, &line);
		return;
	}
	input->read++;
	if (!parse(&message, hold)) {
		input->skipped++;
	} else if (!is_possible(hold, input->latest)) {
		input->impossible++;
	} else {
		lines->pids[lines->count] = input->with_pids
		    ? logged_by(&message)
		    : 0;
		lines->count++;
	}
}

static int
is_possible(const struct hold *hold, int64_t latest)
{
	return hold->connected >= CONNECTED_POSSIBLE_MIN &&
	    hold->disconnected <= latest &&
	    hold->disconnected - hold->connected <= LENGTH_POSSIBLE_MAX;
}

/* The cursor is kept, "-- Boot ... --" and "-- No entries --" are not. */
static void
take_remark(struct input *input, const struct text *line)
{
	struct text cursor = *line;

	if (skip(&cursor, CURSOR_TAG) && cursor.len < sizeof(input->cursor)) {
		memcpy(input->cursor, cursor.start, cursor.len);
		input->cursor[cursor.len] = '\0';
	}
}

/* Parse a line; narrow a line of a journal entry to its message. */
static int
parse(struct text *line, struct hold *hold)
{
	struct text message;

	if (hold_parse(line->start, line->len, hold) == 0)
		return !is_raw(line);
	if (!find_message(line, &message) ||
	    hold_parse(message.start, message.len, hold) == -1)
		return 0;
	*line = message;
	return 1;
}

/*
 * journalctl -o export and -o verbose give each hold twice: in the message, and
 * in the raw line as journald received it, which would count a second time.
 */
static int
is_raw(const struct text *line)
{
	struct text text = *line;

	skip_spaces(&text);
	return skip(&text, "SYSLOG_RAW=");
}

/* The message of a journal entry: MESSAGE=..., or "MESSAGE" : "..." in JSON. */
static int
find_message(const struct text *line, struct text *message)
{
	static const char key[] = "\"MESSAGE\"";
	const char *end;

	*message = *line;
	skip_spaces(message);
	if (skip(message, "MESSAGE="))
		return 1;

	message->start = memmem(line->start, line->len, key, sizeof(key) - 1);
	if (message->start == NULL)
		return 0;
	message->len = line->len - (size_t)(message->start - line->start);
	skip(message, key);
	skip_spaces(message);
	if (!skip(message, ":"))
		return 0;
	skip_spaces(message);
	if (!skip(message, "\""))
		return 0;
	if ((end = memchr(message->start, '"', message->len)) == NULL)
		return 0;
	message->len = (size_t)(end - message->start);
	return 1;
}

/* If the text begins with the word, move past the word and return 1. */
static int
skip(struct text *text, const char *word)
{
	size_t len = strlen(word);

	if (text->len < len || memcmp(text->start, word, len) != 0)
		return 0;
	text->start += len;
	text->len -= len;
	return 1;
}

static void
skip_spaces(struct text *text)
{
	while (text->len > 0 && (*text->start == ' ' || *text->start == '\t')) {
		text->start++;
		text->len--;
	}
}

/*
 * The id of the process that logged the line.  The id helps to tell two lines
 * apart, so every form of log that has the id must give the same.
 */
static long
logged_by(const struct text *line)
{
	long pid = pid_in_brackets(line);

	return pid != 0 ? pid : pid_of_rfc5424(line);
}

/* The number in "tarpit[2481]: ip=", with anything blank before "ip=". */
static long
pid_in_brackets(const struct text *line)
{
	static const char blank[] =
	    " \t\xef\xbb\xbf"; /* byte order mark, too */
	struct text before = { line->start,
		(size_t)(find_hold(line) - line->start) };
	const char *p, *end;

	while (before.len > 0 &&
	    memchr(blank, before.start[before.len - 1], sizeof(blank) - 1) !=
		NULL)
		before.len--;
	if (before.len < 2 || before.start[before.len - 1] != ':' ||
	    before.start[before.len - 2] != ']')
		return 0;
	end = before.start + before.len - 2;
	p = end;
	while (p > line->start && p[-1] >= '0' && p[-1] <= '9')
		p--;
	return p > line->start && p[-1] == '[' ? number(p, end) : 0;
}

/* Where the hold begins in a line that hold_parse() has accepted. */
static const char *
find_hold(const struct text *line)
{
	static const char key[] = "ip=";
	const char *p = line->start + line->len - (sizeof(key) - 1);

	while (p > line->start && memcmp(p, key, sizeof(key) - 1) != 0)
		p--;
	return p;
}

/* The fifth word of "<21>1 TIME HOST tarpit 2481 - - ip=". */
static long
pid_of_rfc5424(const struct text *line)
{
	struct text rest = *line, word;
	int i;

	word = next_word(&rest);
	if (word.len < 2 || word.start[0] != '<' ||
	    memcmp(word.start + word.len - 2, ">1", 2) != 0)
		return 0;
	for (i = 0; i < 4; i++)
		word = next_word(&rest);
	return number(word.start, word.start + word.len);
}

static struct text
next_word(struct text *rest)
{
	struct text word = { rest->start, 0 };

	while (word.len < rest->len && word.start[word.len] != ' ')
		word.len++;
	rest->start += word.len;
	rest->len -= word.len;
	skip_spaces(rest);
	return word;
}

/* The decimal number between p and end; 0 if it cannot be a process id. */
static long
number(const char *p, const char *end)
{
	long n = 0;

	if (end - p > PID_DIGITS_MAX)
		return 0;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return 0;
		n = 10 * n + (*p - '0');
	}
	return n;
}
