/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The rules for a tarpit among the mail servers of a domain.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rules.h"

/* Postfix ends a delivery that takes this long; see CAVEATS of tarpit.8. */
#define DELIVERY_SECONDS 18000

#define FINDING_SIZE (3 * DNS_NAME_SIZE + 1024)

struct check {
	const struct domain *domain;
	int cap;
	rules_say *say;
	void *arg;
	enum verdict worst;
};

/* What was seen, and what that means of a tarpit and of a mail server. */
struct meaning {
	const char *seen;
	enum verdict verdict;
	const char *of_tarpit;
	const char *of_mail;
};

static const struct meaning meanings[SERVICES] = {
	[SERVICE_LEFT_OUT] = { "not asked", VERDICT_OK, "", "" },
	[SERVICE_NOT_ASKED] = { "not asked", VERDICT_UNKNOWN,
	    "could not be asked: this machine has no socket for it, or a"
	    " firewall of its own forbids it",
	    "could not be asked: this machine has no socket for it, or a"
	    " firewall of its own forbids it" },
	[SERVICE_NO_ROUTE] = { "no route from here", VERDICT_UNKNOWN,
	    "could not be asked: this machine has no route to it; run this"
	    " elsewhere, or leave its family out with -4 or -6",
	    "could not be asked: this machine has no route to it; run this"
	    " elsewhere, or leave its family out with -4 or -6" },
	[SERVICE_NO_REPLY] = { "does not answer", VERDICT_WRONG,
	    "does not answer on port 25: a firewall drops what comes, or the"
	    " machine is down; spamware leaves after its own time",
	    "does not answer on port 25: a firewall drops what comes, or the"
	    " machine is down; genuine mail goes on to the next host" },
	[SERVICE_UNREACHABLE] = { "cannot be reached", VERDICT_WRONG,
	    "cannot be reached: the machine is down, or a router or firewall"
	    " turns back what comes",
	    "cannot be reached: the machine is down, or a router or firewall"
	    " turns back what comes; genuine mail goes on to the next host" },
	[SERVICE_REFUSES] = { "refuses connections", VERDICT_WRONG,
	    "refuses connections: tarpit.socket is not started, or bound to"
	    " another address; or nftables' rule refuses this machine, which"
	    " has been to the mail server before: see CAVEATS of"
	    " tarpit-mx(8)",
	    "refuses connections: genuine mail goes on to the next host"
	    " until the mail server listens there" },
	[SERVICE_CLOSES] = { "closes without a greeting", VERDICT_WRONG,
	    "closes connections before it greets: too many are held, or"
	    " tarpit does not start; see the super-server's log",
	    "closes connections before it greets: genuine mail goes on to"
	    " the next host" },
	[SERVICE_SILENT] = { "does not greet", VERDICT_WRONG,
	    "takes connections and does not greet in time: that is no tarpit,"
	    " or its machine is overloaded",
	    "takes connections and does not greet in time: genuine mail may"
	    " go on to the next host" },
	[SERVICE_NOT_SMTP] = { "is no mail server", VERDICT_WRONG,
	    "does not speak SMTP: another program has port 25 of it",
	    "does not speak SMTP: another program has port 25 of it, and"
	    " genuine mail goes on to the next host" },
	[SERVICE_TURNS_AWAY] = { "turns clients away", VERDICT_WRONG,
	    "turns clients away in its greeting: that is no tarpit, so bind"
	    " each program to an address of its own",
	    "turns this client away in its greeting: if it does so with"
	    " others, their mail goes on to the next host or returns" },
	[SERVICE_MUTE] = { "does not answer EHLO", VERDICT_UNKNOWN,
	    "greets, and has not answered EHLO yet: a tarpit with a long"
	    " interval (-i), or something else",
	    "greets, and has not answered EHLO in time" },
	[SERVICE_CUTS_OFF] = { "closes at EHLO", VERDICT_WRONG,
	    "closes the connection at EHLO: it holds nobody",
	    "closes the connection at EHLO: genuine mail goes on to the next"
	    " host" },
	[SERVICE_HANGS] = { "stops in its reply", VERDICT_WRONG,
	    "stops in the middle of its reply to EHLO, but does not send it"
	    " by bytes: that is no tarpit",
	    "stops in the middle of its reply to EHLO: genuine mail waits"
	    " there" },
	[SERVICE_TARPIT] = { "tarpit", VERDICT_OK, "", "" },
	[SERVICE_MAIL] = { "mail server", VERDICT_WRONG,
	    "is answered by a mail server, so nobody is held there: bind the"
	    " mail server and tarpit to an address each",
	    "" },
};

