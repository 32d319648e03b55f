/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Called by libFuzzer with each input, and by replay.c with each file. */
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Abort unless the condition is true, whatever the input. */
#define CHECK(truth) \
	do { \
		if (!(truth)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
			    __LINE__, #truth); \
			abort(); \
		} \
	} while (0)

#endif
