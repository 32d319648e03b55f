/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Whom to ask, and in which order.
 */

#include <err.h>
#include <stdlib.h>

#include "ask.h"
#include "probe.h"

/* The addresses to ask, each in the list once. */
struct targets {
	struct target *list;
	size_t count;
};

#define LOOPBACKS 2

static const struct in6_addr loopbacks[LOOPBACKS] = {
	{ { { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } } },
	{ { { [15] = 1 } } },
};

static size_t count_addresses(const struct domain *, size_t);
static void add_domain(struct targets *, struct domain *, enum families);
static int is_wanted(const struct in6_addr *, enum families);
static int may_be_tarpit(const struct domain *, const struct host *);
static struct target *find(const struct targets *, const struct in6_addr *);
static void add(struct targets *, const struct in6_addr *, int);
static void mark_own(struct domain *);
static int has_own(const struct domain *);
static void take_answers(struct domain *, const struct targets *);

void
ask_hosts(struct domain *domains, size_t count, enum families families)
{
	struct targets targets = { 0 };
	size_t i, j;

	targets.list = calloc(
	    count_addresses(domains, count) + LOOPBACKS, sizeof(*targets.list));
	if (targets.list == NULL)
		err(EXIT_UNKNOWN, "addresses of %zu domains", count);
	for (i = 0; i < count; i++) {
		mark_own(&domains[i]);
		add_domain(&targets, &domains[i], families);
		for (j = 0; has_own(&domains[i]) && j < LOOPBACKS; j++)
			add(&targets, &loopbacks[j], 1);
	}
	probe(targets.list, targets.count);
	for (i = 0; i < count; i++)
		take_answers(&domains[i], &targets);
	free(targets.list);
}

static size_t
count_addresses(const struct domain *domains, size_t count)
{
	size_t i, j, sum = 0;

	for (i = 0; i < count; i++) {
		for (j = 0; j < domains[i].count; j++)
			sum += domains[i].hosts[j].count;
	}
	return sum;
}

static void
add_domain(
    struct targets *targets, struct domain *domain, enum families families)
{
	size_t i, j;

	for (i = 0; i < domain->count; i++) {
		const struct host *host = &domain->hosts[i];

		for (j = 0; j < host->count; j++) {
			const struct in6_addr *addr = &host->addresses[j].addr;

			if (is_wanted(addr, families))
				add(targets, addr, may_be_tarpit(domain, host));
		}
	}
}

static int
is_wanted(const struct in6_addr *addr, enum families families)
{
	switch (families) {
	case FAMILY_IPV4:
		return IN6_IS_ADDR_V4MAPPED(addr);
	case FAMILY_IPV6:
		return !IN6_IS_ADDR_V4MAPPED(addr);
	default:
		return 1;
	}
}

/* The tarpit is the host named with -t, or else any host of the last MX. */
static int
may_be_tarpit(const struct domain *domain, const struct host *host)
{
	if (domain->tarpit != NULL)
		return host->is_tarpit;
	return host->preference == domain->hosts[domain->count - 1].preference;
}

static void
add(struct targets *targets, const struct in6_addr *addr, int is_first)
{
	struct target *target = find(targets, addr);

	if (target == NULL) {
		target = &targets->list[targets->count++];
		target->addr = *addr;
	}
	target->is_first |= is_first;
}

static struct target *
find(const struct targets *targets, const struct in6_addr *addr)
{
	size_t i;

	for (i = 0; i < targets->count; i++) {
		if (IN6_ARE_ADDR_EQUAL(&targets->list[i].addr, addr))
			return &targets->list[i];
	}
	return NULL;
}

static void
mark_own(struct domain *domain)
{
	size_t i, j;

	for (i = 0; i < domain->count; i++) {
		struct host *host = &domain->hosts[i];

		for (j = 0; j < host->count; j++)
			host->addresses[j].is_own = probe_is_own(
			    &host->addresses[j].addr);
	}
}

static int
has_own(const struct domain *domain)
{
	size_t i, j;

	for (i = 0; i < domain->count; i++) {
		for (j = 0; j < domain->hosts[i].count; j++) {
			if (domain->hosts[i].addresses[j].is_own)
				return 1;
		}
	}
	return 0;
}

static void
take_answers(struct domain *domain, const struct targets *targets)
{
	const struct target *target;
	size_t i, j;

	for (i = 0; i < domain->count; i++) {
		struct host *host = &domain->hosts[i];

		for (j = 0; j < host->count; j++) {
			target = find(targets, &host->addresses[j].addr);
			if (target == NULL)
				continue;
			host->addresses[j].answer = target->answer;
			if (target->answer.service == SERVICE_TARPIT)
				host->is_tarpit = 1;
		}
	}
	for (i = 0; i < LOOPBACKS; i++) {
		target = find(targets, &loopbacks[i]);
		if (has_own(domain) && target != NULL &&
		    target->answer.service == SERVICE_TARPIT)
			domain->is_on_loopback = 1;
	}
}
