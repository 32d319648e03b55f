/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tarpit-stats: tarpit's log lines in; numbers, page or metrics out.
 */

#include <bsd/stdlib.h>
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "database.h"
#include "edition.h"
#include "input.h"
#include "output.h"
#include "page.h"
#include "report.h"
#include "title.h"
#include "totals.h"
#include "../version.h"

#define EXIT_USAGE  64 /* EX_USAGE of sysexits(3) */
#define REPORTS_MAX 16
#define DAYS_UNSET  (-1)
#define DAYS_MAX    36500

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

/* The first format is for the first output, the second for the second. */
struct options {
	const struct format *format[REPORTS_MAX];
	int formats;
	const char *output[REPORTS_MAX];
	int outputs;
	const char *database; /* NULL: none */
	int days;	      /* to remember lines; DAYS_UNSET: no change */
	int reset;
	int cursor; /* print the journal's cursor and nothing else */
	struct edition edition;
};

static void parse_options(int, char *[], struct options *);
static const struct format *find_format(const char *);
static int parse_days(const char *);
static const char *parse_line(int, const char *);
static _Noreturn void print_version(void);
static _Noreturn void print_cursor(const char *);
static _Noreturn void usage(void);
static void begin_edition(struct edition *);
static void begin_reading(struct input *, char *[], const struct options *);
static void count_all(struct input *, struct totals *);
static int count_with_database(
    const struct options *, struct input *, struct totals *);
static void tell_skipped(const struct input *, char *[]);
static void write_reports(const struct options *, const struct totals *);

