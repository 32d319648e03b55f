/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * rules_check(), with each rule for a tarpit among the mail servers of a domain
 * broken once; which names are valid; what dns_parse() reads and refuses.
 */

#include <arpa/inet.h>
#include <arpa/nameser.h>

#include <stdio.h>
#include <string.h>

#include "../../mx/rules.h"
#include "unit.h"

#define MAIL   "mail.example.org"
#define TARPIT "tarpit.example.org"
#define CAP    1800

/* The domain, and what rules_check() says about it, a line for each finding. */
static struct {
	struct domain domain;
	enum verdict worst;
	size_t count;
	char text[65536];
} t;

static struct in6_addr
make_addr(const char *text)
{
	struct in6_addr addr;
	struct in_addr addr4;

	if (inet_pton(AF_INET, text, &addr4) == 1)
		name_map_ipv4(&addr4, &addr);
	else
		ck_assert_int_eq(inet_pton(AF_INET6, text, &addr), 1);
	return addr;
}

static struct address *
add_address(struct host *host, const char *text, enum service service)
{
	struct address *address = &host->addresses[host->count++];

	address->addr = make_addr(text);
	address->answer.service = service;
	if (service == SERVICE_TARPIT) {
		snprintf(address->answer.name, sizeof(address->answer.name),
		    "%s", TARPIT);
		host->is_tarpit = 1;
	}
	return address;
}

static struct host *
add_host(unsigned preference, const char *name)
{
	struct host *host = &t.domain.hosts[t.domain.count++];

	host->preference = preference;
	snprintf(host->name, sizeof(host->name), "%s", name);
	return host;
}

/* Begin a test, with a domain that has no hosts yet. */
static void
start(void)
{
	memset(&t, 0, sizeof(t));
	snprintf(t.domain.name, sizeof(t.domain.name), "example.org");
}

static void
start_good(void)
{
	start();
	add_address(add_host(10, MAIL), "203.0.113.10", SERVICE_MAIL);
	add_address(add_host(90, TARPIT), "203.0.113.25", SERVICE_TARPIT);
}

static void
note(void *arg, enum verdict verdict, const char *finding)
{
	static const char *const words[] = { "ok", "unknown", "wrong" };
	size_t len = strlen(t.text);

	ck_assert_ptr_eq(arg, &t);
	snprintf(t.text + len, sizeof(t.text) - len, "%s: %s\n", words[verdict],
	    finding);
	t.count++;
}

static void
check(int cap)
{
	t.count = 0;
	t.text[0] = '\0';
	t.worst = rules_check(&t.domain, cap, note, &t);
}

/* Check that there is one finding, not counting a finding that all is well. */
static void
ck_says(enum verdict worst, const char *part)
{
	char *good;

	check(CAP);
	if (worst != VERDICT_OK && (good = strstr(t.text, "ok: ")) != NULL) {
		*good = '\0';
		t.count--;
	}
	ck_assert_msg(strstr(t.text, part) != NULL && t.count == 1,
	    "not %s\nbut %s", part, t.text);
	ck_assert_int_eq(t.worst, worst);
}

START_TEST(all_well)
{
	start_good();
	ck_says(VERDICT_OK,
	    "ok: genuine mail tries " MAIL " first; the tarpit is last, and 1"
	    " address x 1800 s is below Postfix's 18,000 s\n");
	add_address(&t.domain.hosts[1], "2001:db8::25", SERVICE_TARPIT);
	ck_says(VERDICT_OK, "2 addresses x 1800 s are below");
}
END_TEST

/* Which host genuine mail tries first, and what comes after the tarpit. */
START_TEST(order)
{
	start();
	add_address(add_host(10, TARPIT), "203.0.113.25", SERVICE_TARPIT);
	ck_says(VERDICT_WRONG, "has no mail server but " TARPIT);

	start_good();
	t.domain.hosts[0].preference = 90;
	ck_says(VERDICT_WRONG, "has the same number as " MAIL " (90)");

	start();
	add_address(add_host(5, TARPIT), "203.0.113.25", SERVICE_TARPIT);
	add_address(add_host(10, MAIL), "203.0.113.10", SERVICE_MAIL);
	ck_says(VERDICT_WRONG, "has a lower number (5) than every mail");

	start_good();
	add_address(add_host(91, "last"), "203.0.113.11", SERVICE_MAIL);
	ck_says(VERDICT_WRONG, "last (91) comes after " TARPIT ", the");

	/* A second tarpit after the first is no mail server. */
	start_good();
	add_address(add_host(91, "last"), "203.0.113.26", SERVICE_TARPIT);
	ck_says(VERDICT_OK, "2 addresses x 1800 s are below");
}
END_TEST

