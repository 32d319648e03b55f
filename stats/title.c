/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The title that an operator gives the page, in any script.
 */

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "title.h"

static size_t character_len(const unsigned char *);

const char *
title_problem(const char *title)
{
	const unsigned char *p = (const unsigned char *)title;
	size_t len;

	if (*title == '\0')
		return "too short (1 to 100 bytes)";
	if (strlen(title) > TITLE_LEN_MAX)
		return "too long (1 to 100 bytes)";
	for (; *p != '\0'; p += len) {
		if ((len = character_len(p)) == 0)
			return "not a line of UTF-8";
	}
	return NULL;
}

/*
 * How many bytes a character has in UTF-8 (RFC 3629, 4); 0 for a control
 * character, and for bytes that are not UTF-8.
 */
static size_t
character_len(const unsigned char *p)
{
	static const struct {
		unsigned char first_min, first_max, second_min, second_max;
		size_t len;
	} forms[] = {
		{ 0xc2, 0xc2, 0xa0, 0xbf, 2 }, /* U+80 to U+9f are controls */
		{ 0xc3, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t i, at;

	if (*p < 0x80)
		return *p >= ' ' && *p != 0x7f;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (*p >= forms[i].first_min && *p <= forms[i].first_max)
			break;
	}
	if (i == sizeof(forms) / sizeof(forms[0]) ||
	    p[1] < forms[i].second_min || p[1] > forms[i].second_max)
		return 0;
	for (at = 2; at < forms[i].len; at++) {
		if (p[at] < 0x80 || p[at] > 0xbf)
			return 0;
	}
	return forms[i].len;
}

void
title_write_html(FILE *out, const char *title)
{
	for (; *title != '\0'; title++) {
		if (strchr("&<>\"'", *title) == NULL)
			fputc(*title, out);
		else
			fprintf(out, "&#%d;", *title);
	}
}

void
title_write_json(FILE *out, const char *title)
{
	fputc('"', out);
	for (; *title != '\0'; title++) {
		if (strchr("\"\\", *title) != NULL)
			fputc('\\', out);
		fputc(*title, out);
	}
	fputc('"', out);
}
