/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compact_free.c: the free scanner: from the end of the zone down, frames to move to. */
#include "reclaim/compact_run.h"

#include <pagerig/trace.h>

bool isolate_free(struct op *op, pfn_t pfn, unsigned order)
{
	enum migratetype mt = block_type(op, pfn);

	if (mt != MT_ISOLATE &&
	    !zone_watermark_ok(op->z, 0, op->z->watermark[WMARK_MIN] + (1ull << order), ZONE_DMA,
			       ALLOC_CMA))
		return false;
	intent_set(op->z, rel_of(op->z, pfn), order);
	buddy_del(op, pfn, order, mt);
	store(&pr_page(op->m, op->z, pfn)->info, page_info(PAGE_USED, order, PAGE_ISOLATED, 0));
	account_free(op, -(1ll << order), mt);
	/* at least half a pageblock: what is moved here makes it a movable one */
	if (order >= PAGEBLOCK_ORDER - 1)
		for (pfn_t p = pfn; p < pfn + (1ull << order) - 1; p += PAGEBLOCK_PAGES)
			if (type_mergeable(block_type(op, p)))
				block_move_free(op, p, block_type(op, p), MT_MOVABLE);
	return true;
}

bool run_target_ok(const struct compact_run *r, pfn_t pfn)
{
	int free = pr_free_order(r->op.m, r->op.z, pfn);
	enum migratetype mt;

	if (free >= (r->order > 0 ? r->order : PAGEBLOCK_ORDER))
		return false; /* what is wanted, or would be next, shall not be broken up */
	if (r->ignore_block_type)
		return true;
	mt = pr_block_type(r->op.m, r->op.z, pfn);
	return mt == MT_MOVABLE || mt == MT_CMA;
}

static void keep_free(struct compact_run *r, pfn_t pfn, unsigned order)
{
	list_push(r->op.m, r->op.z, &r->free[order], rel_of(r->op.z, pfn), order, true, true);
	r->nr_free += 1ull << order;
}

/* Pages that a compound block lets the scan pass over; it must end within the range. */
static uint64_t compound_pages(const struct compact_run *r, pfn_t pfn, pfn_t end)
{
	uint32_t info = load(&pr_page(r->op.m, r->op.z, pfn)->info);

	if (!info_compound(info) || pfn + (1ull << info_order(info)) > end)
		return 0;
	return (1ull << info_order(info)) - 1;
}

uint64_t isolate_free_block(struct compact_run *r, pfn_t *start, pfn_t end, unsigned stride,
			    bool strict)
{
	uint64_t scanned = 0, isolated = 0, taken;
	pfn_t pfn = *start, first = pfn;

	if (strict)
		stride = 1;
	zone_lock(r->op.z);
	for (; pfn < end; pfn += stride) {
		int order = pr_free_order(r->op.m, r->op.z, pfn);

		scanned++;
		if (order < 0) {
			uint64_t more = compound_pages(r, pfn, end);

			scanned += more;
			pfn += more;
			if (strict)
				break;
			continue;
		}
		if (!isolate_free(&r->op, pfn, (unsigned)order))
			break;
		scanned += (1ull << order) - 1;
		isolated += 1ull << order;
		keep_free(r, pfn, (unsigned)order);
		if (!strict && r->nr_isolated <= r->nr_free) {
			pfn += 1ull << order;
			break;
		}
		pfn += (1ull << order) - 1;
	}
	zone_unlock(r->op.z);
	*start = pfn = min_pfn(pfn, end);
	taken = isolated;
	if (strict && *start < end)
		isolated = 0;
	r->free_scanned += scanned;
	pr_trace(r->op.m, r->cpu, mm_compaction_isolate_freepages, .start_pfn = first,
		 .end_pfn = pfn, .nr_scanned = scanned, .nr_taken = taken);
	if (isolated)
		pr_count(r->op.m, r->cpu, EV_COMPACT_ISOLATED, isolated);
	return isolated;
}

/* A pageblock was scanned to its end: leave it out for a while, and start below it next time. */
static void free_block_done(struct compact_run *r, pfn_t start)
{
	struct compact_memory *c = &r->op.z->compact;

	if (r->no_set_skip)
		return;
	run_set_skip(r, start);
	if (start - PAGEBLOCK_PAGES < c->free_pfn)
		c->free_pfn = start - PAGEBLOCK_PAGES;
}

void isolate_free_pages(struct compact_run *r)
{
	pfn_t at, start, end, low;
	unsigned stride;

	fast_isolate_free(r);
	if (r->nr_free)
		return;
	at = r->free_pfn;
	start = pageblock_start(at);
	end = min_pfn(start + PAGEBLOCK_PAGES, zone_end(r->op.z));
	low = pageblock_end(r->migrate_pfn);
	stride = r->mode == MIGRATE_ASYNC ? COMPACT_CLUSTER : 1;
	for (; start >= low; end = start, start -= PAGEBLOCK_PAGES, at = start) {
		uint64_t got;

		if (!run_whole(r, start) || !run_target_ok(r, start) ||
		    (!r->ignore_skip && run_skip(r, start)))
			continue;
		got = isolate_free_block(r, &at, end, stride, false);
		if (at == end)
			free_block_done(r, start);
		if (r->nr_free >= r->nr_isolated) {
			if (at >= end)
				at = start - PAGEBLOCK_PAGES;
			break;
		}
		if (at < end)
			break; /* the watermark stopped it */
		if (got)
			stride = 1;
		else
			stride = stride < COMPACT_CLUSTER / 2 ? stride << 1 : COMPACT_CLUSTER;
	}
	r->free_pfn = at;
}

void drain_zone_lists(struct pr_machine *m, struct zone *z, unsigned cpu)
{
	for (unsigned c = 0; c < m->arena->nr_cpus; c++) {
		struct op op = {m, z, pr_pcp(m, z, c), pr_pcp(m, z, cpu)};

		pcp_lock(op.pcp);
		pcp_drain(&op);
		pcp_unlock(op.pcp);
	}
}

pfn_t release_free(struct compact_run *r)
{
	pfn_t highest = 0;

	for (unsigned o = 0; o < NR_ORDERS; o++)
		while (r->free[o].nr) {
			pfn_t pfn = r->op.z->start_pfn + r->free[o].first;

			list_remove(r->op.m, r->op.z, &r->free[o], r->free[o].first, o, true);
			if (!pr_free(r->op.m, pfn, o, r->cpu) && pfn > highest)
				highest = pfn;
		}
	r->nr_free = 0;
	return highest;
}
