/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/boot.h"

#include "lab/trace_line.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_BLOCKS = 4096 };

static int64_t in_use(const struct pr_machine *m, const struct zone *z)
{
	int64_t free = pr_zone_free_snapshot(m, z);

	for (unsigned cpu = 0; cpu < m->arena->nr_cpus; cpu++)
		free += pr_pcp(m, z, cpu)->count;
	return (int64_t)z->managed - free;
}

/*
 * Is any page in use for which there was no allocation? Not so on a machine that began with all its
 * memory free, and then a search would go through all of it for nothing.
 */
static bool any_since_start(const struct pr_machine *m)
{
	uint64_t taken = 0;
	int64_t used = 0;

	for (unsigned i = 0; i < m->arena->nr_zones; i++)
		used += in_use(m, &m->zones[i]);
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		taken += pr_event(m, EV_PGALLOC_DMA + t);
	return used > (int64_t)(taken - pr_event(m, EV_PGFREE));
}

int boot_init(struct boot *b, struct pr_machine *m)
{
	bool any = any_since_start(m);

	*b = (struct boot){.m = m, .mask = FIRST_BLOCKS - 1};
	b->zone = calloc(m->arena->nr_zones, sizeof(*b->zone));
	b->block = calloc(FIRST_BLOCKS, sizeof(*b->block));
	if (!b->zone || !b->block) {
		boot_exit(b);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		b->zone[i].left = any ? in_use(m, &m->zones[i]) : 0;
		for (unsigned t = 0; t < BOOT_TYPES; t++) {
			b->zone[i].next_block[t] = m->zones[i].start_pfn;
			for (unsigned o = 0; o < NR_ORDERS; o++)
				b->zone[i].next[t][o] = m->zones[i].start_pfn;
		}
	}
	return 0;
}

void boot_exit(struct boot *b)
{
	free(b->zone);
	free(b->block);
	*b = (struct boot){0};
}

static struct boot_block *find_block(const struct boot *b, uint64_t key)
{
	uint64_t i = key * 0x9e3779b97f4a7c15ull >> 32 & b->mask;

	while (b->block[i].key && b->block[i].key != key)
		i = (i + 1) & b->mask;
	return &b->block[i];
}

static bool grow(struct boot *b)
{
	struct boot_block *old = b->block;
	uint64_t nr = b->mask + 1;

	b->block = calloc(nr * 2, sizeof(*old));
	if (!b->block) {
		b->block = old;
		return false;
	}
	b->mask = nr * 2 - 1;
	for (uint64_t i = 0; i < nr; i++)
		if (old[i].key)
			*find_block(b, old[i].key) = old[i];
	free(old);
	return true;
}

/* The pageblock of a frame of the trace; NULL if the host is out of memory. */
static struct boot_block *block_of(struct boot *b, uint64_t frame)
{
	struct boot_block *k = find_block(b, (frame >> PAGEBLOCK_ORDER) + 1);

	if (k->key)
		return k;
	if (b->nr_blocks * 2 > b->mask) {
		if (!grow(b))
			return NULL;
		k = find_block(b, (frame >> PAGEBLOCK_ORDER) + 1);
	}
	b->nr_blocks++;
	*k = (struct boot_block){(frame >> PAGEBLOCK_ORDER) + 1, PFN_NONE, MT_MOVABLE};
	return k;
}

void boot_learn(struct boot *b, uint64_t frame, unsigned type)
{
	struct boot_block *k = type == TRACE_NO_TYPE ? NULL : block_of(b, frame);

	if (k)
		k->type = (uint8_t)type;
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

/* Is at least half of a pageblock of that type not on the free lists? */
static bool suits(const struct boot *b, const struct zone *z, unsigned type, pfn_t start)
{
	pfn_t end = start + PAGEBLOCK_PAGES, p = start;
	unsigned in_use = 0;

	if (start < z->start_pfn || end > z->start_pfn + z->spanned ||
	    skip(b, z, type, start) >= PAGEBLOCK_PAGES)
		return false;
	while (p < end) {
		int order = pr_free_order(b->m, z, p);

		in_use += order < 0;
		p += order < 0 ? 1 : 1ull << order;
	}
	return in_use * 2 >= PAGEBLOCK_PAGES;
}

/* Our pageblock for one of the trace: that of the same number, or the next that suits. */
static pfn_t choose_block(struct boot *b, struct zone *z, unsigned type, uint64_t frame)
{
	pfn_t *next = &b->zone[z - b->m->zones].next_block[type], end = z->start_pfn + z->spanned;
	pfn_t start = frame & ~(uint64_t)(PAGEBLOCK_PAGES - 1);

	if (pr_zone_of(b->m, frame) == z && suits(b, z, type, start))
		return start;
	while (*next < end) {
		start = *next & ~(pfn_t)(PAGEBLOCK_PAGES - 1);
		*next = start + PAGEBLOCK_PAGES;
		if (suits(b, z, type, start))
			return start;
	}
	return PFN_NONE;
}

/* By frame numbers of x86-64, for a trace of a machine with other zones than ours. */
static struct zone *likely_zone(const struct boot *b, uint64_t frame, unsigned cpu)
{
	const uint64_t dma_end = 16ull << (20 - PR_PAGE_SHIFT),
		       dma32_end = 4ull << (30 - PR_PAGE_SHIFT);
	const struct node *n = &b->m->nodes[b->m->arena->cpu_node[cpu]];
	struct zone *z = pr_zone_of(b->m, frame);
	int type = frame < dma_end ? ZONE_DMA : frame < dma32_end ? ZONE_DMA32 : ZONE_NORMAL;

	for (; !z && type >= 0; type--)
		if (n->zone[type] >= 0)
			z = &b->m->zones[n->zone[type]];
	return z ? z : &b->m->zones[0];
}

static bool take_like(struct boot *b, struct zone *z, uint64_t frame, unsigned order, unsigned cpu)
{
	struct boot_block *k;
	unsigned type;

	if (b->zone[z - b->m->zones].left < 1ll << order)
		return false; /* not even a look for a pageblock */
	k = order < MAX_ORDER ? block_of(b, frame) : NULL;
	type = k ? k->type : MT_MOVABLE;
	if (k && k->ours == PFN_NONE)
		k->ours = choose_block(b, z, type, frame);
	if (k && k->ours != PFN_NONE &&
	    take(b, z, k->ours + (frame & (PAGEBLOCK_PAGES - 1)), order, cpu))
		return true;
	return take_from_zone(b, z, type, order, cpu);
}

uint64_t boot_free(struct boot *b, uint64_t frame, unsigned order, unsigned cpu)
{
	struct zone *z = likely_zone(b, frame, cpu);

	if (take_like(b, z, frame, order, cpu))
		return 1ull << order;
	for (unsigned i = b->m->arena->nr_zones; i-- > 0;)
		if (take_from_zone(b, &b->m->zones[i], MT_MOVABLE, order, cpu))
			return 1ull << order;
	if (!order)
		return 0;
	return boot_free(b, frame, order - 1, cpu) +
	       boot_free(b, frame + (1ull << (order - 1)), order - 1, cpu);
}