START_TEST(addresses_and_cap)
{
	struct host *tarpit = &t.domain.hosts[1];
	int i;

	start_good();
	for (i = 1; i < 9; i++)
		add_address(tarpit, "203.0.113.25", SERVICE_TARPIT);
	ck_says(VERDICT_OK, "9 addresses x 1800 s are below");
	add_address(tarpit, "203.0.113.25", SERVICE_TARPIT);
	ck_says(VERDICT_WRONG,
	    "10 addresses of tarpits x 1800 s are not below 18,000 s");
	ck_assert_ptr_ne(strstr(t.text, "below 1800 s"), NULL);

	start_good();
	check(17999);
	ck_assert_int_eq(t.worst, VERDICT_OK);
	check(18000);
	ck_assert_int_eq(t.worst, VERDICT_WRONG);
	ck_assert_ptr_ne(
	    strstr(t.text, "1 address of tarpits x 18000 s is"), NULL);

	start_good();
	add_address(&t.domain.hosts[0], "203.0.113.25", SERVICE_MAIL);
	ck_says(VERDICT_WRONG,
	    "203.0.113.25 is an address of " TARPIT
	    ", the tarpit, and of " MAIL);
}
END_TEST

START_TEST(lookups_of_the_domain)
{
	static const struct {
		enum dns_status status;
		enum verdict verdict;
		const char *said;
	} cases[] = {
		{ DNS_NO_NAME, VERDICT_WRONG, "no such name as example.org" },
		{ DNS_LOOP, VERDICT_WRONG, "leads in a circle" },
		{ DNS_MALFORMED, VERDICT_UNKNOWN, "is malformed" },
		{ DNS_NO_ANSWER, VERDICT_UNKNOWN, "gives no answer" },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		start();
		t.domain.status = cases[i].status;
		ck_says(cases[i].verdict, cases[i].said);
	}
	start();
	t.domain.has_null_mx = 1;
	ck_says(VERDICT_WRONG, "takes no mail at all (a null MX, RFC 7505)");
	start_good();
	t.domain.has_null_mx = 1;
	ck_says(VERDICT_WRONG, "has a null MX (RFC 7505) beside others");
	start_good();
	t.domain.is_cut = 1;
	ck_says(VERDICT_UNKNOWN, "has more than 32 MX records");
}
END_TEST

/* Without an MX record, mail goes to the domain itself: RFC 5321, 5.1. */
START_TEST(no_mx)
{
	struct host *host;

	start();
	t.domain.status = DNS_NO_RECORD;
	t.domain.is_implicit = 1;
	host = add_host(0, "example.org");
	add_address(host, "203.0.113.10", SERVICE_MAIL);
	ck_says(VERDICT_WRONG, "example.org has no MX record");

	host->count = 0;
	host->status = DNS_NO_RECORD;
	check(CAP);
	ck_assert_uint_eq(t.count, 2);
	ck_assert_ptr_ne(strstr(t.text, "has no address either"), NULL);
}
END_TEST

START_TEST(lookups_of_a_host)
{
	static const struct {
		enum dns_status status;
		enum verdict verdict;
		const char *said;
	} cases[] = {
		{ DNS_NO_RECORD, VERDICT_WRONG, MAIL " has no address, so" },
		{ DNS_NO_NAME, VERDICT_WRONG, "and the DNS has no such name" },
		{ DNS_LOOP, VERDICT_WRONG, "leads in a circle" },
		{ DNS_MALFORMED, VERDICT_UNKNOWN, "is malformed" },
		{ DNS_NO_ANSWER, VERDICT_UNKNOWN, "gives no answer" },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		start_good();
		t.domain.hosts[0].status = cases[i].status;
		t.domain.hosts[0].count = 0;
		ck_says(cases[i].verdict, cases[i].said);
	}
	start_good();
	t.domain.hosts[1].is_alias = 1;
	ck_says(VERDICT_WRONG, TARPIT " is an alias (CNAME)");
	start_good();
	t.domain.hosts[1].is_cut = 1;
	ck_says(VERDICT_UNKNOWN, TARPIT " has more than 16 addresses");
}
END_TEST