static void say(struct check *, enum verdict, const char *, ...)
    __attribute__((__format__(__printf__, 3, 4)));
static int check_mx(struct check *);
static void check_room(struct check *);
static void check_null_mx(struct check *);
static void check_host(struct check *, const struct host *);
static void check_status(struct check *, const struct host *);
static void check_scope(struct check *, const struct host *);
static const char *scope_of(const struct in6_addr *);
static int is_nobody_reached(const struct domain *);
static void check_services(struct check *, const struct host *);
static void check_service(
    struct check *, const struct host *, const struct address *);
static void check_greetings(struct check *, const struct host *);
static void check_greeting(
    struct check *, const struct host *, const struct address *);
static int is_new_greeting(const struct host *, size_t);
static const struct host *find_host(const struct domain *, int);
static void check_named(struct check *);
static void say_no_tarpit(struct check *);
static int check_order(struct check *, const struct host *);
static int check_place(
    struct check *, const struct host *, const struct host *, int);
static int check_shared(struct check *);
static int check_shared_with(
    struct check *, const struct host *, const struct host *);
static int check_cap(struct check *, size_t *);

enum verdict
rules_check(const struct domain *domain, int cap, rules_say *said, void *arg)
{
	struct check check = { domain, cap, said, arg, VERDICT_OK };
	const struct host *tarpit, *mail;
	size_t i, addresses;
	int is_good;

	if (!check_mx(&check))
		return check.worst;
	check_room(&check);
	for (i = 0; i < domain->count; i++)
		check_host(&check, &domain->hosts[i]);
	if (is_nobody_reached(domain))
		say(&check, VERDICT_UNKNOWN,
		    "no address answers on port 25: perhaps the network here"
		    " forbids connections to that port; run this elsewhere");
	check_named(&check);
	tarpit = find_host(domain, 1);
	if (tarpit == NULL) {
		say_no_tarpit(&check);
		return check.worst;
	}
	is_good = check_order(&check, tarpit);
	is_good &= check_shared(&check);
	is_good &= check_cap(&check, &addresses);
	mail = find_host(domain, 0);
	if (is_good)
		say(&check, VERDICT_OK,
		    "genuine mail tries %s first; the tarpit is last, and %zu"
		    " address%s x %d s %s below Postfix's 18,000 s",
		    mail->name, addresses, addresses == 1 ? "" : "es", cap,
		    addresses == 1 ? "is" : "are");
	return check.worst;
}

