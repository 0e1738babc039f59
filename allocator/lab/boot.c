/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/boot.h"

#include <errno.h>
#include <stdlib.h>

static int64_t in_use(const struct pr_machine *m, const struct zone *z)
{
	int64_t free = pr_zone_free_snapshot(m, z);

	for (unsigned cpu = 0; cpu < m->arena->nr_cpus; cpu++)
		free += pr_pcp(m, z, cpu)->count;
	return (int64_t)z->managed - free;
}

int boot_init(struct boot *b, struct pr_machine *m)
{
	b->m = m;
	b->zone = calloc(m->arena->nr_zones, sizeof(*b->zone));
	if (!b->zone)
		return -ENOMEM;
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		b->zone[i].left = in_use(m, &m->zones[i]);
		for (unsigned t = 0; t < BOOT_TYPES; t++)
			for (unsigned o = 0; o < NR_ORDERS; o++)
				b->zone[i].next[t][o] = m->zones[i].start_pfn;
	}
	return 0;
}

void boot_exit(struct boot *b)
{
	free(b->zone);
	b->zone = NULL;
}

static unsigned boot_type(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	enum migratetype mt = pr_block_type(m, z, pfn);

	return mt < NR_PCP_TYPES ? mt : NR_PCP_TYPES;
}

static bool take(struct boot *b, struct zone *z, pfn_t pfn, unsigned order, unsigned cpu)
{
	struct boot_zone *bz = &b->zone[z - b->m->zones];

	if (bz->left < 1ll << order || pr_block_absent(b->m, z, pfn) ||
	    pr_free_boot(b->m, pfn, order, cpu))
		return false;
	bz->left -= 1ll << order;
	return true;
}

/* How far the search may go on without a look: 0 if pfn is worth a try. */
static uint64_t skip(const struct boot *b, const struct zone *z, unsigned type, pfn_t pfn)
{
	const pfn_t pair = pfn & ~((1ull << MAX_ORDER) - 1);
	uint64_t rest = PAGEBLOCK_PAGES - (pfn & (PAGEBLOCK_PAGES - 1));
	int order;

	if (pr_block_absent(b->m, z, pfn) || boot_type(b->m, z, pfn) != type)
		return rest;
	if (pair >= z->start_pfn && pr_free_order(b->m, z, pair) == MAX_ORDER)
		return rest;
	order = pr_free_order(b->m, z, pfn);
	return order < 0 ? 0 : 1ull << order;
}

/* The next block of that order in pageblocks of one type. */
static bool take_next(struct boot *b, struct zone *z, unsigned type, unsigned order, unsigned cpu)
{
	pfn_t *next = &b->zone[z - b->m->zones].next[type][order], end = z->start_pfn + z->spanned;
	uint64_t size = 1ull << order, far;

	while (*next < end) {
		pfn_t pfn = (*next + size - 1) & ~(size - 1);

		if (pfn + size > end) {
			*next = end;
			break;
		}
		far = skip(b, z, type, pfn);
		*next = pfn + (far > size ? far : size);
		if (!far && take(b, z, pfn, order, cpu))
			return true;
	}
	return false;
}

static bool take_from_zone(struct boot *b, struct zone *z, unsigned type, unsigned order,
			   unsigned cpu)
{
	if (b->zone[z - b->m->zones].left < 1ll << order)
		return false;
	if (take_next(b, z, type, order, cpu))
		return true;
	for (unsigned t = 0; t < BOOT_TYPES; t++)
		if (t != type && take_next(b, z, t, order, cpu))
			return true;
	return false;
}

/* A frame that this machine does not have: zones of its type on x86-64 first, then all. */
static bool take_anywhere(struct boot *b, uint64_t frame, unsigned order, unsigned cpu)
{
	const uint64_t dma_end = 16ull << (20 - PR_PAGE_SHIFT), dma32_end = 4ull << (30 - PR_PAGE_SHIFT);
	enum zone_type type = frame < dma_end ? ZONE_DMA : frame < dma32_end ? ZONE_DMA32 : ZONE_NORMAL;

	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = b->m->arena->nr_zones; i-- > 0;) {
			struct zone *z = &b->m->zones[i];

			if ((pass || z->type == type) && take_from_zone(b, z, MT_MOVABLE, order, cpu))
				return true;
		}
	return false;
}

uint64_t boot_free(struct boot *b, uint64_t frame, unsigned order, unsigned cpu)
{
	struct zone *z = pr_zone_of(b->m, frame);

	if (z && (take(b, z, frame, order, cpu) ||
		  take_from_zone(b, z, boot_type(b->m, z, frame), order, cpu)))
		return 1ull << order;
	if (take_anywhere(b, frame, order, cpu))
		return 1ull << order;
	if (!order)
		return 0;
	return boot_free(b, frame, order - 1, cpu) +
	       boot_free(b, frame + (1ull << (order - 1)), order - 1, cpu);
}