START_TEST(scope)
{
	static const struct {
		const char *address, *said;
	} cases[] = {
		{ "127.0.0.2", "a loopback address" },
		{ "::1", "a loopback address" },
		{ "169.254.1.1", "of one link only" },
		{ "fe80::1", "of one link only" },
		{ "10.0.0.1", "private" },
		{ "172.16.0.1", "private" },
		{ "172.31.255.1", "private" },
		{ "192.168.1.1", "private" },
		{ "100.64.0.1", "private" },
		{ "fd00::1", "private" },
	};
	static const char *const all[] = { "126.0.0.1", "169.253.0.1",
		"11.0.0.1", "172.15.0.1", "172.32.0.1", "192.167.0.1",
		"100.63.0.1", "100.128.0.1", "2001:db8::1", "fe00::1" };
	char said[64];
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		start_good();
		add_address(&t.domain.hosts[0], cases[i].address, SERVICE_MAIL);
		snprintf(said, sizeof(said), "is %s: nobody", cases[i].said);
		ck_says(VERDICT_WRONG, said);
	}
	for (i = 0; i < COUNT(all); i++) {
		start_good();
		add_address(&t.domain.hosts[0], all[i], SERVICE_MAIL);
		ck_says(VERDICT_OK, "ok: ");
	}
}
END_TEST

/* Every service that is not as it should be is a finding, on either host. */
START_TEST(services)
{
	static const enum service unknown[] = { SERVICE_NOT_ASKED,
		SERVICE_NO_ROUTE, SERVICE_MUTE };
	enum service service;
	size_t i, at;

	for (service = SERVICE_NOT_ASKED; service < SERVICE_TARPIT; service++) {
		enum verdict verdict = VERDICT_WRONG;

		for (i = 0; i < COUNT(unknown); i++) {
			if (service == unknown[i])
				verdict = VERDICT_UNKNOWN;
		}
		for (at = 0; at < 2; at++) {
			start_good();
			add_address(
			    &t.domain.hosts[at], "2001:db8::1", service);
			ck_says(verdict,
			    at == 0 ? "2001:db8::1, an address of " MAIL ", "
				    : "2001:db8::1, an address of " TARPIT
				      ", ");
		}
		ck_assert_uint_gt(strlen(rules_seen(service)), 0);
	}
	start_good();
	add_address(&t.domain.hosts[1], "2001:db8::1", SERVICE_MAIL);
	ck_says(VERDICT_WRONG, "is answered by a mail server");
	start_good();
	add_address(&t.domain.hosts[1], "2001:db8::1", SERVICE_LEFT_OUT);
	ck_says(VERDICT_OK, "ok: ");
}
END_TEST

START_TEST(nobody_reached)
{
	start();
	add_address(add_host(10, MAIL), "203.0.113.10", SERVICE_NO_REPLY);
	add_address(add_host(90, TARPIT), "203.0.113.25", SERVICE_NO_REPLY);
	add_address(&t.domain.hosts[1], "203.0.113.26", SERVICE_LEFT_OUT);
	t.domain.hosts[1].is_tarpit = 1;
	ck_says(VERDICT_UNKNOWN, "no address answers on port 25");
	add_address(&t.domain.hosts[0], "203.0.113.11", SERVICE_REFUSES);
	check(CAP);
	ck_assert_ptr_eq(strstr(t.text, "no address answers"), NULL);
	ck_assert_int_eq(t.worst, VERDICT_WRONG);
}
END_TEST

