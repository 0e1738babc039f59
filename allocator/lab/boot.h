/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: pages that are in use since the machine began, for a trace that frees what it did not
 * allocate. What such pages were used for is not known, but where they lay is: each pageblock of
 * the trace gets one of ours, of the type that the trace's other events give away, and keeps it,
 * so that frames that were neighbours there are neighbours here and merge as they did.
 */
#ifndef LAB_BOOT_H
#define LAB_BOOT_H

#include <pagerig/alloc.h>

enum { BOOT_TYPES = NR_PCP_TYPES + 1 }; /* the last: all other types */

struct boot_zone {
	int64_t left; /* pages that may still be in use since the start */
	/* where the search for a block of an order, or for a whole pageblock, goes on */
	pfn_t next[BOOT_TYPES][NR_ORDERS], next_block[BOOT_TYPES];
};

/* A pageblock of the trace. */
struct boot_block {
	uint64_t key; /* its number + 1; 0: an empty slot */
	pfn_t ours;   /* the pageblock that stands for it, or PFN_NONE */
	uint8_t type; /* as far as the trace has told */
};

struct boot {
	struct pr_machine *m;
	struct boot_zone *zone; /* of each zone */
	struct boot_block *block;
	uint64_t nr_blocks, mask;
};

/* 0 or -ENOMEM. */
int boot_init(struct boot *b, struct pr_machine *m);
void boot_exit(struct boot *b);
/* The trace says that a frame's pageblock has that type (TRACE_NO_TYPE: it does not know). */
void boot_learn(struct boot *b, uint64_t frame, unsigned type);
/*
 * Frees 2^order pages for the trace's `frame` (a multiple of them), by CPU cpu: as one block if
 * there is one, else in smaller ones. Returns how many pages that were.
 */
uint64_t boot_free(struct boot *b, uint64_t frame, unsigned order, unsigned cpu);

#endif
