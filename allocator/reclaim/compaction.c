/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compaction.c: a run over a zone, and which zones are compacted when. See compaction.h. */
#include "reclaim/compact_run.h"

#include <errno.h>
#include <pagerig/compact.h>
#include <pagerig/trace.h>
#include <sched.h>

enum { HUGE_ORDER = PAGEBLOCK_ORDER }; /* COMPACTION_HPAGE_ORDER */

/* Is a block there that the request would get, be it by claiming another type's? */
static bool block_for(const struct compact_run *r)
{
	const uint16_t *mask = r->op.z->mask;
	unsigned own = load(&mask[r->type]), others = 0, least = (unsigned)r->order;

	if (r->type == MT_MOVABLE)
		own |= load(&mask[MT_CMA]);
	/* movable requests claim large pieces only */
	if (r->type == MT_MOVABLE && !r->op.m->arena->mobility_disabled &&
	    least < PAGEBLOCK_ORDER / 2)
		least = PAGEBLOCK_ORDER / 2;
	for (unsigned t = 0; t < NR_PCP_TYPES; t++)
		others |= load(&mask[t]);
	return own >> r->order || others >> least;
}

static enum compact_result scanners_met(struct compact_run *r)
{
	struct zone *z = r->op.z;

	z->compact.migrate_pfn[0] = z->compact.migrate_pfn[1] = z->start_pfn;
	z->compact.free_pfn = pageblock_start(zone_end(z) - 1);
	/* only a request for memory says that the skip bits led nowhere */
	if (r->direct)
		z->compact.blockskip_flush = true;
	return r->whole_zone ? COMPACT_COMPLETE : COMPACT_PARTIAL_SKIPPED;
}

static enum compact_result judge(struct compact_run *r)
{
	if (r->free_pfn >> PAGEBLOCK_ORDER <= r->migrate_pfn >> PAGEBLOCK_ORDER)
		return scanners_met(r);
	if (r->proactive) {
		unsigned low = proactive_mark(r->op.m, true);

		return pr_extfrag_for_order(r->op.z, HUGE_ORDER) > low ? COMPACT_CONTINUE
								       : COMPACT_SUCCESS;
	}
	/* a pageblock is finished, so that nothing has to be claimed from it soon */
	if (r->order < 0 || r->migrate_pfn != pageblock_start(r->migrate_pfn))
		return COMPACT_CONTINUE;
	return block_for(r) ? COMPACT_SUCCESS : COMPACT_NO_SUITABLE_PAGE;
}

static enum compact_result finished(struct compact_run *r)
{
	enum compact_result result = judge(r);

	pr_trace(r->op.m, r->cpu, mm_compaction_finished, .nid = (int)r->op.z->node,
		 .idx = (int)r->op.z->type, .order = r->order, .ret = (int)result);
	return result == COMPACT_NO_SUITABLE_PAGE ? COMPACT_CONTINUE : result;
}

static bool outside(const struct zone *z, pfn_t pfn)
{
	return !zone_spans(z, pfn);
}

static void set_scanners(struct compact_run *r)
{
	struct zone *z = r->op.z;
	struct compact_memory *c = &z->compact;

	r->fast_start_pfn = 0;
	r->free_pfn = pageblock_start(zone_end(z) - 1);
	r->migrate_pfn = z->start_pfn;
	if (r->whole_zone)
		return;
	if (outside(z, c->free_pfn))
		c->free_pfn = r->free_pfn;
	if (outside(z, c->migrate_pfn[r->mode != MIGRATE_ASYNC]))
		c->migrate_pfn[0] = c->migrate_pfn[1] = r->migrate_pfn;
	r->free_pfn = c->free_pfn;
	r->migrate_pfn = c->migrate_pfn[r->mode != MIGRATE_ASYNC];
	if (r->migrate_pfn <= c->init_migrate_pfn)
		r->whole_zone = true;
}

static void mark_isolated(const struct compact_run *r, pfn_t pfn, unsigned order)
{
	struct page *page = pr_page(r->op.m, r->op.z, pfn);

	page->owner = 0;
	store(&page->info, page_info(PAGE_USED, order, PAGE_ISOLATED, 0));
}

