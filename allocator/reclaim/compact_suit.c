/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compact_suit.c: whether compaction is worth it: room to work in, fragmentation, failures lately,
 * and the skip bits' expiry.
 */
#include "reclaim/compact_run.h"

#include <pagerig/trace.h>

struct areas {
	uint64_t blocks, pages, suitable; /* free blocks, free pages, blocks of the order in them */
};

static struct areas count_areas(const struct zone *z, unsigned order)
{
	struct zone *lock = (struct zone *)z; /* its lock is taken, nothing else changes */
	struct areas a = {0};

	zone_lock(lock);
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		a.blocks += z->area[o].nr_free;
		a.pages += z->area[o].nr_free << o;
		if (o >= order)
			a.suitable += z->area[o].nr_free << (o - order);
	}
	zone_unlock(lock);
	return a;
}

int pr_fragmentation_index(const struct zone *z, unsigned order)
{
	struct areas a = count_areas(z, order);

	if (!a.blocks)
		return 0;
	if (a.suitable)
		return -1000;
	return 1000 - (int)((1000 + a.pages * 1000 / (1ull << order)) / a.blocks);
}

unsigned pr_extfrag_for_order(const struct zone *z, unsigned order)
{
	struct areas a = count_areas(z, order);

	return a.pages ? (unsigned)((a.pages - (a.suitable << order)) * 100 / a.pages) : 0;
}

bool compaction_has_room(const struct zone *z, unsigned order, enum zone_type highest, int64_t free)
{
	uint64_t mark = zone_mark(z, order > COSTLY_ORDER ? WMARK_LOW : WMARK_MIN);

	return zone_watermark_ok_free(z, 0, mark + compact_gap(order), highest, ALLOC_CMA, free);
}

bool compaction_suitable(struct pr_machine *m, unsigned cpu, const struct zone *z, unsigned order,
			 enum zone_type highest)
{
	enum compact_result verdict = COMPACT_CONTINUE;
	int64_t free = load(&z->free_pages);

	if (!compaction_has_room(z, order, highest, free > 0 ? free : 0)) {
		verdict = COMPACT_SKIPPED;
	} else if (order > COSTLY_ORDER) { /* for others the other choice is the OOM killer */
		int index = pr_fragmentation_index(z, order);

		if (index >= 0 && index <= m->arena->sysctl.extfrag_threshold)
			verdict = COMPACT_NOT_SUITABLE_ZONE;
	}
	pr_trace(m, cpu, mm_compaction_suitable, .nid = (int)z->node, .idx = (int)z->type,
		 .order = (int)order, .ret = (int)verdict);
	return verdict == COMPACT_CONTINUE;
}

enum compact_result compaction_worth(struct pr_machine *m, unsigned cpu, const struct zone *z,
				     unsigned order, enum zone_type highest, unsigned alloc_flags)
{
	if (zone_watermark_ok(z, order, zone_mark(z, alloc_flags & ALLOC_WMARK_MASK), highest,
			      alloc_flags))
		return COMPACT_SUCCESS;
	return compaction_suitable(m, cpu, z, order, highest) ? COMPACT_CONTINUE : COMPACT_SKIPPED;
}

#define TRACE_DEFER(m, cpu, event, z, order_)                                                      \
	pr_trace(m, cpu, event, .nid = (int)(z)->node, .idx = (int)(z)->type, .order = (order_),   \
		 .considered = (z)->compact.considered, .defer_shift = (z)->compact.defer_shift,   \
		 .order_failed = (z)->compact.order_failed)

void compaction_defer(struct pr_machine *m, struct zone *z, int order, unsigned cpu)
{
	struct compact_memory *c = &z->compact;

	c->considered = 0;
	if (order < c->order_failed)
		c->order_failed = order;
	if (c->defer_shift < COMPACT_MAX_DEFER_SHIFT)
		c->defer_shift++;
	TRACE_DEFER(m, cpu, mm_compaction_defer_compaction, z, order);
}

bool compaction_deferred(struct pr_machine *m, struct zone *z, int order, unsigned cpu)
{
	struct compact_memory *c = &z->compact;
	uint32_t limit = 1u << c->defer_shift;

	if (order < c->order_failed)
		return false;
	if (++c->considered >= limit) {
		c->considered = limit;
		return false;
	}
	TRACE_DEFER(m, cpu, mm_compaction_deferred, z, order);
	return true;
}

void compaction_defer_reset(struct pr_machine *m, struct zone *z, int order, bool alloc_success,
			    unsigned cpu)
{
	struct compact_memory *c = &z->compact;

	if (alloc_success)
		c->considered = c->defer_shift = 0;
	if (order >= c->order_failed)
		c->order_failed = order + 1;
	TRACE_DEFER(m, cpu, mm_compaction_defer_reset, z, order);
}

/*
 * Clears a pageblock's skip bit if a sample of its frames shows a use for it: something to move
 * (source) or to move to (target). True if it did, or it was clear and both were asked for.
 */
static bool reset_block(struct pr_machine *m, struct zone *z, pfn_t pfn, bool source, bool target)
{
	const struct compact_run r = {.op = op_make(m, z, 0)};
	pfn_t end;

	if (!run_present(&r, pfn) || run_huge_block(&r, pfn))
		return false;
	if (source && target && !run_skip(&r, pfn))
		return true;
	if (!source && target && pr_block_type(m, z, pfn) != MT_MOVABLE)
		return false;
	end = min_pfn(pageblock_end(pfn) - 1, zone_end(z) - 1);
	for (pfn = max_pfn(pageblock_start(pfn), z->start_pfn); pfn <= end;
	     pfn += 1 << COSTLY_ORDER) {
		uint32_t info = load(&pr_page(m, z, pfn)->info);

		if ((source && info_state(info) == PAGE_USED && (info_flags(info) & PAGE_LRU)) ||
		    (target && pr_free_order(m, z, pfn) >= 0)) {
			pr_set_block_skip(m, z, pfn, false);
			return true;
		}
	}
	return false;
}

/* From both ends at once; the first blocks that are of use are where the scanners start. */
void compaction_reset_zone(struct pr_machine *m, struct zone *z)
{
	struct compact_memory *c = &z->compact;
	pfn_t low = z->start_pfn, high = zone_end(z) - 1;
	pfn_t reset_migrate = high, reset_free = low;
	bool source_set = false, free_set = false;

	if (!c->blockskip_flush)
		return;
	c->blockskip_flush = false;
	for (; low < high; low += PAGEBLOCK_PAGES, high -= PAGEBLOCK_PAGES) {
		if (reset_block(m, z, low, true, source_set) && low < reset_migrate) {
			source_set = true;
			reset_migrate = low;
			c->init_migrate_pfn = c->migrate_pfn[0] = c->migrate_pfn[1] = low;
		}
		if (reset_block(m, z, high, free_set, true) && high > reset_free) {
			free_set = true;
			reset_free = high;
			c->init_free_pfn = c->free_pfn = high;
		}
	}
	if (reset_migrate >= reset_free) {
		c->migrate_pfn[0] = c->migrate_pfn[1] = low;
		c->free_pfn = high;
	}
}

void compaction_reset_suitable(struct pr_machine *m, unsigned node)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (m->nodes[node].zone[t] >= 0)
			compaction_reset_zone(m, &m->zones[m->nodes[node].zone[t]]);
}
