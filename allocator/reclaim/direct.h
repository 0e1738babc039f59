/* SPDX-License-Identifier: GPL-2.0-or-later */
/* direct.h: what the slow path asks of reclaim. */
#ifndef RECLAIM_DIRECT_H
#define RECLAIM_DIRECT_H

#include "page_alloc/page_alloc.h"

/*
 * Direct reclaim for a request: pages freed; 1 also if it stopped because compaction can do it now;
 * 0 without progress. mm/vmscan.c: try_to_free_pages.
 */
uint64_t try_to_free_pages(struct context *c);
/* Pages of a zone that reclaim could free at best (zone_reclaimable_pages). */
uint64_t zone_reclaimable_pages(const struct pr_machine *m, const struct zone *z);

#endif
