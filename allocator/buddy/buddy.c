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

inline void account_free(struct op *op, int64_t pages, enum migratetype mt)
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

/* The usual place, the head. */
static inline void add_head(struct zone *z, struct page *frames, struct pageblock *blocks,
			    uint32_t rel, unsigned order, enum migratetype mt)
{
	if (order >= PAGEBLOCK_ORDER) {
		large_push_head(z, blocks, rel, order, mt);
	} else {
		store(&frames[rel].info, page_info(PAGE_FREE, order, 0, 0));
		small_push_head(z, frames, rel, order, mt);
	}
}

static inline void del(struct zone *z, struct page *frames, struct pageblock *blocks, uint32_t rel,
		       unsigned order, enum migratetype mt)
{
	if (order >= PAGEBLOCK_ORDER) {
		large_remove(z, blocks, rel, order, mt);
	} else {
		small_remove(z, frames, rel, order, mt);
		store(&frames[rel].info, 0);
	}
}

void buddy_del(struct op *op, pfn_t pfn, unsigned order, enum migratetype mt)
{
	del(op->z, zone_frames(op->m, op->z), op->m->blocks, rel_of(op->z, pfn),
	    order, mt);
}

static inline int64_t expand(struct zone *z, struct page *frames, struct pageblock *blocks,
			     uint32_t rel, unsigned low, unsigned high, enum migratetype mt)
{
	for (unsigned o = high; o-- > low;)
		add_head(z, frames, blocks, rel + (1u << o), o, mt);
	return (1ll << high) - (1ll << low);
}

int64_t buddy_expand(struct op *op, pfn_t pfn, unsigned low, unsigned high, enum migratetype mt)
{
	return expand(op->z, zone_frames(op->m, op->z), op->m->blocks,
		      rel_of(op->z, pfn), low, high, mt);
}

pfn_t buddy_del_and_expand(struct op *op, pfn_t pfn, unsigned low, unsigned high,
			   enum migratetype mt)
{
	struct pageblock *blocks = op->m->blocks;
	struct page *frames = zone_frames(op->m, op->z);
	uint32_t rel = rel_of(op->z, pfn);
	struct zone *z = op->z;

	intent_set(z, rel, high);
	del(z, frames, blocks, rel, high, mt);
	/* booked in one piece: what leaves is the request alone */
	account_free(op, expand(z, frames, blocks, rel, low, high, mt) - (1ll << high), mt);
	return pfn;
}

pfn_t buddy_take_smallest(struct op *op, unsigned order, enum migratetype mt)
{
	unsigned orders = (unsigned)op->z->mask[mt] >> order, o;
	pfn_t pfn;

	if (!orders)
		return PFN_NONE;
	o = order + (unsigned)__builtin_ctz(orders);
	pfn = buddy_del_and_expand(op, op->z->start_pfn + op->z->area[o].list[mt].first, order, o,
				   mt);
	pr_trace(op->m, op_cpu(op), mm_page_alloc_zone_locked, .pfn = pfn, .order = order,
		 .migratetype = mt, .percpu_refill = pcp_order(order) && mt < NR_PCP_TYPES);
	return pfn;
}

/* n times one step down, as account_free() would book them one after the other. */
static void account_row(struct op *op, unsigned n, unsigned order)
{
	int t = op->books->stat_threshold, step = 1 << order, x = op->books->free_diff;

	while (n) {
		/* steps until the difference is too large and goes to the zone */
		unsigned far = x + t >= 0 && x - step <= t ? (unsigned)((x + t) / step) + 1 : 1;

		if (n < far) {
			x -= (int)n * step;
			break;
		}
		store(&op->z->free_pages, op->z->free_pages + x - (int64_t)far * step);
		x = 0;
		n -= far;
	}
	store(&op->books->free_diff, x);
}

