/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What must be true of totals and reports, whatever lines they came from. */

#include <ctype.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>

#include "../../stats/page.h"
#include "../../stats/report.h"
#include "check_stats.h"
#include "fuzz.h"

#define PRINTABLE \
	" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
#define LAST_MSEC INT64_C(253402300799999) /* the end of the year 9999 */

static void check_report(
    void (*)(FILE *, const struct totals *, const struct edition *),
    const struct totals *);
static void check_text(const char *, size_t);
static int is_html(const char *);
static void check_numbers(const char *);
static void check_same_set(const struct set *, const struct set *);

ssize_t __wrap_getrandom(void *, size_t, unsigned);

/* No randomness: the same input gives the same run. */
ssize_t
__wrap_getrandom(void *buf, size_t size, unsigned flags)
{
	(void)flags;
	memset(buf, 0x5a, size);
	return (ssize_t)size;
}

/* The zone is 12 hours behind UTC on 1 January, and 14 ahead on 31 December. */
void
set_time_zone(void)
{
	setenv("TZ", "WST12EST-14,J182/0,J1/20", 1);
	tzset();
}

void
check_totals(const struct totals *totals)
{
	uint64_t connections = 0;
	int64_t length = 0;
	size_t i;

	for (i = 0; i < LENGTH_BINS; i++)
		CHECK(totals->lengths[i] <= totals->connections);
	CHECK(lengths_within(totals, LENGTH_BINS - 1) == totals->connections);
	for (i = 0; i < totals->day_count; i++) {
		const struct day *day = &totals->days[i];

		CHECK(i == 0 || day[-1].number < day->number);
		CHECK(day->connections > 0 && day->length >= 0);
		CHECK(day->connections <= totals->connections);
		connections += day->connections;
		length += day->length;
	}
	CHECK(connections == totals->connections);
	CHECK(length == totals->length);
	CHECK(totals->host_count <= connections);
	CHECK((totals->host_count > 0) == (connections > 0));
	CHECK(totals->longest >= 0 && totals->longest <= length);
	if (connections == 0)
		return;
	CHECK(totals->first >= 0 && totals->first <= totals->last);
	CHECK(totals->longest <= totals->last - totals->first);
	CHECK(totals->last <= LAST_MSEC);
}

void
check_same_totals(const struct totals *a, const struct totals *b)
{
	size_t i;

	CHECK(a->connections == b->connections && a->length == b->length);
	CHECK(a->first == b->first && a->last == b->last);
	CHECK(a->longest == b->longest);
	CHECK(memcmp(a->lengths, b->lengths, sizeof(a->lengths)) == 0);
	CHECK(a->day_count == b->day_count);
	for (i = 0; i < a->day_count; i++) {
		CHECK(a->days[i].number == b->days[i].number);
		CHECK(a->days[i].connections == b->days[i].connections);
		CHECK(a->days[i].length == b->days[i].length);
	}
	check_same_set(&a->hosts, &b->hosts);
}

static void
check_same_set(const struct set *a, const struct set *b)
{
	CHECK(a->count == b->count);
	CHECK(a->count == 0 ||
	    memcmp(a->keys, b->keys, a->count * sizeof(*a->keys)) == 0);
}

void
check_reports(const struct totals *totals)
{
	check_report(report_text, totals);
	check_report(page_write, totals);
	check_report(report_json, totals);
	check_report(report_prometheus, totals);
}

static void
check_report(
    void (*report)(FILE *, const struct totals *, const struct edition *),
    const struct totals *totals)
{
	static const struct edition edition = { .made = LAST_MSEC,
		.held = { .known = 1, .connections = 3, .longest = 86400000 } };
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	CHECK(out != NULL);
	report(out, totals, &edition);
	CHECK(!ferror(out));
	CHECK(fclose(out) == 0);
	check_text(text, size);
	free(text);
}

static void
check_text(const char *text, size_t size)
{
	CHECK(size > 0 && strspn(text, PRINTABLE "\n") == size);
	CHECK(strstr(text, "nan") == NULL && strstr(text, "-inf") == NULL);
	if (!is_html(text))
		check_numbers(text);
}

static int
is_html(const char *text)
{
	return text[0] == '<';
}

/* A hyphen stands only in a date: no number is negative. */
static void
check_numbers(const char *text)
{
	const char *p;

	for (p = strchr(text, '-'); p != NULL; p = strchr(p + 1, '-'))
		CHECK(p > text && isdigit((unsigned char)p[-1]));
}

void
free_totals(struct totals *totals)
{
	free(totals->hosts.keys);
	free(totals->hosts.slots);
	free(totals->days);
}