/* A frame to move to: the first of the smallest isolated block that is large enough. */
static pfn_t get_target(void *ctx, unsigned order)
{
	struct compact_run *r = ctx;
	unsigned have;
	pfn_t pfn;

	for (int again = 0;; again = 1) {
		for (have = order; have < NR_ORDERS && !r->free[have].nr; have++)
			;
		if (have < NR_ORDERS)
			break;
		if (again)
			return PFN_NONE;
		isolate_free_pages(r);
	}
	pfn = r->op.z->start_pfn + r->free[have].first;
	list_remove(r->op.m, r->op.z, &r->free[have], r->free[have].first, have, true);
	while (have > order) {
		have--;
		mark_isolated(r, pfn + (1ull << have), have);
		list_push(r->op.m, r->op.z, &r->free[have], rel_of(r->op.z, pfn) + (1u << have),
			  have, true, false);
	}
	mark_isolated(r, pfn, order);
	r->nr_free -= 1ull << order;
	r->nr_isolated -= 1ull << order;
	return pfn;
}

static void put_target(void *ctx, pfn_t pfn, unsigned order)
{
	struct compact_run *r = ctx;

	mark_isolated(r, pfn, order);
	list_push(r->op.m, r->op.z, &r->free[order], rel_of(r->op.z, pfn), order, true, false);
	r->nr_free += 1ull << order;
	r->nr_isolated += 1ull << order;
}

/* Drops what the CPU keeps to itself: freed pieces meet and merge (lru_add_drain_cpu_zone). */
static void drain_zone(struct compact_run *r)
{
	pr_lru_drain(r->op.m, r->cpu);
	pcp_lock(r->op.pcp);
	pcp_drain(&r->op);
	pcp_unlock(r->op.pcp);
}

static bool migrate_isolated(struct compact_run *r, int *err)
{
	const struct migration g = {.m = r->op.m,
				    .z = r->op.z,
				    .cpu = r->cpu,
				    .mode = r->mode,
				    .get_new = get_target,
				    .put_new = put_target,
				    .ctx = r};

	uint64_t pages = r->nr_isolated, moved = 0;

	*err = migrate_blocks(&g, &r->isolated, &moved);
	pr_trace(r->op.m, r->cpu, mm_compaction_migratepages, .nr_migrated = moved,
		 .nr_failed = pages - moved);
	r->nr_isolated = 0;
	if (*err)
		putback_blocks(g.m, g.cpu, &r->isolated);
	return !*err;
}

/* What a round of the loop leaves behind for the next. */
struct rounds {
	pfn_t last_migrated; /* pageblock that was moved from last; 0: flushed */
	bool same_starts;    /* nothing to isolate yet: both cached starts move on together */
};

enum round { ROUND_NEXT, ROUND_CONTENDED, ROUND_CAPTURED };

/* Isolate, move; once more with all of the pageblock if something in it would not move. */
static enum round one_round(struct compact_run *r, struct rounds *k)
{
	struct compact_memory *c = &r->op.z->compact;
	int err = 0;

	r->finish_pageblock = pageblock_start(k->last_migrated) == pageblock_start(r->migrate_pfn);
	for (;;) {
		if (isolate_migrate(r))
			return ROUND_CONTENDED;
		if (!r->nr_isolated) {
			if (k->same_starts)
				c->migrate_pfn[1] = c->migrate_pfn[0];
			return ROUND_NEXT;
		}
		k->same_starts = false;
		k->last_migrated = max_pfn(r->op.z->start_pfn, pageblock_start(r->migrate_pfn - 1));
		if (migrate_isolated(r, &err))
			break;
		if (err == -ENOMEM &&
		    r->free_pfn >> PAGEBLOCK_ORDER > r->migrate_pfn >> PAGEBLOCK_ORDER)
			return ROUND_CONTENDED;
		if (r->migrate_pfn == pageblock_start(r->migrate_pfn) || r->ignore_skip ||
		    r->finish_pageblock || r->mode == MIGRATE_SYNC)
			break;
		r->finish_pageblock = true;
		/* the pageblock will not be free: draining would not help a huge page */
		if (r->order == HUGE_ORDER)
			k->last_migrated = 0;
	}
	return buddy_capture && buddy_capture->pfn != PFN_NONE ? ROUND_CAPTURED : ROUND_NEXT;
}

/* Has the scanner left the aligned block that it moved from last? Then let its pieces merge. */
static void flush_passed(struct compact_run *r, struct rounds *k)
{
	if (r->order <= 0 || !k->last_migrated ||
	    k->last_migrated >= (r->migrate_pfn & ~((1ull << r->order) - 1)))
		return;
	drain_zone(r);
	k->last_migrated = 0;
}

