/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Log lines in, holds out.
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"

#define BUFFER_SIZE 65536 /* what is longer is no line of ours */
#define CURSOR_TAG  "-- cursor: "

/* What has been read and is no whole line yet. */
struct buffer {
	char data[BUFFER_SIZE];
	size_t len;
	int too_long; /* the line began before data, and was given up */
};

/* Part of a line. */
struct text {
	const char *start;
	size_t len;
};

static void take_lines(struct input *, struct buffer *);
static void take_rest(struct input *, struct buffer *);
static void take_line(struct input *, struct text);
static void count_waiting(struct input *);
static void take_remark(struct input *, const struct text *);
static int parse(const struct text *, struct hold *);
static int is_raw(const struct text *);
static int find_message(const struct text *, struct text *);
static int skip(struct text *, const char *);
static void skip_spaces(struct text *);
static long logged_by(const struct text *);

/* Many at a time are counted faster. */
static struct lines waiting;

int
input_read(struct input *input, int fd)
{
	static struct buffer buffer;
	ssize_t got;
	int error;

	for (;;) {
		got = read(fd, buffer.data + buffer.len,
		    sizeof(buffer.data) - buffer.len);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		buffer.len += (size_t)got;
		take_lines(input, &buffer);
	}
	error = errno;
	take_rest(input, &buffer);
	count_waiting(input);
	errno = error;
	return got == -1 ? -1 : 0;
}

static void
take_lines(struct input *input, struct buffer *buffer)
{
	const char *line = buffer->data;
	const char *end = buffer->data + buffer->len;
	const char *newline;

	while ((newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		if (!buffer->too_long)
			take_line(input,
			    (struct text){ line, (size_t)(newline - line) });
		buffer->too_long = 0;
		line = newline + 1;
	}

	buffer->len = (size_t)(end - line);
	if (buffer->len == sizeof(buffer->data)) {
		if (!buffer->too_long) {
			input->read++;
			input->skipped++;
		}
		buffer->too_long = 1;
		buffer->len = 0;
	}
	memmove(buffer->data, line, buffer->len);
}

static void
take_rest(struct input *input, struct buffer *buffer)
{
	if (buffer->len > 0 && !buffer->too_long)
		take_line(input, (struct text){ buffer->data, buffer->len });
	buffer->len = 0;
	buffer->too_long = 0;
}

static void
take_line(struct input *input, struct text line)
{
	size_t next = waiting.count;

	if (line.len > 0 && line.start[line.len - 1] == '\r')
		line.len--;
	if (line.len >= 3 && memcmp(line.start, "-- ", 3) == 0) {
		take_remark(input, &line);
		return;
	}
	input->read++;
	if (!parse(&line, &waiting.holds[next])) {
		input->skipped++;
		return;
	}
	waiting.pids[next] = input->with_pids ? logged_by(&line) : 0;
	if (++waiting.count == LINES_MAX)
		count_waiting(input);
}

static void
count_waiting(struct input *input)
{
	if (waiting.count > 0)
		input->count(input->arg, &waiting);
	waiting.count = 0;
}

/* "-- Boot ... --", "-- No entries --", and the one that we need. */
static void
take_remark(struct input *input, const struct text *line)
{
	struct text cursor = *line;

	if (skip(&cursor, CURSOR_TAG) && cursor.len < sizeof(input->cursor)) {
		memcpy(input->cursor, cursor.start, cursor.len);
		input->cursor[cursor.len] = '\0';
	}
}

static int
parse(const struct text *line, struct hold *hold)
{
	struct text message;

	if (hold_parse(line->start, line->len, hold) == 0)
		return !is_raw(line);
	return find_message(line, &message) &&
	    hold_parse(message.start, message.len, hold) == 0;
}

/*
 * journalctl -o export and -o verbose have the message twice; this is the line
 * as it came, which journald keeps beside the message.
 */
static int
is_raw(const struct text *line)
{
	struct text text = *line;

	skip_spaces(&text);
	return skip(&text, "SYSLOG_RAW=");
}

/* MESSAGE=..., "MESSAGE":"...", "MESSAGE" : "...": a journal entry's. */
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

/* Past the word if the text begins with it; else untouched. */
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

/* The number in "[2481]: ip=", which every syslog daemon leaves there. */
static long
logged_by(const struct text *line)
{
	static const char before_address[] = "]: ip=";
	const char *end, *p;

	end = memmem(
	    line->start, line->len, before_address, sizeof(before_address) - 1);
	if (end == NULL)
		return 0;
	p = end;
	while (p > line->start && isdigit((unsigned char)p[-1]))
		p--;
	if (p == line->start || p[-1] != '[')
		return 0;
	return strtol(p, NULL, 10);
}
