/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lists.h: the doubly linked lists of the arena, and the states of frames and pageblocks. Links are
 * zone-relative frame numbers; where the pair of links of a block lies depends on its order (see
 * struct pageblock), so each call says the order and whether it is a buddy or a per-CPU list.
 *
 * The first element's prev is whatever it was: taking from the front touches one element only.
 * Adding makes the new element whole before anything leads to it, removing changes one link of
 * the way forward: the way from first to last is whole between any two stores.
 */
#ifndef BASE_LISTS_H
#define BASE_LISTS_H

#include "base/lock.h"

/* One operation on one zone by one CPU: what nearly every function of the lower floors needs. */
struct op {
	struct pr_machine *m;
	struct zone *z;
	struct pcp *pcp;   /* the lists that are worked on */
	struct pcp *books; /* of the CPU that runs: its unfolded counts take the changes */
};

static inline struct op op_make(struct pr_machine *m, struct zone *z, unsigned cpu)
{
	return (struct op){m, z, pr_pcp(m, z, cpu), pr_pcp(m, z, cpu)};
}

/* The CPU that runs. */
static inline unsigned op_cpu(const struct op *op)
{
	return (unsigned)(op->books - &op->m->pcps[op->z->pcp_base]);
}

static inline uint32_t rel_of(const struct zone *z, pfn_t pfn)
{
	return (uint32_t)(pfn - z->start_pfn);
}

static inline bool zone_spans(const struct zone *z, pfn_t pfn)
{
	return pfn - z->start_pfn < z->spanned; /* below the start it wraps round */
}

/* Zone that holds pfn, from zones[i] on, or NULL. */
struct zone *zone_search(const struct pr_machine *m, pfn_t pfn, uint32_t i);
/* Zone that holds pfn, or NULL. Pieces without a zone name one behind the last, which spans nothing. */
static inline struct zone *zone_of(const struct pr_machine *m, pfn_t pfn)
{
	uint64_t piece = pfn >> m->arena->map_shift;
	struct zone *z;

	if (unlikely(piece >= m->arena->map_size))
		return NULL;
	z = &m->zones[m->zone_map[piece]];
	if (likely(zone_spans(z, pfn)))
		return z;
	return zone_search(m, pfn, m->zone_map[piece] + 1u);
}

/* --- states: one word each, so that another thread sees the old one or the new one --- */
static inline uint32_t page_info(enum page_state state, unsigned order, unsigned flags, unsigned mt)
{
	return state | order << 8 | flags << 16 | mt << 24;
}

static inline bool page_info_is(uint32_t info, enum page_state state, unsigned order)
{
	return (info & 0xffff) == (state | order << 8);
}

static inline void block_set_state(struct pageblock *b, enum block_state state, unsigned order)
{
	store(&b->head, (uint16_t)(state | order << 8));
}

static inline void block_set_type(struct pageblock *b, enum migratetype mt)
{
	store(&b->type_code, (uint8_t)(mt ^ MT_MOVABLE));
}

/* Order of the free block of order >= 9 that starts in this pageblock, or -1. */
static inline int block_free_order(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	unsigned head = load(&pr_block(m, z, pfn)->head), state = head & 0xff;

	if (likely(state))
		return state == BLOCK_FREE ? (int)(head >> 8) : -1;
	if (pfn & ((1u << MAX_ORDER) - 1) || rel_of(z, pfn) < z->initial_first ||
	    rel_of(z, pfn) >= z->initial_end)
		return -1;
	return MAX_ORDER;
}

/* --- links --- */
enum { BLOCK_STEP = 1 << MAX_ORDER }; /* from an untouched free block to the next */

static inline bool links_in_block(unsigned order, bool pcp)
{
	return order >= PAGEBLOCK_ORDER && !pcp;
}

static inline struct page *page_rel(const struct pr_machine *m, const struct zone *z, uint32_t rel)
{
	return pr_page(m, z, z->start_pfn + rel);
}

/* The frames of a zone, by zone-relative number. */
static inline struct page *zone_frames(const struct pr_machine *m, const struct zone *z)
{
	return pr_page(m, z, z->start_pfn);
}

static inline uint32_t link_next(const struct pr_machine *m, const struct zone *z, uint32_t rel,
				 unsigned order, bool pcp)
{
	if (links_in_block(order, pcp))
		return pr_block(m, z, z->start_pfn + rel)->next + rel + BLOCK_STEP;
	return page_rel(m, z, rel)->next;
}

