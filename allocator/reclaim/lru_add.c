/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lru_add.c: the batches through which user memory comes onto the LRU (mm/swap.c: lru_add). It
 * matters to compaction and reclaim: what still waits can't be isolated.
 *
 * Different on purpose: a block that is freed while it waits is free at once, where Linux keeps it
 * until the batch is drained; whoever frees user memory drains first, here as there.
 */
#include "reclaim/migrate.h"
#include "reclaim/reclaim.h"

#include <errno.h>
#include <sched.h>

/* A block in use exchanges flags; false if it is not in use, or lacks one that is to be cleared. */
static bool change_flags(struct page *page, unsigned clear, unsigned set)
{
	uint32_t info = load(&page->info);

	do {
		if ((info & 0xff) != PAGE_USED || (info >> 16 & clear) != clear)
			return false;
	} while (!__atomic_compare_exchange_n(&page->info, &info,
					      (info & ~(clear << 16)) | set << 16, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return true;
}

/* Threads that share a CPU meet here; a leaf but for the LRU's lock. */
static void batch_lock(struct lru_batch *b)
{
	while (__atomic_exchange_n(&b->busy, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void batch_unlock(struct lru_batch *b)
{
	__atomic_store_n(&b->busy, 0, __ATOMIC_RELEASE);
}

static void drain_batch(struct pr_machine *m, struct lru_batch *b, unsigned cpu)
{
	for (uint64_t i = 0; i < b->nr; i++) {
		struct user_page p = user_page_at(m, b->pfn[i]);

		/* one that was freed meanwhile has not the mark, and stays what it is */
		lru_lock(p.n);
		if (change_flags(p.page, PAGE_LRU_ADD, 0)) {
			if (!page_evictable(p.page))
				pr_count(m, cpu, EV_UNEVICTABLE_PGCULLED, page_nr(p.page));
			lru_link(m, &p, false);
		}
		lru_unlock(p.n);
	}
	b->nr = 0;
}

void pr_lru_drain(struct pr_machine *m, unsigned cpu)
{
	if (cpu >= m->arena->nr_cpus)
		return;
	batch_lock(&m->lru_batches[cpu]);
	drain_batch(m, &m->lru_batches[cpu], cpu);
	batch_unlock(&m->lru_batches[cpu]);
}

static void add_to_batch(struct pr_machine *m, pfn_t pfn, unsigned order, unsigned cpu)
{
	struct lru_batch *b = &m->lru_batches[cpu];

	batch_lock(b);
	b->pfn[b->nr++] = pfn;
	/* large blocks do not wait: a batch of them would hold too much back */
	if (b->nr == LRU_BATCH_SIZE || order)
		drain_batch(m, b, cpu);
	batch_unlock(b);
}

bool lru_add_isolated(struct pr_machine *m, pfn_t pfn, unsigned cpu)
{
	struct page *page = pr_page(m, zone_of(m, pfn), pfn);
	unsigned order = page_order(page);

	if (!change_flags(page, PAGE_ISOLATED, PAGE_LRU_ADD))
		return false;
	add_to_batch(m, pfn, order, cpu);
	return true;
}

void pr_lru_drain_all(struct pr_machine *m)
{
	for (unsigned cpu = 0; cpu < m->arena->nr_cpus; cpu++)
		pr_lru_drain(m, cpu);
}

int pr_lru_add(struct pr_machine *m, pfn_t pfn, unsigned cpu)
{
	struct zone *z = zone_of(m, pfn);
	struct user_page p;

	if (!z || cpu >= m->arena->nr_cpus)
		return -EINVAL;
	p = user_page_at(m, pfn);
	lru_lock(p.n);
	lru_unlink(m, &p);
	lru_unlock(p.n);
	if (!change_flags(p.page, 0, PAGE_LRU_ADD))
		return -EINVAL;
	add_to_batch(m, pfn, page_order(p.page), cpu);
	return 0;
}
