/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SET_H
#define SET_H

#include <stddef.h>
#include <stdint.h>

/*
 * A set of millions of keys of 16 bytes, kept in the order in which they came.
 * A key takes 16 bytes, and at most 11 more for finding it.  A set that is all
 * zero is empty.
 */
struct key {
	unsigned char byte[16];
};

struct set {
	struct key *keys; /* each key once */
	size_t count;
	size_t room;
	uint32_t *slots; /* 1 + index of a key; 0 is free */
	size_t slot_mask;
	uint64_t seed;
};

/*
 * Add count keys, at most SET_MANY, except keys that the set already has.  The
 * processor fetches the memory for all these keys at the same time, which is
 * several times as fast as adding one key after another.  Ends the program with
 * a message when there is no memory, or at 2^32 - 1 keys.
 */
#define SET_MANY 64
void set_add_many(struct set *, const struct key *, size_t count);

#endif
