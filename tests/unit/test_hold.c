/* SPDX-License-Identifier: GPL-2.0-or-later */

/* hold_format() and hold_parse(): the round trip, and all that they refuse. */

#include <sys/mman.h>

#include <arpa/inet.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../hold.h"
#include "unit.h"

#define TIMES \
	" connected=2026-11-21T19:40:12.345Z" \
	" disconnected=2026-11-21T21:12:40.018Z"
#define LINE "ip=203.0.113.9" TIMES

/* The times of LINE, 19:40:12.345 and 21:12:40.018, as date(1) counts them. */
#define CONNECTED    INT64_C(1795290012345)
#define DISCONNECTED INT64_C(1795295560018)

static struct hold
make_hold(const char *address, int64_t connected, int64_t disconnected)
{
	struct hold hold = { .connected = connected,
		.disconnected = disconnected };
	struct in_addr addr4;

	if (inet_pton(AF_INET, address, &addr4) == 1)
		hold_map_ipv4(&addr4, &hold.addr);
	else
		ck_assert_int_eq(inet_pton(AF_INET6, address, &hold.addr), 1);
	return hold;
}

/*
 * Parse a copy of the line that ends where the process's memory ends, so that
 * reading one byte too many is a fault.
 */
static int
parse_at_edge(const char *line, size_t len, struct hold *hold)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *map, *copy;
	int result;

	ck_assert_uint_le(len, page);
	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mprotect(map + page, page, PROT_NONE), 0);
	copy = map + page - len;
	memcpy(copy, line, len);
	result = hold_parse(copy, len, hold);
	munmap(map, 2 * page);
	return result;
}

START_TEST(formats_the_line)
{
	static const struct {
		const char *address, *line;
	} cases[] = {
		{ "203.0.113.9", LINE },
		{ "::ffff:203.0.113.9", LINE },
		{ "2001:db8::25", "ip=2001:db8::25" TIMES },
		{ "::1", "ip=::1" TIMES },
		{ "::1:0:0:ffff:1:1", "ip=::1:0:0:ffff:1:1" TIMES },
		{ "::fffe:1:1", "ip=::fffe:1:1" TIMES },
		{ "255.255.255.255", "ip=255.255.255.255" TIMES },
	};
	char buf[HOLD_LINE_MAX];
	struct hold hold;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		hold = make_hold(cases[i].address, CONNECTED, DISCONNECTED);
		ck_assert_int_eq(hold_format(&hold, buf, sizeof(buf)),
		    (int)strlen(cases[i].line));
		ck_assert_str_eq(buf, cases[i].line);
	}
}
END_TEST

START_TEST(longest_line_fits)
{
	char buf[HOLD_LINE_MAX];
	struct hold hold;

	hold = make_hold(
	    "1111:2222:3333:4444:5555:6666:7777:8888", CONNECTED, DISCONNECTED);
	ck_assert_int_gt(hold_format(&hold, buf, sizeof(buf)), 0);
}
END_TEST

