/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * One hold as one line of text: written by tarpit, read back by tarpit-stats.
 * Nothing in this file opens, reads or allocates, so that all of it works
 * after seal().
 */

#include <sys/socket.h>

#include <arpa/inet.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "hold.h"

#define EPOCH_DAY 719468 /* 1 January 1970, counted from 1 March 0 */
#define TIME_LEN  (sizeof("2026-11-21T19:40:12.345Z") - 1)

static const char ip_key[] = "ip=";
static const char connected_key[] = " connected=";
static const char disconnected_key[] = " disconnected=";

#define KEY_LEN(key) (sizeof(key) - 1)

/* The length of what follows the address, the same in every line. */
#define TIMES_LEN \
	(KEY_LEN(connected_key) + TIME_LEN + KEY_LEN(disconnected_key) + \
	    TIME_LEN)

struct date {
	int year, month, day; /* month and day from 1 */
};

static void format_address(const struct in6_addr *, char *, socklen_t);
static void format_time(int64_t, char *);
static char *put_number(char *, int, int, char);
static struct date date_of_day(int);
static int is_blank(char);
static const char *find_address(const char *, const char *);
static int is_of_word(char);
static int parse_address(const char *, size_t, struct in6_addr *);
static int parse_times(const char *, int64_t *, int64_t *);
static int parse_time(const char *, int64_t *);
static int has_form_of_time(const char *);
static int two_digits(const char *);
static int day_of_date(const struct date *);
static int days_in_month(int, int);

int
hold_format(const struct hold *hold, char *buf, size_t size)
{
	char address[INET6_ADDRSTRLEN];
	char connected[TIME_LEN + 1], disconnected[TIME_LEN + 1];
	int len;

	if (hold->connected < 0 || hold->disconnected < hold->connected ||
	    hold->disconnected > HOLD_TIME_MAX)
		return -1;
	format_address(&hold->addr, address, sizeof(address));
	format_time(hold->connected, connected);
	format_time(hold->disconnected, disconnected);

	len = snprintf(buf, size, "%s%s%s%s%s%s", ip_key, address,
	    connected_key, connected, disconnected_key, disconnected);
	return (size_t)len < size ? len : -1;
}

/* inet_ntop(3) cannot fail here: INET6_ADDRSTRLEN has room for any address. */
static void
format_address(const struct in6_addr *addr, char *buf, socklen_t size)
{
	if (IN6_IS_ADDR_V4MAPPED(addr))
		inet_ntop(AF_INET, &addr->s6_addr[12], buf, size);
	else
		inet_ntop(AF_INET6, addr, buf, size);
}

static void
format_time(int64_t msec, char *buf)
{
	struct date date = date_of_day((int)(msec / DAY_MSEC));
	int ms = (int)(msec % DAY_MSEC);

	buf = put_number(buf, date.year, 4, '-');
	buf = put_number(buf, date.month, 2, '-');
	buf = put_number(buf, date.day, 2, 'T');
	buf = put_number(buf, ms / 3600000, 2, ':');
	buf = put_number(buf, ms / 60000 % 60, 2, ':');
	buf = put_number(buf, ms / 1000 % 60, 2, '.');
	buf = put_number(buf, ms % 1000, 3, 'Z');
	*buf = '\0';
}

/* Write n with the given number of digits, and then the next character. */
static char *
put_number(char *p, int n, int digits, char next)
{
	int i;

	for (i = digits - 1; i >= 0; i--) {
		p[i] = (char)('0' + n % 10);
		n /= 10;
	}
	p[digits] = next;
	return p + digits + 1;
}

/*
 * gmtime(3) is no use here: it reads the time zone's file, which the kernel
 * refuses after seal().
 */
static struct date
date_of_day(int day)
{
	struct date date = { 1970 + day / 365, 1, 1 };

	while (day_of_date(&date) > day)
		date.year--;
	day -= day_of_date(&date);
	while (day >= days_in_month(date.year, date.month)) {
		day -= days_in_month(date.year, date.month);
		date.month++;
	}
	date.day += day;
	return date;
}

int
hold_parse(const char *line, size_t len, struct hold *hold)
{
	const char *address, *times;
	struct hold parsed;

	while (len > 0 && is_blank(line[len - 1]))
		len--;
	if (len < TIMES_LEN)
		return -1;
	times = line + len - TIMES_LEN;
	if ((address = find_address(line, times)) == NULL)
		return -1;
	if (parse_address(address, (size_t)(times - address), &parsed.addr) ==
	    -1)
		return -1;
	if (parse_times(times, &parsed.connected, &parsed.disconnected) == -1)
		return -1;
	*hold = parsed;
	return 0;
}

