/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VERSION_H
#define VERSION_H

/* The version of the release, its programs and its Debian package. */
#define VERSION "0.1"

#endif
