/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Bars along the calendar, in SVG.
 */

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "calendar.h"
#include "page_bars.h"
#include "page_periods.h"

#define HEIGHT	  1000 /* of the plot, in the units of its viewBox */
#define PITCH	  10   /* from the left edge of a bar to that of the next */
#define BAR	  8    /* the width of a bar */
#define BAR_MIN	  5    /* the height of a bar that can just be seen */
#define STEPS_MAX 4    /* on the axis of values */

/* How many labels fit on the axis of dates, on a screen and on a telephone. */
#define LABELS_WIDE   8
#define LABELS_NARROW 5
#define LABEL_MAX     16

/* In pixels: the narrowest plot on a screen, on a telephone; a wide letter. */
#define WIDE   400.0
#define NARROW 232.0
#define LETTER 7.0

static double axis_step(double, double);
static void draw_values(FILE *, double, int);
static void draw_bars(
    FILE *, const struct periods *, const struct measure *, double);
static void draw_bar(
    FILE *, const struct periods *, const struct measure *, double, int, int);
static void draw_dates(FILE *, const struct periods *);
static const struct span *label_span(int, int);
static void draw_date(FILE *, const struct periods *, int, const char *, int);
static double date_place(const struct periods *, int);
static void label_text(char *, size_t, const struct span *, int);

void
bars_draw(
    FILE *out, const struct periods *periods, const struct measure *measure)
{
	int peak = bars_peak(periods, measure);
	double most = measure->value(&periods->period[peak]);
	double step = axis_step(most, measure->least);
	int steps = 1;

	while (steps * step < most)
		steps++;
	draw_values(out, step, steps);
	draw_bars(out, periods, measure, steps * step);
	draw_dates(out, periods);
}

int
bars_peak(const struct periods *periods, const struct measure *measure)
{
	int peak = 0;
	int i;

	for (i = 1; i < periods->count; i++) {
		if (measure->value(&periods->period[i]) >
		    measure->value(&periods->period[peak]))
			peak = i;
	}
	return peak;
}

/* A step is 1, 2 or 5 times a power of ten, if least is a power of ten. */
static double
axis_step(double most, double least)
{
	static const double factors[] = { 2, 2.5, 2 };
	double step = least;
	int i;

	for (i = 0; most > STEPS_MAX * step; i++)
		step *= factors[i % 3];
	return step;
}

static void
draw_values(FILE *out, double step, int steps)
{
	static const char suffixes[][2] = { "", "k", "M", "G", "T", "P", "E" };
	int i;

	for (i = 0; i <= steps; i++) {
		double value = i * step;
		int thousands;

		for (thousands = 0; value >= 1000; thousands++)
			value /= 1000;
		fprintf(out,
		    "<svg y=\"%.1f%%\"><line class=\"%s\" x2=\"100%%\"/>"
		    "<text class=\"y\" x=\"-8\" y=\"4\">%.3g%s</text></svg>\n",
		    100.0 * (steps - i) / steps, i == 0 ? "base" : "grid",
		    value, suffixes[thousands]);
	}
}

static void
draw_bars(FILE *out, const struct periods *periods,
    const struct measure *measure, double top)
{
	int peak = bars_peak(periods, measure);
	int i;

	fprintf(out,
	    "<svg class=\"bars\" viewBox=\"0 0 %d %d\""
	    " preserveAspectRatio=\"none\">\n",
	    PITCH * periods->count, HEIGHT);
	for (i = 0; i < periods->count; i++) {
		if (periods->period[i].connections > 0)
			draw_bar(out, periods, measure, top, i, i == peak);
	}
	fputs("</svg>\n", out);
}

static void
draw_bar(FILE *out, const struct periods *periods,
    const struct measure *measure, double top, int i, int is_peak)
{
	static const char *const classes[] = { "", " class=\"part\"",
		" class=\"peak\"", " class=\"peak part\"" };
	const struct period *period = &periods->period[i];
	int is_part = periods_is_part(periods, i);
	int height = (int)(measure->value(period) / top * HEIGHT);

	if (height < BAR_MIN)
		height = BAR_MIN;
	fprintf(out,
	    "<rect%s x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"><title>",
	    classes[2 * is_peak + is_part], PITCH * i + (PITCH - BAR) / 2,
	    HEIGHT - height, BAR, height);
	measure->write(out, period);
	fputc(' ', out);
	periods_write_place(out, periods, i);
	if (is_part)
		fprintf(out, ", not the whole %s", periods->span->name);
	fputs("</title></rect>\n", out);
}

static void
draw_dates(FILE *out, const struct periods *periods)
{
	int begin = span_begin(periods->span, periods->first);
	int end = span_begin(periods->span, periods->first + periods->count);
	const struct span *span = label_span(begin, end);
	int first = span_number(span, begin - 1) + 1;
	int last = span_number(span, periods->last_day);
	int every = span_number(span, end - 1) - first < LABELS_NARROW ? 1 : 2;
	/* If every second month has a label, January is among them. */
	int from = span->months > 0 ? 0 : first;
	char text[LABEL_MAX];
	int i;

	for (i = first; i <= last; i++) {
		label_text(text, sizeof(text), span, span_begin(span, i));
		draw_date(out, periods, span_begin(span, i), text,
		    (i - from) % every == 0);
	}
}

static const struct span *
label_span(int begin, int end)
{
	static const struct span spans[] = { { .days = 1 }, { .days = 2 },
		{ .days = 7 }, { .days = 14 }, { .months = 1 }, { .months = 3 },
		{ .months = 6 }, { .months = 12 }, { .months = 24 },
		{ .months = 60 }, { .months = 120 }, { .months = 240 },
		{ .months = 600 }, { .months = 1200 }, { .months = 2400 },
		{ .months = 12000 }, { .months = 24000 } };
	const struct span *span = spans;

	while (span_number(span, end - 1) - span_number(span, begin - 1) >
	    LABELS_WIDE)
		span++;
	return span;
}

/* Draw a label to the right of its mark, or nothing if there is no room. */
static void
draw_date(FILE *out, const struct periods *periods, int day, const char *text,
    int narrow)
{
	double place = date_place(periods, day);
	double room = (1 - place) / (LETTER * (double)strlen(text));

	if (room * WIDE < 1)
		return;
	if (room * NARROW < 1)
		narrow = 0;
	fprintf(out,
	    "<svg x=\"%.1f%%\" y=\"100%%\"%s><path class=\"tick\" d=\"M0 0v7\"/>"
	    "<text x=\"4\" y=\"16\">%s</text></svg>\n",
	    100 * place, narrow ? "" : " class=\"w\"", text);
}

/* Where a date is, from 0 to 1 of the width; all months are equally wide. */
static double
date_place(const struct periods *periods, int day)
{
	const struct span *span = periods->span;
	int begin = span_begin(span, periods->first);

	if (span->months > 0)
		return (double)(span_number(span, day) - periods->first) /
		    periods->count;
	return (double)(day - begin) / (span->days * periods->count);
}

/* January is labelled with its year. */
static void
label_text(char *text, size_t size, const struct span *span, int day)
{
	struct tm tm = day_date(day);

	if (span->months == 0)
		snprintf(
		    text, size, "%d %.3s", tm.tm_mday, month_names[tm.tm_mon]);
	else if (tm.tm_mon == 0)
		snprintf(text, size, "%d", tm.tm_year + TM_YEAR_BASE);
	else
		snprintf(text, size, "%.3s", month_names[tm.tm_mon]);
}
