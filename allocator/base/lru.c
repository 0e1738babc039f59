/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lru.c: see lru.h. Source of the behaviour: mm/swap.c and include/linux/mm_inline.h of 6.12. */
#include "base/lru.h"

struct user_page user_page_at(const struct pr_machine *m, pfn_t pfn)
{
	struct zone *z = zone_of(m, pfn);

	return (struct user_page){z, &m->nodes[z->node], pr_page(m, z, pfn), pfn};
}

/* --- lists of one node --- */
static struct page *page_of(const struct pr_machine *m, const struct node *n, uint32_t rel)
{
	pfn_t pfn = n->start_pfn + rel;

	return pr_page(m, zone_of(m, pfn), pfn);
}

void lru_list_push(const struct pr_machine *m, const struct node *n, struct list *l, pfn_t pfn,
		   bool tail)
{
	uint32_t rel = (uint32_t)(pfn - n->start_pfn), other = tail ? l->last : l->first;
	struct page *me = page_of(m, n, rel);

	me->next = tail ? LINK_NONE : other;
	me->prev = tail ? other : LINK_NONE;
	if (other == LINK_NONE)
		l->first = l->last = rel;
	else if (tail)
		page_of(m, n, other)->next = l->last = rel;
	else
		page_of(m, n, other)->prev = l->first = rel;
	l->nr++;
}

void lru_list_del(const struct pr_machine *m, const struct node *n, struct list *l, pfn_t pfn)
{
	struct page *me = page_of(m, n, (uint32_t)(pfn - n->start_pfn));

	if (me->prev == LINK_NONE)
		l->first = me->next;
	else
		page_of(m, n, me->prev)->next = me->next;
	if (me->next == LINK_NONE)
		l->last = me->prev;
	else
		page_of(m, n, me->next)->prev = me->prev;
	me->next = me->prev = 0;
	l->nr--;
}

struct user_page lru_list_pop(const struct pr_machine *m, const struct node *n, struct list *l)
{
	struct user_page p = user_page_at(m, n->start_pfn + l->last);

	lru_list_del(m, n, l, p.pfn);
	return p;
}

void lru_link(struct pr_machine *m, const struct user_page *p, bool tail)
{
	enum lru_list lru;

	if (page_evictable(p->page))
		page_clear(p->page, PG_UNEVICTABLE);
	else
		{
		page_clear(p->page, PG_ACTIVE);
		page_set(p->page, PG_UNEVICTABLE);
	}
	lru = page_lru(p->page);
	lru_list_push(m, p->n, &p->n->lru.list[lru], p->pfn, tail);
	p->n->lru.pages[lru][p->z->type] += page_nr(p->page);
	page_flag_set(p->page, PAGE_LRU | PAGE_LISTED);
}

void lru_unlink(struct pr_machine *m, const struct user_page *p)
{
	enum lru_list lru = page_lru(p->page);

	if (!page_flag(p->page, PAGE_LISTED))
		return;
	lru_list_del(m, p->n, &p->n->lru.list[lru], p->pfn);
	p->n->lru.pages[lru][p->z->type] -= page_nr(p->page);
	page_flag_clear(p->page, PAGE_LRU | PAGE_LISTED);
}

void lru_release(struct pr_machine *m, pfn_t pfn)
{
	struct user_page p = user_page_at(m, pfn);
	unsigned nr = page_nr(p.page);

	lru_lock(p.n);
	lru_unlink(m, &p);
	if (page_has(p.page, PG_DIRTY))
		p.n->lru.dirty -= nr;
	if (page_has(p.page, PG_WRITEBACK))
		p.n->lru.writeback -= nr;
	lru_unlock(p.n);
}

uint64_t lru_putback(struct pr_machine *m, struct node *n, struct list *l)
{
	uint64_t moved = 0;

	while (l->nr) {
		struct user_page p = lru_list_pop(m, n, l);

		lru_link(m, &p, false);
		moved += page_nr(p.page);
		if (page_has(p.page, PG_ACTIVE))
			workingset_age(n, page_nr(p.page));
	}
	return moved;
}

uint64_t lru_size(const struct node *n, enum lru_list lru, int highest)
{
	uint64_t pages = 0;

	for (int t = 0; t <= highest && t < NR_ZONE_TYPES; t++)
		pages += n->lru.pages[lru][t];
	return pages;
}

void lru_note_cost(struct node *n, bool file, uint64_t io, uint64_t rotated)
{
	enum { CLUSTER = 32 };
	struct lruvec *v = &n->lru;
	uint64_t size = 0;

	v->cost[file] += io * CLUSTER + rotated;
	for (unsigned l = LRU_INACTIVE_ANON; l < LRU_UNEVICTABLE; l++)
		size += lru_size(n, (enum lru_list)l, NR_ZONE_TYPES - 1);
	if (v->cost[0] + v->cost[1] > size / 4) {
		v->cost[0] /= 2;
		v->cost[1] /= 2;
	}
}