static inline uint32_t link_prev(const struct pr_machine *m, const struct zone *z, uint32_t rel,
				 unsigned order, bool pcp)
{
	if (links_in_block(order, pcp))
		return pr_block(m, z, z->start_pfn + rel)->prev + rel - BLOCK_STEP;
	return page_rel(m, z, rel)->prev;
}

static inline void link_set_next(const struct pr_machine *m, const struct zone *z, uint32_t rel,
				 unsigned order, bool pcp, uint32_t next)
{
	if (links_in_block(order, pcp))
		pr_block(m, z, z->start_pfn + rel)->next = next - rel - BLOCK_STEP;
	else
		page_rel(m, z, rel)->next = next;
}

static inline void link_set_prev(const struct pr_machine *m, const struct zone *z, uint32_t rel,
				 unsigned order, bool pcp, uint32_t prev)
{
	if (links_in_block(order, pcp))
		pr_block(m, z, z->start_pfn + rel)->prev = prev - rel + BLOCK_STEP;
	else
		page_rel(m, z, rel)->prev = prev;
}

static inline void list_init(struct list *l)
{
	l->first = l->last = LINK_NONE;
	l->nr = 0;
}

static inline void list_push_head(const struct pr_machine *m, const struct zone *z, struct list *l,
				  uint32_t rel, unsigned order, bool pcp)
{
	uint32_t old = l->first;

	link_set_next(m, z, rel, order, pcp, old);
	in_order();
	if (old == LINK_NONE)
		l->last = rel;
	else
		link_set_prev(m, z, old, order, pcp, rel);
	l->first = rel;
	l->nr++;
}

static inline void list_push_tail(const struct pr_machine *m, const struct zone *z, struct list *l,
				  uint32_t rel, unsigned order, bool pcp)
{
	uint32_t old = l->last;

	link_set_next(m, z, rel, order, pcp, LINK_NONE);
	link_set_prev(m, z, rel, order, pcp, old);
	in_order();
	if (old == LINK_NONE)
		l->first = rel;
	else
		link_set_next(m, z, old, order, pcp, rel);
	l->last = rel;
	l->nr++;
}

static inline void list_push(const struct pr_machine *m, const struct zone *z, struct list *l,
			     uint32_t rel, unsigned order, bool pcp, bool tail)
{
	if (tail)
		list_push_tail(m, z, l, rel, order, pcp);
	else
		list_push_head(m, z, l, rel, order, pcp);
}

static inline void list_remove(const struct pr_machine *m, const struct zone *z, struct list *l,
			       uint32_t rel, unsigned order, bool pcp)
{
	uint32_t next = link_next(m, z, rel, order, pcp);
	uint32_t prev = rel == l->first ? LINK_NONE : link_prev(m, z, rel, order, pcp);

	if (prev == LINK_NONE)
		l->first = next;
	else
		link_set_next(m, z, prev, order, pcp, next);
	in_order();
	if (next == LINK_NONE)
		l->last = prev;
	else if (prev != LINK_NONE)
		link_set_prev(m, z, next, order, pcp, prev);
	l->nr--;
}

/*
 * The two moves of the common path, on per-CPU lists: the first element off, and a new one on. They
 * are what list_remove() and list_push_head() do there, with the frames' address at hand.
 */
static inline void frame_list_pop(struct list *l, struct page *frames)
{
	uint32_t next = frames[l->first].next;

	l->first = next;
	if (unlikely(next == LINK_NONE))
		l->last = LINK_NONE;
	else
		__builtin_prefetch(&frames[next], 1); /* it is wanted next */
	l->nr--;
}

/* The last one off, for the way back to the zone. */
static inline void frame_list_pop_tail(struct list *l, struct page *frames)
{
	uint32_t prev = frames[l->last].prev;

	if (l->first == l->last) {
		l->first = l->last = LINK_NONE;
	} else {
		frames[prev].next = LINK_NONE; /* brings in what is next, too */
		l->last = prev;
	}
	l->nr--;
}

static inline void frame_list_push(struct list *l, struct page *frames, uint32_t rel)
{
	uint32_t old = l->first;

	frames[rel].next = old;
	in_order();
	if (unlikely(old == LINK_NONE))
		l->last = rel;
	else
		frames[old].prev = rel;
	l->first = rel;
	l->nr++;
}