static enum compact_result run_loop(struct compact_run *r)
{
	struct compact_memory *c = &r->op.z->compact;
	struct rounds k = {.same_starts = r->mode == MIGRATE_ASYNC &&
					  c->migrate_pfn[0] == c->migrate_pfn[1]};
	enum compact_result result;

	while ((result = finished(r)) == COMPACT_CONTINUE) {
		enum round round = one_round(r, &k);

		if (round == ROUND_CONTENDED)
			return COMPACT_CONTENDED;
		if (round == ROUND_CAPTURED)
			return COMPACT_SUCCESS;
		flush_passed(r, &k);
	}
	return result;
}

/* After many failures and as many runs left out: forget what was learned. */
static bool restarting(const struct compact_run *r)
{
	const struct compact_memory *c = &r->op.z->compact;

	return r->order >= c->order_failed && c->defer_shift == COMPACT_MAX_DEFER_SHIFT &&
	       c->considered >= 1u << c->defer_shift;
}

static enum compact_result compact_zone(struct compact_run *r)
{
	struct compact_memory *c = &r->op.z->compact;
	enum compact_result result;

	r->migrate_scanned = r->free_scanned = r->nr_isolated = r->nr_free = 0;
	r->isolated.nr = 0;
	for (unsigned o = 0; o < NR_ORDERS; o++)
		list_init(&r->free[o]);
	if (r->order >= 0) {
		result = compaction_worth(r->op.m, r->cpu, r->op.z, (unsigned)r->order, r->highest,
					  r->alloc_flags);
		if (result != COMPACT_CONTINUE)
			return result;
	}
	if (restarting(r))
		compaction_reset_zone(r->op.m, r->op.z);
	set_scanners(r);
	pr_trace(r->op.m, r->cpu, mm_compaction_begin, .zone_start = r->op.z->start_pfn,
		 .migrate_pfn = r->migrate_pfn, .free_pfn = r->free_pfn,
		 .zone_end = zone_end(r->op.z), .sync = r->mode != MIGRATE_ASYNC);
	pr_lru_drain(r->op.m, r->cpu);
	result = run_loop(r);
	if (r->nr_free) {
		pfn_t pfn = pageblock_start(release_free(r));

		if (pfn > c->free_pfn)
			c->free_pfn = pfn;
	}
	pr_count(r->op.m, r->cpu, EV_COMPACT_MIGRATE_SCANNED, r->migrate_scanned);
	pr_count(r->op.m, r->cpu, EV_COMPACT_FREE_SCANNED, r->free_scanned);
	pr_trace(r->op.m, r->cpu, mm_compaction_end, .zone_start = r->op.z->start_pfn,
		 .migrate_pfn = r->migrate_pfn, .free_pfn = r->free_pfn,
		 .zone_end = zone_end(r->op.z), .sync = r->mode != MIGRATE_ASYNC,
		 .status = (int)result);
	return result;
}

static enum compact_result compact_zone_order(struct context *c, struct zone *z,
					      unsigned alloc_flags, enum compact_priority prio,
					      pfn_t *captured)
{
	bool full = prio == COMPACT_PRIO_SYNC_FULL;
	struct compact_run r = {
		.op = op_make(c->m, z, c->r->cpu),
		.cpu = c->r->cpu,
		.order = (int)c->r->order,
		.search_order = (int)c->r->order,
		.type = c->type,
		.gfp = c->r->gfp,
		.mode = prio == COMPACT_PRIO_ASYNC ? MIGRATE_ASYNC : MIGRATE_SYNC_LIGHT,
		.alloc_flags = alloc_flags,
		.highest = c->highest,
		.direct = true,
		.whole_zone = full,
		.ignore_skip = full,
		.ignore_block_type = full,
	};
	struct capture capture = {z, r.order, c->type, PFN_NONE};
	enum compact_result result;

	buddy_capture = &capture;
	result = compact_zone(&r);
	buddy_capture = NULL;
	*captured = capture.pfn;
	return capture.pfn != PFN_NONE ? COMPACT_SUCCESS : result;
}

