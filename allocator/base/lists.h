/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lists.h: the doubly linked lists of the arena. Links are zone-relative frame numbers; where the
 * pair of links of a block lies depends on its order (see struct pageblock), so each call says
 * the order and whether the list is a buddy list or a per-CPU list.
 *
 * Lock order of the engine (all taken by the host today as one): pcp, then zone.
 */
#ifndef BASE_LISTS_H
#define BASE_LISTS_H

#include <pagerig/machine.h>

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

static inline uint32_t rel_of(const struct zone *z, pfn_t pfn)
{
	return (uint32_t)(pfn - z->start_pfn);
}

static inline bool zone_spans(const struct zone *z, pfn_t pfn)
{
	return pfn >= z->start_pfn && pfn - z->start_pfn < z->spanned;
}

struct links {
	uint32_t next, prev;
};
_Static_assert(offsetof(struct page, next) == 0 && offsetof(struct page, prev) == 4, "links first");
_Static_assert(offsetof(struct pageblock, next) == 0 && offsetof(struct pageblock, prev) == 4,
	       "links first");

/* Large free blocks are linked through their pageblock: the page array stays untouched. */
static inline struct links *buddy_links(const struct pr_machine *m, const struct zone *z,
					uint32_t rel, unsigned order)
{
	pfn_t pfn = z->start_pfn + rel;

	if (order >= PAGEBLOCK_ORDER)
		return (struct links *)pr_block(m, z, pfn);
	return (struct links *)pr_page(m, z, pfn);
}

static inline struct links *pcp_links(const struct pr_machine *m, const struct zone *z,
				      uint32_t rel)
{
	return (struct links *)&m->pages[z->page_base + rel];
}

static inline struct links *any_links(const struct pr_machine *m, const struct zone *z,
				      uint32_t rel, unsigned order, bool pcp)
{
	return pcp ? pcp_links(m, z, rel) : buddy_links(m, z, rel, order);
}

static inline void list_init(struct list *l)
{
	l->first = l->last = LINK_NONE;
	l->nr = 0;
}

static inline void list_push(const struct pr_machine *m, const struct zone *z, struct list *l,
			     uint32_t rel, unsigned order, bool pcp, bool tail)
{
	struct links *me = any_links(m, z, rel, order, pcp);
	uint32_t other = tail ? l->last : l->first;

	me->next = tail ? LINK_NONE : other;
	me->prev = tail ? other : LINK_NONE;
	if (other == LINK_NONE) {
		l->first = l->last = rel;
	} else if (tail) {
		any_links(m, z, other, order, pcp)->next = rel;
		l->last = rel;
	} else {
		any_links(m, z, other, order, pcp)->prev = rel;
		l->first = rel;
	}
	l->nr++;
}

static inline void list_remove(const struct pr_machine *m, const struct zone *z, struct list *l,
			       uint32_t rel, unsigned order, bool pcp)
{
	struct links *me = any_links(m, z, rel, order, pcp);

	if (me->prev == LINK_NONE)
		l->first = me->next;
	else
		any_links(m, z, me->prev, order, pcp)->next = me->next;
	if (me->next == LINK_NONE)
		l->last = me->prev;
	else
		any_links(m, z, me->next, order, pcp)->prev = me->prev;
	me->next = me->prev = 0;
	l->nr--;
}

/* Types that may merge with and turn into each other (migratetype_is_mergeable). */
static inline bool type_mergeable(enum migratetype mt)
{
	return mt < NR_PCP_TYPES;
}

#endif