static void
say(struct check *check, enum verdict verdict, const char *fmt, ...)
{
	char finding[FINDING_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(finding, sizeof(finding), fmt, ap);
	va_end(ap);
	if (verdict > check->worst)
		check->worst = verdict;
	check->say(check->arg, verdict, finding);
}

/* Returns 0 if there is nothing more to check. */
static int
check_mx(struct check *check)
{
	const struct domain *domain = check->domain;
	const char *name = domain->name;

	switch (domain->status) {
	case DNS_FOUND:
		check_null_mx(check);
		break;
	case DNS_NO_NAME:
		say(check, VERDICT_WRONG,
		    "the DNS has no such name as %s, so it gets no mail", name);
		break;
	case DNS_NO_RECORD:
		say(check, VERDICT_WRONG,
		    "%s has no MX record, so its mail goes to its own address"
		    " and never to a tarpit: add one for the mail server, and"
		    " then one for the tarpit",
		    name);
		break;
	case DNS_LOOP:
		say(check, VERDICT_WRONG,
		    "%s is an alias (CNAME) that leads in a circle, so it gets"
		    " no mail",
		    name);
		break;
	case DNS_MALFORMED:
		say(check, VERDICT_UNKNOWN,
		    "the DNS's answer for the MX records of %s is malformed",
		    name);
		break;
	case DNS_NO_ANSWER:
		say(check, VERDICT_UNKNOWN,
		    "the DNS gives no answer for the MX records of %s: its"
		    " name servers fail or are silent, or those in"
		    " /etc/resolv.conf are",
		    name);
		break;
	}
	return domain->count > 0;
}

/* Even if MX records were left out, the hosts that did fit are checked. */
static void
check_room(struct check *check)
{
	const struct domain *domain = check->domain;

	if (domain->is_cut)
		say(check, VERDICT_UNKNOWN,
		    "%s has more than %d MX records, and the rest was not"
		    " looked at",
		    domain->name, HOSTS_MAX);
}

static void
check_null_mx(struct check *check)
{
	const struct domain *domain = check->domain;

	if (!domain->has_null_mx)
		return;
	if (domain->count == 0)
		say(check, VERDICT_WRONG,
		    "%s says that it takes no mail at all (a null MX, RFC"
		    " 7505), so nobody comes to a tarpit either",
		    domain->name);
	else
		say(check, VERDICT_WRONG,
		    "%s has a null MX (RFC 7505) beside others: a sender may"
		    " return its mail at once, so remove it",
		    domain->name);
}

static void
check_host(struct check *check, const struct host *host)
{
	check_status(check, host);
	if (host->is_alias)
		say(check, VERDICT_WRONG,
		    "%s is an alias (CNAME), which an MX record must not name"
		    " (RFC 5321, 5.1): a sender may skip it, so give it A and"
		    " AAAA records",
		    host->name);
	if (host->is_cut)
		say(check, VERDICT_UNKNOWN,
		    "%s has more than %d addresses, and the rest was not"
		    " looked at",
		    host->name, ADDRESSES_MAX);
	check_scope(check, host);
	check_services(check, host);
	check_greetings(check, host);
}

static void
check_status(struct check *check, const struct host *host)
{
	switch (host->status) {
	case DNS_FOUND:
		break;
	case DNS_LOOP:
		say(check, VERDICT_WRONG,
		    "%s is an alias (CNAME) that leads in a circle, so nobody"
		    " finds it: give it A and AAAA records",
		    host->name);
		break;
	case DNS_MALFORMED:
		say(check, VERDICT_UNKNOWN,
		    "the DNS's answer for the addresses of %s is malformed",
		    host->name);
		break;
	case DNS_NO_ANSWER:
		say(check, VERDICT_UNKNOWN,
		    "the DNS gives no answer for the addresses of %s: senders"
		    " that get none either put off the mail",
		    host->name);
		break;
	default:
		if (check->domain->is_implicit)
			say(check, VERDICT_WRONG,
			    "%s has no address either, so it gets no mail",
			    host->name);
		else
			say(check, VERDICT_WRONG,
			    "%s has no address%s, so nobody finds it: give it"
			    " an A or AAAA record",
			    host->name,
			    host->status == DNS_NO_NAME
				? ", and the DNS has no such name"
				: "");
	}
}

static void
check_scope(struct check *check, const struct host *host)
{
	char text[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < host->count; i++) {
		const char *scope = scope_of(&host->addresses[i].addr);

		if (scope != NULL)
			say(check, VERDICT_WRONG,
			    "%s, an address of %s, is %s: nobody else can"
			    " reach it, so put the public one into the DNS",
			    name_address(&host->addresses[i].addr, text),
			    host->name, scope);
	}
}

/* Who can reach an address (RFC 6890); NULL: all the world. */
static const char *
scope_of(const struct in6_addr *addr)
{
	const unsigned char *v4 = &addr->s6_addr[12];

	if (!IN6_IS_ADDR_V4MAPPED(addr)) {
		if (IN6_IS_ADDR_LOOPBACK(addr))
			return "a loopback address";
		if (IN6_IS_ADDR_LINKLOCAL(addr))
			return "of one link only";
		return (addr->s6_addr[0] & 0xfe) == 0xfc ? "private" : NULL;
	}
	if (v4[0] == 127)
		return "a loopback address";
	if (v4[0] == 169 && v4[1] == 254)
		return "of one link only";
	if (v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
	    (v4[0] == 192 && v4[1] == 168) ||
	    (v4[0] == 100 && (v4[1] & 0xc0) == 64))
		return "private";
	return NULL;
}

/* If no host answers at all, this machine's network is the likely cause. */
static int
is_nobody_reached(const struct domain *domain)
{
	size_t i, j, silent = 0;

	for (i = 0; i < domain->count; i++) {
		for (j = 0; j < domain->hosts[i].count; j++) {
			switch (domain->hosts[i].addresses[j].answer.service) {
			case SERVICE_NO_REPLY:
				silent++;
				break;
			case SERVICE_LEFT_OUT:
			case SERVICE_NOT_ASKED:
			case SERVICE_NO_ROUTE:
				break;
			default:
				return 0;
			}
		}
	}
	return silent > 0;
}

static void
check_services(struct check *check, const struct host *host)
{
	size_t i;

	for (i = 0; i < host->count; i++)
		check_service(check, host, &host->addresses[i]);
}

static void
check_service(
    struct check *check, const struct host *host, const struct address *address)
{
	enum service service = address->answer.service;
	const struct meaning *meaning = &meanings[service];
	const char *means = host->is_tarpit ? meaning->of_tarpit
					    : meaning->of_mail;
	char text[INET6_ADDRSTRLEN];

	if (means[0] == '\0' ||
	    (service == SERVICE_NO_REPLY && is_nobody_reached(check->domain)))
		return;
	if (host->is_tarpit && service == SERVICE_REFUSES && address->is_own &&
	    check->domain->is_on_loopback)
		means = "refuses connections, and a tarpit listens on this"
			" machine's loopback address only: let tarpit.socket"
			" listen on this address, or on all";
	say(check, meaning->verdict, "%s, an address of %s, %s",
	    name_address(&address->addr, text), host->name, means);
}

const char *
rules_seen(enum service service)
{
	return meanings[service].seen;
}

static void
check_greetings(struct check *check, const struct host *host)
{
	size_t i;

	for (i = 0; i < host->count; i++) {
		if (host->addresses[i].answer.service == SERVICE_TARPIT &&
		    is_new_greeting(host, i))
			check_greeting(check, host, &host->addresses[i]);
	}
}

/* Whether no address before has the same name, so that it is judged once. */
static int
is_new_greeting(const struct host *host, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++) {
		const struct answer *answer = &host->addresses[i].answer;

		if (answer->service == SERVICE_TARPIT &&
		    strcasecmp(answer->name, host->addresses[at].answer.name) ==
			0)
			return 0;
	}
	return 1;
}

