/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slowpath.c: what happens when the free lists said no: kswapd is woken, the reserves that the
 * request may touch are opened, compaction and reclaim are tried in turn while they may help, the
 * OOM killer is called, and at last it fails with a report. Source of the behaviour:
 * mm/page_alloc.c of 6.12 (__alloc_pages_slowpath).
 *
 * Different on purpose: where Linux would loop for ever (__GFP_NOFAIL and nothing left to free),
 * the request fails; there are no cpusets whose change would restart it.
 */
#include "reclaim/compaction.h"
#include "reclaim/direct.h"

#include <pagerig/trace.h>

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
		wake_kswapd(c->m, z, c->r->order, c->highest, c->r->gfp, c->r->cpu);
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

/* Where one request stands in its rounds. */
struct slow {
	struct context *c;
	unsigned alloc_flags;
	uint64_t progress; /* of the last reclaim */
	int no_progress;   /* rounds in a row without */
	enum compact_result compacted; /* what the last compaction said */
	enum compact_priority priority;
	int compact_retries;
};

static bool costly(const struct context *c)
{
	return c->r->order > COSTLY_ORDER;
}

/* Direct compaction at a priority, and another look (__alloc_pages_direct_compact). */
static pfn_t direct_compact(struct slow *s, enum compact_priority priority)
{
	struct context *c = s->c;
	struct zone *z;
	pfn_t pfn;

	if (!c->r->order)
		return PFN_NONE;
	s->compacted = try_to_compact(c, s->alloc_flags, priority, &pfn);
	if (s->compacted == COMPACT_SKIPPED)
		return PFN_NONE;
	pr_count(c->m, c->r->cpu, EV_COMPACT_STALL, 1);
	if (pfn != PFN_NONE)
		mark_used(c, pr_zone_of(c->m, pfn), pfn, c->r->order);
	else
		pfn = get_page(c, s->alloc_flags);
	if (pfn == PFN_NONE) {
		pr_count(c->m, c->r->cpu, EV_COMPACT_FAIL, 1);
		return PFN_NONE;
	}
	z = pr_zone_of(c->m, pfn);
	if (compact_begin(z)) {
		z->compact.blockskip_flush = false;
		compaction_defer_reset(c->m, z, (int)c->r->order, true, c->r->cpu);
		compact_end(z);
	}
	pr_count(c->m, c->r->cpu, EV_COMPACT_SUCCESS, 1);
	return pfn;
}

/* Direct reclaim, and another look; a second one without what the CPUs keep to themselves. */
static pfn_t direct_reclaim(struct slow *s)
{
	struct context *c = s->c;
	pfn_t pfn;

	s->progress = try_to_free_pages(c);
	if (!s->progress)
		return PFN_NONE;
	pfn = get_page(c, s->alloc_flags);
	if (pfn != PFN_NONE)
		return pfn;
	unreserve_highatomic(c, false);
	pr_drain_all(c->m, c->r->cpu);
	return get_page(c, s->alloc_flags);
}

/* Is another round of reclaim worth it? (should_reclaim_retry) */
static bool reclaim_again(struct slow *s)
{
	enum { MAX_RECLAIM_RETRIES = 16 };
	struct context *c = s->c;
	const struct zoneref *e;

	/* a costly order may be out of reach however much is freed */
	if (s->progress && !costly(c))
		s->no_progress = 0;
	else
		s->no_progress++;
	if (s->no_progress > MAX_RECLAIM_RETRIES)
		return unreserve_highatomic(c, true);
	for_each_usable_zone(c, e) {
		const struct zone *z = zoneref_zone(c, e);
		uint64_t reclaimable = zone_reclaimable_pages(c->m, z);
		int64_t free = pr_zone_free_snapshot(c->m, z) + (int64_t)reclaimable;
		bool ok = zone_watermark_ok_free(z, c->r->order, zone_mark(z, WMARK_MIN),
						 c->highest, s->alloc_flags, free);

		pr_trace(c->m, c->r->cpu, reclaim_retry_zone, .node = (int)z->node,
			 .zone_idx = z->type, .order = (int)c->r->order,
			 .reclaimable = reclaimable, .available = (uint64_t)free,
			 .min_wmark = zone_mark(z, WMARK_MIN),
			 .no_progress_loops = s->no_progress, .wmark_check = ok);
		if (ok)
			return true;
	}
	return unreserve_highatomic(c, true);
}

