/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SCHEMA_H
#define SCHEMA_H

/* "TARP", the mark by which a database of tarpit-stats is recognized. */
#define SCHEMA_APPLICATION_ID 0x54415250
#define SCHEMA_VERSION	      1

/* The SQL statements that make an empty database. */
extern const char schema_create[];

#endif
