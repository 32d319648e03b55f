/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAP_H
#define CAP_H

/* The cap of one hold, in seconds: tarpit's option, and tarpit-mx's. */
#define CAP_MIN	    1
#define CAP_MAX	    86400
#define CAP_DEFAULT 1800

#endif
