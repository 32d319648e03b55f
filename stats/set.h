/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SET_H
#define SET_H

#include <stddef.h>
#include <stdint.h>

/*
 * A set of keys of 16 bytes, in the order in which they came, for millions of
 * them: 16 bytes each, and at most 11 more for finding it.  All zero is an
 * empty set.
 */
struct key {
	unsigned char byte[16];
};

struct set {
	struct key *keys; /* count of them, each once */
	size_t count;
	size_t room;
	uint32_t *slots; /* 1 + index of a key; 0 is free */
	size_t slot_mask;
	uint64_t seed;
};

/*
 * Add so many keys, at most SET_MANY, those that are not there yet.  The memory
 * for all of them is fetched at the same time, which is several times as fast
 * as one by one.  Ends the program with a message when there is no memory, or
 * at 2^32 - 1 keys.
 */
#define SET_MANY 64
void set_add_many(struct set *, const struct key *, size_t);

#endif
