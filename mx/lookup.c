/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the DNS says about a domain and its hosts.
 */

#include <arpa/nameser.h>

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lookup.h"

static void add_host(struct domain *, const char *, unsigned);
static int by_preference(const void *, const void *);
static void lookup_host(struct host *);
static void add_addresses(struct host *, int);
static int severity(enum dns_status);
static enum dns_status status_of_name(const char *);

void
lookup_domain(struct domain *domain)
{
	static struct dns_answer mx;
	size_t i;

	dns_lookup(domain->name, T_MX, &mx);
	domain->status = mx.status;
	domain->is_cut = mx.is_cut;
	for (i = 0; i < mx.count; i++) {
		if (mx.records[i].name[0] == '\0')
			domain->has_null_mx = 1;
		else
			add_host(domain, mx.records[i].name,
			    mx.records[i].preference);
	}
	if (mx.status == DNS_NO_RECORD) {
		domain->is_implicit = 1;
		add_host(domain, domain->name, 0);
	}
	qsort(domain->hosts, domain->count, sizeof(domain->hosts[0]),
	    by_preference);
	for (i = 0; i < domain->count; i++)
		lookup_host(&domain->hosts[i]);
}

static void
add_host(struct domain *domain, const char *name, unsigned preference)
{
	struct host *host = &domain->hosts[domain->count++];

	host->preference = preference;
	strlcpy(host->name, name, sizeof(host->name));
	host->is_tarpit = domain->tarpit != NULL &&
	    strcasecmp(name, domain->tarpit) == 0;
}

static int
by_preference(const void *one, const void *other)
{
	const struct host *a = one, *b = other;

	if (a->preference != b->preference)
		return a->preference < b->preference ? -1 : 1;
	return strcasecmp(a->name, b->name);
}

static void
lookup_host(struct host *host)
{
	host->status = DNS_NO_RECORD;
	add_addresses(host, T_A);
	add_addresses(host, T_AAAA);
}

static void
add_addresses(struct host *host, int type)
{
	static struct dns_answer answer;
	size_t i;

	dns_lookup(host->name, type, &answer);
	host->is_alias |= answer.is_alias;
	host->is_cut |= answer.is_cut;
	if (severity(answer.status) > severity(host->status))
		host->status = answer.status;
	for (i = 0; i < answer.count; i++) {
		if (host->count == ADDRESSES_MAX) {
			host->is_cut = 1;
			break;
		}
		host->addresses[host->count++].addr = answer.records[i].addr;
	}
}

/* Of two lookups of a name, the status with the higher severity counts. */
static int
severity(enum dns_status status)
{
	static const int severities[] = {
		[DNS_NO_RECORD] = 0,
		[DNS_NO_NAME] = 1,
		[DNS_FOUND] = 2,
		[DNS_LOOP] = 3,
		[DNS_MALFORMED] = 4,
		[DNS_NO_ANSWER] = 5,
	};

	return severities[status];
}

void
lookup_greetings(struct domain *domain)
{
	size_t i, j;

	for (i = 0; i < domain->count; i++) {
		struct host *host = &domain->hosts[i];

		for (j = 0; j < host->count; j++) {
			struct address *address = &host->addresses[j];

			if (address->answer.service == SERVICE_TARPIT)
				address->name_status = status_of_name(
				    address->answer.name);
		}
	}
}

/* Whether the name has an address of either family. */
static enum dns_status
status_of_name(const char *name)
{
	static struct dns_answer answer;
	enum dns_status status;

	if (!name_is_valid(name) || name_is_localhost(name))
		return DNS_NO_RECORD;
	dns_lookup(name, T_A, &answer);
	if (answer.status == DNS_FOUND)
		return DNS_FOUND;
	status = answer.status;
	dns_lookup(name, T_AAAA, &answer);
	return severity(answer.status) > severity(status) ||
		answer.status == DNS_FOUND
	    ? answer.status
	    : status;
}
