/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VERSION_H
#define VERSION_H

/* Of all programs, of their package and of the release. */
#define VERSION "0.1"

#endif
