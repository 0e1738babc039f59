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

/* Orders at which another type has a block; bit o for order o. */
static unsigned fallback_orders(const struct zone *z, enum migratetype mt)
{
	return z->mask[fallback_order[mt][0]] | z->mask[fallback_order[mt][1]];
}

/* First other type with a block of this order; there is one. */
static enum migratetype fallback_type(const struct zone *z, unsigned order, enum migratetype mt)
{
	return fallback_order[mt][!(z->mask[fallback_order[mt][0]] >> order & 1)];
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
	store(&z->watermark_boost, z->watermark_boost + PAGEBLOCK_PAGES < max
					   ? z->watermark_boost + PAGEBLOCK_PAGES
					   : max);
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
		uint32_t info = load(&pr_page(op->m, op->z, pfn)->info);
		enum page_state state = info & 0xff;
		unsigned n = 1;

		if (state == PAGE_FREE || state == PAGE_USED)
			n = 1u << (info >> 8 & 0xff);
		if (state == PAGE_FREE)
			*free += n;
		else if (state == PAGE_USED && (info >> 16 & PAGE_LRU)) /* all frames of a folio, or one */
			*movable += info >> 16 & PAGE_COMP ? n : 1;
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
		uint32_t info = load(&pr_page(op->m, op->z, pfn)->info);
		unsigned order = info >> 8 & 0xff;

		if ((info & 0xff) != PAGE_FREE) {
			pfn++;
			continue;
		}
		intent_set(op->z, rel_of(op->z, pfn), order);
		area_remove(op, rel_of(op->z, pfn), order, from);
		area_push(op, rel_of(op->z, pfn), order, to, true);
		/* two entries in the books, as Linux: a CPU's difference may overflow in between */
		account_free(op, -(1ll << order), from);
		account_free(op, 1ll << order, to);
		pfn += 1ull << order;
		moved += 1 << order;
	}
	block_set_type(pr_block(op->m, op->z, start), to);
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
		intent_set(op->z, rel_of(op->z, pfn), have);
		buddy_del(op, pfn, have, was);
		account_free(op, -(1ll << have), was);
		block_set_type_range(op, pfn, have, mt);
		account_free(op, buddy_expand(op, pfn, order, have, mt), mt);
		return pfn;
	}
	if (boost_watermark(op->m, op->z) && (alloc_flags & ALLOC_KSWAPD))
		zone_flag_set(op->z, ZONE_BOOSTED_WATERMARK);
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
static void trace_extfrag(struct op *op, pfn_t pfn, unsigned order, unsigned have,
			  enum migratetype mt, enum migratetype other)
{
	pr_trace(op->m, op_cpu(op), mm_page_alloc_extfrag, .pfn = pfn, .alloc_order = (int)order,
		 .fallback_order = (int)have, .alloc_migratetype = mt,
		 .fallback_migratetype = other, .change_ownership = block_type(op, pfn) == mt);
}

static pfn_t take_claim(struct op *op, unsigned order, enum migratetype mt, unsigned alloc_flags)
{
	unsigned min = order, orders;

	if (order < PAGEBLOCK_ORDER && (alloc_flags & ALLOC_NOFRAGMENT))
		min = PAGEBLOCK_ORDER;
	for (orders = fallback_orders(op->z, mt) >> min << min; orders;) {
		unsigned o = 31 - (unsigned)__builtin_clz(orders);
		enum migratetype other = fallback_type(op->z, o, mt);
		pfn_t pfn;

		if (!may_claim(op->m, o, mt))
			break;
		pfn = claim_block(op, op->z->start_pfn + op->z->area[o].list[other].first, o, order,
				  mt, alloc_flags);
		if (pfn != PFN_NONE) {
			trace_extfrag(op, pfn, order, o, mt, other);
			return pfn;
		}
		orders &= ~(1u << o);
	}
	return PFN_NONE;
}

/* A single piece, the smallest that will do; the block keeps its type. */
static pfn_t take_steal(struct op *op, unsigned order, enum migratetype mt)
{
	unsigned orders = fallback_orders(op->z, mt) >> order, o;
	enum migratetype other;
	pfn_t pfn;

	if (!orders)
		return PFN_NONE;
	o = order + (unsigned)__builtin_ctz(orders);
	other = fallback_type(op->z, o, mt);
	pfn = buddy_del_and_expand(op, op->z->start_pfn + op->z->area[o].list[other].first, order,
				   o, other);
	trace_extfrag(op, pfn, order, o, mt, other);
	return pfn;
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
