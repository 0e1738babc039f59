/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slowpath.c: what happens when the free lists said no: kswapd is woken, the reserves that the
 * request may touch are opened, and it fails with a report. Source of the behaviour:
 * mm/page_alloc.c of 6.12 (__alloc_pages_slowpath).
 *
 * There is no reclaim, compaction or OOM killer yet: direct reclaim makes no progress (and is
 * counted), so __GFP_NOFAIL fails here where Linux would go on for ever.
 */
#include "page_alloc/page_alloc.h"

static unsigned slow_flags(const struct context *c)
{
	gfp_t gfp = c->r->gfp;
	unsigned flags = WMARK_MIN | ALLOC_CPUSET;

	if (gfp & __GFP_HIGH)
		flags |= ALLOC_MIN_RESERVE;
	if (gfp & __GFP_KSWAPD_RECLAIM)
		flags |= ALLOC_KSWAPD;
	if (!(gfp & __GFP_DIRECT_RECLAIM)) {
		if (!(gfp & __GFP_NOMEMALLOC)) {
			flags |= ALLOC_NON_BLOCK;
			if (c->r->order && (flags & ALLOC_MIN_RESERVE))
				flags |= ALLOC_HIGHATOMIC;
		}
		if (flags & ALLOC_MIN_RESERVE)
			flags &= ~(unsigned)ALLOC_CPUSET;
	}
	return flags_cma(c, flags);
}

static unsigned reserve_flags(const struct context *c)
{
	if (c->r->gfp & __GFP_NOMEMALLOC)
		return 0;
	return (c->r->gfp & __GFP_MEMALLOC) || c->r->memalloc ? ALLOC_NO_WATERMARKS : 0;
}

static void wake_all_kswapds(struct context *c)
{
	const struct zoneref *e;
	uint32_t last = UINT32_MAX;

	for_each_usable_zone(c, e) {
		struct zone *z = zoneref_zone(c, e);

		if (z->node == last)
			continue;
		wake_kswapd(c->m, z, c->r->order, c->highest);
		last = z->node;
	}
}

/* The first high-atomic block with a free piece, of order o, back to type mt; true if moved. */
static bool unreserve_in(struct op *op, unsigned o, enum migratetype to)
{
	uint32_t rel = op->z->area[o].list[MT_HIGHATOMIC].first;
	pfn_t pfn = op->z->start_pfn + rel;
	enum migratetype mt;

	if (rel == LINK_NONE)
		return false;
	mt = block_type(op, pfn);
	if (mt == MT_HIGHATOMIC) {
		uint64_t size = o > PAGEBLOCK_ORDER ? 1ull << o : PAGEBLOCK_PAGES;

		op->z->reserved_highatomic -=
			size < op->z->reserved_highatomic ? size : op->z->reserved_highatomic;
	}
	if (o < PAGEBLOCK_ORDER)
		return block_move_free(op, pfn, mt, to) > 0;
	intent_set(op->z, rel, o);
	buddy_del(op, pfn, o, mt);
	account_free(op, -(1ll << o), mt);
	block_set_type_range(op, pfn, o, to);
	buddy_add(op, pfn, o, to, true);
	account_free(op, 1ll << o, to);
	return true;
}

bool unreserve_highatomic(struct context *c, bool force)
{
	const struct zoneref *e;

	for_each_usable_zone(c, e) {
		struct op op = op_make(c->m, zoneref_zone(c, e), c->r->cpu);
		bool moved = false;

		zone_lock(op.z);
		if (force || op.z->reserved_highatomic > PAGEBLOCK_PAGES)
			for (unsigned o = 0; o < NR_ORDERS && !moved; o++)
				moved = unreserve_in(&op, o, c->type);
		zone_unlock(op.z);
		if (moved)
			return true;
	}
	return false;
}

/* try_to_free_pages with nothing to free: two passes, counted. */
static void direct_reclaim(struct context *c)
{
	pr_count(c->m, c->r->cpu, EV_ALLOCSTALL_DMA + c->highest, 2);
}

/* After a round without progress: worth another one? (should_reclaim_retry) */
static bool should_retry(struct context *c, unsigned alloc_flags, int *rounds)
{
	enum { MAX_RECLAIM_RETRIES = 16 };
	const struct zoneref *e;

	if (++*rounds > MAX_RECLAIM_RETRIES)
		return unreserve_highatomic(c, true);
	for_each_usable_zone(c, e) {
		const struct zone *z = zoneref_zone(c, e);
		int64_t free = pr_zone_free_snapshot(c->m, z), reclaimable = free;

		/* zone_reclaimable_pages: a zone with nothing on its LRU counts its free pages */
		if (zone_watermark_ok_free(z, c->r->order, zone_mark(z, WMARK_MIN), c->highest,
					   alloc_flags, free + reclaimable))
			return true;
	}
	return unreserve_highatomic(c, true);
}

/* Costly orders give up at once unless they ask not to; compaction has nothing to offer yet. */
static bool gives_up(const struct context *c)
{
	gfp_t gfp = c->r->gfp;

	return (gfp & __GFP_NORETRY) ||
	       (c->r->order > COSTLY_ORDER && !(gfp & __GFP_RETRY_MAYFAIL));
}

/* The rounds of one request: attempt, reclaim, again while that may help. */
static pfn_t rounds(struct context *c, unsigned alloc_flags)
{
	unsigned reserve = reserve_flags(c);
	int without_progress = 0;
	pfn_t pfn;

	do {
		if (alloc_flags & ALLOC_KSWAPD)
			wake_all_kswapds(c);
		if (reserve)
			alloc_flags = flags_cma(c, reserve) | (alloc_flags & ALLOC_KSWAPD);
		if (!(alloc_flags & ALLOC_CPUSET) || reserve) {
			/* such a request is above its policy */
			context_set_nodemask(c, 0);
		}
		pfn = get_page(c, alloc_flags);
		if (pfn != PFN_NONE || !(c->r->gfp & __GFP_DIRECT_RECLAIM) || c->r->memalloc)
			return pfn;
		direct_reclaim(c);
		if (gives_up(c))
			return PFN_NONE;
	} while (should_retry(c, alloc_flags, &without_progress));
	return PFN_NONE;
}

pfn_t slowpath(struct context *c)
{
	unsigned alloc_flags = slow_flags(c);
	pfn_t pfn = PFN_NONE;

	context_set_nodemask(c, c->r->nodemask);
	if (!zoneref_end(c->preferred)) {
		if (alloc_flags & ALLOC_KSWAPD)
			wake_all_kswapds(c);
		pfn = get_page(c, alloc_flags);
		/* compaction would be skipped: then a costly NORETRY request is over already */
		if (pfn == PFN_NONE && !(c->r->order > COSTLY_ORDER &&
					 (c->r->gfp & __GFP_DIRECT_RECLAIM) &&
					 (c->r->gfp & __GFP_NORETRY)))
			pfn = rounds(c, alloc_flags);
		/* the last help for a request that must not fail (__alloc_pages_cpuset_fallback) */
		if (pfn == PFN_NONE && (c->r->gfp & __GFP_NOFAIL))
			pfn = get_page(c, ALLOC_MIN_RESERVE);
	}
	if (pfn == PFN_NONE) {
		pr_count(c->m, c->r->cpu, EV_ALLOC_FAIL, 1);
		report_failure(c);
	}
	return pfn;
}
