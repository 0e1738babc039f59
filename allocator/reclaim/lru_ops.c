/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lru_ops.c: what owners tell of their pages. Source of the behaviour: mm/swap.c, mm/mlock.c. */
#include "reclaim/reclaim.h"

#include <errno.h>

/* Fills p if a block of user memory, or one that may become such, starts at pfn. */
static bool used_page(const struct pr_machine *m, pfn_t pfn, struct user_page *p)
{
	struct zone *z = pr_zone_of(m, pfn);

	if (!z)
		return false;
	*p = user_page_at(m, pfn);
	return page_used(p->page);
}

static bool on_lru(const struct page *page)
{
	return page_flag(page, PAGE_LRU | PAGE_LRU_ADD);
}

int pr_lru_mark(struct pr_machine *m, pfn_t pfn, unsigned flags)
{
	struct user_page p;

	if (!used_page(m, pfn, &p) || on_lru(p.page))
		return -EINVAL;
	page_clear(p.page, ~0u);
	page_set(p.page, flags);
	if (flags & PG_DIRTY)
		p.n->lru.dirty += page_nr(p.page);
	return 0;
}

unsigned pr_lru_flags(const struct pr_machine *m, pfn_t pfn)
{
	struct user_page p;

	return used_page(m, pfn, &p) && on_lru(p.page) ? page_lru_flags(p.page) : 0;
}

/* Onto the other list of its kind, at the head. */
static void activate(struct pr_machine *m, const struct user_page *p)
{
	bool listed = page_flag(p->page, PAGE_LISTED);

	lru_unlink(m, p);
	page_set(p->page, PG_ACTIVE);
	if (listed) {
		lru_link(m, p, false);
		pr_count(m, 0, EV_PGACTIVATE, page_nr(p->page));
	}
	page_clear(p->page, PG_REFERENCED);
	workingset_age(p->n, page_nr(p->page));
}

void pr_mark_accessed(struct pr_machine *m, pfn_t pfn)
{
	struct user_page p;

	if (!used_page(m, pfn, &p))
		return;
	lru_lock(p.n);
	if (!page_has(p.page, PG_REFERENCED))
		page_set(p.page, PG_REFERENCED);
	else if (!page_has(p.page, PG_UNEVICTABLE | PG_ACTIVE))
		activate(m, &p);
	lru_unlock(p.n);
}

void page_set_counted(const struct user_page *p, unsigned flag, bool on)
{
	uint64_t *count = flag == PG_DIRTY ? &p->n->lru.dirty : &p->n->lru.writeback;

	if (page_has(p->page, flag) == on)
		return;
	if (on) {
		page_set(p->page, flag);
		*count += page_nr(p->page);
	} else {
		page_clear(p->page, flag);
		*count -= page_nr(p->page);
	}
}

static void set_dirty(struct pr_machine *m, pfn_t pfn, bool dirty)
{
	struct user_page p;

	if (!used_page(m, pfn, &p))
		return;
	lru_lock(p.n);
	page_set_counted(&p, PG_DIRTY, dirty);
	lru_unlock(p.n);
}

void pr_page_dirty(struct pr_machine *m, pfn_t pfn)
{
	set_dirty(m, pfn, true);
}

void pr_page_clean(struct pr_machine *m, pfn_t pfn)
{
	set_dirty(m, pfn, false);
}

void pr_page_mapped(struct pr_machine *m, pfn_t pfn, bool mapped)
{
	struct user_page p;

	if (!used_page(m, pfn, &p))
		return;
	lru_lock(p.n);
	p.n->lru.mapped[page_file(p.page)] += mapped ? page_nr(p.page) : -(uint64_t)page_nr(p.page);
	lru_unlock(p.n);
}

