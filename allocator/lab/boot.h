/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: pages that are in use since the machine began, for a trace that frees what it did not
 * allocate. The frame of the trace's number if it is one of them; else the next one of its zone,
 * in pageblocks of the same type first; else of another zone. Each search goes on where the last
 * one ended, so a whole trace walks over a zone a few times at most.
 */
#ifndef LAB_BOOT_H
#define LAB_BOOT_H

#include <pagerig/alloc.h>

enum { BOOT_TYPES = NR_PCP_TYPES + 1 }; /* the last: all other types */

struct boot_zone {
	int64_t left; /* pages that may still be in use since the start */
	pfn_t next[BOOT_TYPES][NR_ORDERS];
};
struct boot {
	struct pr_machine *m;
	struct boot_zone *zone; /* of each zone */
};

/* 0 or -ENOMEM. */
int boot_init(struct boot *b, struct pr_machine *m);
void boot_exit(struct boot *b);
/*
 * Frees 2^order pages for the trace's `frame` (a multiple of them), by CPU cpu: as one block if
 * there is one, else in smaller ones. Returns how many pages that were.
 */
uint64_t boot_free(struct boot *b, uint64_t frame, unsigned order, unsigned cpu);

#endif
