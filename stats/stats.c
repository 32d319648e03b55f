/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tarpit-stats: tarpit's log lines in; numbers, page or metrics out.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "edition.h"
#include "input.h"
#include "page.h"
#include "replace.h"
#include "report.h"
#include "state.h"
#include "title.h"
#include "totals.h"
#include "../version.h"

#define EXIT_USAGE  64	 /* EX_USAGE of sysexits(3) */
#define OUTPUT_MODE 0666 /* less the umask */
#define STATE_MODE  0600 /* as private as the log: addresses are in it */

struct format {
	const char *name;
	void (*report)(FILE *, const struct totals *, const struct edition *);
};

static const struct format formats[] = {
	{ "text", report_text },
	{ "html", page_write },
	{ "json", report_json },
	{ "prometheus", report_prometheus },
};

struct options {
	const struct format *format;
	const char *output; /* NULL: standard output */
	const char *state;  /* NULL: none */
	struct edition edition;
};

static void parse_options(int, char *[], struct options *);
static const struct format *find_format(const char *);
static const char *parse_title(const char *);
static _Noreturn void print_version(void);
static _Noreturn void usage(void);
static int read_all(struct input *, char *[]);
static int read_file(struct input *, const char *);
static void count_lines(void *, const struct lines *);
static int count_with_state(const char *, struct state *, char *[]);
static void load_state(const char *, struct state *, struct replacement *);
static void count_new_lines(void *, const struct lines *);
static void begin_edition(struct edition *);
static void report(const struct options *, const struct totals *);

int
main(int argc, char *argv[])
{
	struct options options = { .format = &formats[0] };
	struct input input = { .count = count_lines };
	static struct state state; /* never freed, and never lost */
	int status;

	parse_options(argc, argv, &options);
	argv += optind;
	tzset();
	state_init(&state);
	if (options.state != NULL) {
		status = count_with_state(options.state, &state, argv);
	} else {
		input.arg = &state.totals;
		status = read_all(&input, argv);
	}
	begin_edition(&options.edition);
	report(&options, &state.totals);
	return status;
}

static void
parse_options(int argc, char *argv[], struct options *options)
{
	int ch;

	while ((ch = getopt(argc, argv, "Vf:no:s:t:")) != -1) {
		switch (ch) {
		case 'V':
			print_version();
		case 'f':
			options->format = find_format(optarg);
			break;
		case 'n':
			options->edition.text_held = 1;
			break;
		case 'o':
			options->output = optarg;
			break;
		case 's':
			options->state = optarg;
			break;
		case 't':
			options->edition.title = parse_title(optarg);
			break;
		default:
			usage();
		}
	}
}

static const struct format *
find_format(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	errx(EXIT_USAGE, "format is %s: not text, html, json or prometheus",
	    name);
}

static const char *
parse_title(const char *title)
{
	const char *problem = title_problem(title);

	if (problem != NULL)
		errx(EXIT_USAGE, "-t %s: %s", title, problem);
	return title;
}

static _Noreturn void
print_version(void)
{
	if (dprintf(STDOUT_FILENO, "tarpit-stats %s\n", VERSION) == -1)
		err(EXIT_FAILURE, "standard output");
	exit(EXIT_SUCCESS);
}

static _Noreturn void
usage(void)
{
	fprintf(stderr,
	    "usage: tarpit-stats [-nV] [-f text|html|json|prometheus]"
	    " [-o file] [-s state]\n"
	    "                    [-t title] [file ...]\n");
	exit(EXIT_USAGE);
}

/* Those that can be read are, whatever is with the others. */
static int
read_all(struct input *input, char *paths[])
{
	static char standard_input[] = "-";
	static char *const no_paths[] = { standard_input, NULL };
	char *const *path = *paths == NULL ? no_paths : paths;
	int status = EXIT_SUCCESS;

	for (; *path != NULL; path++) {
		if (read_file(input, *path) == -1) {
			warn("%s", *path);
			status = EXIT_FAILURE;
		}
	}
	if (input->skipped > 0)
		warnx("%" PRIu64 " of %" PRIu64
		      " lines are not about a hold: skipped",
		    input->skipped, input->read);
	return status;
}

static int
read_file(struct input *input, const char *path)
{
	int fd, status, error;

	if (strcmp(path, "-") == 0)
		return input_read(input, STDIN_FILENO);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	status = input_read(input, fd);
	error = errno;
	close(fd);
	errno = error;
	return status;
}

static void
count_lines(void *totals, const struct lines *lines)
{
	totals_add(totals, lines->holds, lines->count);
}

/*
 * The file is ours from before it is read until it is replaced, so that two
 * processes at once lose nothing.
 */
static int
count_with_state(const char *path, struct state *state, char *paths[])
{
	struct input input = {
		.count = count_new_lines, .arg = state, .with_pids = 1
	};
	struct replacement new;
	int status;

	if (replace_begin(&new, path, STATE_MODE) == -1)
		err(EXIT_FAILURE, "%s", path);
	load_state(path, state, &new);
	status = read_all(&input, paths);
	state_set_cursor(state, input.cursor);
	if (!state->changed) {
		replace_abandon(&new);
		return status;
	}
	state_write(state, new.file);
	if (replace_commit(&new) == -1)
		err(EXIT_FAILURE, "%s", path);
	return status;
}

/* One that we cannot read is never written over. */
static void
load_state(const char *path, struct state *state, struct replacement *new)
{
	const char *problem;
	FILE *file;

	if ((file = fopen(path, "re")) == NULL) {
		if (errno == ENOENT)
			return;
		problem = strerror(errno);
		replace_abandon(new);
		errx(EXIT_FAILURE, "%s: %s", path, problem);
	}
	problem = state_read(state, file);
	fclose(file);
	if (problem != NULL) {
		replace_abandon(new);
		errx(
		    EXIT_FAILURE, "%s %s; it is left as it was", path, problem);
	}
}

static void
count_new_lines(void *state, const struct lines *lines)
{
	state_count(state, lines);
}

static void
begin_edition(struct edition *edition)
{
	const char *problem = edition_begin(edition);

	if (problem != NULL)
		errx(EXIT_USAGE, "SOURCE_DATE_EPOCH %s: %s (0 to %" PRId64 ")",
		    getenv("SOURCE_DATE_EPOCH"), problem, EDITION_SECONDS_MAX);
}

static void
report(const struct options *options, const struct totals *totals)
{
	struct replacement new;

	if (options->output == NULL) {
		options->format->report(stdout, totals, &options->edition);
		if (fflush(stdout) == EOF || ferror(stdout))
			err(EXIT_FAILURE, "standard output");
		return;
	}
	if (replace_begin(&new, options->output, OUTPUT_MODE) == -1)
		err(EXIT_FAILURE, "%s", options->output);
	options->format->report(new.file, totals, &options->edition);
	if (replace_commit(&new) == -1)
		err(EXIT_FAILURE, "%s", options->output);
}
