/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits.c: what follows from the sysctls and the managed pages: watermarks, protection of low
 * zones, per-CPU high and batch, thresholds of the per-CPU counters. Source of the formulas:
 * mm/page_alloc.c and mm/vmstat.c of 6.12, checked against recorded boots.
 */
#include "page_alloc/page_alloc.h"

#include <errno.h>

enum {
	SWAP_CLUSTER_MAX = 32,
	MIN_HIGH_FRACTION = 8, /* MIN_PERCPU_PAGELIST_HIGH_FRACTION */
	PAGES_OF_1M = (1 << 20) / PR_PAGE_SIZE,
	KB_SHIFT = PR_PAGE_SHIFT - 10,
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t int_sqrt(uint64_t n)
{
	uint64_t lo = 0, hi = 1ull << 31;

	while (lo < hi) {
		uint64_t mid = (lo + hi + 1) / 2;

		if (mid * mid <= n)
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo;
}

/* Index of the highest bit set, from 1; 0 for 0. */
static int fls64(uint64_t n)
{
	return n ? 64 - __builtin_clzll(n) : 0;
}

/* Pages above the high watermark in the zones that kernel memory comes from. */
static uint64_t free_buffer_pages(const struct pr_machine *m)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		const struct zone *z = &m->zones[i];

		if (z->type <= ZONE_NORMAL && z->managed > zone_mark(z, WMARK_HIGH))
			sum += z->managed - zone_mark(z, WMARK_HIGH);
	}
	return sum;
}

static void zone_watermarks(struct pr_machine *m, struct zone *z, uint64_t pages_min,
			    uint64_t lowmem)
{
	uint64_t share = lowmem ? pages_min * z->managed / lowmem : 0, share_min = share, step;
	uint64_t factor = (uint64_t)m->arena->sysctl.watermark_scale_factor;

	if (z->type == ZONE_MOVABLE) /* the kernel itself needs nothing here */
		share_min = min_u64(max_u64(z->managed / 1024, SWAP_CLUSTER_MAX), 128);
	step = max_u64(share >> 2,
		       z->managed / 10000 * factor + z->managed % 10000 * factor / 10000);
	store(&z->watermark_boost, 0);
	for (unsigned w = WMARK_MIN; w < NR_WMARK; w++)
		store(&z->watermark[w], share_min + w * step);
}

static void total_reserves(struct pr_machine *m)
{
	for (unsigned n = 0; n < m->arena->nr_nodes; n++)
		m->nodes[n].totalreserve_pages = 0;
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		struct zone *z = &m->zones[i];
		uint64_t max = 0;

		for (unsigned t = z->type; t < NR_ZONE_TYPES; t++)
			max = max_u64(max, z->lowmem_reserve[t]);
		m->nodes[z->node].totalreserve_pages +=
			min_u64(max + zone_mark(z, WMARK_HIGH), z->managed);
	}
}

void pr_limits_watermarks(struct pr_machine *m)
{
	uint64_t pages_min = (uint64_t)m->arena->sysctl.min_free_kbytes >> KB_SHIFT, lowmem = 0;

	for (unsigned i = 0; i < m->arena->nr_zones; i++)
		if (m->zones[i].type != ZONE_MOVABLE)
			lowmem += m->zones[i].managed;
	for (unsigned i = 0; i < m->arena->nr_zones; i++)
		zone_watermarks(m, &m->zones[i], pages_min, lowmem);
	total_reserves(m);
	pr_limits_pcp(m); /* a CPU's share is one of the low watermark */
}

void pr_limits_lowmem_reserve(struct pr_machine *m)
{
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		struct zone *z = &m->zones[i];
		uint64_t ratio = (uint64_t)m->arena->sysctl.lowmem_reserve_ratio[z->type];
		uint64_t above = 0;

		for (unsigned t = z->type + 1; t < NR_ZONE_TYPES; t++) {
			int32_t upper = m->nodes[z->node].zone[t];

			if (upper >= 0)
				above += m->zones[upper].managed;
			store(&z->lowmem_reserve[t], ratio ? above / ratio : 0);
		}
	}
	total_reserves(m);
}

/* Blocks that move at once between a CPU and its zone: 2^n - 1 (zone_batchsize). */
static int zone_batch(const struct zone *z)
{
	uint64_t batch = max_u64(min_u64(z->managed >> 10, PAGES_OF_1M) / 4, 1);
	int floor = 1 << (fls64(batch + batch / 2) - 1);

	return floor > 1 ? floor - 1 : 1;
}

static unsigned cpus_of_node(const struct pr_machine *m, uint32_t node)
{
	unsigned n = 0;

	for (unsigned c = 0; c < m->arena->nr_cpus; c++)
		n += m->arena->cpu_node[c] == node;
	return n;
}

/* A CPU's share of a zone: of its low watermark, or of a fraction of all (zone_highsize). */
static int zone_high(const struct pr_machine *m, const struct zone *z, int batch, int fraction)
{
	uint64_t pages = fraction ? z->managed / (uint64_t)fraction : zone_mark(z, WMARK_LOW);
	unsigned cpus = cpus_of_node(m, z->node);

	return (int)max_u64(pages / (cpus ? cpus : m->arena->nr_cpus), (uint64_t)batch << 2);
}

