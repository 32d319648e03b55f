/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The totals in the forms that take no drawing; the page is page.c.
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "calendar.h"
#include "edition.h"
#include "held.h"
#include "report.h"
#include "title.h"
#include "write.h"

static void text_held(FILE *, const struct held *);
static void json_title(FILE *, const char *);
static void json_time(FILE *, const char *, const struct totals *, int64_t);
static void json_days(FILE *, const struct totals *);
static void json_lengths(FILE *, const struct totals *);
static void json_held(FILE *, const struct held *);
static void prometheus_held(FILE *, const struct held *);
static void metric(FILE *, const char *, const char *, const char *);
static void print_seconds(FILE *, int64_t);

/* The four lines that the tarpit of 2006 printed; a fifth line with -n. */
void
report_text(
    FILE *out, const struct totals *totals, const struct edition *edition)
{
	fputs("Stats since: ", out);
	if (totals->connections == 0)
		fputs("never", out);
	else
		write_moment(out, totals->first);
	fprintf(out, "\nEmails blocked: %" PRIu64 "\n", totals->connections);
	fputs("Hours in Tar Pit: ", out);
	write_plain_hours(out, totals->length);
	fprintf(out, "\nUnique SMTP Hosts: %" PRIu64 "\n", totals->host_count);
	if (edition->text_held)
		text_held(out, &edition->held);
}

static void
text_held(FILE *out, const struct held *held)
{
	fputs("Stuck right now: ", out);
	if (held->known)
		fprintf(out, "%" PRIu64, held->connections);
	else
		fputs("unknown", out);
	if (held->known && held->connections > 0) {
		fputs(held->connections == 1 ? ", for " : ", the longest for ",
		    out);
		write_length(out, held->longest);
	}
	fputc('\n', out);
}

void
report_json(
    FILE *out, const struct totals *totals, const struct edition *edition)
{
	fprintf(out, "{\n  \"version\": 1,\n");
	json_title(out, edition->title);
	json_time(out, "since", totals, totals->first);
	json_time(out, "until", totals, totals->last);
	fprintf(
	    out, "  \"emails_blocked\": %" PRIu64 ",\n", totals->connections);
	fprintf(out, "  \"seconds_in_tarpit\": ");
	print_seconds(out, totals->length);
	fprintf(out, ",\n  \"longest_seconds\": ");
	print_seconds(out, totals->longest);
	fprintf(
	    out, ",\n  \"unique_hosts\": %" PRIu64 ",\n", totals->host_count);
	json_held(out, &edition->held);
	json_days(out, totals);
	json_lengths(out, totals);
	fprintf(out, "}\n");
}

static void
json_title(FILE *out, const char *title)
{
	fprintf(out, "  \"title\": ");
	if (title == NULL)
		fprintf(out, "null");
	else
		title_write_json(out, title);
	fprintf(out, ",\n");
}

