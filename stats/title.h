/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TITLE_H
#define TITLE_H

#include <stdio.h>

#define TITLE_LEN_MAX 100 /* bytes */

/* What is wrong with a title, or NULL; any text of one line in UTF-8 is good.
 */
const char *title_problem(const char *);

/* A good title as the content of an element of HTML, and as a JSON string. */
void title_write_html(FILE *, const char *);
void title_write_json(FILE *, const char *);

#endif
