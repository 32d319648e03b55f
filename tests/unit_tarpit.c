/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The parts of tarpit.c that need no connection: names, the endless reply. */

#define main tarpit_main
#include "../tarpit.c"
#undef main

#include "unit.h"

#define LABEL_63 \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890"

START_TEST(accepts_names)
{
	static const char *const names[] = {
		"mx",
		"mx.example.org",
		"MX-1.Example.ORG",
		"1.2.3.4",
		"4u",
		LABEL_63,
		LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63,
		"[192.0.2.1]",
		"[IPv6:2001:db8::1]",
		"[ipv6:::1]",
	};
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		ck_assert_msg(
		    is_host_name(names[i]) || is_address_literal(names[i]),
		    "refused: %s", names[i]);
}
END_TEST

START_TEST(refuses_names)
{
	static const char *const names[] = {
		"",
		".",
		"mx.",
		".mx",
		"mx..org",
		"-mx",
		"mx-",
		"mx.-org",
		"my_host",
		"mx org",
		"mx\r\n",
		"m\303\274ller",
		"mx/",
		"x" LABEL_63,
		LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 ".x",
		"[]",
		"[",
		"[192.0.2.1",
		"192.0.2.1]",
		"[192.0.2.1]]",
		"[192.0.2.1] ",
		"[192.0.2.256]",
		"[2001:db8::1]",
		"[IPv6:]",
		"[IPv6:192.0.2.1]",
		"[IPv6:2001:db8::1",
		"[IPv6:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]",
	};
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		ck_assert_msg(
		    !is_host_name(names[i]) && !is_address_literal(names[i]),
		    "accepted: %s", names[i]);
}
END_TEST

/* One line of the reply; returns its length. */
static int
take_line(struct reply *reply, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		buf[i] = octet(reply);
		advance(reply);
		if (buf[i] == '\n')
			return (int)i + 1;
	}
	ck_abort_msg("no end of line within %zu octets", size);
}

static void
check_line(const char *line, int len, const char *prefix)
{
	const char *p, *end = line + len - 2;

	ck_assert_int_ge(len, REPLY_LEN_MIN);
	ck_assert_int_le(len, REPLY_LEN_MAX);
	ck_assert_int_eq(strncmp(line, prefix, strlen(prefix)), 0);
	ck_assert_int_eq(strncmp(end, "\r\n", 2), 0);
	for (p = line + strlen(prefix); p < end; p++) {
		ck_assert(*p == ' ' || (*p >= 'a' && *p <= 'z'));
		/* Words, each of one letter at least. */
		ck_assert(*p != ' ' || (p[-1] != ' ' && p + 1 < end));
	}
}

static void
check_lines(const char *name)
{
	struct reply reply = { 0 };
	char prefix[sizeof("250- ") + NAME_LEN_MAX], line[REPLY_LEN_MAX];
	int i, shortest = REPLY_LEN_MAX, longest = 0;

	snprintf(prefix, sizeof(prefix), "250-%s ", name);
	start_reply(&reply, name);
	for (i = 0; i < 2000; i++) {
		int len = take_line(&reply, line, sizeof(line));

		check_line(line, len, prefix);
		shortest = len < shortest ? len : shortest;
		longest = len > longest ? len : longest;
	}
	ck_assert_int_eq(shortest, REPLY_LEN_MIN);
	ck_assert_int_eq(longest, REPLY_LEN_MAX);
}

START_TEST(lines_are_well_formed)
{
	static const char longest[] = LABEL_63 "." LABEL_63 "." LABEL_63
					       "." LABEL_63;

	ck_assert_uint_eq(strlen(longest), NAME_LEN_MAX);
	seed_random();
	check_lines("mx.example.org");
	check_lines(longest);
}
END_TEST

START_TEST(filler_differs)
{
	struct reply reply = { 0 };
	char first[REPLY_LEN_MAX], second[REPLY_LEN_MAX];
	int len;

	seed_random();
	start_reply(&reply, "x");
	len = take_line(&reply, first, sizeof(first));
	seed_random();
	start_reply(&reply, "x");
	take_line(&reply, second, sizeof(second));
	ck_assert_mem_ne(first, second, (size_t)len);
}
END_TEST

START_TEST(waits_are_uniform_within_a_fifth)
{
	static const int intervals[] = { INTERVAL_MIN, INTERVAL_DEFAULT,
		INTERVAL_MAX };
	const int draws = 100000;
	size_t i;
	int n;

	seed_random();
	for (i = 0; i < COUNT(intervals); i++) {
		int64_t mean = intervals[i] * INT64_C(1000);
		int64_t low = INT64_MAX, high = 0, sum = 0;

		for (n = 0; n < draws; n++) {
			int64_t wait = draw_wait(intervals[i]);

			low = wait < low ? wait : low;
			high = wait > high ? wait : high;
			sum += wait;
		}
		ck_assert_int_ge(low, mean * 80 / 100);
		ck_assert_int_le(low, mean * 81 / 100);
		ck_assert_int_ge(high, mean * 119 / 100);
		ck_assert_int_le(high, mean * 120 / 100);
		/* The mean's own deviation is 0.04 % of it. */
		ck_assert_int_ge(sum / draws, mean * 995 / 1000);
		ck_assert_int_le(sum / draws, mean * 1005 / 1000);
	}
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("tarpit");

	tcase_add_test(tcase, accepts_names);
	tcase_add_test(tcase, refuses_names);
	tcase_add_test(tcase, lines_are_well_formed);
	tcase_add_test(tcase, filler_differs);
	tcase_add_test(tcase, waits_are_uniform_within_a_fifth);
	return run_case(tcase, "tarpit");
}