START_TEST(loopback_only)
{
	struct address *address;

	start_good();
	address = &t.domain.hosts[1].addresses[0];
	address->answer.service = SERVICE_REFUSES;
	ck_says(VERDICT_WRONG, "or nftables' rule refuses this machine");
	address->is_own = 1;
	ck_says(VERDICT_WRONG, "or nftables' rule refuses this machine");
	t.domain.is_on_loopback = 1;
	ck_says(VERDICT_WRONG, "listens on this machine's loopback address");
	t.domain.hosts[1].is_tarpit = 0;
	check(CAP);
	ck_assert_ptr_ne(
	    strstr(t.text, "but on its loopback address only: let"), NULL);
}
END_TEST

START_TEST(no_tarpit)
{
	start_good();
	t.domain.hosts[1].is_tarpit = 0;
	t.domain.hosts[1].addresses[0].answer.service = SERVICE_MAIL;
	ck_says(VERDICT_WRONG, "no host of example.org answers as a tarpit");
	ck_assert_ptr_ne(strstr(t.text, "such as -t " TARPIT ", "), NULL);
	t.domain.hosts[1].addresses[0].answer.service = SERVICE_NO_ROUTE;
	check(CAP);
	ck_assert_int_eq(t.worst, VERDICT_UNKNOWN);
	ck_assert_ptr_ne(strstr(t.text, "as far as could be found"), NULL);

	start_good();
	t.domain.tarpit = "other.example.org";
	ck_says(VERDICT_WRONG, "other.example.org is named with -t, but no MX");
	t.domain.tarpit = "TARPIT.example.org";
	ck_says(VERDICT_OK, "ok: ");
}
END_TEST

static void
greet(const char *name, enum dns_status status)
{
	struct address *address = &t.domain.hosts[1].addresses[0];

	snprintf(
	    address->answer.name, sizeof(address->answer.name), "%s", name);
	address->name_status = status;
}

START_TEST(greeting)
{
	start_good();
	greet("", DNS_NO_RECORD);
	ck_says(VERDICT_WRONG, "greets without a host name");
	greet("localhost", DNS_NO_RECORD);
	ck_says(VERDICT_WRONG, "greets as localhost");
	greet("LOCALHOST.localdomain", DNS_NO_RECORD);
	ck_says(VERDICT_WRONG, "greets as LOCALHOST.localdomain");
	greet("localhost1.example.org", DNS_FOUND);
	ck_says(VERDICT_OK, "ok: ");
	greet("x.example", DNS_NO_NAME);
	ck_says(VERDICT_WRONG, "greets as x.example, which has no address");
	greet("x.example", DNS_NO_RECORD);
	ck_says(VERDICT_WRONG, "greets as x.example, which has no address");
	greet("x.example", DNS_NO_ANSWER);
	ck_says(VERDICT_UNKNOWN, "the DNS does not say whether");
	greet("[192.0.2.1]", DNS_NO_RECORD);
	ck_says(VERDICT_OK, "ok: ");

	/* The name is wrong at two addresses, but that is one finding. */
	greet("localhost", DNS_NO_RECORD);
	add_address(&t.domain.hosts[1], "2001:db8::25", SERVICE_TARPIT);
	snprintf(t.domain.hosts[1].addresses[1].answer.name, NAME_LEN_MAX + 1,
	    "localhost");
	ck_says(VERDICT_WRONG, "greets as localhost");
}
END_TEST

/* Even with the longest names, no finding is cut short. */
START_TEST(longest_names)
{
	char *name = t.domain.hosts[0].name;

	start_good();
	memset(name, 'x', DNS_NAME_SIZE - 1);
	memset(t.domain.hosts[1].name, 'y', DNS_NAME_SIZE - 1);
	add_address(&t.domain.hosts[0], "203.0.113.25", SERVICE_MAIL);
	ck_says(VERDICT_WRONG, "give the tarpit an address of its own\n");
}
END_TEST