static void
check_greeting(
    struct check *check, const struct host *host, const struct address *address)
{
	const char *name = address->answer.name;

	if (name_is_literal(name))
		return;
	if (name[0] == '\0')
		say(check, VERDICT_WRONG,
		    "%s greets without a host name, by which spamware can know"
		    " it: give it one with -n %s",
		    host->name, host->name);
	else if (name_is_localhost(name))
		say(check, VERDICT_WRONG,
		    "%s greets as %s, by which spamware can know it: give it a"
		    " name with -n %s",
		    host->name, name, host->name);
	else if (address->name_status == DNS_NO_NAME ||
	    address->name_status == DNS_NO_RECORD)
		say(check, VERDICT_WRONG,
		    "%s greets as %s, which has no address, by which spamware"
		    " can know it: give it another name with -n %s",
		    host->name, name, host->name);
	else if (address->name_status != DNS_FOUND)
		say(check, VERDICT_UNKNOWN,
		    "%s greets as %s, and the DNS does not say whether that"
		    " has an address",
		    host->name, name);
}

/* The first host that is a tarpit, or the first that is not; or NULL. */
static const struct host *
find_host(const struct domain *domain, int is_tarpit)
{
	size_t i;

	for (i = 0; i < domain->count; i++) {
		if (domain->hosts[i].is_tarpit == is_tarpit)
			return &domain->hosts[i];
	}
	return NULL;
}

static void
check_named(struct check *check)
{
	const struct domain *domain = check->domain;
	size_t i;

	if (domain->tarpit == NULL)
		return;
	for (i = 0; i < domain->count; i++) {
		if (strcasecmp(domain->hosts[i].name, domain->tarpit) == 0)
			return;
	}
	say(check, VERDICT_WRONG,
	    "%s is named with -t, but no MX record of %s leads to it: add one"
	    " with the highest number",
	    domain->tarpit, domain->name);
}

static void
say_no_tarpit(struct check *check)
{
	const struct domain *domain = check->domain;
	const struct host *last = &domain->hosts[domain->count - 1];

	if (domain->is_implicit)
		return;
	if (domain->is_on_loopback)
		say(check, VERDICT_WRONG,
		    "a tarpit listens on this machine, but on its loopback"
		    " address only: let tarpit.socket listen on an address of"
		    " %s, or on all",
		    last->name);
	else if (check->worst == VERDICT_UNKNOWN)
		say(check, VERDICT_UNKNOWN,
		    "no host of %s answers as a tarpit does, as far as could"
		    " be found out: the host that is meant to be can be named"
		    " with -t",
		    domain->name);
	else
		say(check, VERDICT_WRONG,
		    "no host of %s answers as a tarpit does; name the host"
		    " that is meant to be, such as -t %s, and this says what"
		    " is amiss with it",
		    domain->name, last->name);
}