/* Could reclaim, within reason, give compaction its room in some zone? */
static bool compaction_could_run(const struct context *c)
{
	unsigned order = c->r->order;
	const struct zoneref *e;

	for_each_usable_zone(c, e) {
		const struct zone *z = zoneref_zone(c, e);
		int64_t free = (int64_t)(zone_reclaimable_pages(c->m, z) / order);

		free += pr_zone_free_snapshot(c->m, z);
		if (compaction_has_room(z, order, c->highest, free))
			return true;
	}
	return false;
}

/* Is another compaction worth it, at the same priority or a harder one? (should_compact_retry) */
static bool compact_judge(struct slow *s, int max, enum compact_priority hardest)
{
	if (s->compacted == COMPACT_SKIPPED)
		return compaction_could_run(s->c);
	/* it made a block, and someone else got it */
	if (s->compacted == COMPACT_SUCCESS && ++s->compact_retries <= max)
		return true;
	if (s->priority > hardest) {
		s->priority--;
		s->compact_retries = 0;
		return true;
	}
	return false;
}

static bool compact_again(struct slow *s)
{
	enum { MAX_COMPACT_RETRIES = 16, FAILED = 1, WITHDRAWN, PROGRESS };
	const struct context *c = s->c;
	int max = costly(c) ? MAX_COMPACT_RETRIES / 4 : MAX_COMPACT_RETRIES;
	int retries = s->compact_retries, priority = (int)s->priority;
	bool again;

	if (!c->r->order)
		return false;
	again = compact_judge(s, max, costly(c) ? COMPACT_PRIO_SYNC_LIGHT : COMPACT_PRIO_SYNC_FULL);
	pr_trace(c->m, c->r->cpu, compact_retry, .order = (int)c->r->order, .priority = priority,
		 .result = s->compacted == COMPACT_COMPLETE ? FAILED
			   : s->compacted == COMPACT_SUCCESS ? PROGRESS
							     : WITHDRAWN,
		 .retries = retries, .max_retries = max, .ret = again);
	return again;
}

/* The last look, and the OOM killer (__alloc_pages_may_oom); *again if it gave something up. */
static pfn_t may_oom(struct slow *s, bool *again)
{
	struct context *c = s->c;
	gfp_t gfp = c->r->gfp;
	pfn_t pfn = get_page(c, WMARK_HIGH | ALLOC_CPUSET);

	*again = false;
	if (pfn != PFN_NONE || costly(c) || (gfp & (__GFP_RETRY_MAYFAIL | __GFP_THISNODE)) ||
	    c->highest < ZONE_NORMAL || !c->m->host.oom)
		return pfn;
	*again = c->m->host.oom(c->m->host.ctx, c->r->order, gfp, c->nodemask);
	if (*again && (gfp & __GFP_NOFAIL))
		pfn = get_page(c, ALLOC_NO_WATERMARKS);
	return pfn;
}

/* Reserves that the request may use without bounds; such a request is above its policy. */
static void open_reserves(struct slow *s)
{
	unsigned reserve = reserve_flags(s->c);

	if (reserve)
		s->alloc_flags = flags_cma(s->c, reserve) | (s->alloc_flags & ALLOC_KSWAPD);
	if (!(s->alloc_flags & ALLOC_CPUSET) || reserve)
		context_set_nodemask(s->c, 0);
}

enum verdict { GOT_IT, GIVE_UP, AGAIN };

/* Whether the round that failed is the last one. */
static enum verdict judge(struct slow *s, pfn_t *pfn)
{
	gfp_t gfp = s->c->r->gfp;
	bool again;

	if (gfp & __GFP_NORETRY)
		return GIVE_UP;
	if (costly(s->c) && (!(gfp & __GFP_IO) || !(gfp & __GFP_RETRY_MAYFAIL)))
		return GIVE_UP;
	if (reclaim_again(s))
		return AGAIN;
	if (s->progress && (gfp & __GFP_IO) && compact_again(s))
		return AGAIN;
	*pfn = may_oom(s, &again);
	if (*pfn != PFN_NONE)
		return GOT_IT;
	if (again)
		s->no_progress = 0;
	return again ? AGAIN : GIVE_UP;
}