/* One zone of a request's list, unless its turn is deferred; notes how it went. */
static enum compact_result compact_for_request(struct context *c, struct zone *z,
					       unsigned alloc_flags, enum compact_priority prio,
					       pfn_t *captured)
{
	enum compact_result result = COMPACT_DEFERRED;
	int order = (int)c->r->order;

	if (!compact_begin(z))
		return COMPACT_CONTENDED;
	if (prio == COMPACT_PRIO_SYNC_FULL || !compaction_deferred(c->m, z, order, c->r->cpu))
		result = compact_zone_order(c, z, alloc_flags, prio, captured);
	if (result == COMPACT_SUCCESS)
		compaction_defer_reset(c->m, z, order, false, c->r->cpu);
	else if (prio != COMPACT_PRIO_ASYNC &&
		 (result == COMPACT_COMPLETE || result == COMPACT_PARTIAL_SKIPPED))
		compaction_defer(c->m, z, order, c->r->cpu);
	compact_end(z);
	return result;
}

enum compact_result try_to_compact(struct context *c, unsigned alloc_flags,
				   enum compact_priority prio, pfn_t *captured)
{
	enum compact_result best = COMPACT_SKIPPED;
	const struct zoneref *e;

	*captured = PFN_NONE;
	if (!(c->r->gfp & __GFP_IO))
		return COMPACT_SKIPPED;
	pr_trace(c->m, c->r->cpu, mm_compaction_try_to_compact_pages, .order = (int)c->r->order,
		 .gfp_mask = c->r->gfp, .prio = (int)prio);
	for_each_usable_zone (c, e) {
		enum compact_result result =
			compact_for_request(c, zoneref_zone(c, e), alloc_flags, prio, captured);

		if (result > best)
			best = result;
		if (result == COMPACT_SUCCESS)
			break;
	}
	return best;
}

static void compact_whole(struct pr_machine *m, struct zone *z, unsigned cpu, bool proactive)
{
	struct compact_run r = {
		.op = op_make(m, z, cpu),
		.cpu = cpu,
		.order = -1,
		.type = MT_UNMOVABLE,
		.gfp = GFP_KERNEL,
		.mode = proactive ? MIGRATE_SYNC_LIGHT : MIGRATE_SYNC,
		.ignore_skip = true,
		.whole_zone = true,
		.proactive = proactive,
	};

	while (!compact_begin(z))
		sched_yield(); /* somebody compacts it now: then once more */
	compact_zone(&r);
	compact_end(z);
	if (proactive) {
		pr_count(m, cpu, EV_COMPACT_DAEMON_MIGRATE_SCANNED, r.migrate_scanned);
		pr_count(m, cpu, EV_COMPACT_DAEMON_FREE_SCANNED, r.free_scanned);
	}
}

enum compact_result compact_background(struct pr_machine *m, struct zone *z, int order,
				       unsigned cpu, enum zone_type highest)
{
	struct compact_run r = {
		.op = op_make(m, z, cpu),
		.cpu = cpu,
		.order = order,
		.search_order = order,
		.type = MT_UNMOVABLE,
		.gfp = GFP_KERNEL,
		.mode = MIGRATE_SYNC_LIGHT,
		.highest = highest,
	};
	enum compact_result result = compact_zone(&r);

	pr_count(m, cpu, EV_COMPACT_DAEMON_MIGRATE_SCANNED, r.migrate_scanned);
	pr_count(m, cpu, EV_COMPACT_DAEMON_FREE_SCANNED, r.free_scanned);
	return result;
}

void compact_node(struct pr_machine *m, unsigned node, unsigned cpu, bool proactive)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (m->nodes[node].zone[t] >= 0)
			compact_whole(m, &m->zones[m->nodes[node].zone[t]], cpu, proactive);
}

int pr_compact_zone(struct pr_machine *m, unsigned zone, unsigned cpu)
{
	if (zone >= m->arena->nr_zones || cpu >= m->arena->nr_cpus)
		return -EINVAL;
	pr_lru_drain_all(m);
	compact_whole(m, &m->zones[zone], cpu, false);
	return 0;
}

int pr_compact_node(struct pr_machine *m, unsigned node, unsigned cpu)
{
	if (node >= m->arena->nr_nodes || cpu >= m->arena->nr_cpus)
		return -EINVAL;
	pr_lru_drain_all(m);
	compact_node(m, node, cpu, false);
	return 0;
}

int pr_compact_memory(struct pr_machine *m, unsigned cpu)
{
	if (cpu >= m->arena->nr_cpus)
		return -EINVAL;
	pr_lru_drain_all(m);
	for (unsigned n = 0; n < m->arena->nr_nodes; n++)
		compact_node(m, n, cpu, false);
	return 0;
}