/* Check, for each tarpit and each mail server, which of the two comes first. */
static int
check_order(struct check *check, const struct host *first_tarpit)
{
	const struct domain *domain = check->domain;
	const struct host *hosts = domain->hosts;
	const struct host *first_mail = find_host(domain, 0);
	size_t i, j;
	int is_good = 1;

	if (first_mail == NULL) {
		say(check, VERDICT_WRONG,
		    "%s has no mail server but %s, which is a tarpit: all its"
		    " genuine mail waits, and none arrives; add an MX record"
		    " with a lower number for a mail server",
		    domain->name, first_tarpit->name);
		return 0;
	}
	for (i = 0; i < domain->count; i++) {
		for (j = 0; hosts[i].is_tarpit && j < domain->count; j++) {
			if (!hosts[j].is_tarpit)
				is_good &= check_place(check, &hosts[i],
				    &hosts[j],
				    hosts[i].preference <
					first_mail->preference);
		}
	}
	return is_good;
}

static int
check_place(struct check *check, const struct host *tarpit,
    const struct host *mail, int is_lowest)
{
	if (tarpit->preference > mail->preference)
		return 1;
	if (tarpit->preference == mail->preference)
		say(check, VERDICT_WRONG,
		    "%s, the tarpit, has the same number as %s (%u), so half"
		    " of the genuine mail comes to it first and waits: give it"
		    " a higher one",
		    tarpit->name, mail->name, tarpit->preference);
	else if (is_lowest)
		say(check, VERDICT_WRONG,
		    "%s, the tarpit, has a lower number (%u) than every mail"
		    " server, so all genuine mail comes to it first and waits:"
		    " give it a higher one than %s (%u)",
		    tarpit->name, tarpit->preference, mail->name,
		    mail->preference);
	else
		say(check, VERDICT_WRONG,
		    "%s (%u) comes after %s, the tarpit (%u): senders are held"
		    " before they try it, and may never try it; give the tarpit"
		    " the highest number",
		    mail->name, mail->preference, tarpit->name,
		    tarpit->preference);
	return 0;
}

static int
check_shared(struct check *check)
{
	const struct host *hosts = check->domain->hosts;
	size_t i, j;
	int is_good = 1;

	for (i = 0; i < check->domain->count; i++) {
		for (j = 0; j < check->domain->count; j++) {
			if (hosts[i].is_tarpit && !hosts[j].is_tarpit)
				is_good &= check_shared_with(
				    check, &hosts[i], &hosts[j]);
		}
	}
	return is_good;
}

static int
check_shared_with(
    struct check *check, const struct host *tarpit, const struct host *mail)
{
	char text[INET6_ADDRSTRLEN];
	size_t i, j;
	int is_good = 1;

	for (i = 0; i < tarpit->count; i++) {
		const struct in6_addr *addr = &tarpit->addresses[i].addr;

		for (j = 0; j < mail->count; j++) {
			if (!IN6_ARE_ADDR_EQUAL(addr, &mail->addresses[j].addr))
				continue;
			say(check, VERDICT_WRONG,
			    "%s is an address of %s, the tarpit, and of %s:"
			    " only one program can answer there; give the"
			    " tarpit an address of its own",
			    name_address(addr, text), tarpit->name, mail->name);
			is_good = 0;
		}
	}
	return is_good;
}

static int
check_cap(struct check *check, size_t *addresses)
{
	const struct domain *domain = check->domain;
	size_t i;

	*addresses = 0;
	for (i = 0; i < domain->count; i++) {
		if (domain->hosts[i].is_tarpit)
			*addresses += domain->hosts[i].count;
	}
	if (*addresses * (size_t)check->cap < DELIVERY_SECONDS)
		return 1;
	say(check, VERDICT_WRONG,
	    "%zu address%s of tarpits x %d s %s not below 18,000 s, after"
	    " which Postfix kills a delivery that is still held, and the mail"
	    " is neither delivered nor returned: take some away, or lower the"
	    " cap (-t of tarpit, -c here) below %zu s",
	    *addresses, *addresses == 1 ? "" : "es", check->cap,
	    *addresses == 1 ? "is" : "are", DELIVERY_SECONDS / *addresses);
	return 0;
}
