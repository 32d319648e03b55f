/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * rules_check(): each rule for a tarpit among the mail servers of a domain is
 * broken once.  Names and addresses as text.
 */

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include "../../mx/rules.h"
#include "unit.h"

#define MAIL   "mail.example.org"
#define TARPIT "tarpit.example.org"
#define CAP    1800

/* What rules_check() said of the domain, a line for each finding. */
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

/* Of a domain without any host yet. */
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

/* One finding and no other, apart from that which says what is good. */
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

int
main(void)
{
	TCase *tcase = tcase_create("rules");

	tcase_add_test(tcase, all_well);
	return run_case(tcase, "mx");
}
