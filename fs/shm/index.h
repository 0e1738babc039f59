/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index: a sparse array of 64-bit values by 64-bit key, as a tree of 512-entry nodes like a page
 * table's. Its height follows the largest key, so small files take one node and a page at 8 EiB
 * takes six. 0 is "nothing there". A segment's pages and a directory's names are kept in one.
 * Under shm's lock.
 */
#ifndef SHM_INDEX_H
#define SHM_INDEX_H

#include <stdbool.h>
#include <stdint.h>

struct index {
	uint32_t root; /* node, 0: empty */
	uint32_t height;
};

uint64_t index_get(const struct index *x, uint64_t key);
/* value 0 takes the key out, and nodes that are empty then. 0; -ENOMEM (never for what has a node). */
int index_set(struct index *x, uint64_t key, uint64_t value);
/* The first key in from..to-1 whose value (0 included) satisfies is(); to if there is none. */
uint64_t index_next(const struct index *x, uint64_t from, uint64_t to, bool (*is)(uint64_t value));
/* Takes out all keys in from..to-1 and hands each value to gone. */
void index_drop(struct index *x, uint64_t from, uint64_t to,
		void (*gone)(void *ctx, uint64_t key, uint64_t value), void *ctx);

#endif