/* One round: look, reclaim, compact. */
static enum verdict one_round(struct slow *s, pfn_t *pfn)
{
	struct context *c = s->c;

	if (s->alloc_flags & ALLOC_KSWAPD)
		wake_all_kswapds(c);
	open_reserves(s);
	*pfn = get_page(c, s->alloc_flags);
	if (*pfn != PFN_NONE)
		return GOT_IT;
	if (!(c->r->gfp & __GFP_DIRECT_RECLAIM) || c->r->memalloc)
		return GIVE_UP;
	*pfn = direct_reclaim(s);
	if (*pfn == PFN_NONE)
		*pfn = direct_compact(s, s->priority);
	return *pfn != PFN_NONE ? GOT_IT : judge(s, pfn);
}

/*
 * Before any reclaim: compaction, not waiting for anything, where single frames are probably there
 * in plenty, or where it keeps kinds apart. false: the request is over.
 */
static bool compact_first(struct slow *s, pfn_t *pfn)
{
	const struct context *c = s->c;
	gfp_t gfp = c->r->gfp;

	if (!(gfp & __GFP_DIRECT_RECLAIM) || !(gfp & __GFP_IO) || reserve_flags(c) ||
	    !c->r->order || (!costly(c) && c->type == MT_MOVABLE))
		return true;
	*pfn = direct_compact(s, COMPACT_PRIO_ASYNC);
	if (*pfn != PFN_NONE || !costly(c) || !(gfp & __GFP_NORETRY))
		return true;
	s->priority = COMPACT_PRIO_ASYNC;
	return s->compacted != COMPACT_SKIPPED && s->compacted != COMPACT_DEFERRED &&
	       !(gfp & __GFP_THISNODE);
}

/* A request that can't wait and opens nothing would see in its round what it has just seen. */
static bool would_see_the_same(const struct slow *s)
{
	const struct context *c = s->c;

	return !c->tried && !c->nodemask && !reserve_flags(c) &&
	       !(c->r->gfp & (__GFP_DIRECT_RECLAIM | __GFP_NOFAIL));
}

/* For a request that must not fail, while reclaim gives something. */
static bool must_go_on(const struct slow *s)
{
	return (s->c->r->gfp & __GFP_NOFAIL) && (s->c->r->gfp & __GFP_DIRECT_RECLAIM) &&
	       !s->c->r->memalloc && s->progress;
}

/* Half of the reserve is open to such a request (__alloc_pages_cpuset_fallback). */
static enum verdict last_help(struct slow *s, pfn_t *pfn)
{
	*pfn = get_page(s->c, ALLOC_MIN_RESERVE | ALLOC_CPUSET);
	return *pfn != PFN_NONE ? GOT_IT : AGAIN;
}

static pfn_t attempts(struct context *c)
{
	enum { ENDLESS = 1000 }; /* rounds after which Linux would go on, and we do not */
	struct slow s = {.c = c, .alloc_flags = slow_flags(c), .compacted = COMPACT_SKIPPED,
			 .priority = COMPACT_PRIO_SYNC_LIGHT};
	enum verdict verdict = AGAIN;
	pfn_t pfn;

	if (s.alloc_flags & ALLOC_KSWAPD)
		wake_all_kswapds(c);
	pfn = get_page(c, s.alloc_flags);
	if (pfn != PFN_NONE || would_see_the_same(&s))
		return pfn;
	if (!compact_first(&s, &pfn))
		verdict = GIVE_UP;
	for (int i = 0; pfn == PFN_NONE && verdict == AGAIN && i < ENDLESS; i++) {
		verdict = one_round(&s, &pfn);
		if (pfn == PFN_NONE && verdict == GIVE_UP && must_go_on(&s))
			verdict = last_help(&s, &pfn);
	}
	if (pfn == PFN_NONE && (c->r->gfp & __GFP_NOFAIL))
		last_help(&s, &pfn);
	return pfn;
}

pfn_t slowpath(struct context *c)
{
	pfn_t pfn = PFN_NONE;

	context_set_nodemask(c, c->r->nodemask);
	if (!zoneref_end(c->preferred))
		pfn = attempts(c);
	if (pfn == PFN_NONE) {
		if (c->m->host.report && !(c->r->gfp & __GFP_NOWARN))
			report_failure(c);
	}
	return pfn;
}
