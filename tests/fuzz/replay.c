/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * usage: replay file ...
 *
 * Run a fuzzer's target without libFuzzer: with each file once, and with an
 * empty input.
 */

#include <err.h>
#include <unistd.h>

#include "fuzz.h"

#define SECONDS 10 /* a file that takes longer is a hang */

static void replay(const char *);
static void run(const uint8_t *, size_t);

int
main(int argc, char *argv[])
{
	int i;

	run(NULL, 0);
	for (i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%d inputs\n", argc);
	return 0;
}

static void
replay(const char *path)
{
	uint8_t *data;
	FILE *file;
	long size;

	if ((file = fopen(path, "rb")) == NULL ||
	    fseek(file, 0, SEEK_END) == -1 || (size = ftell(file)) == -1)
		err(1, "%s", path);
	rewind(file);
	/* Memory of the exact size shows AddressSanitizer where it ends. */
	if ((data = malloc((size_t)size)) == NULL ||
	    fread(data, 1, (size_t)size, file) != (size_t)size)
		err(1, "%s", path);
	fclose(file);
	run(data, (size_t)size);
	free(data);
}

static void
run(const uint8_t *data, size_t size)
{
	alarm(SECONDS);
	LLVMFuzzerTestOneInput(data, size);
	alarm(0);
}
