/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Give arguments, separated by NULs, to tarpit's parse_options(): it either
 * ends the program with one message, or sets options that are within limits.
 *
 * Linked with -Wl,--wrap for log_send, dprintf and seal_works.
 */

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void leave(int);

#define main tarpit_main
#define exit leave
#include "../../tarpit.c"
#undef main
#undef exit

#include "fuzz.h"

#define ARGS_MAX 16

struct arguments {
	int count;
	char *all[ARGS_MAX + 2];
	/* A copy for getopt(3), which may reorder it. */
	char *given[ARGS_MAX + 2];
};

static void take_arguments(struct arguments *, const uint8_t *, size_t);
static void free_arguments(struct arguments *);
static char *copy(const uint8_t *, size_t);
static void check_taken(const struct options *);
static void check_left(void);
static void check_one(const struct arguments *, int);
static int is_number(const char *, int, int);
static void check_names(const struct arguments *);
static int is_name(const char *);
static int is_domain(const char *);
static int is_literal(const char *);

int __wrap_log_send(int, const char *, int);
int __wrap_dprintf(int, const char *, ...);
int __wrap_seal_works(void);

static jmp_buf after_exit;
static int exit_status, messages, versions;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arguments arguments;
	struct options options = { INTERVAL_DEFAULT, CAP_DEFAULT, NULL };

	take_arguments(&arguments, data, size);
	check_names(&arguments);
	messages = versions = 0;
	optind = 0; /* makes glibc's getopt(3) start over */
	if (setjmp(after_exit) == 0) {
		parse_options(arguments.count, arguments.given, &options);
		check_taken(&options);
		check_one(&arguments, 1);
	} else {
		check_left();
		check_one(&arguments, versions);
	}
	free_arguments(&arguments);
	return 0;
}

static void
leave(int status)
{
	exit_status = status;
	longjmp(after_exit, 1);
}

/* Put each argument into memory of exactly its size. */
static void
take_arguments(struct arguments *arguments, const uint8_t *data, size_t size)
{
	memset(arguments, 0, sizeof(*arguments));
	arguments->all[arguments->count++] = copy((const uint8_t *)"tarpit", 6);
	while (size > 0 && arguments->count <= ARGS_MAX) {
		const uint8_t *end = memchr(data, '\0', size);
		size_t len = end == NULL ? size : (size_t)(end - data);

		arguments->all[arguments->count++] = copy(data, len);
		if (len == size)
			break;
		data += len + 1;
		size -= len + 1;
	}
	memcpy(arguments->given, arguments->all, sizeof(arguments->all));
}

static void
free_arguments(struct arguments *arguments)
{
	int i;

	for (i = 0; i < arguments->count; i++)
		free(arguments->all[i]);
}

static char *
copy(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	CHECK(s != NULL);
	memcpy(s, data, size);
	s[size] = '\0';
	return s;
}

static void
check_taken(const struct options *options)
{
	CHECK(messages == 0 && versions == 0);
	CHECK(options->interval >= INTERVAL_MIN);
	CHECK(options->interval <= INTERVAL_MAX);
	CHECK(options->cap >= CAP_MIN && options->cap <= CAP_MAX);
	CHECK(options->name == NULL || is_name(options->name));
}

static void
check_left(void)
{
	if (versions > 0)
		CHECK(exit_status == 0 && versions == 1 && messages == 0);
	else
		CHECK(exit_status == EXIT_USAGE && messages == 1);
}

/* One option alone: a good argument must be taken, and a bad one refused. */
static void
check_one(const struct arguments *arguments, int taken)
{
	const char *option = arguments->all[1], *value = arguments->all[2];

	if (arguments->count != 3)
		return;
	if (strcmp(option, "-i") == 0)
		CHECK(taken == is_number(value, 10, 60000));
	else if (strcmp(option, "-t") == 0)
		CHECK(taken == is_number(value, 1, 86400));
	else if (strcmp(option, "-n") == 0)
		CHECK(taken == is_name(value));
}

static int
is_number(const char *s, int min, int max)
{
	char *end;
	long long n = strtoll(s, &end, 10);

	return end != s && *end == '\0' && n >= min && n <= max;
}

static void
check_names(const struct arguments *arguments)
{
	int i;

	for (i = 0; i < arguments->count; i++) {
		const char *s = arguments->all[i];

		CHECK(is_host_name(s) == is_domain(s));
		CHECK(is_address_literal(s) == is_literal(s));
	}
}

static int
is_name(const char *s)
{
	return is_domain(s) || is_literal(s);
}

/* A domain name of tarpit(8), checked in another way: byte by byte. */
static int
is_domain(const char *s)
{
	const char *p;
	int label = 0;

	for (p = s; *p != '\0'; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= '0' && *p <= '9') || (*p == '-' && label > 0))
			label++;
		else if (*p == '.' && label > 0 && p[-1] != '-')
			label = 0;
		else
			return 0;
		if (label > 63)
			return 0;
	}
	return label > 0 && p[-1] != '-' && p - s <= 255;
}

static int
is_literal(const char *s)
{
	char inside[256];
	struct in6_addr addr;
	size_t len = strlen(s);

	if (len < 2 || len > sizeof(inside) || s[0] != '[' || s[len - 1] != ']')
		return 0;
	memcpy(inside, s + 1, len - 2);
	inside[len - 2] = '\0';
	if (strncasecmp(inside, "IPv6:", 5) == 0)
		return inet_pton(AF_INET6, inside + 5, &addr) == 1;
	return inet_pton(AF_INET, inside, &addr) == 1;
}

/* Check that the message is one line, short enough for log_send(). */
int
__wrap_log_send(int priority, const char *text, int msec)
{
	CHECK(priority == LOG_ERR && msec == LOG_HURRY_MSEC);
	CHECK(strlen(text) > 0 && strlen(text) < MESSAGE_MAX);
	messages++;
	return 0;
}

int
__wrap_dprintf(int fd, const char *form, ...)
{
	CHECK(fd == STDOUT_FILENO);
	CHECK(strcmp(form, "tarpit %s\nseal: %s\n") == 0);
	versions++;
	return 1;
}

/* The real seal_works() would start a process. */
int
__wrap_seal_works(void)
{
	return 1;
}