/* The time in UTC, as in a log line; null while there are no connections. */
static void
json_time(
    FILE *out, const char *name, const struct totals *totals, int64_t msec)
{
	char text[sizeof("9999-12-31T23:59:59")];
	time_t sec = (time_t)(msec / SECOND_MSEC);
	struct tm tm;

	if (totals->connections == 0) {
		fprintf(out, "  \"%s\": null,\n", name);
		return;
	}
	gmtime_r(&sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(out, "  \"%s\": \"%s.%03dZ\",\n", name, text,
	    (int)(msec % SECOND_MSEC));
}

static void
json_held(FILE *out, const struct held *held)
{
	if (!held->known) {
		fprintf(out,
		    "  \"held_now\": null,\n"
		    "  \"longest_held_now_seconds\": null,\n");
		return;
	}
	fprintf(out,
	    "  \"held_now\": %" PRIu64 ",\n"
	    "  \"longest_held_now_seconds\": ",
	    held->connections);
	print_seconds(out, held->longest);
	fprintf(out, ",\n");
}

static void
json_days(FILE *out, const struct totals *totals)
{
	size_t i;

	fprintf(out, "  \"days\": [");
	for (i = 0; i < totals->day_count; i++) {
		const struct day *day = &totals->days[i];
		struct tm tm = day_date(day->number);

		fprintf(out,
		    "%s\n    { \"date\": \"%04d-%02d-%02d\","
		    " \"connections\": %" PRIu64 ", \"seconds\": ",
		    i == 0 ? "" : ",", tm.tm_year + TM_YEAR_BASE, tm.tm_mon + 1,
		    tm.tm_mday, day->connections);
		print_seconds(out, day->length);
		fprintf(out, " }");
	}
	fprintf(out, "%s],\n", i == 0 ? "" : "\n  ");
}

/* How many are still held after a time: only the times where that changes. */
static void
json_lengths(FILE *out, const struct totals *totals)
{
	uint64_t held = totals->connections;
	const char *before = "";
	int i;

	fprintf(out, "  \"still_held\": [");
	for (i = 0; i < LENGTH_BINS - 1; i++) {
		if (totals->lengths[i] == 0)
			continue;
		held -= totals->lengths[i];
		fprintf(out, "%s\n    { \"after_seconds\": ", before);
		print_seconds(out, length_end(i));
		fprintf(out, ", \"connections\": %" PRIu64 " }", held);
		before = ",";
	}
	fprintf(out, "%s]\n", *before == '\0' ? "" : "\n  ");
}

/* The text format of Prometheus, version 0.0.4. */
void
report_prometheus(
    FILE *out, const struct totals *totals, const struct edition *edition)
{
	int mark;

	prometheus_held(out, &edition->held);
	metric(out, "tarpit_connections_total", "counter",
	    "Connections that were held and have ended.");
	fprintf(
	    out, "tarpit_connections_total %" PRIu64 "\n", totals->connections);
	metric(out, "tarpit_unique_hosts", "gauge",
	    "Different hosts that were held.");
	fprintf(out, "tarpit_unique_hosts %" PRIu64 "\n", totals->host_count);
	if (totals->connections > 0) {
		metric(out, "tarpit_first_connection_timestamp_seconds",
		    "gauge", "When the first connection began.");
		fprintf(out, "tarpit_first_connection_timestamp_seconds ");
		print_seconds(out, totals->first);
		fputc('\n', out);
		metric(out, "tarpit_last_disconnection_timestamp_seconds",
		    "gauge", "When the last connection ended.");
		fprintf(out, "tarpit_last_disconnection_timestamp_seconds ");
		print_seconds(out, totals->last);
		fputc('\n', out);
	}
	metric(out, "tarpit_hold_seconds", "histogram",
	    "How long connections were held.");
	for (mark = 1; mark <= LENGTH_MARKS; mark++) {
		int bin = mark * LENGTH_STEPS - 1;

		fprintf(out,
		    "tarpit_hold_seconds_bucket{le=\"%d\"} %" PRIu64 "\n",
		    (int)(length_end(bin) / SECOND_MSEC),
		    lengths_within(totals, bin));
	}
	fprintf(out, "tarpit_hold_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n",
	    totals->connections);
	fprintf(out, "tarpit_hold_seconds_sum ");
	print_seconds(out, totals->length);
	fprintf(out, "\ntarpit_hold_seconds_count %" PRIu64 "\n",
	    totals->connections);
}

/* Who is held is left out if it is unknown. */
static void
prometheus_held(FILE *out, const struct held *held)
{
	if (!held->known)
		return;
	metric(out, "tarpit_connections_held", "gauge",
	    "Connections that are held now.");
	fprintf(
	    out, "tarpit_connections_held %" PRIu64 "\n", held->connections);
	metric(out, "tarpit_longest_held_seconds", "gauge",
	    "How long the longest connection has been held so far.");
	fprintf(out, "tarpit_longest_held_seconds ");
	print_seconds(out, held->longest);
	fputc('\n', out);
}

static void
metric(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
print_seconds(FILE *out, int64_t msec)
{
	fprintf(out, "%" PRId64 ".%03d", msec / SECOND_MSEC,
	    (int)(msec % SECOND_MSEC));
}
