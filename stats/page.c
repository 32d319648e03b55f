/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The page: one file, without a script, that loads nothing and shows no
 * address.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calendar.h"
#include "edition.h"
#include "held.h"
#include "page.h"
#include "page_bars.h"
#include "page_curve.h"
#include "page_periods.h"
#include "title.h"
#include "totals.h"
#include "write.h"

#define DAYS_MIN      2	  /* averages over fewer days say little */
#define DAYS_MANY     730 /* from here on, years are easier to grasp */
#define DAYS_PER_YEAR 365.25

/*
 * A letter in tar, in SVG.  For a page without an icon, a browser would ask the
 * server.
 */
#define ICON \
	"data:image/svg+xml,%3Csvg%20xmlns='http:%2F%2Fwww.w3.org%2F2000" \
	"%2Fsvg'%20viewBox='0%200%2016%2016'%3E%3Cpath%20fill='%23ffd08a'" \
	"%20stroke='%23855018'%20d='M2,5,13,1,16,10,5,14zM13,1,9,8,2,5'/%3E" \
	"%3Cpath%20fill='%231b130d'%20d='M0,9h16v4q-8,6-16,0z'/%3E%3C/svg%3E"

static void write_head(FILE *, const struct totals *, const struct edition *);
static void write_style(FILE *);
static void write_header(FILE *, const struct totals *, const struct edition *);
static void write_held(FILE *, const struct held *);
static void draw_letters(FILE *, uint64_t);
static void write_time(FILE *, int64_t);
static void write_numbers(FILE *, const struct totals *);
static char number_size(const struct totals *);
static void write_emails_note(FILE *, const struct totals *);
static double covered_days(const struct totals *);
static void write_hours_note(FILE *, const struct totals *);
static void write_hosts_note(FILE *, const struct totals *);
static void write_expectation(FILE *);
static void write_plots(FILE *, const struct totals *, const struct edition *);
static void write_bars(FILE *, const struct periods *, const struct measure *);
static void write_most(FILE *, const struct periods *, const struct measure *);
static void write_peak(FILE *, const struct periods *, const struct measure *);
static void begin_plot(FILE *, const char *);
static void end_plot(FILE *);
static double connections_value(const struct period *);
static void connections_write(FILE *, const struct period *);
static double hours_value(const struct period *);
static void hours_write(FILE *, const struct period *);
static void write_curve(FILE *, const struct totals *);
static void write_stay(FILE *, const struct totals *);
static void write_footer(FILE *, const struct edition *);
static void write_zone(FILE *, int64_t);

static const struct measure connections = { "Connections", 1, connections_value,
	connections_write };
static const struct measure hours = { "Hours", 0.01, hours_value, hours_write };

void
page_write(
    FILE *out, const struct totals *totals, const struct edition *edition)
{
	write_head(out, totals, edition);
	fputs("<body>\n", out);
	write_header(out, totals, edition);
	fputs("<main>\n", out);
	write_numbers(out, totals);
	if (totals->connections > 0)
		write_plots(out, totals, edition);
	else
		write_expectation(out);
	fputs("</main>\n", out);
	write_footer(out, edition);
	fputs("</body>\n</html>\n", out);
}

static void
write_head(
    FILE *out, const struct totals *totals, const struct edition *edition)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	      "<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\""
	      " content=\"default-src 'none'; style-src 'unsafe-inline';"
	      " img-src data:; base-uri 'none'; form-action 'none'\">\n"
	      "<meta name=\"viewport\""
	      " content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<link rel=\"icon\" href=\"" ICON "\">\n"
	      "<title>",
	    out);
	title_write_html(
	    out, edition->title == NULL ? "Tar pit" : edition->title);
	fputs(": ", out);
	write_counted(out, totals->connections, "email");
	fputs(" blocked</title>\n<meta name=\"description\" content=\"", out);
	write_hours(out, totals->length);
	fputs(" hours in the tar pit, ", out);
	write_counted(out, totals->host_count, "unique SMTP host");
	fputs(".\">\n", out);
	write_style(out);
	fputs("</head>\n", out);
}

