/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compact_run.h: one run of compaction over one zone, and the scanners it is made of. */
#ifndef COMPACT_RUN_H
#define COMPACT_RUN_H

#include "reclaim/compaction.h"
#include "reclaim/migrate.h"

enum { COMPACT_CLUSTER = 32 }; /* COMPACT_CLUSTER_MAX: so many are isolated at a time */

struct compact_run {
	struct op op;
	unsigned cpu;
	int order; /* wanted; -1: all of the zone shall be compact */
	enum migratetype type;
	gfp_t gfp;
	unsigned alloc_flags;
	enum zone_type highest;
	enum migrate_mode mode;
	bool direct, proactive, whole_zone, ignore_skip, no_set_skip, ignore_block_type;
	bool contig;	       /* a contiguous range is being emptied */
	bool finish_pageblock; /* go on to its end, however much was isolated */

	struct block_list isolated;    /* to be moved */
	struct list free[NR_ORDERS];   /* frames to move to */
	uint64_t nr_isolated, nr_free; /* pages */
	pfn_t migrate_pfn, free_pfn;   /* the scanners */
	pfn_t fast_start_pfn; /* where linear scanning starts after fast finds; PFN_NONE: spent */
	unsigned fast_search_fail;
	int search_order;
	uint64_t migrate_scanned, free_scanned;
};

static inline pfn_t pageblock_start(pfn_t pfn)
{
	return pfn & ~(pfn_t)(PAGEBLOCK_PAGES - 1);
}
static inline pfn_t pageblock_end(pfn_t pfn)
{
	return pageblock_start(pfn) + PAGEBLOCK_PAGES;
}
static inline pfn_t zone_end(const struct zone *z)
{
	return z->start_pfn + z->spanned;
}
static inline pfn_t max_pfn(pfn_t a, pfn_t b)
{
	return a > b ? a : b;
}
static inline pfn_t min_pfn(pfn_t a, pfn_t b)
{
	return a < b ? a : b;
}
/* Is there memory of the zone at this frame? */
static inline bool run_present(const struct compact_run *r, pfn_t pfn)
{
	return zone_spans(r->op.z, pfn) && !pr_block_absent(r->op.m, r->op.z, pfn);
}
/* And of all of the pageblock that starts there (pageblock_pfn_to_page)? */
static inline bool run_whole(const struct compact_run *r, pfn_t pfn)
{
	return zone_spans(r->op.z, pfn) &&
	       !(pr_block(r->op.m, r->op.z, pfn)->flags & (BLOCK_ABSENT | BLOCK_CUT));
}
static inline bool run_skip(const struct compact_run *r, pfn_t pfn)
{
	return pr_block_skip(r->op.m, r->op.z, pfn);
}
static inline void run_set_skip(const struct compact_run *r, pfn_t pfn)
{
	pr_set_block_skip(r->op.m, r->op.z, pfn, true);
}
/* Blocks that the fast searches look at; less after each that failed. */
static inline unsigned run_scan_limit(const struct compact_run *r)
{
	return (r->fast_search_fail < 6 ? COMPACT_CLUSTER >> r->fast_search_fail : 0) + 1;
}
/* Does a block in use of >= pageblock order begin or lie here? Such a one is never worth moving. */
bool run_huge_block(const struct compact_run *r, pfn_t pfn);
/* Is this pageblock one to move things to? */
bool run_target_ok(const struct compact_run *r, pfn_t pfn);

/* --- compact_migrate.c: the migrate scanner --- */
/* Isolates in [pfn, end) of one pageblock; 0, or -EAGAIN if the run shall stop. */
int isolate_migrate_block(struct compact_run *r, pfn_t pfn, pfn_t end);
/* From the scanner on: isolates in the first block that has something. */
int isolate_migrate(struct compact_run *r);

/* --- compact_free.c: the free scanner --- */
/* Takes a free block off the lists, if the watermark lets it (__isolate_free_page). Zone lock. */
bool isolate_free(struct op *op, pfn_t pfn, unsigned order);
/*
 * Isolates free blocks from *start to end, within a pageblock; *start is where it stopped. strict:
 * all of it must be free. Pages isolated; 0 for a strict failure.
 */
uint64_t isolate_free_block(struct compact_run *r, pfn_t *start, pfn_t end, unsigned stride,
			    bool strict);
/* Fills the lists of free frames, up to what was isolated. */
void isolate_free_pages(struct compact_run *r);
/* Frees what is left on them; the highest frame, or 0. */
pfn_t release_free(struct compact_run *r);

/* --- compact_fast.c: looking in the free lists instead of scanning --- */
void fast_isolate_free(struct compact_run *r);
pfn_t fast_find_migrate_block(struct compact_run *r);

#endif
