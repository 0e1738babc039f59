/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages: the content of one segment: for each touched page a frame of the machine and a slot of
 * host memory. All calls under shm's lock; rig.lock is taken inside, for the allocator alone.
 */
#ifndef SHM_PAGES_H
#define SHM_PAGES_H

#include "rig.h"

struct leaf;
struct pages {
	struct leaf **bucket; /* NULL until the first page */
	uint64_t resident;
	uint32_t owner; /* mark in the frames */
};

/* Host memory for data: limit bytes at most, taken as it is used. 0 or -errno. */
int pages_init(uint64_t limit);
void pages_exit(void);
/* Page i's bytes, or NULL for a hole. */
void *page_at(struct pages *p, uint64_t i);
/* The same, with a zeroed frame for a hole; NULL: no memory. *fresh (may be NULL): it was a hole. */
void *page_get(struct pages *p, uint64_t i, bool *fresh);
/* Gives pages from..to-1 back. */
void pages_drop(struct pages *p, uint64_t from, uint64_t to);
/* First page at or behind i that is (or is not) there; to if there is none before it. */
uint64_t pages_next(struct pages *p, uint64_t i, uint64_t to, bool present);

#endif
