/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fallback.c: a type without a block of its own: claim a pageblock of another type, or steal a
 * single piece. Source of the behaviour: mm/page_alloc.c of 6.12 (__rmqueue and what it calls).
 */
#include "buddy/buddy.h"

static const enum migratetype fallback_order[NR_PCP_TYPES][NR_PCP_TYPES - 1] = {
	[MT_UNMOVABLE] = {MT_RECLAIMABLE, MT_MOVABLE},
	[MT_MOVABLE] = {MT_RECLAIMABLE, MT_UNMOVABLE},
	[MT_RECLAIMABLE] = {MT_UNMOVABLE, MT_MOVABLE},
};

/* First other type with a block of this order; NR_MIGRATETYPES if none. */
static enum migratetype fallback_type(const struct free_area *area, enum migratetype mt)
{
	for (unsigned i = 0; i < NR_PCP_TYPES - 1; i++)
		if (area->list[fallback_order[mt][i]].nr)
			return fallback_order[mt][i];
	return NR_MIGRATETYPES;
}

/* Movable requests disturb other blocks only through large pieces: they can be moved later. */
static bool may_claim(const struct pr_machine *m, unsigned order, enum migratetype mt)
{
	return order >= PAGEBLOCK_ORDER / 2 || mt == MT_RECLAIMABLE || mt == MT_UNMOVABLE ||
	       m->arena->mobility_disabled;
}

/* A block was mixed: kswapd shall free more than usual, so that it happens less often. */
static bool boost_watermark(const struct pr_machine *m, struct zone *z)
{
	uint64_t factor = (uint64_t)m->arena->sysctl.watermark_boost_factor;
	uint64_t high = z->watermark[WMARK_HIGH], max;

	if (!factor || PAGEBLOCK_PAGES * 4 > z->managed)
		return false;
	max = high / 10000 * factor + high % 10000 * factor / 10000;
	if (!max)
		return false;
	if (max < PAGEBLOCK_PAGES)
		max = PAGEBLOCK_PAGES;
	z->watermark_boost += PAGEBLOCK_PAGES;
	if (z->watermark_boost > max)
		z->watermark_boost = max;
	return true;
}

/* The pageblock around pfn, if the zone spans all of it. */
static bool whole_block(const struct op *op, pfn_t pfn, pfn_t *start)
{
	*start = pfn & ~(pfn_t)(PAGEBLOCK_PAGES - 1);
	return zone_spans(op->z, *start) && zone_spans(op->z, *start + PAGEBLOCK_PAGES - 1);
}

static void count_block(const struct op *op, pfn_t start, unsigned *free, unsigned *movable)
{
	pfn_t end = start + PAGEBLOCK_PAGES;

	*free = *movable = 0;
	for (pfn_t pfn = start; pfn < end;) {
		const struct page *page = pr_page(op->m, op->z, pfn);
		unsigned n = 1;

		if (page->state == PAGE_FREE) {
			n = 1u << page->order;
			*free += n;
		} else if (page->state == PAGE_USED) {
			n = 1u << page->order;
			if (page->flags & PAGE_LRU)
				*movable += n;
		}
		pfn += n;
	}
}

int block_move_free(struct op *op, pfn_t pfn, enum migratetype from, enum migratetype to)
{
	pfn_t start, end;
	int moved = 0;

	if (!whole_block(op, pfn, &start))
		return -1;
	end = start + PAGEBLOCK_PAGES;
	for (pfn = start; pfn < end;) {
		const struct page *page = pr_page(op->m, op->z, pfn);
		unsigned order = page->order;

		if (page->state != PAGE_FREE) {
			pfn++;
			continue;
		}
		list_remove(op->m, op->z, &op->z->area[order].list[from], rel_of(op->z, pfn), order,
			    false);
		list_push(op->m, op->z, &op->z->area[order].list[to], rel_of(op->z, pfn), order,
			  false, true);
		/* two entries in the books, as Linux: a CPU's difference may overflow in between */
		account_free(op, -(1ll << order), from);
		account_free(op, 1ll << order, to);
		pfn += 1ull << order;
		moved += 1 << order;
	}
	pr_block(op->m, op->z, start)->type = (uint8_t)to;
	return moved;
}

/* Makes the block of a piece ours if most of it is free or alike; the request, or PFN_NONE. */
static pfn_t claim_block(struct op *op, pfn_t pfn, unsigned have, unsigned order,
			 enum migratetype mt, unsigned alloc_flags)
{
	enum migratetype was = block_type(op, pfn);
	unsigned free, movable, alike;
	pfn_t start;

