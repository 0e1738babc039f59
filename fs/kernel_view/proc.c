/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proc.c: buddyinfo, pagetypeinfo, zoneinfo, vmstat, meminfo, sys/vm. Order and spacing are those of
 * mm/vmstat.c of 6.12; counters that nothing here can change are left out of vmstat and zoneinfo.
 */
#include "kernel_view/kernel_view.h"

#include <errno.h>

typedef unsigned long long ull;

int proc_buddyinfo(const struct place *at, FILE *to)
{
	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++) {
		const struct zone *z = &rig.m.zones[i];

		fprintf(to, "Node %u, zone %8s ", z->node, pr_zone_name[z->type]);
		for (unsigned o = 0; o < NR_ORDERS; o++)
			fprintf(to, "%6llu ", (ull)z->area[o].nr_free);
		fputc('\n', to);
	}
	return 0;
}

static void free_by_type(FILE *to, const struct zone *z)
{
	for (unsigned t = 0; t < NR_MIGRATETYPES; t++) {
		fprintf(to, "Node %4u, zone %8s, type %12s ", z->node, pr_zone_name[z->type],
			pr_migratetype_name[t]);
		for (unsigned o = 0; o < NR_ORDERS; o++) {
			ull n = z->area[o].list[t].nr;

			fprintf(to, "%s%6llu ", n >= 100000 ? ">" : "", n >= 100000 ? 100000 : n);
		}
		fputc('\n', to);
	}
}

static void blocks_by_type(FILE *to, const struct zone *z)
{
	ull count[NR_MIGRATETYPES] = {0};
	pfn_t pfn = z->start_pfn & ~(pfn_t)(PAGEBLOCK_PAGES - 1);

	for (; pfn < z->start_pfn + z->spanned; pfn += PAGEBLOCK_PAGES)
		if (!pr_block_absent(&rig.m, z, pfn))
			count[pr_block_type(&rig.m, z, pfn)]++;
	fprintf(to, "Node %u, zone %8s ", z->node, pr_zone_name[z->type]);
	for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
		fprintf(to, "%12llu ", count[t]);
	fputc('\n', to);
}

int proc_pagetypeinfo(const struct place *at, FILE *to)
{
	fprintf(to, "Page block order: %d\nPages per block:  %d\n\n%-43s ", PAGEBLOCK_ORDER,
		PAGEBLOCK_PAGES, "Free pages count per migrate type at order");
	for (unsigned o = 0; o < NR_ORDERS; o++)
		fprintf(to, "%6u ", o);
	fputc('\n', to);
	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++)
		free_by_type(to, &rig.m.zones[i]);
	fprintf(to, "\n%-23s", "Number of blocks type ");
	for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
		fprintf(to, "%12s ", pr_migratetype_name[t]);
	fputc('\n', to);
	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++)
		blocks_by_type(to, &rig.m.zones[i]);
	return 0;
}

static void one_zone(FILE *to, const struct zone *z)
{
	struct pr_numa numa = pr_zone_numa(&rig.m, z);
	ull boost = z->watermark_boost;

	fprintf(to, "Node %u, zone %8s\n  pages free     %lld\n        boost    %llu\n", z->node,
		pr_zone_name[z->type], (long long)pr_zone_free_snapshot(&rig.m, z), boost);
	fprintf(to, "        min      %llu\n        low      %llu\n        high     %llu\n"
		    "        promo    %llu\n",
		(ull)z->watermark[0] + boost, (ull)z->watermark[1] + boost,
		(ull)z->watermark[2] + boost, (ull)z->watermark[3] + boost);
	fprintf(to, "        spanned  %llu\n        present  %llu\n        managed  %llu\n"
		    "        cma      %llu\n        protection: (%llu, %llu, %llu, %llu)\n",
		(ull)z->spanned, (ull)z->present, (ull)z->managed, (ull)z->cma,
		(ull)z->lowmem_reserve[0], (ull)z->lowmem_reserve[1], (ull)z->lowmem_reserve[2],
		(ull)z->lowmem_reserve[3]);
	fprintf(to, "      nr_free_pages %lld\n      nr_free_cma  %lld\n      numa_hit     %llu\n"
		    "      numa_miss    %llu\n      numa_foreign %llu\n      numa_interleave 0\n"
		    "      numa_local   %llu\n      numa_other   %llu\n  pagesets\n",
		(long long)pr_zone_free_snapshot(&rig.m, z), (long long)z->free_cma,
		(ull)numa.hit, (ull)numa.miss, (ull)numa.foreign, (ull)numa.local,
		(ull)numa.other);
	for (unsigned c = 0; c < rig.m.arena->nr_cpus; c++) {
		const struct pcp *p = pr_pcp(&rig.m, z, c);

		fprintf(to, "    cpu: %u\n              count: %d\n              high:  %d\n"
			    "              batch: %d\n  vm stats threshold: %d\n",
			c, p->count, p->high, p->batch, p->stat_threshold);
	}
	fprintf(to, "  node_unreclaimable:  0\n  start_pfn:           %llu\n", (ull)z->start_pfn);
}

