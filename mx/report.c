/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Writing what was found, for people and for cron(8).
 */

#include <string.h>

#include "report.h"

struct widths {
	int name;
	int address;
};

static struct widths measure(const struct domain *);
static void widen(int *, const char *);
static void write_host(FILE *, const struct host *, struct widths);
static void write_service(FILE *, const struct answer *);
static void write_finding(void *, enum verdict, const char *);

enum verdict
report(FILE *file, const struct domain *domain, int cap)
{
	struct widths widths = measure(domain);
	size_t i;

	fprintf(file, "%s\n", domain->name);
	for (i = 0; i < domain->count; i++)
		write_host(file, &domain->hosts[i], widths);
	return rules_check(domain, cap, write_finding, file);
}

static struct widths
measure(const struct domain *domain)
{
	struct widths widths = { 0, 0 };
	char text[INET6_ADDRSTRLEN];
	size_t i, j;

	for (i = 0; i < domain->count; i++) {
		const struct host *host = &domain->hosts[i];

		widen(&widths.name, host->name);
		for (j = 0; j < host->count; j++)
			widen(&widths.address,
			    name_address(&host->addresses[j].addr, text));
	}
	return widths;
}

static void
widen(int *width, const char *text)
{
	int len = (int)strlen(text);

	if (len > *width)
		*width = len;
}

static void
write_host(FILE *file, const struct host *host, struct widths widths)
{
	char text[INET6_ADDRSTRLEN];
	size_t i;

	if (host->count == 0)
		fprintf(file, "  %5u  %-*s  no address known\n",
		    host->preference, widths.name, host->name);
	for (i = 0; i < host->count; i++) {
		fprintf(file, "  %5u  %-*s  %-*s  ", host->preference,
		    widths.name, host->name, widths.address,
		    name_address(&host->addresses[i].addr, text));
		write_service(file, &host->addresses[i].answer);
	}
}

static void
write_service(FILE *file, const struct answer *answer)
{
	fputs(rules_seen(answer->service), file);
	if (answer->service == SERVICE_MAIL ||
	    answer->service == SERVICE_TARPIT)
		fprintf(
		    file, ", greeting in %.1f s", answer->greeting_msec / 1e3);
	if (answer->service == SERVICE_TARPIT)
		fprintf(file, ", first byte after %.1f s",
		    answer->reply_msec / 1e3);
	fputc('\n', file);
}

static void
write_finding(void *file, enum verdict verdict, const char *finding)
{
	static const char *const verdicts[] = {
		[VERDICT_OK] = "ok",
		[VERDICT_UNKNOWN] = "unknown",
		[VERDICT_WRONG] = "wrong",
	};

	fprintf(file, "%s: %s\n", verdicts[verdict], finding);
}
