/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAP_H
#define CAP_H

/* The longest that a hold may last, in seconds: -t of tarpit and tarpit-mx. */
#define CAP_MIN	    1
#define CAP_MAX	    86400
#define CAP_DEFAULT 1800

#endif
