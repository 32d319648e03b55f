/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A hash table of indices into an array of keys, with linear probing.  The
 * array grows at its end, where pages that are not yet written cost nothing.
 * To grow the table, free it and fill a larger table from the array: at no time
 * do two tables take memory.
 */

#include <sys/random.h>

#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "set.h"

#define SLOTS_MIN    1024 /* a power of 2 */
#define KEYS_MIN     512
#define MULTIPLIER_1 UINT64_C(0x9e3779b97f4a7c15)
#define MULTIPLIER_2 UINT64_C(0xbf58476d1ce4e5b9)

static void make_room(struct set *, size_t);
static void grow_slots(struct set *);
static void grow_keys(struct set *);
static void add(struct set *, const struct key *, uint32_t *);
static uint32_t *next_slot(const struct set *, uint32_t *);
static uint32_t *first_slot(const struct set *, const struct key *);
static uint64_t hash(const struct set *, const struct key *);

void
set_add_many(struct set *set, const struct key *keys, size_t count)
{
	uint32_t *slots[SET_MANY];
	size_t i;

	make_room(set, count);
	for (i = 0; i < count; i++) {
		slots[i] = first_slot(set, &keys[i]);
		__builtin_prefetch(slots[i]);
	}
	for (i = 0; i < count; i++) {
		if (*slots[i] != 0)
			__builtin_prefetch(&set->keys[*slots[i] - 1]);
	}
	for (i = 0; i < count; i++)
		add(set, &keys[i], slots[i]);
}

/* Make room for count more keys; at least a quarter of the slots stay free. */
static void
make_room(struct set *set, size_t count)
{
	while (
	    set->slots == NULL || set->count + count > set->slot_mask / 4 * 3)
		grow_slots(set);
	while (set->count + count > set->room)
		grow_keys(set);
}

static void
grow_slots(struct set *set)
{
	size_t size = set->slots == NULL ? SLOTS_MIN : 2 * (set->slot_mask + 1);
	size_t i;

	if (set->slots == NULL &&
	    getrandom(&set->seed, sizeof(set->seed), 0) == -1)
		err(1, "getrandom");
	free(set->slots);
	if ((set->slots = calloc(size, sizeof(*set->slots))) == NULL)
		err(1, "%zu addresses or lines", set->count);
	set->slot_mask = size - 1;
	for (i = 0; i < set->count; i++) {
		uint32_t *slot = first_slot(set, &set->keys[i]);

		while (*slot != 0)
			slot = next_slot(set, slot);
		*slot = (uint32_t)i + 1;
	}
}

static void
grow_keys(struct set *set)
{
	if (set->room >= UINT32_MAX)
		errx(1, "more than %zu addresses or lines", set->count);
	set->room = set->room == 0 ? KEYS_MIN : set->room / 2 * 3;
	if (set->room > UINT32_MAX)
		set->room = UINT32_MAX;
	set->keys = reallocarray(set->keys, set->room, sizeof(*set->keys));
	if (set->keys == NULL)
		err(1, "%zu addresses or lines", set->count);
}

/* Add the key, unless it is in the set; slot is where the search begins. */
static void
add(struct set *set, const struct key *key, uint32_t *slot)
{
	while (*slot != 0) {
		if (memcmp(&set->keys[*slot - 1], key, sizeof(*key)) == 0)
			return;
		slot = next_slot(set, slot);
	}
	set->keys[set->count++] = *key;
	*slot = (uint32_t)set->count;
}

static uint32_t *
next_slot(const struct set *set, uint32_t *slot)
{
	return slot == &set->slots[set->slot_mask] ? set->slots : slot + 1;
}

static uint32_t *
first_slot(const struct set *set, const struct key *key)
{
	return &set->slots[(size_t)hash(set, key) & set->slot_mask];
}

/* The random seed keeps whoever chooses addresses from choosing slots. */
static uint64_t
hash(const struct set *set, const struct key *key)
{
	uint64_t half[2], h;

	memcpy(half, key, sizeof(half));
	h = (half[0] ^ set->seed) * MULTIPLIER_1;
	h = (h ^ (h >> 32) ^ half[1]) * MULTIPLIER_2;
	h = (h ^ (h >> 29)) * MULTIPLIER_1;
	return h ^ (h >> 32);
}
