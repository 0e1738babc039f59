/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buddy: free areas, split and merge, pageblocks and their types, fallback between types, and the
 * per-CPU lists in front of them. Nothing here knows watermarks but for the two moments at which
 * Linux looks at them from below (boost, end of ZONE_BELOW_HIGH).
 */
#ifndef BUDDY_H
#define BUDDY_H

#include "buddy/watermark.h"

#include <pagerig/trace.h>

/* --- buddy.c, fallback.c: under the zone's lock --- */
/* Books pages of a type as free (or, negative, as taken): per-CPU difference first, as vmstat. */
void account_free(struct op *op, int64_t pages, enum migratetype mt);
bool buddy_is_free(const struct pr_machine *m, const struct zone *z, pfn_t pfn, unsigned order);
void buddy_add(struct op *op, pfn_t pfn, unsigned order, enum migratetype mt, bool tail);
/* Takes a block off its list without booking. */
void buddy_del(struct op *op, pfn_t pfn, unsigned order, enum migratetype mt);
/* Splits a block that is off the lists down to low; returns pages put back (not booked). */
int64_t buddy_expand(struct op *op, pfn_t pfn, unsigned low, unsigned high, enum migratetype mt);
pfn_t buddy_del_and_expand(struct op *op, pfn_t pfn, unsigned low, unsigned high,
			   enum migratetype mt);
/* Smallest sufficient block of exactly this type, or PFN_NONE. */
pfn_t buddy_take_smallest(struct op *op, unsigned order, enum migratetype mt);
/*
 * What a direct compactor waits for: a block of this zone and order that arises while it frees is
 * its own at once (capture_control). One a thread; pfn is PFN_NONE until it was caught.
 */
struct capture {
	const struct zone *z;
	int order;
	enum migratetype type; /* of the request */
	pfn_t pfn;
};
extern _Thread_local struct capture *buddy_capture;
/* Frees one block with merging (mm/page_alloc.c: __free_one_page). */
void buddy_free_one(struct op *op, pfn_t pfn, unsigned order, enum migratetype mt);
/* Frees a block of any order by pageblocks (split_large_buddy). */
void buddy_free(struct op *op, pfn_t pfn, unsigned order);
static inline enum migratetype block_type(const struct op *op, pfn_t pfn)
{
	return pr_block_type(op->m, op->z, pfn);
}
/*
 * Up to max blocks of an order in a row, out of the smallest sufficient block of exactly this type: the
 * first, and how many. PFN_NONE if there is none. As many single requests would do, faster.
 */
pfn_t buddy_take_row(struct op *op, unsigned order, enum migratetype mt, unsigned max,
		     unsigned *got);
void block_set_type_range(struct op *op, pfn_t pfn, unsigned order, enum migratetype mt);

/* Where the last search of a row of allocations ended (enum rmqueue_mode). */
enum take_mode { TAKE_NORMAL, TAKE_CMA, TAKE_CLAIM, TAKE_STEAL };
/* One block, own type first, then CMA, claiming, stealing; PFN_NONE (mm/page_alloc.c: __rmqueue). */
pfn_t buddy_take(struct op *op, unsigned order, enum migratetype mt, unsigned alloc_flags,
		 enum take_mode *mode);
/* Moves a pageblock's free blocks to a type's lists; pages moved, -1 outside the zone. */
int block_move_free(struct op *op, pfn_t pfn, enum migratetype from, enum migratetype to);

enum { BATCH_SCALE_MAX = 5 }; /* CONFIG_PCP_BATCH_SCALE_MAX */

/* --- pcp.c: under the lists' lock; the zone's is taken inside --- */
static inline bool pcp_order(unsigned order)
{
	return order <= COSTLY_ORDER || order == PAGEBLOCK_ORDER;
}
/* Fetches blocks from the zone into an empty list; false if there are none. */
bool pcp_refill(struct op *op, struct list *list, unsigned order, enum migratetype mt,
		unsigned alloc_flags);
