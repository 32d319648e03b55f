/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The parts of tarpit.c that need no connection: names, the endless reply. */

#define main tarpit_main
#include "../../tarpit.c"
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
		"[IPv6 2001:db8::1]",
		/* Addresses as long as the buffer, and a byte longer. */
		"[IPv6:1111:2222:3333:4444:5555:6666:7777:8888:99999]",
		"[IPv6:1111:2222:3333:4444:5555:6666:7777:8888:999999]",
		"[IPv6:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]",
	};
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		ck_assert_msg(
		    !is_host_name(names[i]) && !is_address_literal(names[i]),
		    "accepted: %s", names[i]);
}
END_TEST

/* Take a line of the reply; returns its length. */
static int
take_line(struct reply *reply, char *buf, size_t size)
{
	int len = 0;

	while (len + SEND_CODE_LEN <= (int)size) {
		int piece = next_piece(reply, &buf[len]);

		/* The code comes in one piece, and then byte after byte. */
		ck_assert_int_eq(piece, len == 0 ? SEND_CODE_LEN : 1);
		advance(reply, piece);
		len += piece;
		if (buf[len - 1] == '\n')
			return len;
	}
	ck_abort_msg("no end of line within %zu bytes", size);
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
		CHECK(*p == ' ' || (*p >= 'a' && *p <= 'z'));
		/* Every word has at least one letter. */
		CHECK(*p != ' ' || (p[-1] != ' ' && p + 1 < end));
	}
}

/* How many words have each length, and how many of them end a line. */
struct words {
	int of_length[REPLY_LEN_MAX], last_of_length[REPLY_LEN_MAX];
};

static void
count_words(struct words *words, const char *text, const char *end)
{
	const char *space;

	while ((space = memchr(text, ' ', (size_t)(end - text))) != NULL) {
		words->of_length[space - text]++;
		text = space + 1;
	}
	words->last_of_length[end - text]++;
}

static void
check_lines(const char *name)
{
	struct reply reply = { 0 };
	struct words words = { 0 };
	char prefix[sizeof("250- ") + NAME_LEN_MAX],
	    line[REPLY_LEN_MAX + SEND_CODE_LEN];
	int i, shortest = REPLY_LEN_MAX, longest = 0;

	snprintf(prefix, sizeof(prefix), "250-%s ", name);
	start_reply(&reply, name);
	for (i = 0; i < 2000; i++) {
		int len = take_line(&reply, line, sizeof(line));

		check_line(line, len, prefix);
		count_words(&words, line + strlen(prefix), line + len - 2);
		shortest = len < shortest ? len : shortest;
		longest = len > longest ? len : longest;
	}
	ck_assert_int_eq(shortest, REPLY_LEN_MIN);
	ck_assert_int_eq(longest, REPLY_LEN_MAX);
	for (i = 0; i < REPLY_LEN_MAX; i++) {
		ck_assert((words.of_length[i] > 0) == (i >= 2 && i <= 9));
		/* A line's last word has 1 letter to 1 more than the most. */
		ck_assert((words.last_of_length[i] > 0) == (i >= 1 && i <= 10));
	}
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
	char first[REPLY_LEN_MAX + SEND_CODE_LEN],
	    second[REPLY_LEN_MAX + SEND_CODE_LEN];
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

/* Seeds from the clock would stay the same in part, for an hour. */
START_TEST(seeds_are_the_kernels)
{
	int i, changes = 0;

	for (i = 0; i < 100; i++) {
		unsigned short before = random_state[2];

		seed_random();
		changes += random_state[2] != before;
	}
	ck_assert_int_gt(changes, 90);
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
		/* So short an interval allows few waits: all are drawn. */
		if (intervals[i] == INTERVAL_MIN) {
			ck_assert_int_eq(low, mean * 80 / 100);
			ck_assert_int_eq(high, mean * 120 / 100);
		}
		/* The mean of so many draws deviates by 0.04 %. */
		ck_assert_int_ge(sum / draws, mean * 995 / 1000);
		ck_assert_int_le(sum / draws, mean * 1005 / 1000);
	}
}
END_TEST