/* isspace(3) would depend on the locale. */
static int
is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

/* The address lies between the last "ip=", which must start a word, and end. */
static const char *
find_address(const char *line, const char *end)
{
	const char *p;

	for (p = end; p - line >= (ptrdiff_t)KEY_LEN(ip_key); p--) {
		if (end - p >= INET6_ADDRSTRLEN)
			return NULL;
		if (memcmp(p - KEY_LEN(ip_key), ip_key, KEY_LEN(ip_key)) != 0)
			continue;
		if (p - line > (ptrdiff_t)KEY_LEN(ip_key) &&
		    is_of_word(p[-(ptrdiff_t)KEY_LEN(ip_key) - 1]))
			return NULL;
		return p;
	}
	return NULL;
}

/* Whether "ip=" after this byte ends a longer key, such as "skip=", "x_ip=". */
static int
is_of_word(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

/*
 * find_address() never returns an address too long for buf; the length is
 * checked all the same, beside the copy that relies on it.
 */
static int
parse_address(const char *s, size_t len, struct in6_addr *addr)
{
	char buf[INET6_ADDRSTRLEN];
	struct in_addr addr4;

	if (len >= sizeof(buf) || memchr(s, '\0', len) != NULL)
		return -1;
	memcpy(buf, s, len);
	buf[len] = '\0';

	if (memchr(buf, ':', len) != NULL)
		return inet_pton(AF_INET6, buf, addr) == 1 ? 0 : -1;
	if (inet_pton(AF_INET, buf, &addr4) != 1)
		return -1;
	hold_map_ipv4(&addr4, addr);
	return 0;
}

void
hold_map_ipv4(const struct in_addr *addr4, struct in6_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	memset(&addr->s6_addr[10], 0xff, 2);
	memcpy(&addr->s6_addr[12], addr4, sizeof(*addr4));
}

static int
parse_times(const char *s, int64_t *connected, int64_t *disconnected)
{
	if (memcmp(s, connected_key, KEY_LEN(connected_key)) != 0)
		return -1;
	s += KEY_LEN(connected_key);
	if (parse_time(s, connected) == -1)
		return -1;
	s += TIME_LEN;
	if (memcmp(s, disconnected_key, KEY_LEN(disconnected_key)) != 0)
		return -1;
	s += KEY_LEN(disconnected_key);
	if (parse_time(s, disconnected) == -1)
		return -1;
	return *disconnected < *connected ? -1 : 0;
}

static int
parse_time(const char *s, int64_t *msec)
{
	struct date date;
	int hour, minute, second, ms;

	if (!has_form_of_time(s))
		return -1;
	date.year = 100 * two_digits(s) + two_digits(s + 2);
	date.month = two_digits(s + 5);
	date.day = two_digits(s + 8);
	hour = two_digits(s + 11);
	minute = two_digits(s + 14);
	second = two_digits(s + 17);
	ms = 10 * two_digits(s + 20) + (s[22] - '0');

	if (date.year < 1970 || date.month < 1 || date.month > 12 ||
	    date.day < 1 || date.day > days_in_month(date.year, date.month) ||
	    hour > 23 || minute > 59 || second > 59)
		return -1;
	*msec = day_of_date(&date) * DAY_MSEC +
	    ((hour * 60 + minute) * 60 + second) * SECOND_MSEC + ms;
	return 0;
}

/* No branch for each byte: tarpit-stats checks millions of times. */
static int
has_form_of_time(const char *s)
{
	static const char lowest[] = "0000-00-00T00:00:00.000Z";
	static const char highest[] = "9999-99-99T99:99:99.999Z";
	size_t i;
	int bad = 0;

	for (i = 0; i < TIME_LEN; i++)
		bad |= s[i] < lowest[i] || s[i] > highest[i];
	return !bad;
}

static int
two_digits(const char *s)
{
	return 10 * (s[0] - '0') + (s[1] - '0');
}

/*
 * Days from 1 January 1970 to the date, in the Gregorian calendar.  Years are
 * counted from March, so that a leap day is the last day of its year; the first
 * m months of such a year have (153 * m + 2) / 5 days.
 */
static int
day_of_date(const struct date *date)
{
	int from_march = (date->month + 9) % 12;
	int year = date->year - from_march / 10;

	return 365 * year + year / 4 - year / 100 + year / 400 +
	    (153 * from_march + 2) / 5 + date->day - 1 - EPOCH_DAY;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}