static void
write_style(FILE *out)
{
	static const char *const lines[] = {
#include "page.css.inc"
	};
	size_t i;

	fputs("<style>\n", out);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		fprintf(out, "%s\n", lines[i]);
	fputs("</style>\n", out);
}

static void
write_header(
    FILE *out, const struct totals *totals, const struct edition *edition)
{
	fputs("<header class=\"in-page\">\n<h1>Stuck in ", out);
	title_write_html(
	    out, edition->title == NULL ? "the tar pit" : edition->title);
	fputs("</h1>\n<p>", out);
	if (totals->connections == 0) {
		fputs("Stats since: never. No connection has ended yet.", out);
	} else {
		fputs("Stats since ", out);
		write_time(out, totals->first);
		fputs(", until ", out);
		write_time(out, totals->last);
		fputc('.', out);
	}
	fputs("</p>\n", out);
	if (edition->warning != NULL) {
		fputs("<p class=\"now\">", out);
		title_write_html(out, edition->warning);
		fputs("</p>\n", out);
	}
	write_held(out, &edition->held);
	if (totals->connections > 0)
		draw_letters(out, totals->connections);
	fputs("</header>\n", out);
}

/* The page is silent about a number that is unknown. */
static void
write_held(FILE *out, const struct held *held)
{
	if (!held->known)
		return;
	fputs("<p class=\"now\">", out);
	if (held->connections == 0) {
		fputs("Nobody is stuck right now", out);
	} else {
		fputs("Stuck right now: <b>", out);
		write_count(out, held->connections);
		fputs(held->connections == 1 ? "</b>, for "
					     : "</b>, the longest for ",
		    out);
		write_length(out, held->longest);
	}
	fputs(".</p>\n", out);
}

/* One letter sinks into the tar; a second letter has almost gone under. */
static void
draw_letters(FILE *out, uint64_t count)
{
	fputs("<svg class=\"mail\" viewBox=\"0 0 200 62\""
	      " aria-hidden=\"true\">\n"
	      "<g transform=\"rotate(-14 150 62)\">"
	      "<path d=\"M108 16h84v58h-84z\"/>"
	      "<path class=\"flap\" d=\"M108 16l42 34 42-34\"/></g>\n",
	    out);
	if (count > 1)
		fputs("<g transform=\"rotate(24 42 70)\">"
		      "<path d=\"M8 50h72v50H8z\"/>"
		      "<path class=\"flap\" d=\"M8 50l36 29 36-29\"/></g>\n",
		    out);
	fputs("</svg>\n", out);
}

/* The attribute is for machines; people find the time zone in the footer. */
static void
write_time(FILE *out, int64_t msec)
{
	struct tm tm = local_time(msec);
	int minutes = (int)(tm.tm_gmtoff / 60);

	fprintf(out, "<time datetime=\"%04d-%02d-%02dT%02d:%02d%c%02d:%02d\">",
	    tm.tm_year + TM_YEAR_BASE, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, minutes < 0 ? '-' : '+', abs(minutes) / 60,
	    abs(minutes) % 60);
	write_moment(out, msec);
	fputs("</time>", out);
}

static void
write_numbers(FILE *out, const struct totals *totals)
{
	fprintf(out,
	    "<div class=\"pit\">\n<dl class=\"in-page %c\">\n"
	    "<div><dt>Email%s blocked</dt><dd class=\"number\">",
	    number_size(totals), totals->connections == 1 ? "" : "s");
	write_count(out, totals->connections);
	fputs("</dd>", out);
	write_emails_note(out, totals);
	fputs("</div>\n"
	      "<div><dt>Hours in the tar pit</dt><dd class=\"number\">",
	    out);
	write_hours(out, totals->length);
	fputs("</dd>", out);
	write_hours_note(out, totals);
	fprintf(out,
	    "</div>\n"
	    "<div><dt>Unique SMTP host%s</dt><dd class=\"number\">",
	    totals->host_count == 1 ? "" : "s");
	write_count(out, totals->host_count);
	fputs("</dd>", out);
	write_hosts_note(out, totals);
	fputs("</div>\n</dl>\n</div>\n", out);
}

