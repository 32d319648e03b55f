/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The parts of tarpit-stats that end-to-end tests reach only in part. */

#include <sys/wait.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../stats/calendar.h"
#include "../../stats/set.h"
#include "../../stats/totals.h"
#include "../../stats/write.h"
#include "unit.h"

/* How many members were asked for last; from how many on the call fails. */
static size_t asked, refused = SIZE_MAX;

/* Replaces libc's reallocarray(3). */
void *
reallocarray(void *p, size_t count, size_t size)
{
	asked = count;
	if (count >= refused) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, count * size);
}

static struct key
make_key(uint64_t n)
{
	struct key key = { { 0 } };

	memcpy(key.byte, &n, sizeof(n));
	return key;
}

/* Add a key; returns whether the key is new to the set. */
static int
add(struct set *set, const struct key *key)
{
	size_t before = set->count;

	set_add_many(set, key, 1);
	return set->count > before;
}

static void
free_set(struct set *set)
{
	free(set->keys);
	free(set->slots);
	memset(set, 0, sizeof(*set));
}

static void
free_totals(struct totals *totals)
{
	free_set(&totals->hosts);
	free(totals->days);
}

START_TEST(set_knows_each_key_once)
{
	struct set set = { 0 };
	struct key key;
	uint64_t n;

	for (n = 0; n < 100000; n++) {
		key = make_key(n);
		CHECK(add(&set, &key) == 1);
	}
	for (n = 0; n < 100000; n++) {
		key = make_key(n);
		CHECK(add(&set, &key) == 0);
		CHECK(memcmp(&set.keys[n], &key, sizeof(key)) == 0);
	}
	ck_assert_uint_eq(set.count, 100000);
	free_set(&set);
	ck_assert_uint_eq(set.count, 0);
	key = make_key(1);
	ck_assert_int_eq(add(&set, &key), 1);
	free_set(&set);
}
END_TEST

/* A set has its seed from the first key on. */
START_TEST(set_has_a_seed_of_its_own)
{
	struct set one = { 0 }, another = { 0 };
	struct key key = make_key(1);

	add(&one, &key);
	add(&another, &key);
	ck_assert_uint_ne(one.seed, 0);
	ck_assert_uint_ne(one.seed, another.seed);
	free_set(&one);
	free_set(&another);
}
END_TEST

START_TEST(set_takes_many_at_a_time)
{
	struct set set = { 0 };
	struct key keys[SET_MANY];
	uint64_t n, i;

	for (n = 0; n < 5000; n++) {
		for (i = 0; i < SET_MANY; i++)
			keys[i] = make_key((n * SET_MANY + i) / 2 % 70000);
		set_add_many(&set, keys, (size_t)(n % (SET_MANY + 1)));
	}
	for (i = 0; i < SET_MANY; i++)
		keys[i] = make_key(70000);
	set_add_many(&set, keys, SET_MANY);
	ck_assert_uint_le(set.count, 70001);
	for (n = 0; n <= 70000; n++) {
		keys[0] = make_key(n);
		set_add_many(&set, keys, 1);
	}
	ck_assert_uint_eq(set.count, 70001);
	free_set(&set);
}
END_TEST

/* A key takes 16 bytes and at most 11 more, once there are many keys. */
START_TEST(set_is_small)
{
	struct set set = { 0 };
	struct key key;
	uint64_t n;

	for (n = 1; n <= 3000000; n++) {
		key = make_key(n);
		add(&set, &key);
		CHECK(n <= 100000 ||
		    (set.slot_mask + 1) * sizeof(*set.slots) <= 11 * n);
	}
	free_set(&set);
}
END_TEST

/* Exit with 2 if the most possible members were asked for, with 1 if none. */
static void
tell_asked(void)
{
	_exit(asked == UINT32_MAX ? 2 : asked == 0 ? 1 : 3);
}

/*
 * No machine has the memory for so many keys, so the set only claims to have
 * the keys.  On a 32-bit machine the test is impossible.
 */
