/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buddy.c: free areas: add, delete, split, merge, and the books of free pages. */
#include "buddy/buddy.h"

/*
 * A CPU keeps its part of a counter to itself until it leaves ±threshold, then adds all of it to
 * the zone (mm/vmstat.c: __mod_zone_page_state). Watermarks see only the zone's part.
 */
static void mod_counter(int64_t *zone, int *diff, int threshold, int64_t delta)
{
	int64_t x = *diff + delta;

	if (x > threshold || x < -threshold) {
		store(zone, *zone + x);
		x = 0;
	}
	store(diff, (int)x);
}

void account_free(struct op *op, int64_t pages, enum migratetype mt)
{
	struct pcp *pcp = op->books;

	if (mt == MT_ISOLATE)
		return;
	mod_counter(&op->z->free_pages, &pcp->free_diff, pcp->stat_threshold, pages);
	if (likely(mt < NR_PCP_TYPES))
		return;
	if (mt == MT_CMA)
		mod_counter(&op->z->free_cma, &pcp->cma_diff, pcp->stat_threshold, pages);
	else
		store(&op->z->free_highatomic, op->z->free_highatomic + (uint64_t)pages);
}

bool buddy_is_free(const struct pr_machine *m, const struct zone *z, pfn_t pfn, unsigned order)
{
	if (!zone_spans(z, pfn))
		return false;
	if (order >= PAGEBLOCK_ORDER)
		return block_free_order(m, z, pfn) == (int)order;
	return page_info_is(load(&pr_page(m, z, pfn)->info), PAGE_FREE, order);
}

void buddy_add(struct op *op, pfn_t pfn, unsigned order, enum migratetype mt, bool tail)
{
	if (order >= PAGEBLOCK_ORDER)
		block_set_state(pr_block(op->m, op->z, pfn), BLOCK_FREE, order);
	else
		store(&pr_page(op->m, op->z, pfn)->info, page_info(PAGE_FREE, order, 0, 0));
	area_push(op, rel_of(op->z, pfn), order, mt, tail);
}

void buddy_del(struct op *op, pfn_t pfn, unsigned order, enum migratetype mt)
{
	area_remove(op, rel_of(op->z, pfn), order, mt);
	if (order >= PAGEBLOCK_ORDER)
		block_set_state(pr_block(op->m, op->z, pfn), BLOCK_BUSY, 0);
	else
		store(&pr_page(op->m, op->z, pfn)->info, 0);
}

int64_t buddy_expand(struct op *op, pfn_t pfn, unsigned low, unsigned high, enum migratetype mt)
{
	int64_t added = 0;

	while (high > low) {
		high--;
		buddy_add(op, pfn + (1ull << high), high, mt, false);
		added += 1ll << high;
	}
	return added;
}

pfn_t buddy_del_and_expand(struct op *op, pfn_t pfn, unsigned low, unsigned high,
			   enum migratetype mt)
{
	intent_set(op->z, rel_of(op->z, pfn), high);
	buddy_del(op, pfn, high, mt);
	/* booked in one piece: what leaves is the request alone */
	account_free(op, buddy_expand(op, pfn, low, high, mt) - (1ll << high), mt);
	return pfn;
}

pfn_t buddy_take_smallest(struct op *op, unsigned order, enum migratetype mt)
{
	unsigned orders = (unsigned)op->z->mask[mt] >> order, o;

	if (!orders)
		return PFN_NONE;
	o = order + (unsigned)__builtin_ctz(orders);
	return buddy_del_and_expand(op, op->z->start_pfn + op->z->area[o].list[mt].first, order, o,
				    mt);
}

void block_set_type_range(struct op *op, pfn_t pfn, unsigned order, enum migratetype mt)
{
	for (unsigned i = 0; i < 1u << (order - PAGEBLOCK_ORDER); i++)
		block_set_type(pr_block(op->m, op->z, pfn + i * PAGEBLOCK_PAGES), mt);
}

/*
 * If the buddy of the pair that would arise is free, a larger block may come soon: then the tail of
 * the list is the place where this one is used last.
 */
static bool merge_likely(struct op *op, pfn_t pfn, unsigned order)
{
	pfn_t pair = pfn & ~(1ull << order);

	if (order >= MAX_ORDER - 1)
		return false;
	return buddy_is_free(op->m, op->z, pair ^ (1ull << (order + 1)), order + 1);
}

_Thread_local struct capture *buddy_capture;

/* Isolated and CMA blocks are not for taking; a small unmovable piece shall not mix a movable block. */
static bool captured(const struct op *op, pfn_t pfn, unsigned order, enum migratetype mt)
{
	struct capture *c = buddy_capture;

	if (!c || c->z != op->z || c->pfn != PFN_NONE || (int)order != c->order)
		return false;
	if (mt == MT_CMA || mt == MT_ISOLATE ||
	    (order < PAGEBLOCK_ORDER && mt == MT_MOVABLE && c->type != MT_MOVABLE))
		return false;
	c->pfn = pfn;
	/* nobody's yet, but on no list any more */
	store(&pr_page(op->m, op->z, pfn)->info, page_info(PAGE_USED, order, PAGE_ISOLATED, 0));
	return true;
}

void buddy_free_one(struct op *op, pfn_t pfn, unsigned order, enum migratetype mt)
{
	intent_set(op->z, rel_of(op->z, pfn), order);
	account_free(op, 1ll << order, mt);
	while (order < MAX_ORDER) {
		pfn_t buddy = pfn ^ (1ull << order);
		enum migratetype buddy_mt = mt;

		if (buddy_capture && captured(op, pfn, order, mt)) {
			account_free(op, -(1ll << order), mt);
			return;
		}
		if (!buddy_is_free(op->m, op->z, buddy, order))
			break;
		if (order >= PAGEBLOCK_ORDER) {
			buddy_mt = block_type(op, buddy);
			if (buddy_mt != mt && !(type_mergeable(mt) && type_mergeable(buddy_mt)))
				break;
		}
		intent_set(op->z, rel_of(op->z, pfn & buddy), order + 1);
		buddy_del(op, buddy, order, buddy_mt);
		if (buddy_mt != mt)
			block_set_type_range(op, buddy, order, mt);
		pfn &= buddy;
		order++;
	}
	buddy_add(op, pfn, order, mt, merge_likely(op, pfn, order));
}

void buddy_free(struct op *op, pfn_t pfn, unsigned order)
{
	pfn_t end = pfn + (1ull << order);

	if (order > PAGEBLOCK_ORDER)
		order = PAGEBLOCK_ORDER;
	for (; pfn < end; pfn += 1ull << order)
		buddy_free_one(op, pfn, order, block_type(op, pfn));
}
