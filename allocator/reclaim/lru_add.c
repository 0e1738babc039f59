/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lru_add.c: the batches through which user memory comes onto the LRU (mm/swap.c: lru_add). It
 * matters to compaction: what still waits can't be isolated.
 *
 * Different on purpose: a block that is freed while it waits is free at once, where Linux keeps it
 * until the batch is drained; whoever frees user memory drains first, here as there.
 */
#include "base/lists.h"

#include <errno.h>
#include <pagerig/alloc.h>

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

void pr_lru_drain(struct pr_machine *m, unsigned cpu)
{
	struct lru_batch *b;

	if (cpu >= m->arena->nr_cpus)
		return;
	b = &m->lru_batches[cpu];
	for (uint64_t i = 0; i < b->nr; i++)
		/* one that was freed meanwhile has not the mark, and stays what it is */
		if (!change_flags(pr_page(m, zone_of(m, b->pfn[i]), b->pfn[i]), PAGE_LRU_ADD,
				  PAGE_LRU))
			continue;
	b->nr = 0;
}

void pr_lru_drain_all(struct pr_machine *m)
{
	for (unsigned cpu = 0; cpu < m->arena->nr_cpus; cpu++)
		pr_lru_drain(m, cpu);
}

int pr_lru_add(struct pr_machine *m, pfn_t pfn, unsigned cpu)
{
	struct zone *z = zone_of(m, pfn);
	struct lru_batch *b;
	struct page *page;

	if (!z || cpu >= m->arena->nr_cpus)
		return -EINVAL;
	page = pr_page(m, z, pfn);
	if (!change_flags(page, 0, PAGE_LRU_ADD))
		return -EINVAL;
	b = &m->lru_batches[cpu];
	b->pfn[b->nr++] = pfn;
	/* large blocks do not wait: a batch of them would hold too much back */
	if (b->nr == LRU_BATCH_SIZE || (load(&page->info) >> 8 & 0xff))
		pr_lru_drain(m, cpu);
	return 0;
}
