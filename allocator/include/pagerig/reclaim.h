/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reclaim.h: user memory on the LRU, and taking it away again. Source of the behaviour: mm/swap.c,
 * mm/vmscan.c and mm/workingset.c of 6.12, without MGLRU and memory cgroups.
 *
 * Locking: the host serialises all calls on one machine.
 */
#ifndef PAGERIG_RECLAIM_H
#define PAGERIG_RECLAIM_H

#include <pagerig/alloc.h>
#include <pagerig/owner.h>

/*
 * Flags of an allocated block before it comes onto the LRU (enum page_lru_flag; PG_FILE, PG_ACTIVE,
 * PG_REFERENCED, PG_DIRTY, PG_MLOCKED). Then pr_lru_add(). -EINVAL if no allocated block starts
 * there, or it is on the LRU already.
 */
int pr_lru_mark(struct pr_machine *m, pfn_t pfn, unsigned flags);
/* enum page_lru_flag of a block, 0 if it is not user memory. */
unsigned pr_lru_flags(const struct pr_machine *m, pfn_t pfn);

/* It was used, by more than a page table (folio_mark_accessed). */
void pr_mark_accessed(struct pr_machine *m, pfn_t pfn);
/* Its content differs from its file or place in swap; and does not any more. */
void pr_page_dirty(struct pr_machine *m, pfn_t pfn);
void pr_page_clean(struct pr_machine *m, pfn_t pfn);
/* Some page table has it from now on, or none any more: for nr_mapped and node reclaim. */
void pr_page_mapped(struct pr_machine *m, pfn_t pfn, bool mapped);
/* It may not be taken away; it may again. */
void pr_page_mlock(struct pr_machine *m, pfn_t pfn, unsigned cpu);
void pr_page_munlock(struct pr_machine *m, pfn_t pfn, unsigned cpu);
/* It has a place in swap from now on, or none any more. */
void pr_page_swapcache(struct pr_machine *m, pfn_t pfn, bool yes);
/* A write that was in progress is done: 0, or an error and it is dirty still. */
void pr_writeback_end(struct pr_machine *m, pfn_t pfn, int err);
/*
 * The block at pfn, not yet on the LRU (and marked PG_FILE or not), was evicted before: shadow is
 * what evict() was told. It may come back as active.
 */
void pr_workingset_refault(struct pr_machine *m, pfn_t pfn, uint64_t shadow);

/* Places in swap, in pages; what they hold is the owners' business. 0 or -ENOSPC / -EBUSY. */
int pr_swap_resize(struct pr_machine *m, uint64_t pages);
int pr_swap_get(struct pr_machine *m, uint64_t pages);
void pr_swap_put(struct pr_machine *m, uint64_t pages);

/* Sums over a node's zones: pages on a list; of a machine with node -1. */
uint64_t pr_lru_pages(const struct pr_machine *m, int node, enum lru_list lru);

/*
 * One step of a node's kswapd, run by cpu: a round of scanning at one priority at most.
 * PR_KSWAPD_ASLEEP: nothing to do until it is woken (pr_host.wake_kswapd); PR_KSWAPD_NAP: done, but
 * call again after 100 ms or when it is woken; PR_KSWAPD_MORE: call again.
 */
enum pr_kswapd { PR_KSWAPD_ASLEEP, PR_KSWAPD_NAP, PR_KSWAPD_MORE };
enum pr_kswapd pr_kswapd_step(struct pr_machine *m, unsigned node, unsigned cpu);

/* nodes/N/reclaim: that many pages off a node. 0, or -EAGAIN if there were fewer; *done says. */
int pr_reclaim_node(struct pr_machine *m, unsigned node, unsigned cpu, uint64_t pages,
		    int swappiness, uint64_t *done);
/* proc/sys/vm/drop_caches: 1 clean unmapped file pages, 2 shrinkers, 3 both. Pages and objects. */
uint64_t pr_drop_caches(struct pr_machine *m, unsigned what, unsigned cpu);

/*
 * Caches of other kinds that can be made smaller (mm/shrinker.c); for this handle, up to
 * PR_MAX_SHRINKERS. -ENOSPC. Called as owners' operations are.
 */
struct pr_shrinker {
	const char *name;
	uint64_t (*count)(void *ctx, unsigned node);		 /* objects that could go */
	uint64_t (*scan)(void *ctx, unsigned node, uint64_t nr); /* tries nr; how many went */
	void *ctx;
	unsigned seeks; /* cost of making one anew; 2 as a rule, 0: none */
};
int pr_shrinker_register(struct pr_machine *m, const struct pr_shrinker *s);

#endif
