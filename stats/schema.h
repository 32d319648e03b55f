/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEMA_H
#define SCHEMA_H

/* What tells a database of tarpit-stats from any other: "TARP". */
#define SCHEMA_APPLICATION_ID 0x54415250
#define SCHEMA_VERSION	      1

/* The statements that make a database with nothing in it. */
extern const char schema_create[];

#endif
