/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Give log lines to input_next(), and through it to totals and reports, as
 * tarpit-stats does.  Whether the lines come whole or in parts, the counts are
 * the same.
 *
 * Linked with -Wl,--wrap=read,--wrap=warnx.
 */

#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "../../stats/input.h"
#include "check_stats.h"
#include "fuzz.h"

#define LATEST INT64_C(253402300799999) /* holds may end at any time */

/*
 * This byte stands for a long run of bytes, so that a small input can have
 * lines as long as the buffer of input.c.
 */
#define LONG_RUN      '\1'
#define LONG_RUN_LEN  65400
#define LONG_RUNS_MAX 3

/* How read(2) hands out the log. */
enum manner { WHOLE, IN_PARTS, WITH_ERROR };

/* The log that read(2) hands out. */
static struct {
	const char *data;
	size_t left;
	enum manner manner;
	uint64_t random;
} source;

/* What was counted. */
struct counted {
	struct totals totals;
	uint64_t holds;
	uint64_t sum; /* checksum of all holds, in order, with process ids */
};

static char *expand(const uint8_t *, size_t, size_t *);
static void check_log(const char *, size_t);
static void check_reading_in_parts(
    const char *, size_t, const struct input *, const struct counted *);
static void check_reading_with_error(
    const char *, size_t, const struct input *);
static const struct input *read_log(
    struct counted *, const char *, size_t, enum manner);
static void count(struct counted *, const struct lines *);
static uint64_t add_to_sum(uint64_t, const void *, size_t);

ssize_t __real_read(int, void *, size_t);
ssize_t __wrap_read(int, void *, size_t);
void __wrap_warnx(const char *, ...);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len;
	char *log;

	set_time_zone();
	log = expand(data, size, &len);
	check_log(log, len);
	free(log);
	return 0;
}

static char *
expand(const uint8_t *data, size_t size, size_t *len)
{
	int runs = 0;
	char *log, *p;
	size_t i;

	*len = size;
	for (i = 0; i < size; i++) {
		if (data[i] == LONG_RUN && runs < LONG_RUNS_MAX) {
			runs++;
			*len += LONG_RUN_LEN - 1;
		}
	}
	CHECK((log = malloc(*len + 1)) != NULL);
	p = log;
	for (i = 0; i < size; i++) {
		if (data[i] == LONG_RUN && runs-- > 0) {
			memset(p, 'x', LONG_RUN_LEN);
			p += LONG_RUN_LEN;
		} else {
			*p++ = (char)data[i];
		}
	}
	return log;
}

static void
check_log(const char *log, size_t len)
{
	struct counted counted = { 0 };
	struct input input;

	input = *read_log(&counted, log, len, WHOLE);
	CHECK(counted.holds == input.read - input.skipped - input.impossible);
	CHECK(counted.holds == counted.totals.connections);

	check_totals(&counted.totals);
	check_reports(&counted.totals);
	check_reading_in_parts(log, len, &input, &counted);
	check_reading_with_error(log, len, &input);
	free_totals(&counted.totals);
}

static void
check_reading_in_parts(const char *log, size_t len, const struct input *input,
    const struct counted *counted)
{
	struct counted again = { 0 };
	const struct input *parts;

	parts = read_log(&again, log, len, IN_PARTS);
	CHECK(parts->read == input->read && parts->skipped == input->skipped);
	CHECK(parts->impossible == input->impossible);
	CHECK(parts->failed == input->failed);
	CHECK(strcmp(parts->cursor, input->cursor) == 0);
	CHECK(again.holds == counted->holds && again.sum == counted->sum);
	check_same_totals(&again.totals, &counted->totals);
	free_totals(&again.totals);
}

/* Lines before the error count. */
static void
check_reading_with_error(const char *log, size_t len, const struct input *input)
{
	struct counted again = { 0 };
	const struct input *failed;

	failed = read_log(&again, log, len, WITH_ERROR);
	CHECK(failed->failed);
	CHECK(failed->read <= input->read + 1);
	CHECK(
	    again.holds == failed->read - failed->skipped - failed->impossible);
	free_totals(&again.totals);
}

static const struct input *
read_log(
    struct counted *counted, const char *log, size_t len, enum manner manner)
{
	static char standard_input[] = "-";
	static char *paths[] = { standard_input, NULL };
	static struct input input;
	struct lines lines;

	input.paths = paths;
	input.with_pids = 1;
	input.latest = LATEST;
	source.data = log;
	source.left = manner == WITH_ERROR ? len / 2 : len;
	source.manner = manner;
	source.random = UINT64_C(0x9e3779b97f4a7c15) ^ len;
	input_begin(&input);
	while (input_next(&input, &lines))
		count(counted, &lines);
	/* Only a compressed log is not read to its end. */
	CHECK(source.left == 0 || input.failed);
	CHECK(memchr(input.cursor, '\0', sizeof(input.cursor)) != NULL);
	return &input;
}

static void
count(struct counted *counted, const struct lines *lines)
{
	size_t i;

	CHECK(lines->count > 0 && lines->count <= LINES_MAX);
	for (i = 0; i < lines->count; i++) {
		const struct hold *hold = &lines->holds[i];

		CHECK(lines->pids[i] >= 0);
		CHECK(hold->connected >= 0);
		CHECK(hold->connected <= hold->disconnected);
		counted->sum = add_to_sum(counted->sum, hold, sizeof(*hold));
		counted->sum = add_to_sum(
		    counted->sum, &lines->pids[i], sizeof(lines->pids[i]));
	}
	counted->holds += lines->count;
	totals_add(&counted->totals, lines->holds, lines->count);
}

static uint64_t
add_to_sum(uint64_t sum, const void *data, size_t size)
{
	const unsigned char *byte = data;

	for (; size > 0; size--)
		sum = (sum ^ *byte++) * UINT64_C(1099511628211);
	return sum;
}

void
__wrap_warnx(const char *message, ...)
{
	(void)message;
}

/* Read parts of every order of magnitude, with interruptions. */
ssize_t
__wrap_read(int fd, void *buf, size_t size)
{
	if (fd != STDIN_FILENO)
		return __real_read(fd, buf, size);
	CHECK(size > 0);
	if (source.left == 0 && source.manner == WITH_ERROR) {
		errno = EIO;
		return -1;
	}
	if (source.manner == IN_PARTS) {
		source.random = source.random * UINT64_C(6364136223846793005) +
		    1442695040888963407;
		if (source.random >> 61 == 0) {
			errno = EINTR;
			return -1;
		}
		size_t most = (size_t)1 << (source.random >> 32) % 17;

		if (size > most)
			size = most;
	}
	if (size > source.left)
		size = source.left;
	memcpy(buf, source.data, size);
	source.data += size;
	source.left -= size;
	return (ssize_t)size;
}