/* To or from the list of what may not be taken away; what is on no list finds it on its way there. */
static void set_mlocked(struct pr_machine *m, pfn_t pfn, unsigned cpu, bool locked)
{
	struct user_page p;
	bool listed;

	if (!used_page(m, pfn, &p) || page_has(p.page, PG_MLOCKED) == locked)
		return;
	pr_count(m, cpu, locked ? EV_UNEVICTABLE_PGMLOCKED : EV_UNEVICTABLE_PGMUNLOCKED,
		 page_nr(p.page));
	lru_lock(p.n);
	listed = page_flag(p.page, PAGE_LISTED);
	lru_unlink(m, &p);
	if (locked)
		page_set(p.page, PG_MLOCKED);
	else
		page_clear(p.page, PG_MLOCKED);
	if (listed) {
		lru_link(m, &p, false);
		pr_count(m, cpu, locked ? EV_UNEVICTABLE_PGCULLED : EV_UNEVICTABLE_PGRESCUED,
			 page_nr(p.page));
	}
	lru_unlock(p.n);
}

void pr_page_mlock(struct pr_machine *m, pfn_t pfn, unsigned cpu)
{
	set_mlocked(m, pfn, cpu, true);
}

void pr_page_munlock(struct pr_machine *m, pfn_t pfn, unsigned cpu)
{
	set_mlocked(m, pfn, cpu, false);
}

void pr_page_swapcache(struct pr_machine *m, pfn_t pfn, bool yes)
{
	struct user_page p;

	if (!used_page(m, pfn, &p))
		return;
	lru_lock(p.n);
	if (yes)
		page_flag_set(p.page, PAGE_SWAPCACHE);
	else
		page_flag_clear(p.page, PAGE_SWAPCACHE);
	lru_unlock(p.n);
}

/* To the end of its list, where it is freed next (folio_rotate_reclaimable). */
static void rotate(struct pr_machine *m, const struct user_page *p)
{
	page_flag_clear(p->page, PAGE_RECLAIM);
	if (!page_flag(p->page, PAGE_LISTED) || page_has(p->page, PG_DIRTY | PG_UNEVICTABLE))
		return;
	lru_unlink(m, p);
	page_clear(p->page, PG_ACTIVE);
	lru_link(m, p, true);
	pr_count(m, 0, EV_PGROTATED, page_nr(p->page));
}

void pr_writeback_end(struct pr_machine *m, pfn_t pfn, int err)
{
	struct user_page p;

	if (!used_page(m, pfn, &p) || !page_has(p.page, PG_WRITEBACK))
		return;
	lru_lock(p.n);
	page_set_counted(&p, PG_WRITEBACK, false);
	if (err)
		page_set_counted(&p, PG_DIRTY, true);
	if (page_flag(p.page, PAGE_RECLAIM))
		rotate(m, &p);
	lru_unlock(p.n);
}

int pr_swap_resize(struct pr_machine *m, uint64_t pages)
{
	if (pages < m->arena->swap_used)
		return -EBUSY;
	m->arena->swap_total = pages;
	return 0;
}

int pr_swap_get(struct pr_machine *m, uint64_t pages)
{
	if (m->arena->swap_total - m->arena->swap_used < pages)
		return -ENOSPC;
	m->arena->swap_used += pages;
	return 0;
}

void pr_swap_put(struct pr_machine *m, uint64_t pages)
{
	m->arena->swap_used -= pages < m->arena->swap_used ? pages : m->arena->swap_used;
}

uint64_t pr_lru_pages(const struct pr_machine *m, int node, enum lru_list lru)
{
	uint64_t pages = 0;

	for (unsigned n = 0; n < m->arena->nr_nodes; n++)
		if (node < 0 || n == (unsigned)node)
			pages += lru_size(&m->nodes[n], lru, NR_ZONE_TYPES - 1);
	return pages;
}

uint64_t zone_reclaimable_pages(const struct pr_machine *m, const struct zone *z)
{
	const struct lruvec *v = &m->nodes[z->node].lru;
	uint64_t n = v->pages[LRU_INACTIVE_FILE][z->type] + v->pages[LRU_ACTIVE_FILE][z->type];

	if (swap_left(m))
		n += v->pages[LRU_INACTIVE_ANON][z->type] + v->pages[LRU_ACTIVE_ANON][z->type];
	/* file pages may be locked for a while: then free pages are what an allocation waits for */
	return n ? n : (uint64_t)pr_zone_free_snapshot(m, z);
}