/* All three numbers are as large as the longest of them allows. */
static char
number_size(const struct totals *totals)
{
	int64_t whole_hours = totals->length / HOUR_MSEC;

	if (totals->connections < 10000000 && whole_hours < 100000)
		return 's';
	if (totals->connections < UINT64_C(10000000000) &&
	    whole_hours < 100000000)
		return 'm';
	return 'l';
}

/* The average counts all days, with and without connections. */
static void
write_emails_note(FILE *out, const struct totals *totals)
{
	double days = covered_days(totals);

	if (days < DAYS_MIN)
		return;
	fprintf(out, "<dd class=\"note\">%.1f a day, on average</dd>",
	    (double)totals->connections / days);
}

/* The days from the first connection to the last disconnection. */
static double
covered_days(const struct totals *totals)
{
	if (totals->connections == 0)
		return 0;
	return (double)(totals->last - totals->first) / (double)DAY_MSEC;
}

/*
 * When clients are held longer in all than the days that have passed, say how
 * many are held at a time: "409 days" would read oddly after a year.
 */
static void
write_hours_note(FILE *out, const struct totals *totals)
{
	double days = (double)totals->length / (double)DAY_MSEC;
	double covered = covered_days(totals);

	if (days < DAYS_MIN || covered <= 0)
		return;
	fputs("<dd class=\"note\">", out);
	if (days > covered)
		fprintf(out, "%.1f stuck at any moment, on average</dd>",
		    days / covered);
	else if (days < DAYS_MANY)
		fprintf(out, "that is %.0f days, day and night</dd>", days);
	else
		fprintf(out, "that is %.1f years, day and night</dd>",
		    days / DAYS_PER_YEAR);
}

static void
write_hosts_note(FILE *out, const struct totals *totals)
{
	uint64_t hosts = totals->host_count;
	uint64_t again = totals->connections - hosts;

	if (hosts < 2)
		return;
	fputs("<dd class=\"note\">", out);
	if (again == 0)
		fputs("each came once", out);
	else if (again < hosts / 20) /* rounded, 1.0 visits */
		fputs("almost all came once", out);
	else
		fprintf(out, "%.1f visits from each, on average",
		    (double)totals->connections / (double)hosts);
	fputs("</dd>", out);
}

/* Stand in for the plots until the first connection has ended. */
static void
write_expectation(FILE *out)
{
	fputs("<div class=\"soon in-page\">\n<h2>What to expect</h2>\n"
	      "<p>Spamware finds a tar pit by the MX record of a domain. A"
	      " connection counts once it has ended: the longer a client is"
	      " stuck, the later it appears here.</p>\n"
	      "<p>Once the first client has left, this page shows the"
	      " connections and the hours of each day, and how long clients"
	      " stay.</p>\n</div>\n",
	    out);
}

static void
write_plots(
    FILE *out, const struct totals *totals, const struct edition *edition)
{
	struct periods periods;

	periods_collect(&periods, totals, edition);
	fputs("<div class=\"plots in-page\">\n", out);
	write_bars(out, &periods, &connections);
	write_bars(out, &periods, &hours);
	write_curve(out, totals);
	fputs("</div>\n", out);
}

static void
write_bars(
    FILE *out, const struct periods *periods, const struct measure *measure)
{
	const char *name = measure->name;
	const char *span = periods->span->name;

	fprintf(
	    out, "<figure>\n<figcaption>\n<h2>%s per %s</h2>\n<p>", name, span);
	write_most(out, periods, measure);
	fputs("</p>\n</figcaption>\n", out);
	begin_plot(out, name);
	fprintf(out,
	    "<title id=\"%s-title\">%s per %s</title>\n"
	    "<desc id=\"%s-desc\">Bars, one for each %s from ",
	    name, name, span, name, span);
	write_day(out, periods->first_day);
	fputs(" to ", out);
	write_day(out, periods->last_day);
	fputs(". The highest: ", out);
	write_peak(out, periods, measure);
	fputs(".</desc>\n", out);
	bars_draw(out, periods, measure);
	end_plot(out);
}

/*
 * The first period is never whole.  As long as it is the only period, say so
 * in the sentence itself.
 */