START_TEST(set_is_limited_to_what_a_slot_can_tell)
{
	static const size_t rooms[] = { UINT32_MAX / 3 * 2 + 2, UINT32_MAX - 1,
		UINT32_MAX };
	const struct key key = { { 0 } };
	struct set set = { .slot_mask = SIZE_MAX };
	uint32_t slot = 0;
	int status;
	size_t i;

	if (SIZE_MAX == UINT32_MAX)
		return;
	set.slots = &slot;
	for (i = 0; i < COUNT(rooms); i++) {
		pid_t child;

		set.count = set.room = rooms[i];
		ck_assert_int_ne(child = fork(), -1);
		if (child == 0) {
			close(STDERR_FILENO);
			atexit(tell_asked);
			asked = 0;
			refused = UINT32_MAX;
			add(&set, &key);
			_exit(0);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFEXITED(status));
		ck_assert_int_eq(
		    WEXITSTATUS(status), rooms[i] == UINT32_MAX ? 1 : 2);
	}
}
END_TEST

static int
bin_of(int64_t length)
{
	struct totals totals = { 0 };
	struct hold hold = { .disconnected = length };
	int bin = 0;

	totals_add(&totals, &hold, 1);
	while (totals.lengths[bin] == 0)
		bin++;
	free_totals(&totals);
	return bin;
}

START_TEST(length_is_in_its_bin)
{
	int64_t length;
	int bin;

	for (length = 0; length < 2 * DAY_MSEC; length += 1 + length / 301) {
		bin = bin_of(length);
		ck_assert(bin == LENGTH_BINS - 1 || length <= length_end(bin));
		ck_assert(bin == 0 || length > length_end(bin - 1));
	}
	for (bin = 0; bin < LENGTH_BINS - 1; bin++) {
		ck_assert_int_eq(bin_of(length_end(bin)), bin);
		ck_assert_int_eq(bin_of(length_end(bin) + 1), bin + 1);
	}
	ck_assert_int_eq(length_end(LENGTH_BINS - 2), DAY_MSEC);
}
END_TEST

START_TEST(days_are_in_order)
{
	static const int numbers[] = { 5, 3, 9, 3, 1, 9, 7, 5, 11, 0 };
	struct totals totals = { 0 };
	struct day day = { .connections = 1, .length = 10 };
	size_t i;

	for (i = 0; i < COUNT(numbers); i++) {
		day.number = numbers[i];
		totals_add_day(&totals, &day);
	}
	ck_assert_uint_eq(totals.day_count, 7);
	for (i = 1; i < totals.day_count; i++)
		ck_assert_int_lt(
		    totals.days[i - 1].number, totals.days[i].number);
	ck_assert_uint_eq(totals.days[2].connections, 2);
	ck_assert_int_eq(totals.days[2].length, 20);
	free_totals(&totals);
}
END_TEST

/*
 * Every half hour of four years, in an order in which local_day() uses each
 * answer that it has kept.
 */
START_TEST(local_day_is_that_of_localtime)
{
	int64_t start = INT64_C(1735689600000);
	int i;

	setenv("TZ", "Australia/Lord_Howe", 1);
	tzset();
	for (i = 0; i < 4 * 365 * 48; i++) {
		int64_t msec = start +
		    i * INT64_C(7919) % (4 * 365 * 48) * 1800000;
		struct tm there = local_time(msec);
		struct tm date = day_date(local_day(msec));

		CHECK(date.tm_year == there.tm_year);
		CHECK(date.tm_yday == there.tm_yday);
	}
}
END_TEST

static void
check_hours(int64_t msec, const char *hours, const char *plain_hours)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	write_hours(out, msec);
	fputc(' ', out);
	write_plain_hours(out, msec);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(strncmp(text, hours, strlen(hours)), 0);
	ck_assert_str_eq(text + strlen(hours) + 1, plain_hours);
	free(text);
}

START_TEST(hours_are_rounded_to_hundredths)
{
	check_hours(0, "0.00", "0.00");
	check_hours(17999, "0.00", "0.00");
	check_hours(18000, "0.01", "0.01");
	check_hours(INT64_C(12381444000), "3,439.29", "3439.29");
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("stats");

	tcase_add_test(tcase, set_knows_each_key_once);
	tcase_add_test(tcase, set_has_a_seed_of_its_own);
	tcase_add_test(tcase, set_takes_many_at_a_time);
	tcase_add_test(tcase, set_is_small);
	tcase_add_test(tcase, set_is_limited_to_what_a_slot_can_tell);
	tcase_add_test(tcase, length_is_in_its_bin);
	tcase_add_test(tcase, days_are_in_order);
	tcase_add_test(tcase, local_day_is_that_of_localtime);
	tcase_add_test(tcase, hours_are_rounded_to_hundredths);
	return run_case(tcase, "stats");
}
