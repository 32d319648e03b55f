/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How long holds last, as a survival curve in SVG.
 */

#include <stdint.h>
#include <stdio.h>

#include "page_curve.h"
#include "totals.h"
#include "write.h"

#define WIDTH	   2000 /* of the plot, in the units of its viewBox */
#define HEIGHT	   1000
#define BEGIN_MSEC INT64_C(1000)
#define AXIS_MIN   INT64_C(7200000) /* ms: the shortest axis */

/* A labelled time on the axis. */
struct mark {
	const char *label;
	int seconds;
	int wide;   /* the longest axis, in seconds, with room for the label */
	int narrow; /* the longest axis with room for it on a telephone */
};
#define ALWAYS 86400 /* no axis is longer */
#define NEVER  0

static const struct mark marks[] = {
	{ "1 s", 1, ALWAYS, ALWAYS },
	{ "2 s", 2, ALWAYS, NEVER },
	{ "5 s", 5, ALWAYS, NEVER },
	{ "10 s", 10, ALWAYS, ALWAYS },
	{ "30 s", 30, 7200, NEVER },
	{ "1 min", 60, ALWAYS, 7200 },
	{ "5 min", 300, ALWAYS, ALWAYS },
	{ "20 min", 1200, ALWAYS, NEVER },
	{ "1 h", 3600, ALWAYS, ALWAYS },
	{ "2 h", 7200, ALWAYS, NEVER },
	{ "4 h", 14400, ALWAYS, 14400 },
	{ "8 h", 28800, ALWAYS, NEVER },
	{ "24 h", 86400, ALWAYS, ALWAYS },
};
#define MARKS (sizeof(marks) / sizeof(marks[0]))

static int64_t axis_end(const struct totals *);
static void draw_line(FILE *, const struct totals *, int64_t);
static void draw_point(FILE *, const struct totals *, uint64_t, int, int64_t);
static void draw_shares(FILE *);
static void draw_times(FILE *, int64_t);
static void draw_time(FILE *, const struct mark *, int64_t);
static void draw_median(FILE *, const struct totals *, int64_t);
static int place(int64_t, int64_t);
static int log2_scaled(uint64_t);
static uint64_t held_after(const struct totals *, int64_t);

void
curve_draw(FILE *out, const struct totals *totals)
{
	int64_t end = axis_end(totals);

	fprintf(out,
	    "<svg class=\"curve\" viewBox=\"0 0 %d %d\""
	    " preserveAspectRatio=\"none\">\n<path class=\"area\" d=\"",
	    WIDTH, HEIGHT);
	draw_line(out, totals, end);
	fprintf(out,
	    "V%dH0Z\"/>\n<path class=\"edge\""
	    " vector-effect=\"non-scaling-stroke\" d=\"",
	    HEIGHT);
	draw_line(out, totals, end);
	fputs("\"/>\n</svg>\n", out);
	draw_shares(out);
	draw_times(out, end);
	if (totals->connections >= CURVE_MEDIAN_MIN)
		draw_median(out, totals, end);
}

/* The end of the axis, in ms: the first mark that no hold outlasts. */
static int64_t
axis_end(const struct totals *totals)
{
	int64_t end = 0;
	size_t i;

	for (i = 0; i < MARKS; i++) {
		end = marks[i].seconds * SECOND_MSEC;
		if (end >= AXIS_MIN && end >= totals->longest)
			break;
	}
	return end;
}

static void
draw_line(FILE *out, const struct totals *totals, int64_t end)
{
	uint64_t held = totals->connections -
	    lengths_within(totals, LENGTH_STEPS - 1);
	int drawn = LENGTH_STEPS - 1; /* the bin that the line has reached */
	int i;

	fputc('M', out);
	draw_point(out, totals, held, drawn, end);
	for (i = LENGTH_STEPS; i < LENGTH_BINS - 1; i++) {
		if (totals->lengths[i] == 0)
			continue;
		if (drawn < i - 1)
			draw_point(out, totals, held, i - 1, end);
		held -= totals->lengths[i];
		draw_point(out, totals, held, i, end);
		drawn = i;
	}
	/* The last bin has no end: its holds reach the end of the axis. */
	if (held > 0)
		draw_point(out, totals, held, LENGTH_BINS - 2, end);
}

/* A point of the line: the share that is still held at the end of a bin. */
static void
draw_point(
    FILE *out, const struct totals *totals, uint64_t held, int bin, int64_t end)
{
	double share = (double)held / (double)totals->connections;

	fprintf(out, "%s%d %d", bin == LENGTH_STEPS - 1 ? "" : "L",
	    place(length_end(bin), end), (int)(HEIGHT * (1 - share) + 0.5));
}