int proc_zoneinfo(const struct place *at, FILE *to)
{
	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++)
		one_zone(to, &rig.m.zones[i]);
	return 0;
}

struct sums {
	ull free, managed, low, hit, miss, foreign, local, other;
};

static struct sums sum_zones(int node)
{
	struct sums s = {0};

	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++) {
		const struct zone *z = &rig.m.zones[i];
		struct pr_numa numa;

		if (node >= 0 && z->node != (uint32_t)node)
			continue;
		numa = pr_zone_numa(&rig.m, z);
		s.free += (ull)pr_zone_free_snapshot(&rig.m, z);
		s.managed += z->managed;
		s.low += z->watermark[WMARK_LOW];
		s.hit += numa.hit;
		s.miss += numa.miss;
		s.foreign += numa.foreign;
		s.local += numa.local;
		s.other += numa.other;
	}
	return s;
}

int proc_vmstat(const struct place *at, FILE *to)
{
	struct sums s = sum_zones(-1);

	fprintf(to, "nr_free_pages %llu\nnuma_hit %llu\nnuma_miss %llu\nnuma_foreign %llu\n"
		    "numa_interleave 0\nnuma_local %llu\nnuma_other %llu\n",
		s.free, s.hit, s.miss, s.foreign, s.local, s.other);
	for (unsigned e = 0; e < NR_EVENTS; e++)
		fprintf(to, "%s %llu\n", pr_event_name[e], (ull)pr_event(&rig.m, e));
	return 0;
}

static ull kb(ull pages)
{
	return pages * (PR_PAGE_SIZE / 1024);
}

int proc_meminfo(const struct place *at, FILE *to)
{
	struct sums s = sum_zones(-1);
	ull reserve = 0;

	for (unsigned n = 0; n < rig.m.arena->nr_nodes; n++)
		reserve += rig.m.nodes[n].totalreserve_pages;
	fprintf(to, "MemTotal:       %8llu kB\nMemFree:        %8llu kB\nMemAvailable:   %8llu kB\n"
		    "SwapTotal:      %8u kB\nSwapFree:       %8u kB\n",
		kb(s.managed), kb(s.free), kb(s.free > reserve ? s.free - reserve : 0), 0u, 0u);
	return 0;
}

int node_meminfo(const struct place *at, FILE *to)
{
	struct sums s = sum_zones(at->node);

	fprintf(to, "Node %d MemTotal:       %8llu kB\nNode %d MemFree:        %8llu kB\n"
		    "Node %d MemUsed:        %8llu kB\n",
		at->node, kb(s.managed), at->node, kb(s.free), at->node, kb(s.managed - s.free));
	return 0;
}

int sysctl_show(const struct place *at, FILE *to)
{
	char buf[256];
	int n = pr_sysctl_show(&rig.m, at->name, buf, sizeof(buf));

	if (n < 0)
		return n;
	fputs(buf, to);
	return 0;
}

int sysctl_store(const struct place *at, char *line, FILE *reply, char *why)
{
	int err = pr_sysctl_store(&rig.m, at->name, line);

	if (err)
		snprintf(why, WHY_SIZE, "%s does not take '%.64s'", at->name, line);
	return err;
}