START_TEST(refuses_what_it_cannot_write)
{
	const int64_t last = INT64_C(253402300799999);
	char buf[HOLD_LINE_MAX];
	struct hold hold;
	size_t len = strlen(LINE);

	hold = make_hold("203.0.113.9", CONNECTED, DISCONNECTED);
	ck_assert_int_eq(hold_format(&hold, buf, len), -1);
	ck_assert_int_eq(hold_format(&hold, buf, len + 1), (int)len);

	/* A hold may have no length, but not less. */
	hold = make_hold("::1", 2, 2);
	ck_assert_int_gt(hold_format(&hold, buf, sizeof(buf)), 0);
	hold = make_hold("::1", 2, 1);
	ck_assert_int_eq(hold_format(&hold, buf, sizeof(buf)), -1);
	hold = make_hold("::1", -1, 1);
	ck_assert_int_eq(hold_format(&hold, buf, sizeof(buf)), -1);
	hold = make_hold("::1", 1, last + 1);
	ck_assert_int_eq(hold_format(&hold, buf, sizeof(buf)), -1);
	hold = make_hold("::1", 0, last);
	ck_assert_int_gt(hold_format(&hold, buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf,
	    "ip=::1 connected=1970-01-01T00:00:00.000Z"
	    " disconnected=9999-12-31T23:59:59.999Z");
}
END_TEST

/* Compare with libc's calendar every day of more than four centuries. */
START_TEST(writes_and_reads_every_day)
{
	char buf[HOLD_LINE_MAX], expected[sizeof("YYYY-MM-DD")];
	struct hold hold, parsed;
	struct tm tm;
	time_t day;

	for (day = 0; day < 366 * 400; day++) {
		hold = make_hold("::1", day * INT64_C(86400000) + 86399999,
		    day * INT64_C(86400000) + 86400000);
		CHECK(hold_format(&hold, buf, sizeof(buf)) > 0);
		CHECK(gmtime_r(&(time_t){ day * 86400 }, &tm) != NULL);
		CHECK(
		    strftime(expected, sizeof(expected), "%Y-%m-%d", &tm) > 0);
		CHECK(strncmp(buf + strlen("ip=::1 connected="), expected,
			  strlen(expected)) == 0);
		CHECK(hold_parse(buf, strlen(buf), &parsed) == 0);
		CHECK(parsed.connected == hold.connected);
		CHECK(parsed.disconnected == hold.disconnected);
	}
}
END_TEST

START_TEST(reads_whatever_stands_around_it)
{
	static const char *const lines[] = {
		LINE,
		LINE "\n",
		"tarpit[2481]: " LINE,
		"<21>tarpit[2481]: " LINE,
		"Nov 21 21:12:40 vps tarpit[2481]: " LINE,
		"2026-11-21T21:12:40.018521+00:00 vps tarpit[2481]: " LINE,
		"<21>1 2026-11-21T21:12:40.018Z vps tarpit 2481 - - " LINE,
		"Nov 21 21:12:40 ip=vps tarpit[2481]: ip=1 " LINE,
		"\xff\x01 " LINE,
		"tarpit[2481]:" LINE,
		"tarpit[2481]:\t" LINE,
		"\xef\xbb\xbf" LINE,
		"<21>1 - vps tarpit 2481 - - \xef\xbb\xbf" LINE,
		LINE " ",
		LINE "\t\t",
		LINE "\r\n",
		LINE "  \r\n\n",
	};
	struct hold hold, expected;
	size_t i;

	expected = make_hold("203.0.113.9", CONNECTED, DISCONNECTED);
	for (i = 0; i < COUNT(lines); i++) {
		memset(&hold, 0, sizeof(hold));
		ck_assert_msg(
		    parse_at_edge(lines[i], strlen(lines[i]), &hold) == 0,
		    "refused: %s", lines[i]);
		ck_assert_mem_eq(&hold, &expected, sizeof(hold));
	}
}
END_TEST

START_TEST(refuses_what_is_malformed)
{
	static const char *const lines[] = {
		"",
		"\n",
		"ip=",
		TIMES,
		"ip=" TIMES,
		"203.0.113.9" TIMES,
		"vip=203.0.113.9" TIMES,
		"IP=203.0.113.9" TIMES,
		"ip=203.0.113.9 " TIMES,
		"ip= 203.0.113.9" TIMES,
		"ip=203.0.113" TIMES,
		"ip=203.0.113.256" TIMES,
		"ip=203.0.113.9.1" TIMES,
		"ip=2001:db8:::1" TIMES,
		"ip=2001:db8::g" TIMES,
		"ip=1111:2222:3333:4444:5555:6666:7777:8888:9999" TIMES,
		"ip=mail.example.org" TIMES,
		"x_ip=203.0.113.9" TIMES,
		"x-ip=203.0.113.9" TIMES,
		"Zip=203.0.113.9" TIMES,
		"0ip=203.0.113.9" TIMES,
		LINE " more=1",
		LINE " .",
		"ip=203.0.113.9 connected=2026-11-21T19:40:12.345Z",
		"ip=203.0.113.9 disconnected=2026-11-21T19:40:12.345Z"
		" connected=2026-11-21T21:12:40.018Z",
		"ip=203.0.113.9  connected=2026-11-21T19:40:12.345Z"
		" disconnected=2026-11-21T21:12:40.018Z",
		"ip=203.0.113.9 connected=2026-11-21T19:40:12.345Z"
		"  disconnected=2026-11-21T21:12:40.018Z",
		/* A hold that ends before it begins. */
		"ip=203.0.113.9 connected=2026-11-21T19:40:12.345Z"
		" disconnected=2026-11-21T19:40:12.344Z",
	};
	struct hold hold, before;
	size_t i;

	memset(&before, 0x5a, sizeof(before));
	for (i = 0; i < COUNT(lines); i++) {
		hold = before;
		ck_assert_msg(
		    parse_at_edge(lines[i], strlen(lines[i]), &hold) == -1,
		    "accepted: %s", lines[i]);
		ck_assert_mem_eq(&hold, &before, sizeof(hold));
	}
}
END_TEST

START_TEST(refuses_no_time)
{
	static const char *const times[] = {
		"2026-11-21 19:40:12.345Z",
		"2026-11-21T19:40:12.345z",
		"2026-11-21T19:40:12,345Z",
		"2026-11-21T19:40:12.34ZZ",
		"2026-1a-21T19:40:12.345Z",
		"2026-11-21T19:40:12.-45Z",
		"2026-11-21T19:40:12.345+",
		" 026-11-21T19:40:12.345Z",
		"2026-00-21T19:40:12.345Z",
		"2026-13-21T19:40:12.345Z",
		"2026-11-00T19:40:12.345Z",
		"2026-11-31T19:40:12.345Z",
		"2026-02-29T19:40:12.345Z",
		"2100-02-29T19:40:12.345Z",
		"2026-11-21T24:00:00.000Z",
		"2026-11-21T19:60:12.345Z",
		"2026-11-21T19:40:60.345Z",
		"1969-12-31T23:59:59.999Z",
	};
	char line[HOLD_LINE_MAX];
	struct hold hold;
	size_t i;

	for (i = 0; i < COUNT(times); i++) {
		size_t len = (size_t)snprintf(line, sizeof(line),
		    "ip=203.0.113.9"
		    " connected=%s disconnected=9999-12-31T23:59:59.999Z",
		    times[i]);
		ck_assert_msg(parse_at_edge(line, len, &hold) == -1,
		    "accepted: %s", line);
		len = (size_t)snprintf(line, sizeof(line),
		    "ip=203.0.113.9"
		    " connected=1970-01-01T00:00:00.000Z disconnected=%s",
		    times[i]);
		ck_assert_msg(parse_at_edge(line, len, &hold) == -1,
		    "accepted: %s", line);
	}
}
END_TEST

START_TEST(reads_leap_days)
{
	static const char *const days[] = { "2028-02-29", "2000-02-29" };
	char line[HOLD_LINE_MAX];
	struct hold hold;
	size_t i;

	for (i = 0; i < COUNT(days); i++) {
		size_t len = (size_t)snprintf(line, sizeof(line),
		    "ip=203.0.113.9"
		    " connected=%sT00:00:00.000Z"
		    " disconnected=%sT00:00:00.001Z",
		    days[i], days[i]);
		ck_assert_int_eq(parse_at_edge(line, len, &hold), 0);
		ck_assert_int_eq(hold.disconnected - hold.connected, 1);
	}
}
END_TEST

/* Parse every part of a good line, and the line with any byte changed. */
START_TEST(survives_damage)
{
	static const char line[] = "Nov 21 tarpit[1]: " LINE "\n";
	const size_t len = sizeof(line) - 1;
	char damaged[sizeof(line)];
	struct hold hold;
	size_t from, to;
	int byte;

	for (from = 0; from < len; from++) {
		for (to = from; to < len - 1; to++)
			ck_assert_int_eq(
			    parse_at_edge(line + from, to - from, &hold), -1);
	}
	for (from = 0; from < len; from++) {
		for (byte = 0; byte < 256; byte++) {
			memcpy(damaged, line, len);
			damaged[from] = (char)byte;
			parse_at_edge(damaged, len, &hold);
		}
	}
	/* A line of no bytes is not read from the bytes before it. */
	ck_assert_int_eq(hold_parse(line + len, 0, &hold), -1);
	/* A NUL in the address does not hide what follows it. */
	memcpy(damaged, line, len);
	damaged[sizeof("Nov 21 tarpit[1]: ip=203.0.113.9") - 1 - 1] = '\0';
	ck_assert_int_eq(parse_at_edge(damaged, len, &hold), -1);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("hold");

	tcase_add_test(tcase, formats_the_line);
	tcase_add_test(tcase, longest_line_fits);
	tcase_add_test(tcase, refuses_what_it_cannot_write);
	tcase_add_test(tcase, writes_and_reads_every_day);
	tcase_add_test(tcase, reads_whatever_stands_around_it);
	tcase_add_test(tcase, refuses_what_is_malformed);
	tcase_add_test(tcase, refuses_no_time);
	tcase_add_test(tcase, reads_leap_days);
	tcase_add_test(tcase, survives_damage);
	return run_case(tcase, "hold");
}