void pr_limits_pcp(struct pr_machine *m)
{
	int fraction = m->arena->sysctl.percpu_pagelist_high_fraction;

	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		struct zone *z = &m->zones[i];

		z->pcp_batch = zone_batch(z);
		z->pcp_high_min = zone_high(m, z, z->pcp_batch, fraction);
		/* a fraction set by hand turns the tuning of high off */
		z->pcp_high_max = fraction ? z->pcp_high_min
					   : zone_high(m, z, z->pcp_batch, MIN_HIGH_FRACTION);
		for (unsigned c = 0; c < m->arena->nr_cpus; c++) {
			struct pcp *p = pr_pcp(m, z, c);

			p->high_min = z->pcp_high_min;
			p->high_max = z->pcp_high_max;
			p->batch = z->pcp_batch;
		}
	}
}

/*
 * How far a CPU's counters may be off, and the mark below which that matters (vmstat.c). The mark is
 * never taken back: one set while the watermarks were still 0 stays where the zone is large.
 */
static void thresholds(struct pr_machine *m)
{
	unsigned cpus = m->arena->nr_cpus;

	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		struct zone *z = &m->zones[i];
		int t = 2 * fls64(cpus) * (1 + fls64(z->managed >> (27 - PR_PAGE_SHIFT)));
		uint64_t drift;

		t = t < 125 ? t : 125;
		drift = (uint64_t)cpus * (uint64_t)t;
		if (drift > z->watermark[WMARK_LOW] - z->watermark[WMARK_MIN])
			z->drift_mark = z->watermark[WMARK_HIGH] + drift;
		for (unsigned c = 0; c < cpus; c++)
			pr_pcp(m, z, c)->stat_threshold = t;
	}
}

static void min_free_from_size(struct pr_machine *m)
{
	struct sysctl_vm *s = &m->arena->sysctl;
	uint64_t kb = int_sqrt((free_buffer_pages(m) << KB_SHIFT) * 16);

	if ((int64_t)kb <= s->user_min_free_kbytes)
		return;
	s->min_free_kbytes = (int)min_u64(max_u64(kb, 128), 262144);
}

/* khugepaged wants room to keep the types apart; how many kB, or 0 if there is THP only on paper. */
static uint64_t thp_min_free(const struct pr_machine *m)
{
	uint64_t zones = 0, pages;

	for (unsigned i = 0; i < m->arena->nr_zones; i++)
		zones += m->zones[i].type <= ZONE_NORMAL;
	pages = PAGEBLOCK_PAGES * zones * 2 + PAGEBLOCK_PAGES * zones * NR_PCP_TYPES * NR_PCP_TYPES;
	return min_u64(pages, free_buffer_pages(m) / 20) << KB_SHIFT;
}

/*
 * A kernel with THP, on or off, works the limits out once more when it is initialised, from what
 * the first time left above the high watermarks; on less than 512 MiB it does not come so far
 * (mm/huge_memory.c: hugepage_init, mm/khugepaged.c: set_recommended_min_free_kbytes).
 */
static void second_time(struct pr_machine *m, bool from_size)
{
	struct sysctl_vm *s = &m->arena->sysctl;
	uint64_t total = 0;

	for (unsigned i = 0; i < m->arena->nr_zones; i++)
		total += m->zones[i].managed;
	if (total < 512 * PAGES_OF_1M)
		return;
	if (s->thp)
		s->min_free_kbytes = (int)max_u64(thp_min_free(m), (uint64_t)s->min_free_kbytes);
	else if (from_size)
		min_free_from_size(m);
	pr_limits_watermarks(m);
}

/* In the order of a boot: init_mm_internals, postcore_initcall, subsys_initcall. */
void pr_limits_setup(struct pr_machine *m)
{
	bool from_size = !m->arena->sysctl.min_free_kbytes;

	if (m->arena->nr_cpus > 1) /* each further CPU that comes up does this */
		thresholds(m);
	if (from_size)
		min_free_from_size(m);
	pr_limits_watermarks(m);
	thresholds(m);
	pr_limits_lowmem_reserve(m);
	second_time(m, from_size);
	for (unsigned i = 0; i < m->arena->nr_zones; i++)
		for (unsigned c = 0; c < m->arena->nr_cpus; c++) {
			struct pcp *p = pr_pcp(m, &m->zones[i], c);

			p->high = p->high_min;
			/* a CPU's cache holds more than three batches on every machine of today */
			p->flags = PCPF_FREE_HIGH_BATCH;
		}
}

int pr_limits_managed(struct pr_machine *m, unsigned zone, int64_t pages)
{
	if (zone >= m->arena->nr_zones || (pages < 0 && (uint64_t)-pages > m->zones[zone].managed))
		return -EINVAL;
	m->zones[zone].managed += (uint64_t)pages;
	pr_limits_lowmem_reserve(m);
	return 0;
}
