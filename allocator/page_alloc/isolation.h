/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isolation: pageblocks that are taken out of the allocator's hands: what is free in them can't be
 * allocated, what is freed stays free there. Contiguous ranges are made that way. Source of the
 * behaviour: mm/page_isolation.c of 6.12.
 */
#ifndef ISOLATION_H
#define ISOLATION_H

#include "page_alloc/page_alloc.h"

/*
 * Isolates the pageblocks around [start, end) of one zone; all of them have type mt (MT_CMA, or
 * anything else that is not CMA). 0; -EBUSY if something unmovable is in the way, or they are
 * isolated already: then nothing has changed.
 */
int isolate_range(struct op *op, pfn_t start, pfn_t end, enum migratetype mt);
/* Gives the isolated ones of them type mt. */
void unisolate_range(struct op *op, pfn_t start, pfn_t end, enum migratetype mt);
/* Is all of it free and isolated? start may be the head of a block that leads into the range. */
bool range_isolated(const struct op *op, pfn_t start, pfn_t end);
/* Head of the free block that covers pfn, or pfn (find_large_buddy). */
pfn_t free_block_head(const struct op *op, pfn_t pfn);
/* Takes a free block of an isolated pageblock off the lists (__isolate_free_page). Zone lock. */
void take_isolated(struct op *op, pfn_t pfn, unsigned order);

#endif
