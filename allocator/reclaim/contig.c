/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * contig.c: a range of frames by number: its pageblocks are isolated, what can be moved is moved
 * away, and what is free then is taken. And CMA areas, which are such ranges kept for it. Source of
 * the behaviour: mm/page_alloc.c (alloc_contig_range), mm/cma.c of 6.12.
 *
 * Different on purpose: frames that were given out of an area are known by their flag, there is no
 * bitmap beside them; a compound range is at most of MAX_ORDER.
 */
#include "page_alloc/isolation.h"
#include "reclaim/compact_run.h"

#include <errno.h>

/* What a request becomes for the frames that contents are moved to. */
static int target_gfp(gfp_t gfp, gfp_t *target)
{
	const gfp_t reclaim = __GFP_IO | __GFP_FS | __GFP_RECLAIM;
	const gfp_t kept = __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	const gfp_t ignored = __GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM | __GFP_MOVABLE |
			      __GFP_RECLAIMABLE | __GFP_WRITE | __GFP_HARDWALL | __GFP_THISNODE;

	gfp &= ~ignored;
	if (gfp & ~(reclaim | kept | __GFP_COMP | __GFP_ZERO))
		return -EINVAL;
	*target = (gfp & (reclaim | kept)) | __GFP_HARDWALL | __GFP_MOVABLE | __GFP_RETRY_MAYFAIL;
	return 0;
}

struct contig {
	struct compact_run run;
	gfp_t gfp; /* of the frames to move to */
};

/* A frame anywhere outside, the range's node first (alloc_migration_target). */
static pfn_t get_outside(void *ctx, unsigned order)
{
	struct contig *k = ctx;
	struct zone *z = k->run.op.z;
	struct pr_request r = PR_REQUEST(order, k->gfp | __GFP_COMP);
	pfn_t pfn;

	if (order)
		r.gfp = (r.gfp & ~__GFP_RECLAIM) | GFP_TRANSHUGE;
	if (z->type == ZONE_MOVABLE)
		r.gfp |= __GFP_HIGHMEM;
	r.node = (int)z->node;
	r.cpu = k->run.cpu;
	return pr_alloc(k->run.op.m, &r, &pfn) ? PFN_NONE : pfn;
}

static void put_outside(void *ctx, pfn_t pfn, unsigned order)
{
	struct contig *k = ctx;

	if (pr_free(k->run.op.m, pfn, order, k->run.cpu))
		return; /* never: it is ours */
}

/* Isolates some blocks from pfn on, pageblock by pageblock; where to go on is in migrate_pfn. */
static void isolate_some(struct compact_run *r, pfn_t pfn, pfn_t end)
{
	for (pfn_t stop; pfn < end && r->nr_isolated < COMPACT_CLUSTER; pfn = stop) {
		stop = min_pfn(pageblock_end(pfn), end);
		if (run_whole(r, pfn) && isolate_migrate_block(r, pfn, stop))
			break;
	}
}

/* Moves what can be moved out of the range. 0, -EBUSY if something stays, -ENOMEM. */
static int empty_range(struct contig *k, pfn_t start, pfn_t end)
{
	enum { MAX_TRIES = 5 };
	struct compact_run *r = &k->run;
	const struct migration g = {.m = r->op.m,
				    .z = r->op.z,
				    .cpu = r->cpu,
				    .mode = r->mode,
				    .contig = true,
				    .no_batch = true,
				    .get_new = get_outside,
				    .put_new = put_outside,
				    .ctx = k};
	pfn_t pfn = start;
	int tries = 0, err = 0;

	pr_lru_drain_all(r->op.m);
	while (pfn < end || r->isolated.nr) {
		if (!r->isolated.nr) {
			r->nr_isolated = 0;
			isolate_some(r, pfn, end);
			pfn = r->migrate_pfn;
			tries = 0;
		} else if (++tries == MAX_TRIES) {
			err = -EBUSY;
			break;
		}
		err = migrate_blocks(&g, &r->isolated, NULL);
		if (err == -ENOMEM)
			break;
	}
	if (err < 0) {
		putback_blocks(r->op.m, r->cpu, &r->isolated);
		pr_lru_drain_all(r->op.m);
	}
	return err < 0 ? err : 0;
}

/* Takes the free blocks that cover the range; one past the last frame, or 0 and nothing taken. */
static pfn_t take_range(struct compact_run *r, pfn_t start, pfn_t end)
{
	pfn_t pfn = start;

	while (pfn < end) {
		pfn_t at = pfn, stop = min_pfn(pageblock_end(pfn), end);
		uint64_t got = 0;

		if (run_whole(r, pfn))
			got = isolate_free_block(r, &at, stop, 1, true);
		if (!got) {
			release_free(r);
			return 0;
		}
		pfn += got;
	}
	return pfn;
}

/* The frames taken become the caller's: single ones, or one compound block. */
static void make_used(struct compact_run *r, pfn_t start, pfn_t end, int order, uint32_t owner)
{
	struct page *frames = pr_page(r->op.m, r->op.z, start);

	for (unsigned o = 0; o < NR_ORDERS; o++)
		list_init(&r->free[o]);
	r->nr_free = 0;
	/* the heads last: until then they stand for their blocks */
	for (uint64_t i = end - start; i-- > 0;) {
		frames[i].owner = owner;
		store(&frames[i].info, order < 0 ? page_info(PAGE_USED, 0, PAGE_CONTIG, 0) : 0);
	}
	if (order >= 0)
		store(&frames->info,
		      page_info(PAGE_USED, (unsigned)order, PAGE_COMP | PAGE_CONTIG, 0));
}