static void
write_most(
    FILE *out, const struct periods *periods, const struct measure *measure)
{
	const struct span *span = periods->span;
	int alone = span_number(span, periods->first_day) ==
	    span_number(span, periods->last_day);

	fputs(alone ? "" : "Most: ", out);
	write_peak(out, periods, measure);
	fprintf(out,
	    alone ? ", not the whole %s."
		  : ". <span class=\"pale\">Pale: not the whole %s.</span>",
	    span->name);
}

static void
write_peak(
    FILE *out, const struct periods *periods, const struct measure *measure)
{
	int peak = bars_peak(periods, measure);

	measure->write(out, &periods->period[peak]);
	fputc(' ', out);
	periods_write_place(out, periods, peak);
}

/* The caller writes the title and the description that name the plot. */
static void
begin_plot(FILE *out, const char *name)
{
	fprintf(out,
	    "<div class=\"plot\"><svg role=\"img\""
	    " aria-labelledby=\"%s-title %s-desc\">\n",
	    name, name);
}

static void
end_plot(FILE *out)
{
	fputs("</svg></div>\n</figure>\n", out);
}

static double
connections_value(const struct period *period)
{
	return (double)period->connections;
}

static void
connections_write(FILE *out, const struct period *period)
{
	write_counted(out, period->connections, "connection");
}

static double
hours_value(const struct period *period)
{
	return (double)period->length / (double)HOUR_MSEC;
}

static void
hours_write(FILE *out, const struct period *period)
{
	write_hours(out, period->length);
	fputs(" hours", out);
}

static void
write_curve(FILE *out, const struct totals *totals)
{
	fputs("<figure class=\"wide\">\n<figcaption>\n"
	      "<h2>How long they stay</h2>\n"
	      "<p>The share still held after so long. ",
	    out);
	write_stay(out, totals);
	fputs("</p>\n</figcaption>\n", out);
	begin_plot(out, "stay");
	fputs("<title id=\"stay-title\">How long they stay</title>\n"
	      "<desc id=\"stay-desc\">The share that is still held after a"
	      " time, on a logarithmic axis: ",
	    out);
	curve_describe(out, totals);
	fputs("</desc>\n<linearGradient id=\"tar\" x2=\"0\" y2=\"1\"><stop/>"
	      "<stop offset=\"1\"/></linearGradient>\n",
	    out);
	curve_draw(out, totals);
	end_plot(out);
}

static void
write_stay(FILE *out, const struct totals *totals)
{
	if (totals->connections == 1) {
		fputs("The only one so far stayed ", out);
	} else if (totals->connections < CURVE_MEDIAN_MIN) {
		fputs("The longest stayed ", out);
	} else {
		fputs("Half stayed longer than ", out);
		write_length(out, curve_median(totals));
		fputs(", the longest ", out);
	}
	write_length(out, totals->longest);
	fputc('.', out);
}

static void
write_footer(FILE *out, const struct edition *edition)
{
	fputs(
	    "<footer class=\"in-page\">\n"
	    "<p>A tar pit looks like a mail server of last resort, where"
	    " spamware likes to come in. It says hello, and then begins an"
	    " answer that never ends: one byte every few seconds, for as long"
	    " as somebody waits. It never sees any mail.</p>\n"
	    "<p>What is recorded of a connection: address, time connected,"
	    " time disconnected; nothing else. No address is on this page.</p>\n"
	    "<p>Made on ",
	    out);
	write_time(out, edition->made);
	fputs(", ", out);
	write_zone(out, edition->made);
	fputs(". Times and days are in this time zone.</p>\n</footer>\n", out);
}

/* "CET (UTC+1)", or just "UTC-3" where the zone has a number for a name. */
static void
write_zone(FILE *out, int64_t msec)
{
	struct tm tm = local_time(msec);
	int minutes = abs((int)(tm.tm_gmtoff / 60));
	int is_named = strpbrk(tm.tm_zone, "+-0123456789") == NULL;

	if (is_named)
		fprintf(out, "%.6s", tm.tm_zone);
	if (is_named && minutes == 0)
		return;
	fputs(is_named ? " (UTC" : "UTC", out);
	if (minutes > 0)
		fprintf(
		    out, "%c%d", tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60);
	if (minutes % 60 > 0)
		fprintf(out, ":%02d", minutes % 60);
	if (is_named)
		fputc(')', out);
}