/* A cap of a second allows few values, which are all drawn; of a day, many. */
START_TEST(caps_are_from_three_quarters_to_the_whole)
{
	static const int seconds[] = { CAP_MIN, CAP_MAX };
	size_t i;
	int n;

	seed_random();
	for (i = 0; i < COUNT(seconds); i++) {
		int64_t whole = seconds[i] * INT64_C(1000000);
		int64_t low = INT64_MAX, high = 0;

		for (n = 0; n < 100000; n++) {
			int64_t cap = draw_cap(seconds[i]);

			ck_assert_int_eq(cap % 1000, 0);
			low = cap < low ? cap : low;
			high = cap > high ? cap : high;
		}
		ck_assert_int_ge(low, whole * 3 / 4);
		ck_assert_int_le(low, whole * (i == 0 ? 75 : 76) / 100);
		ck_assert_int_ge(high, whole * (i == 0 ? 100 : 99) / 100);
		ck_assert_int_le(high, whole);
	}
}
END_TEST

static int64_t
libc_usec(clockid_t clock)
{
	struct timespec ts;

	ck_assert_int_eq(clock_gettime(clock, &ts), 0);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

START_TEST(clocks_are_those_of_libc)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC };
	int i;

	for (i = 0; i < 100000; i++) {
		clockid_t clock = clocks[i % 2];
		int64_t before = libc_usec(clock), now = now_usec(clock);

		ck_assert_int_ge(now, before);
		ck_assert_int_le(now, libc_usec(clock));
	}
}
END_TEST

/* Make standard input one end of a connection, and return the other end. */
static int
connect_client(void)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(dup2(pair[0], CLIENT), CLIENT);
	close(pair[0]);
	return pair[1];
}

START_TEST(waits_as_long_as_it_is_told)
{
	static const int64_t waits[] = { 0, 1, 1000, 999999, 1000001 };
	struct connection c = { .until = INT64_MAX };
	int client = connect_client();
	int64_t begin;
	size_t i;

	for (i = 0; i < COUNT(waits); i++) {
		begin = now_usec(CLOCK_MONOTONIC);
		ck_assert_int_eq(wait_until(&c, 0, begin + waits[i]), 0);
		ck_assert_int_ge(now_usec(CLOCK_MONOTONIC), begin + waits[i]);
	}
	/* A time in the past is not waited for, nor an event that is there. */
	ck_assert_int_eq(wait_until(&c, 0, begin), 0);
	ck_assert_int_eq(write(client, "x", 1), 1);
	ck_assert_int_eq(wait_until(&c, POLLIN, begin + 10000000), 0);
	ck_assert_int_lt(now_usec(CLOCK_MONOTONIC), begin + 9000000);
	c.until = now_usec(CLOCK_MONOTONIC) + 1000;
	ck_assert_int_eq(wait_until(&c, 0, c.until + 10000000), -1);
	ck_assert_int_lt(now_usec(CLOCK_MONOTONIC), c.until + 9000000);
	ck_assert_int_eq(wait_until(&c, 0, c.until), -1);
	ck_assert_int_eq(c.error, 0);
}
END_TEST

/* A signal that comes between two waits ends the next wait at once. */
START_TEST(no_signal_is_missed)
{
	static const int ending[] = { SIGHUP, SIGINT, SIGTERM };
	struct connection c = { .until = INT64_MAX };
	size_t i;

	connect_client();
	catch_signals();
	for (i = 0; i < COUNT(ending); i++) {
		ck_assert_int_eq(raise(ending[i]), 0);
		ck_assert_int_eq(
		    wait_until(&c, 0, now_usec(CLOCK_MONOTONIC) + 2000000), -1);
	}
	ck_assert_int_eq(
	    wait_until(&c, 0, now_usec(CLOCK_MONOTONIC) + 1000), 0);
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
	tcase_add_test(tcase, seeds_are_the_kernels);
	tcase_add_test(tcase, waits_are_uniform_within_a_fifth);
	tcase_add_test(tcase, caps_are_from_three_quarters_to_the_whole);
	tcase_add_test(tcase, clocks_are_those_of_libc);
	tcase_add_test(tcase, waits_as_long_as_it_is_told);
	tcase_add_test(tcase, no_signal_is_missed);
	return run_case(tcase, "tarpit");
}