START_TEST(names)
{
	static const char *const valid[] = { "a", "a.b", "_dmarc.example.org",
		"xn--mnchen-3ya.example" };
	static const char *const invalid[] = { "", ".", "a.", "a..b", "-a",
		"a-", "a b", "a\x1b", "m\xc3\xbcnchen" };
	static const char *const literals[] = { "[192.0.2.1]", "[IPv6:::1]",
		"[ipv6:2001:db8::1]" };
	static const char *const no_literals[] = { "", "[", "[]", "192.0.2.1",
		"[192.0.2.1", "[::1]", "[IPv6:192.0.2.1]", "[IPv6:]",
		"[1111111111111111111111111111111111111111111111111]" };
	size_t i;

	for (i = 0; i < COUNT(valid); i++)
		ck_assert_msg(name_is_valid(valid[i]), "%s", valid[i]);
	for (i = 0; i < COUNT(invalid); i++)
		ck_assert_msg(!name_is_valid(invalid[i]), "%s", invalid[i]);
	for (i = 0; i < COUNT(literals); i++)
		ck_assert_msg(name_is_literal(literals[i]), "%s", literals[i]);
	for (i = 0; i < COUNT(no_literals); i++)
		ck_assert_msg(
		    !name_is_literal(no_literals[i]), "%s", no_literals[i]);
	ck_assert(name_is_international("m\xc3\xbcnchen"));
	ck_assert(!name_is_international("muenchen~"));
}
END_TEST

/* A name server's answer about example.org, which offset 12 points at. */
struct message {
	unsigned char bytes[4096];
	size_t size;
	struct dns_answer answer;
};

static struct message m;

#define NAME "\7example\3org\0"
#define HERE "\xc0\x0c"

static void
put(const char *bytes, size_t size)
{
	memcpy(m.bytes + m.size, bytes, size);
	m.size += size;
}

static void
put_number(int number)
{
	char bytes[] = { (char)(number >> 8), (char)number };

	put(bytes, sizeof(bytes));
}

static void
start_message(int type)
{
	m.size = 0;
	put("\0\1\x81\x80\0\1\0\0\0\0\0\0", 12);
	put(NAME, sizeof(NAME) - 1);
	put_number(type);
	put_number(C_IN);
}

static void
put_record(
    const char *owner, int type, int class, const char *data, size_t size)
{
	put(owner, strlen(owner));
	if (strncmp(owner, HERE, 2) != 0)
		put(HERE, 2);
	put_number(type);
	put_number(class);
	put("\0\0\1\x2c", 4);
	put_number((int)size);
	put(data, size);
	m.bytes[7]++;
}

#define PUT(owner, type, data) \
	put_record(owner, type, C_IN, data, sizeof(data) - 1)

static void
ck_parses(int type, enum dns_status status, size_t count)
{
	dns_parse(m.bytes, m.size, "example.org", type, &m.answer);
	ck_assert_int_eq(m.answer.status, status);
	ck_assert_uint_eq(m.answer.count, count);
}

START_TEST(records)
{
	int i;

	start_message(T_MX);
	ck_parses(T_MX, DNS_NO_RECORD, 0);
	PUT(HERE, T_MX, "\1\2\4mail" HERE);
	PUT(HERE, T_MX, "\0\0\0");
	PUT("\1x", T_MX, "\0\0\1x\0");
	PUT(HERE, T_A, "\1\2\3\4");
	put_record(HERE, T_MX, C_CHAOS, "\0\0\0", 3);
	ck_parses(T_MX, DNS_FOUND, 2);
	ck_assert_uint_eq(m.answer.records[0].preference, 258);
	ck_assert_str_eq(m.answer.records[0].name, "mail.example.org");
	ck_assert_str_eq(m.answer.records[1].name, "");
	ck_assert(!m.answer.is_alias && !m.answer.is_cut);
	ck_parses(T_A, DNS_FOUND, 1);
	ck_assert(IN6_IS_ADDR_V4MAPPED(&m.answer.records[0].addr));

	start_message(T_AAAA);
	PUT(HERE, T_AAAA, "0123456789abcdef");
	ck_parses(T_AAAA, DNS_FOUND, 1);
	ck_assert_mem_eq(&m.answer.records[0].addr, "0123456789abcdef", 16);

	start_message(T_A);
	for (i = 0; i < DNS_RECORDS_MAX; i++)
		PUT(HERE, T_A, "\1\2\3\4");
	ck_parses(T_A, DNS_FOUND, DNS_RECORDS_MAX);
	ck_assert(!m.answer.is_cut);
	PUT(HERE, T_A, "\1\2\3\4");
	ck_parses(T_A, DNS_FOUND, DNS_RECORDS_MAX);
	ck_assert(m.answer.is_cut);
}
END_TEST