/* --- free areas: a list, its count, and the zone's mask of orders --- */
static inline void area_count(struct zone *z, unsigned order, enum migratetype mt, int change)
{
	struct free_area *area = &z->area[order];
	uint16_t bit = (uint16_t)(1u << order), mask = z->mask[mt];

	area->nr_free += (uint64_t)(int64_t)change;
	store(&z->mask[mt], area->list[mt].nr ? mask | bit : mask & (uint16_t)~bit);
}

static inline void area_push(const struct op *op, uint32_t rel, unsigned order, enum migratetype mt,
			     bool tail)
{
	list_push(op->m, op->z, &op->z->area[order].list[mt], rel, order, false, tail);
	area_count(op->z, order, mt, 1);
}

static inline void area_remove(const struct op *op, uint32_t rel, unsigned order,
			       enum migratetype mt)
{
	list_remove(op->m, op->z, &op->z->area[order].list[mt], rel, order, false);
	area_count(op->z, order, mt, -1);
}

/* The same two for orders below a pageblock, where splitting and merging spend their time. */
hot_inline void small_push_head(struct zone *z, struct page *frames, uint32_t rel, unsigned order,
				enum migratetype mt)
{
	frame_list_push(&z->area[order].list[mt], frames, rel);
	z->area[order].nr_free++;
	store(&z->mask[mt], z->mask[mt] | (uint16_t)(1u << order));
}

hot_inline void small_remove(struct zone *z, struct page *frames, uint32_t rel, unsigned order,
			     enum migratetype mt)
{
	struct list *l = &z->area[order].list[mt];
	uint32_t next = frames[rel].next, prev = frames[rel].prev;

	if (rel == l->first) {
		prev = LINK_NONE;
		l->first = next;
	} else {
		frames[prev].next = next;
	}
	in_order();
	if (next == LINK_NONE)
		l->last = prev;
	else
		frames[next].prev = prev; /* of no meaning in the first, but never a wrong way */
	l->nr--;
	z->area[order].nr_free--;
	if (!l->nr)
		store(&z->mask[mt], z->mask[mt] & (uint16_t)~(1u << order));
}

/* And for pageblocks; blocks are the machine's. */
hot_inline struct pageblock *block_rel(struct pageblock *blocks, const struct zone *z, uint32_t rel)
{
	return &blocks[((z->start_pfn + rel) >> PAGEBLOCK_ORDER) + z->block_delta];
}

hot_inline void large_push_head(struct zone *z, struct pageblock *blocks, uint32_t rel,
				unsigned order, enum migratetype mt)
{
	struct pageblock *b = block_rel(blocks, z, rel);
	struct list *l = &z->area[order].list[mt];
	uint32_t old = l->first;

	store(&b->head, (uint16_t)(BLOCK_FREE | order << 8));
	b->next = old - rel - BLOCK_STEP;
	in_order();
	if (old == LINK_NONE)
		l->last = rel;
	else
		block_rel(blocks, z, old)->prev = rel - old + BLOCK_STEP;
	l->first = rel;
	l->nr++;
	z->area[order].nr_free++;
	store(&z->mask[mt], z->mask[mt] | (uint16_t)(1u << order));
}

hot_inline void large_remove(struct zone *z, struct pageblock *blocks, uint32_t rel, unsigned order,
			     enum migratetype mt)
{
	struct list *l = &z->area[order].list[mt];
	struct pageblock *b = block_rel(blocks, z, rel);
	uint32_t next = b->next + rel + BLOCK_STEP, prev = b->prev + rel - BLOCK_STEP;

	if (rel == l->first) {
		prev = LINK_NONE;
		l->first = next;
	} else {
		block_rel(blocks, z, prev)->next = next - prev - BLOCK_STEP;
	}
	in_order();
	if (next == LINK_NONE)
		l->last = prev;
	else if (prev != LINK_NONE)
		block_rel(blocks, z, next)->prev = prev - next + BLOCK_STEP;
	store(&b->head, BLOCK_BUSY);
	l->nr--;
	z->area[order].nr_free--;
	if (!l->nr)
		store(&z->mask[mt], z->mask[mt] & (uint16_t)~(1u << order));
}

/* Types that may merge with and turn into each other (migratetype_is_mergeable). */
static inline bool type_mergeable(enum migratetype mt)
{
	return mt < NR_PCP_TYPES;
}

#endif
