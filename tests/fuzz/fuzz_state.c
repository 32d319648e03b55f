/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A state file to state_read(): as it is, and with the right checksum at its
 * end, so that what is before it matters.  Whatever is accepted can be
 * reported, and be written and read again.
 */

#include <inttypes.h>
#include <string.h>

#include "check_stats.h"
#include "fuzz.h"

#define CHECKSUM_LEN (sizeof("checksum 0123456789abcdef\n") - 1)

static const char *try_file(char *, size_t);
static char *with_checksum(const uint8_t *, size_t);
static uint64_t sum_of(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *problem;
	char *file;

	set_time_zone();
	file = with_checksum(data, size);
	problem = try_file(file, size);
	if (problem != NULL && strcmp(problem, "is damaged") == 0)
		try_file(file, size + CHECKSUM_LEN);
	free(file);
	return 0;
}

static const char *
try_file(char *data, size_t size)
{
	struct state state;
	const char *problem;
	FILE *file = file_of(data, size);

	state_init(&state);
	if ((problem = state_read(&state, file)) == NULL) {
		check_state(&state);
		check_reports(&state.totals);
		check_state_file(&state);
	}
	fclose(file);
	state_free(&state);
	return problem;
}

static char *
with_checksum(const uint8_t *data, size_t size)
{
	char *file = malloc(size + CHECKSUM_LEN + 1);

	CHECK(file != NULL);
	if (size > 0)
		memcpy(file, data, size);
	snprintf(file + size, CHECKSUM_LEN + 1, "checksum %016" PRIx64 "\n",
	    sum_of(data, size));
	return file;
}

/* FNV-1a, as the state file's description says. */
static uint64_t
sum_of(const uint8_t *data, size_t size)
{
	uint64_t sum = UINT64_C(14695981039346656037);

	for (; size > 0; size--) {
		sum ^= *data++;
		sum *= UINT64_C(1099511628211);
	}
	return sum;
}