START_TEST(aliases)
{
	char owner[] = "\1a", target[] = "\1a" HERE;
	int i;

	start_message(T_A);
	PUT("\1X", T_A, "\1\2\3\4");
	PUT(HERE, T_CNAME, "\1x" HERE);
	put_record(HERE, T_CNAME, C_CHAOS, "\1y" HERE, 4);
	ck_parses(T_A, DNS_FOUND, 1);
	ck_assert(m.answer.is_alias);

	start_message(T_A);
	PUT(HERE, T_CNAME, "\1a" HERE);
	for (i = 0; i < 15; i++) {
		owner[1] = (char)('a' + i);
		target[1] = (char)('b' + i);
		put_record(owner, T_CNAME, C_IN, target, 4);
	}
	ck_parses(T_A, DNS_NO_RECORD, 0);
	put_record("\1p", T_CNAME, C_IN, "\1q" HERE, 4);
	ck_parses(T_A, DNS_LOOP, 0);

	start_message(T_A);
	PUT(HERE, T_CNAME, HERE);
	ck_parses(T_A, DNS_LOOP, 0);
}
END_TEST

START_TEST(malformed)
{
	size_t size;

	start_message(T_MX);
	PUT(HERE, T_MX, "\0\1\1x\0");
	for (size = 0; size < m.size; size++) {
		dns_parse(m.bytes, size, "example.org", T_MX, &m.answer);
		ck_assert_int_eq(m.answer.status, DNS_MALFORMED);
	}
	dns_parse(m.bytes, 65536, "example.org", T_MX, &m.answer);
	ck_assert_int_eq(m.answer.status, DNS_MALFORMED);
	PUT(HERE, T_MX, "\0\1\1x\0\0");
	ck_parses(T_MX, DNS_MALFORMED, 0);

	start_message(T_MX);
	PUT(HERE, T_MX, "\0\1");
	PUT(HERE, T_A, "\1\2\3");
	PUT(HERE, T_AAAA, "\1\2\3");
	ck_parses(T_MX, DNS_MALFORMED, 0);
	ck_parses(T_A, DNS_MALFORMED, 0);
	ck_parses(T_AAAA, DNS_MALFORMED, 0);
	PUT(HERE, T_CNAME, "\xff\xff");
	ck_parses(T_A, DNS_MALFORMED, 0);
	start_message(T_MX);
	PUT(HERE, T_MX, "\0\1\xff\xff");
	ck_parses(T_MX, DNS_MALFORMED, 0);
	/* The name of the record's owner points beyond the message. */
	start_message(T_MX);
	PUT("\xc0\xff", T_A, "\1\2\3\4");
	ck_parses(T_MX, DNS_MALFORMED, 0);
}
END_TEST

/* Names with bytes that could move the cursor of a terminal. */
START_TEST(hostile_names)
{
	start_message(T_MX);
	PUT(HERE, T_MX, "\0\1\7\x1b[31m\r\n\0");
	PUT(HERE, T_MX, "\0\1\4\0\xff .\0");
	ck_parses(T_MX, DNS_FOUND, 2);
	ck_assert_str_eq(m.answer.records[0].name, "\\027[31m\\013\\010");
	ck_assert_str_eq(m.answer.records[1].name, "\\000\\255\\032\\.");
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("rules");

	tcase_add_test(tcase, all_well);
	tcase_add_test(tcase, order);
	tcase_add_test(tcase, addresses_and_cap);
	tcase_add_test(tcase, lookups_of_the_domain);
	tcase_add_test(tcase, no_mx);
	tcase_add_test(tcase, lookups_of_a_host);
	tcase_add_test(tcase, scope);
	tcase_add_test(tcase, services);
	tcase_add_test(tcase, nobody_reached);
	tcase_add_test(tcase, loopback_only);
	tcase_add_test(tcase, no_tarpit);
	tcase_add_test(tcase, greeting);
	tcase_add_test(tcase, longest_names);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, records);
	tcase_add_test(tcase, aliases);
	tcase_add_test(tcase, malformed);
	tcase_add_test(tcase, hostile_names);
	return run_case(tcase, "mx");
}
