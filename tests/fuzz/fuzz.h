/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What libFuzzer calls with each input, and replay.c with each file. */
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What must be so, whatever the input is. */
#define CHECK(truth) \
	do { \
		if (!(truth)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
			    __LINE__, #truth); \
			abort(); \
		} \
	} while (0)

#endif
