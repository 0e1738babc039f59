/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lru_add.c: the batches through which user memory comes onto the LRU (mm/swap.c: lru_add). It
 * matters to compaction: what still waits can't be isolated.
 *
 * Different on purpose: a block that is freed while it waits is free at once, where Linux keeps it
 * until the batch is drained; whoever frees user memory drains first, here as there.
 */
#include <errno.h>
#include <pagerig/alloc.h>

void pr_lru_drain(struct pr_machine *m, unsigned cpu)
{
	struct lru_batch *b;

	if (cpu >= m->arena->nr_cpus)
		return;
	b = &m->lru_batches[cpu];
	for (uint64_t i = 0; i < b->nr; i++) {
		struct page *page = pr_page(m, pr_zone_of(m, b->pfn[i]), b->pfn[i]);

		if (page->state == PAGE_USED && (page->flags & PAGE_LRU_ADD))
			page->flags ^= PAGE_LRU_ADD | PAGE_LRU;
	}
	b->nr = 0;
}

void pr_lru_drain_all(struct pr_machine *m)
{
	for (unsigned cpu = 0; cpu < m->arena->nr_cpus; cpu++)
		pr_lru_drain(m, cpu);
}

int pr_lru_add(struct pr_machine *m, pfn_t pfn, unsigned cpu)
{
	struct zone *z = pr_zone_of(m, pfn);
	struct lru_batch *b;
	struct page *page;

	if (!z || cpu >= m->arena->nr_cpus)
		return -EINVAL;
	page = pr_page(m, z, pfn);
	if (page->state != PAGE_USED)
		return -EINVAL;
	page->flags = (uint8_t)((page->flags & ~PAGE_LRU) | PAGE_LRU_ADD);
	b = &m->lru_batches[cpu];
	b->pfn[b->nr++] = pfn;
	/* large blocks do not wait: a batch of them would hold too much back */
	if (b->nr == LRU_BATCH_SIZE || page->order)
		pr_lru_drain(m, cpu);
	return 0;
}
