/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAGE_STYLE_H
#define PAGE_STYLE_H

#include <stdio.h>

/* How the page looks, in CSS. */
void style_write(FILE *);

#endif
