/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Give a line to hold_parse(), in memory of exactly its size.  Any hold that it
 * accepts can be written by hold_format() and read back unchanged.
 */

#include <ctype.h>
#include <string.h>

#include "../../hold.h"
#include "fuzz.h"

#define TIMES_LEN \
	(sizeof(" connected=2026-11-21T19:40:12.345Z" \
		" disconnected=2026-11-21T21:12:40.018Z") - \
	    1)

static void check_accepted(const char *, size_t, const struct hold *);
static void check_address(const char *, const char *);
static int is_same(const struct hold *, const struct hold *);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data;
	struct hold hold, before;

	memset(&before, 0x5a, sizeof(before));
	hold = before;
	if (hold_parse(line, size, &hold) == 0)
		check_accepted(line, size, &hold);
	else
		CHECK(memcmp(&hold, &before, sizeof(hold)) == 0);
	return 0;
}

/* The address may be written in other ways, but the times cannot. */
static void
check_accepted(const char *line, size_t size, const struct hold *hold)
{
	char text[HOLD_LINE_MAX];
	const char *times;
	struct hold again;
	size_t len;
	int n;

	n = hold_format(hold, text, sizeof(text));
	CHECK(n > 0);
	len = (size_t)n;
	CHECK(len == strlen(text) && len >= TIMES_LEN);
	while (memchr(" \t\r\n", line[size - 1], 4) != NULL)
		size--;
	CHECK(size >= TIMES_LEN);
	times = line + size - TIMES_LEN;
	CHECK(memcmp(times, text + len - TIMES_LEN, TIMES_LEN) == 0);
	check_address(line, times);
	CHECK(hold_parse(text, len, &again) == 0);
	CHECK(is_same(hold, &again));
}

/* Check that only an address stands between "ip=" and the times. */
static void
check_address(const char *line, const char *times)
{
	const char *p = times;

	while (p > line &&
	    (isxdigit((unsigned char)p[-1]) || p[-1] == ':' || p[-1] == '.'))
		p--;
	CHECK(p < times && p - line >= 3 && memcmp(p - 3, "ip=", 3) == 0);
	CHECK(p - line == 3 ||
	    !(isascii((unsigned char)p[-4]) && isalnum((unsigned char)p[-4])));
}

static int
is_same(const struct hold *a, const struct hold *b)
{
	return memcmp(&a->addr, &b->addr, sizeof(a->addr)) == 0 &&
	    a->connected == b->connected && a->disconnected == b->disconnected;
}
