/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CHECK_STATS_H
#define CHECK_STATS_H

#include "../../stats/state.h"
#include "../../stats/totals.h"

/* So few lines are remembered here, so that some are forgotten. */
#undef STATE_LINES_MAX
#undef STATE_LINES_MIN
#define STATE_LINES_MAX 8
#define STATE_LINES_MIN 6

/* One where days before 1970 and after 9999 begin. */
void set_time_zone(void);

/* The sums are those of the parts, and nothing is out of order. */
void check_totals(const struct totals *);

/* And each line that is remembered was counted, and not forgotten. */
void check_state(const struct state *);

/* Both have counted the same holds, in the same order. */
void check_same_totals(const struct totals *, const struct totals *);

/* Each report is text, without a number that is none or is negative. */
void check_reports(const struct totals *);

/* What state_write() writes, state_read() reads, and it is the same. */
void check_state_file(struct state *);

/* A file with that in it, to be read from its beginning. */
FILE *file_of(const void *, size_t);

void state_free(struct state *);

#endif
