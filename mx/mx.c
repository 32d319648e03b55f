/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tarpit-mx: is a tarpit set up right among the mail servers of a domain, and
 * does it work?
 */

#include <bsd/stdlib.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cap.h"
#include "../version.h"
#include "ask.h"
#include "lookup.h"
#include "report.h"

#define EXIT_WRONG 1
#define EXIT_USAGE 64 /* EX_USAGE of sysexits(3) */

struct options {
	enum families families;
	int cap;
	const char *tarpit;
};

static void parse_options(int, char *[], struct options *);
static int parse_cap(const char *);
static _Noreturn void print_version(void);
static _Noreturn void usage(void);
static char *parse_name(char *);
static void name_domain(struct domain *, char *, const struct options *);
static enum verdict report_all(const struct domain *, size_t, int);

int
main(int argc, char *argv[])
{
	struct options options = { .cap = CAP_DEFAULT };
	static const int statuses[] = {
		[VERDICT_OK] = EXIT_SUCCESS,
		[VERDICT_UNKNOWN] = EXIT_UNKNOWN,
		[VERDICT_WRONG] = EXIT_WRONG,
	};
	struct domain *domains;
	enum verdict verdict;
	size_t i, count;

	parse_options(argc, argv, &options);
	count = (size_t)(argc - optind);
	if (count == 0)
		usage();
	if ((domains = calloc(count, sizeof(*domains))) == NULL)
		err(EXIT_UNKNOWN, "%zu domains", count);
	for (i = 0; i < count; i++)
		name_domain(&domains[i], argv[optind + (int)i], &options);
	for (i = 0; i < count; i++)
		lookup_domain(&domains[i]);
	ask_hosts(domains, count, options.families);
	for (i = 0; i < count; i++)
		lookup_greetings(&domains[i]);
	verdict = report_all(domains, count, options.cap);
	free(domains);
	return statuses[verdict];
}

static void
parse_options(int argc, char *argv[], struct options *options)
{
	int ch;

	while ((ch = getopt(argc, argv, "46Vc:t:")) != -1) {
		switch (ch) {
		case '4':
			options->families = FAMILY_IPV4;
			break;
		case '6':
			options->families = FAMILY_IPV6;
			break;
		case 'V':
			print_version();
		case 'c':
			options->cap = parse_cap(optarg);
			break;
		case 't':
			options->tarpit = parse_name(optarg);
			break;
		default:
			usage();
		}
	}
}

static int
parse_cap(const char *s)
{
	const char *problem;
	int cap;

	cap = (int)strtonum(s, CAP_MIN, CAP_MAX, &problem);
	if (problem != NULL)
		errx(EXIT_USAGE, "-c %s: %s (%d to %d)", s, problem, CAP_MIN,
		    CAP_MAX);
	return cap;
}

static _Noreturn void
print_version(void)
{
	if (dprintf(STDOUT_FILENO, "tarpit-mx %s\n", VERSION) == -1)
		err(EXIT_UNKNOWN, "standard output");
	exit(EXIT_SUCCESS);
}

static _Noreturn void
usage(void)
{
	fprintf(stderr,
	    "usage: tarpit-mx [-46V] [-c seconds] [-t name] domain ...\n");
	exit(EXIT_USAGE);
}

/* A final dot marks a whole name; every name here is whole, so drop the dot. */
static char *
parse_name(char *s)
{
	size_t len = strlen(s);

	if (name_is_international(s))
		errx(EXIT_USAGE,
		    "not an ASCII name; give it as the DNS has it, with xn--"
		    " (idn2 and idn print that)");
	if (len > 0 && s[len - 1] == '.')
		s[len - 1] = '\0';
	if (!name_is_valid(s))
		errx(EXIT_USAGE, "not a domain name: %s", s);
	return s;
}

static void
name_domain(struct domain *domain, char *s, const struct options *options)
{
	snprintf(domain->name, sizeof(domain->name), "%s", parse_name(s));
	domain->tarpit = options->tarpit;
}

static enum verdict
report_all(const struct domain *domains, size_t count, int cap)
{
	enum verdict worst = VERDICT_OK;
	size_t i;

	for (i = 0; i < count; i++) {
		enum verdict verdict = report(stdout, &domains[i], cap);

		if (verdict > worst)
			worst = verdict;
	}
	if (fflush(stdout) == EOF || ferror(stdout))
		err(EXIT_UNKNOWN, "standard output");
	return worst;
}