pfn_t buddy_take_row(struct op *op, unsigned order, enum migratetype mt, unsigned max,
		     unsigned *got)
{
	struct pageblock *blocks = op->m->blocks;
	struct page *frames = zone_frames(op->m, op->z);
	unsigned orders = (unsigned)op->z->mask[mt] >> order, have;
	struct zone *z = op->z;
	uint32_t rel, at;

	if (!orders)
		return PFN_NONE;
	have = order + (unsigned)__builtin_ctz(orders);
	rel = z->area[have].list[mt].first;
	intent_set(z, rel, have);
	del(z, frames, blocks, rel, have, mt);
	*got = 1u << (have - order);
	if (*got > max)
		*got = max;
	/* what is left, in the largest pieces: each is the only one of its order */
	for (at = *got << order; at < 1u << have;) {
		unsigned piece = (unsigned)__builtin_ctz(at);

		add_head(z, frames, blocks, rel + at, piece, mt);
		at += 1u << piece;
	}
	account_row(op, *got, order);
	return z->start_pfn + rel;
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
static bool captured(struct capture *c, const struct op *op, pfn_t pfn, unsigned order,
		     enum migratetype mt)
{
	if (c->z != op->z || c->pfn != PFN_NONE || (int)order != c->order)
		return false;
	if (mt == MT_CMA || mt == MT_ISOLATE ||
	    (order < PAGEBLOCK_ORDER && mt == MT_MOVABLE && c->type != MT_MOVABLE))
		return false;
	c->pfn = pfn;
	/* nobody's yet, but on no list any more */
	store(&pr_page(op->m, op->z, pfn)->info, page_info(PAGE_USED, order, PAGE_ISOLATED, 0));
	return true;
}

/* Merges a block with its buddies inside the pageblock, as far as they are free. */
static unsigned merge_small(struct op *op, pfn_t *pfn, unsigned order, enum migratetype mt)
{
	struct page *frames = zone_frames(op->m, op->z);
	struct zone *z = op->z;
	pfn_t start = z->start_pfn, end = z->spanned, at = *pfn;

	for (; order < PAGEBLOCK_ORDER; order++) {
		uint64_t buddy = (at ^ (1ull << order)) - start;

		if (unlikely(buddy >= end) ||
		    !page_info_is(load(&frames[buddy].info), PAGE_FREE, order))
			break;
		at &= ~(1ull << order);
		intent_set(z, (uint32_t)(at - start), order + 1);
		small_remove(z, frames, (uint32_t)buddy, order, mt);
		store(&frames[buddy].info, 0);
	}
	*pfn = at;
	return order;
}

/* The buddy of a block of pageblock order goes if types allow it: then all is of type mt. */
static bool merge_large(struct op *op, pfn_t pfn, unsigned order, enum migratetype mt)
{
	pfn_t buddy = pfn ^ (1ull << order);
	enum migratetype buddy_mt;

	if (!buddy_is_free(op->m, op->z, buddy, order))
		return false;
	buddy_mt = block_type(op, buddy);
	if (buddy_mt != mt && !(type_mergeable(mt) && type_mergeable(buddy_mt)))
		return false;
	intent_set(op->z, rel_of(op->z, pfn & buddy), order + 1);
	buddy_del(op, buddy, order, buddy_mt);
	if (buddy_mt != mt)
		block_set_type_range(op, buddy, order, mt);
	return true;
}

/* The same with a compactor waiting: it may take the block at any size on the way up. */
static bool merge_watched(struct op *op, struct capture *c, pfn_t *pfn, unsigned *order,
			  enum migratetype mt)
{
	for (; *order < MAX_ORDER; ++*order) {
		pfn_t buddy = *pfn ^ (1ull << *order);

		if (captured(c, op, *pfn, *order, mt))
			return true;
		if (*order >= PAGEBLOCK_ORDER) {
			if (!merge_large(op, *pfn, *order, mt))
				break;
		} else {
			if (!buddy_is_free(op->m, op->z, buddy, *order))
				break;
			intent_set(op->z, rel_of(op->z, *pfn & buddy), *order + 1);
			buddy_del(op, buddy, *order, mt);
		}
		*pfn &= buddy;
	}
	return false;
}

void buddy_free_one(struct op *op, pfn_t pfn, unsigned order, enum migratetype mt)
{
	struct capture *c = buddy_capture;

	intent_set(op->z, rel_of(op->z, pfn), order);
	account_free(op, 1ll << order, mt);
	if (unlikely(c)) {
		if (merge_watched(op, c, &pfn, &order, mt)) {
			account_free(op, -(1ll << order), mt);
			return;
		}
	} else {
		order = merge_small(op, &pfn, order, mt);
		while (order >= PAGEBLOCK_ORDER && order < MAX_ORDER &&
		       merge_large(op, pfn, order, mt)) {
			pfn &= ~(1ull << order);
			order++;
		}
	}
	if (merge_likely(op, pfn, order))
		buddy_add(op, pfn, order, mt, true);
	else
		add_head(op->z, zone_frames(op->m, op->z), op->m->blocks,
			 rel_of(op->z, pfn), order, mt);
}

void buddy_free(struct op *op, pfn_t pfn, unsigned order)
{
	pfn_t end = pfn + (1ull << order);
	enum migratetype mt = block_type(op, pfn);

	if (order > PAGEBLOCK_ORDER && !buddy_capture &&
	    mt == block_type(op, pfn + PAGEBLOCK_PAGES)) {
		/* its two pageblocks would find each other and be one again */
		account_free(op, 1ll << order, mt);
		large_push_head(op->z, op->m->blocks, rel_of(op->z, pfn), order, mt);
		return;
	}
	if (order > PAGEBLOCK_ORDER)
		order = PAGEBLOCK_ORDER;
	for (; pfn < end; pfn += 1ull << order)
		buddy_free_one(op, pfn, order, block_type(op, pfn));
}