/* Takes the first block off a list that has one. */
static inline void pcp_pop(struct pcp *p, struct page *frames, struct list *list, unsigned order)
{
	frame_list_pop(list, frames);
	p->count -= 1 << order;
}
/* The first block of a list, refilled if need be. */
static inline pfn_t pcp_take_bulk(struct op *op, unsigned order, enum migratetype mt,
				  unsigned alloc_flags)
{
	struct list *list = &op->pcp->list[pr_pcp_index(order, mt)];
	uint32_t rel;

	if (unlikely(!list->nr) && !pcp_refill(op, list, order, mt, alloc_flags))
		return PFN_NONE;
	rel = list->first;
	pcp_pop(op->pcp, zone_frames(op->m, op->z), list, order);
	return op->z->start_pfn + rel;
}
/* The same for a single request, which ends a row of frees. */
static inline pfn_t pcp_take(struct op *op, unsigned order, enum migratetype mt,
			     unsigned alloc_flags)
{
	op->pcp->free_count >>= 1;
	return pcp_take_bulk(op, order, mt, alloc_flags);
}
/* As the kernel's clamp: the upper limit wins where limits are the wrong way round. */
static inline int pcp_clamp(int v, int lo, int hi)
{
	if (v >= hi)
		return hi;
	return v < lo ? lo : v;
}
static inline int pcp_clamp_high(const struct pcp *p)
{
	return pcp_clamp(p->high, p->high_min, p->high_max);
}
/* A consumer that frees large blocks in a row, which another CPU produces: its lists are cut short. */
hot_inline bool pcp_frees_high_orders(struct pcp *p, unsigned order)
{
	bool yes;

	if (!order || order > COSTLY_ORDER) {
		p->flags &= (uint8_t)~PCPF_PREV_FREE_HIGH_ORDER;
		return false;
	}
	yes = p->free_count >= p->batch && (p->flags & PCPF_PREV_FREE_HIGH_ORDER) &&
	      (!(p->flags & PCPF_FREE_HIGH_BATCH) || p->count >= p->batch);
	p->flags |= PCPF_PREV_FREE_HIGH_ORDER;
	return yes;
}
/* The lists may have become too long: `list` is where the newest block went. */
void pcp_spill_and_unlock(struct pr_machine *m, struct zone *z, struct pcp *p, int list,
			  bool free_high);
/*
 * Puts a block on the list of its pageblock's type mt. Returns -1, or the list if they may be too
 * long now: pcp_spill_and_unlock() is next, with *free_high.
 */
hot_inline int pcp_put(struct pr_machine *m, struct zone *z, struct pcp *p, pfn_t pfn,
		       unsigned order, enum migratetype mt, bool *free_high)
{
	struct page *frames = zone_frames(m, z);
	uint32_t rel = rel_of(z, pfn);
	int list;

	if (mt >= NR_PCP_TYPES)
		mt = MT_MOVABLE; /* CMA and high-atomic pages may be used by movable requests */
	store(&frames[rel].info, page_info(PAGE_PCP, order, 0, mt));
	list = pr_pcp_index(order, mt);
	frame_list_push(&p->list[list], frames, rel);
	p->alloc_factor >>= 1;
	p->count += 1 << order;
	*free_high = pcp_frees_high_orders(p, order);
	if (p->free_count < (p->batch << BATCH_SCALE_MAX))
		p->free_count = (int16_t)(p->free_count + (1 << order));
	p->high = pcp_clamp_high(p);
	/* nothing presses and there is room: what spilling would find */
	if (likely(p->high > p->count && !*free_high &&
		   !(load(&z->flags) & (ZONE_RECLAIM_ACTIVE | ZONE_BELOW_HIGH))))
		return -1;
	return list;
}
void pcp_drain(struct op *op);
/* Takes the lists' high down; true if there is more to do at the next tick. */
bool pcp_decay_high(struct op *op);
/* Gives count pages back, starting at list `first` (free_pcppages_bulk). */
void pcp_flush(struct op *op, int count, int first);

#endif