	if (was == MT_HIGHATOMIC)
		return PFN_NONE;
	if (have >= PAGEBLOCK_ORDER) {
		buddy_del(op, pfn, have, was);
		account_free(op, -(1ll << have), was);
		block_set_type_range(op, pfn, have, mt);
		account_free(op, buddy_expand(op, pfn, order, have, mt), mt);
		return pfn;
	}
	if (boost_watermark(op->m, op->z) && (alloc_flags & ALLOC_KSWAPD))
		op->z->flags |= ZONE_BOOSTED_WATERMARK;
	if (!whole_block(op, pfn, &start))
		return PFN_NONE;
	count_block(op, start, &free, &movable);
	if (mt == MT_MOVABLE)
		alike = movable;
	else /* of a movable block, what is neither free nor movable must be like us */
		alike = was == MT_MOVABLE ? PAGEBLOCK_PAGES - (free + movable) : 0;
	if (free + alike < PAGEBLOCK_PAGES / 2 && !op->m->arena->mobility_disabled)
		return PFN_NONE;
	block_move_free(op, start, was, mt);
	return buddy_take_smallest(op, order, mt);
}

/* From the largest piece of another type down: the fewer blocks get mixed, the better. */
static pfn_t take_claim(struct op *op, unsigned order, enum migratetype mt, unsigned alloc_flags)
{
	int min = (int)order;

	if (order < PAGEBLOCK_ORDER && (alloc_flags & ALLOC_NOFRAGMENT))
		min = PAGEBLOCK_ORDER;
	for (int o = MAX_ORDER; o >= min; o--) {
		struct free_area *area = &op->z->area[o];
		enum migratetype other = area->nr_free ? fallback_type(area, mt) : NR_MIGRATETYPES;
		pfn_t pfn;

		if (other == NR_MIGRATETYPES)
			continue;
		if (!may_claim(op->m, (unsigned)o, mt))
			break;
		pfn = claim_block(op, op->z->start_pfn + area->list[other].first, (unsigned)o, order,
				  mt, alloc_flags);
		if (pfn != PFN_NONE)
			return pfn;
	}
	return PFN_NONE;
}

/* A single piece, the smallest that will do; the block keeps its type. */
static pfn_t take_steal(struct op *op, unsigned order, enum migratetype mt)
{
	for (unsigned o = order; o < NR_ORDERS; o++) {
		struct free_area *area = &op->z->area[o];
		enum migratetype other = area->nr_free ? fallback_type(area, mt) : NR_MIGRATETYPES;

		if (other != NR_MIGRATETYPES)
			return buddy_del_and_expand(op, op->z->start_pfn + area->list[other].first,
						    order, o, other);
	}
	return PFN_NONE;
}

pfn_t buddy_take(struct op *op, unsigned order, enum migratetype mt, unsigned alloc_flags,
		 enum take_mode *mode)
{
	int64_t free = op->z->free_pages > 0 ? op->z->free_pages : 0;
	pfn_t pfn;

	/* movable memory is balanced between CMA areas and the rest */
	if ((alloc_flags & ALLOC_CMA) && op->z->free_cma > free / 2) {
		pfn = buddy_take_smallest(op, order, MT_CMA);
		if (pfn != PFN_NONE)
			return pfn;
	}
	if (*mode <= TAKE_NORMAL) {
		pfn = buddy_take_smallest(op, order, mt);
		if (pfn != PFN_NONE)
			return pfn;
	}
	if (*mode <= TAKE_CMA && (alloc_flags & ALLOC_CMA)) {
		pfn = buddy_take_smallest(op, order, MT_CMA);
		if (pfn != PFN_NONE) {
			*mode = TAKE_CMA;
			return pfn;
		}
	}
	if (*mode <= TAKE_CLAIM) {
		pfn = take_claim(op, order, mt, alloc_flags);
		if (pfn != PFN_NONE) {
			*mode = TAKE_NORMAL; /* the claimed block filled our own lists */
			return pfn;
		}
	}
	if (alloc_flags & ALLOC_NOFRAGMENT)
		return PFN_NONE;
	pfn = take_steal(op, order, mt);
	if (pfn != PFN_NONE)
		*mode = TAKE_STEAL;
	return pfn;
}