static void
draw_shares(FILE *out)
{
	int share;

	for (share = 0; share <= 100; share += 25)
		fprintf(out,
		    "<svg y=\"%d%%\"><line class=\"%s\" x2=\"100%%\"/>"
		    "<text class=\"y\" x=\"-8\" y=\"4\">%d%%</text></svg>\n",
		    100 - share, share == 0 ? "base" : "over", share);
}

static void
draw_times(FILE *out, int64_t end)
{
	size_t i;

	for (i = 0; i < MARKS; i++) {
		int64_t msec = marks[i].seconds * SECOND_MSEC;

		if (msec <= end && marks[i].wide * SECOND_MSEC >= end)
			draw_time(out, &marks[i], end);
	}
}

static void
draw_time(FILE *out, const struct mark *mark, int64_t end)
{
	int64_t msec = mark->seconds * SECOND_MSEC;
	const char *class = "x";

	if (msec == BEGIN_MSEC)
		class = "first";
	else if (msec == end)
		class = "last";
	fprintf(out,
	    "<svg x=\"%.1f%%\" y=\"100%%\"%s>"
	    "<path class=\"tick\" d=\"M0 0v5\"/>"
	    "<text class=\"%s\" y=\"18\">%s</text></svg>\n",
	    100.0 * place(msec, end) / WIDTH,
	    mark->narrow * SECOND_MSEC >= end ? "" : " class=\"w\"", class,
	    mark->label);
}

/* Put the label of the median on the side where there is room. */
static void
draw_median(FILE *out, const struct totals *totals, int64_t end)
{
	int64_t median = curve_median(totals);
	int x = place(median, end);
	int left = x > WIDTH / 2;

	if (median >= CURVE_END_MSEC)
		return;
	fprintf(out,
	    "<svg x=\"%.1f%%\" y=\"50%%\"><circle class=\"half\" r=\"5\"/>"
	    "<text class=\"%s\" x=\"%d\" y=\"%d\">half: ",
	    100.0 * x / WIDTH, left ? "in" : "out", left ? -12 : 12,
	    left ? 20 : -10);
	write_length(out, median);
	fputs("</text></svg>\n", out);
}

/* The place of a time on the axis, in units of the viewBox. */
static int
place(int64_t msec, int64_t end)
{
	int begin = log2_scaled((uint64_t)BEGIN_MSEC);

	if (msec < BEGIN_MSEC)
		return 0;
	return (int)((int64_t)(log2_scaled((uint64_t)msec) - begin) * WIDTH /
	    (log2_scaled((uint64_t)end) - begin));
}

/*
 * 65536 times the logarithm to base 2 of a number from 1 to 2^31, in whole
 * numbers, so that the same log gives the same page on every machine.
 */
static int
log2_scaled(uint64_t number)
{
	int whole = 0, scaled, i;

	while (number >> (whole + 1) > 0)
		whole++;
	/* As a number from 1 to 2, it has 31 bits of fraction, and each
	 * squaring yields a binary digit of the logarithm. */
	number <<= 31 - whole;
	scaled = whole;
	for (i = 0; i < 16; i++) {
		number = number * number >> 31;
		scaled *= 2;
		if (number >> 32 > 0) {
			number >>= 1;
			scaled++;
		}
	}
	return scaled;
}

int64_t
curve_median(const struct totals *totals)
{
	uint64_t half = (totals->connections + 1) / 2, within = 0;
	int64_t begin = 0, end, median;
	int i;

	for (i = 0; i < LENGTH_BINS - 1; i++) {
		end = length_end(i);
		if (within + totals->lengths[i] >= half)
			break;
		within += totals->lengths[i];
		begin = end;
	}
	if (i == LENGTH_BINS - 1)
		return CURVE_END_MSEC;
	median = begin +
	    (int64_t)((double)(end - begin) * (double)(half - within) /
		(double)totals->lengths[i]);
	return median < totals->longest ? median : totals->longest;
}

void
curve_describe(FILE *out, const struct totals *totals)
{
	size_t i;

	for (i = 0; i < MARKS; i++) {
		int64_t msec = marks[i].seconds * SECOND_MSEC;

		if (marks[i].narrow == NEVER || msec >= totals->longest)
			continue;
		write_share(out, held_after(totals, msec), totals->connections);
		fprintf(out, " after %s; ", marks[i].label);
	}
	fputs("none beyond ", out);
	write_length(out, totals->longest);
	fputs(".", out);
}

/* How many connections lasted longer than a time at which a bin ends. */
static uint64_t
held_after(const struct totals *totals, int64_t msec)
{
	int bin = 0;

	while (length_end(bin) < msec)
		bin++;
	return totals->connections - lengths_within(totals, bin);
}
