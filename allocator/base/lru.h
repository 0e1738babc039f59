/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lru: the lists of user memory of each node. A list goes over all zones of a node, so its links
 * are relative to the node's first frame. What is isolated is on a list of the same kind that
 * belongs to whoever isolated it.
 *
 * A node's LRU has one lock, taken inside the owners' and outside those of zones and per-CPU lists.
 * It guards the lists, the counts, and the flags of what is on them.
 */
#ifndef BASE_LRU_H
#define BASE_LRU_H

#include "base/lists.h"

/* One page with what is needed to do something to it. */
struct user_page {
	struct zone *z;
	struct node *n;
	struct page *page;
	pfn_t pfn;
};
/* At a frame of this machine. */
struct user_page user_page_at(const struct pr_machine *m, pfn_t pfn);

/* The flags lie in page->info, which others change at the same time. */
static inline bool page_used(const struct page *page)
{
	return (load(&page->info) & 0xff) == PAGE_USED;
}
static inline unsigned page_order(const struct page *page)
{
	return load(&page->info) >> 8 & 0xff;
}
static inline unsigned page_nr(const struct page *page)
{
	return 1u << page_order(page);
}
static inline bool page_flag(const struct page *page, unsigned page_flags)
{
	return load(&page->info) & page_flags << 16;
}
static inline void page_flag_set(struct page *page, unsigned page_flags)
{
	__atomic_fetch_or(&page->info, page_flags << 16, __ATOMIC_ACQ_REL);
}
static inline void page_flag_clear(struct page *page, unsigned page_flags)
{
	__atomic_fetch_and(&page->info, ~(page_flags << 16), __ATOMIC_ACQ_REL);
}
static inline unsigned page_lru_flags(const struct page *page)
{
	return load(&page->info) >> 24;
}
static inline bool page_has(const struct page *page, unsigned lru_flags)
{
	return load(&page->info) & lru_flags << 24;
}
static inline void page_set(struct page *page, unsigned lru_flags)
{
	__atomic_fetch_or(&page->info, lru_flags << 24, __ATOMIC_ACQ_REL);
}
static inline void page_clear(struct page *page, unsigned lru_flags)
{
	__atomic_fetch_and(&page->info, ~(lru_flags << 24), __ATOMIC_ACQ_REL);
}
static inline bool page_file(const struct page *page)
{
	return page_has(page, PG_FILE);
}
static inline bool page_evictable(const struct page *page)
{
	return !page_has(page, PG_MLOCKED);
}
/* The list that its flags say. */
static inline enum lru_list page_lru(const struct page *page)
{
	if (page_has(page, PG_UNEVICTABLE))
		return LRU_UNEVICTABLE;
	return (enum lru_list)(page_file(page) * LRU_FILE + page_has(page, PG_ACTIVE) * LRU_ACTIVE);
}

static inline void lru_lock(struct node *n)
{
	lock_take(&n->lru.lock, LOCK_LRU);
}
static inline void lru_unlock(struct node *n)
{
	lock_give(&n->lru.lock, LOCK_LRU);
}

/* --- lists of one node; under its lock, but for those that are the caller's --- */
void lru_list_push(const struct pr_machine *m, const struct node *n, struct list *l, pfn_t pfn,
		   bool tail);
void lru_list_del(const struct pr_machine *m, const struct node *n, struct list *l, pfn_t pfn);
/* The last, taken off the list. */
struct user_page lru_list_pop(const struct pr_machine *m, const struct node *n, struct list *l);

/* Puts a block on its node's list, by its flags, at the head or tail; counts it. */
void lru_link(struct pr_machine *m, const struct user_page *p, bool tail);
/* Takes it off; nothing if it is on none. */
void lru_unlink(struct pr_machine *m, const struct user_page *p);
/* What the LRU knows of a block that is about to be freed is forgotten. Takes the lock. */
void lru_release(struct pr_machine *m, pfn_t pfn);
/* Isolated blocks back onto their lists, the last of l first (move_folios_to_lru). Pages. */
uint64_t lru_putback(struct pr_machine *m, struct node *n, struct list *l);

/* Pages of a list in zones up to `highest` (lruvec_lru_size). */
uint64_t lru_size(const struct node *n, enum lru_list lru, int highest);
/* Time goes on for what was evicted (workingset_age_nonresident). */
static inline void workingset_age(struct node *n, uint64_t pages)
{
	n->lru.nonresident_age += pages;
}
/* Reclaim of anonymous or file pages cost that much (lru_note_cost). */
void lru_note_cost(struct node *n, bool file, uint64_t io, uint64_t rotated);

#endif