static int take_isolated_range(struct contig *k, pfn_t start, pfn_t end, int order, uint32_t owner)
{
	struct compact_run *r = &k->run;
	pfn_t outer_start, outer_end;
	int err;

	drain_zone_lists(r->op.m, r->op.z, r->cpu);
	err = empty_range(k, start, end);
	if (err && err != -EBUSY)
		return err;
	outer_start = free_block_head(&r->op, start);
	if (!range_isolated(&r->op, outer_start, end))
		return -EBUSY;
	outer_end = take_range(r, outer_start, end);
	if (!outer_end)
		return -EBUSY;
	if (order < 0 || outer_start != start || outer_end != end) {
		make_used(r, outer_start, outer_end, -1, owner);
		pr_free_contig(r->op.m, outer_start, start - outer_start, r->cpu);
		pr_free_contig(r->op.m, end, outer_end - end, r->cpu);
	}
	if (order >= 0)
		make_used(r, start, end, order, owner);
	return 0;
}

int pr_alloc_contig(struct pr_machine *m, pfn_t start, uint64_t n, enum migratetype mt, gfp_t gfp,
		    unsigned cpu, uint32_t owner)
{
	struct zone *z = zone_of(m, start);
	struct contig k = {.run = {.cpu = cpu,
				   .order = -1,
				   .mode = MIGRATE_SYNC,
				   .ignore_skip = true,
				   .no_set_skip = true,
				   .contig = true}};
	int err, order = -1;

	if (!z || !n || n > z->spanned || !zone_spans(z, start + n - 1) ||
	    cpu >= m->arena->nr_cpus || (mt != MT_MOVABLE && mt != MT_CMA) ||
	    target_gfp(gfp, &k.gfp))
		return -EINVAL;
	if (gfp & __GFP_COMP) {
		order = __builtin_ctzll(n);
		if (n != 1ull << order || order > MAX_ORDER || (start & (n - 1)))
			return -EINVAL;
	}
	k.run.gfp = k.gfp;
	k.run.op = op_make(m, z, cpu);
	for (unsigned o = 0; o < NR_ORDERS; o++)
		list_init(&k.run.free[o]);
	err = isolate_range(&k.run.op, start, start + n, mt);
	if (err)
		return err;
	err = take_isolated_range(&k, start, start + n, order, owner);
	unisolate_range(&k.run.op, start, start + n, mt);
	return err;
}

int pr_free_contig(struct pr_machine *m, pfn_t start, uint64_t n, unsigned cpu)
{
	for (uint64_t i = 0; i < n; i++) {
		int err = pr_free(m, start + i, 0, cpu);

		if (err)
			return err;
	}
	return 0;
}

/* Is none of these frames given out of its area? If one is, *taken is the last such. */
static bool area_free(const struct pr_machine *m, const struct zone *z, pfn_t start, uint64_t n,
		      pfn_t *taken)
{
	for (uint64_t i = n; i-- > 0;) {
		uint32_t info = load(&pr_page(m, z, start + i)->info);

		if (info_state(info) == PAGE_USED && (info_flags(info) & PAGE_CONTIG)) {
			*taken = start + i;
			return false;
		}
	}
	return true;
}

/* End of the run of CMA pageblocks from start on. */
static pfn_t area_end(const struct pr_machine *m, const struct zone *z, pfn_t start)
{
	while (zone_spans(z, start) && pr_block_type(m, z, start) == MT_CMA)
		start = pageblock_end(start);
	return min_pfn(start, zone_end(z));
}

static int cma_try_area(struct pr_machine *m, struct zone *z, pfn_t area, pfn_t end, uint64_t n,
			unsigned align, gfp_t gfp, unsigned cpu, uint32_t owner, pfn_t *pfn)
{
	uint64_t mask = (1ull << align) - 1;
	pfn_t at = (area + mask) & ~mask, taken;

	while (at + n <= end) {
		int err;

		if (!area_free(m, z, at, n, &taken)) {
			at = (taken + 1 + mask) & ~mask;
			continue;
		}
		err = pr_alloc_contig(m, at, n, MT_CMA, gfp, cpu, owner);
		if (!err)
			*pfn = at;
		if (err != -EBUSY)
			return err;
		at += mask + 1; /* something pinned: try a little further on */
	}
	return -ENOMEM;
}

int pr_cma_alloc(struct pr_machine *m, unsigned zone, uint64_t n, unsigned align, gfp_t gfp,
		 unsigned cpu, uint32_t owner, pfn_t *pfn)
{
	int err = -ENOMEM;
	struct zone *z;

	if (zone >= m->arena->nr_zones || !n || align > MAX_ORDER || cpu >= m->arena->nr_cpus)
		return -EINVAL;
	z = &m->zones[zone];
	for (pfn_t area = z->start_pfn; err == -ENOMEM && zone_spans(z, area);) {
		pfn_t end = area_end(m, z, area);

		if (end > area)
			err = cma_try_area(m, z, area, end, n, align, gfp, cpu, owner, pfn);
		area = pageblock_end(end);
	}
	pr_count(m, cpu, err ? EV_CMA_ALLOC_FAIL : EV_CMA_ALLOC_SUCCESS, 1);
	return err;
}