int
main(int argc, char *argv[])
{
	struct options options = { .days = DAYS_UNSET };
	static struct input input;
	static struct totals totals; /* its memory is never freed */

	parse_options(argc, argv, &options);
	argv += optind;
	tzset();
	if (options.cursor)
		print_cursor(options.database);
	begin_edition(&options.edition);
	begin_reading(&input, argv, &options);
	if (options.database == NULL) {
		count_all(&input, &totals);
		tell_skipped(&input, argv);
	} else if (count_with_database(&options, &input, &totals)) {
		tell_skipped(&input, argv);
	}
	begin_edition(&options.edition);
	write_reports(&options, &totals);
	return input.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void
parse_options(int argc, char *argv[], struct options *options)
{
	int ch;

	while ((ch = getopt(argc, argv, "Vcf:k:no:s:t:w:z")) != -1) {
		switch (ch) {
		case 'V':
			print_version();
		case 'c':
			options->cursor = 1;
			break;
		case 'f':
			if (options->formats == REPORTS_MAX)
				usage();
			options->format[options->formats++] = find_format(
			    optarg);
			break;
		case 'k':
			options->days = parse_days(optarg);
			break;
		case 'n':
			options->edition.text_held = 1;
			break;
		case 'o':
			if (options->outputs == REPORTS_MAX)
				usage();
			options->output[options->outputs++] = optarg;
			break;
		case 's':
			options->database = optarg;
			break;
		case 't':
			options->edition.title = parse_line('t', optarg);
			break;
		case 'w':
			options->edition.warning = parse_line('w', optarg);
			break;
		case 'z':
			options->reset = 1;
			break;
		default:
			usage();
		}
	}
	if (options->database == NULL &&
	    (options->days != DAYS_UNSET || options->reset || options->cursor))
		usage();
}

static const struct format *
find_format(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	errx(EXIT_USAGE, "-f %s: not text, html, json or prometheus", name);
}

static int
parse_days(const char *text)
{
	const char *problem;
	int days = (int)strtonum(text, 0, DAYS_MAX, &problem);

	if (problem != NULL)
		errx(
		    EXIT_USAGE, "-k %s: %s (0 to %d)", text, problem, DAYS_MAX);
	return days;
}

/* Parse a title, or a warning, to which the same limits apply. */
static const char *
parse_line(int option, const char *line)
{
	const char *problem = title_problem(line);

	if (problem != NULL)
		errx(EXIT_USAGE, "-%c %s: %s", option, line, problem);
	return line;
}

static _Noreturn void
print_version(void)
{
	if (dprintf(STDOUT_FILENO, "tarpit-stats %s\n", VERSION) == -1)
		err(EXIT_FAILURE, "standard output");
	exit(EXIT_SUCCESS);
}

static _Noreturn void
print_cursor(const char *path)
{
	struct database *db = database_open(path);
	char cursor[CURSOR_MAX];

	database_cursor(db, cursor, sizeof(cursor));
	database_close(db);
	if (dprintf(STDOUT_FILENO, "%s\n", cursor) == -1)
		err(EXIT_FAILURE, "standard output");
	exit(EXIT_SUCCESS);
}

static _Noreturn void
usage(void)
{
	fprintf(stderr,
	    "usage: tarpit-stats [-cnVz] [-f text|html|json|prometheus]"
	    " [-k days]\n"
	    "                    [-o file] [-s database] [-t title]"
	    " [-w warning]\n"
	    "                    [file ...]\n");
	exit(EXIT_USAGE);
}

/* Note the time, and who is held now. */
static void
begin_edition(struct edition *edition)
{
	const char *problem = edition_begin(edition);

	if (problem != NULL)
		errx(EXIT_USAGE, "SOURCE_DATE_EPOCH %s: %s (0 to %" PRId64 ")",
		    getenv("SOURCE_DATE_EPOCH"), problem, EDITION_SECONDS_MAX);
}

/*
 * Read standard input, unless files are named.  With a database, though, do not
 * read a terminal: whoever types the command wants a report on the database.
 */
static void
begin_reading(struct input *input, char *paths[], const struct options *options)
{
	int with_database = options->database != NULL;
	static char standard_input[] = "-";
	static char *no_paths[] = { standard_input, NULL };

	input->paths = paths;
	if (*paths == NULL && !(with_database && isatty(STDIN_FILENO)))
		input->paths = no_paths;
	input->with_pids = with_database;
	input->latest = options->edition.made + DAY_MSEC;
	input_begin(input);
}

static void
count_all(struct input *input, struct totals *totals)
{
	struct lines lines;

	while (input_next(input, &lines))
		totals_add(totals, lines.holds, lines.count);
}

/* Returns whether more lines were skipped than in the run before. */
static int
count_with_database(
    const struct options *options, struct input *input, struct totals *totals)
{
	struct database *db = database_open(options->database);
	struct lines lines;
	int more_skipped = 0;

	if (options->days != DAYS_UNSET)
		database_set_days(db, options->days);
	if (options->reset)
		database_reset(db, options->edition.made);
	while (input_next(input, &lines))
		database_count(db, &lines);
	database_set_cursor(db, input->cursor);
	if (input->read > 0)
		more_skipped = database_set_skipped(
		    db, input->skipped + input->impossible);
	database_commit(db, options->edition.made);
	database_read(db, totals);
	database_close(db);
	return more_skipped;
}

/* Report the skipped lines, with the file's name if only one was given. */
static void
tell_skipped(const struct input *input, char *paths[])
{
	int is_one = paths[0] != NULL && paths[1] == NULL;
	const char *file = is_one ? paths[0] : "";
	const char *colon = is_one ? ": " : "";

	if (input->skipped > 0)
		warnx("%s%sskipped %" PRIu64 " of %" PRIu64
		      " lines: not tarpit's log lines",
		    file, colon, input->skipped, input->read);
	if (input->impossible > 0)
		warnx("%s%sskipped %" PRIu64 " of %" PRIu64
		      " lines: impossible (longer than a day, before 2000 or"
		      " in the future)",
		    file, colon, input->impossible, input->read);
}

/* An output without a format gets text; "-" is the output of other formats. */
static void
write_reports(const struct options *options, const struct totals *totals)
{
	int count = options->formats > options->outputs ? options->formats
							: options->outputs;
	struct output output;
	int i;

	for (i = 0; i < count || i == 0; i++) {
		const struct format *format = i < options->formats
		    ? options->format[i]
		    : &formats[0];
		const char *path = i < options->outputs ? options->output[i]
							: "-";

		if (output_begin(&output, path) == -1)
			err(EXIT_FAILURE, "%s", output.name);
		format->report(output.file, totals, &options->edition);
		if (output_commit(&output) == -1)
			err(EXIT_FAILURE, "%s", output.name);
	}
}
