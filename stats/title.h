/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TITLE_H
#define TITLE_H

#include <stdio.h>

#define TITLE_LEN_MAX 100 /* bytes */

/*
 * Returns what is wrong with a title, or NULL if nothing is: a title is one
 * line of UTF-8 with at most TITLE_LEN_MAX bytes.
 */
const char *title_problem(const char *);

/* Write a sound title as the content of an HTML element, or a JSON string. */
void title_write_html(FILE *, const char *);
void title_write_json(FILE *, const char *);

#endif
