/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zoneinfo.c: every zone of every node, with memory or without, as zoneinfo_show_print of
 * mm/vmstat.c. Zones that the machine's kernel has no name for are left out, and zone Device is
 * there if it had it.
 */
#include "kernel_view/counters.h"
#include "kernel_view/kernel_view.h"

typedef unsigned long long ull;
enum { MAX_RECLAIM_RETRIES = 16 }; /* failures of kswapd after which a node is given up */

/* A number for each zone that the machine's kernel knows; above Movable nothing has memory. */
static void protection(FILE *to, const uint64_t reserve[NR_ZONE_TYPES])
{
	const char *before = "        protection: (";

	for (unsigned t = 0; t <= NR_ZONE_TYPES; t++) {
		if (!(rig.m.arena->zone_names & 1u << t))
			continue;
		fprintf(to, "%s%llu", before,
			(ull)(reserve ? reserve[t < NR_ZONE_TYPES ? t : ZONE_MOVABLE] : 0));
		before = ", ";
	}
	fprintf(to, ")\n");
}

static void marks(FILE *to, ull free, ull boost, const ull mark[NR_WMARK])
{
	fprintf(to,
		"  pages free     %llu\n        boost    %llu\n        min      %llu\n"
		"        low      %llu\n        high     %llu\n        promo    %llu\n",
		free, boost, mark[WMARK_MIN] + boost, mark[WMARK_LOW] + boost,
		mark[WMARK_HIGH] + boost, mark[WMARK_PROMO] + boost);
}

static void sizes(FILE *to, ull spanned, ull present, ull managed, ull cma)
{
	fprintf(to,
		"        spanned  %llu\n        present  %llu\n        managed  %llu\n"
		"        cma      %llu\n",
		spanned, present, managed, cma);
}

static void pagesets(FILE *to, const struct zone *z)
{
	fprintf(to, "  pagesets\n");
	for (unsigned c = 0; c < rig.m.arena->nr_cpus; c++) {
		const struct pcp *p = pr_pcp(&rig.m, z, c);

		fprintf(to,
			"    cpu: %u\n              count: %d\n              high:  %d\n"
			"              batch: %d\n  vm stats threshold: %d\n",
			c, p->count, p->high, p->batch, p->stat_threshold);
	}
}

static void populated(FILE *to, const struct zone *z, bool first)
{
	ull mark[NR_WMARK];

	if (first) {
		fprintf(to, "  per-node stats\n");
		counters_of_node(to, z->node);
	}
	for (unsigned w = 0; w < NR_WMARK; w++)
		mark[w] = z->watermark[w];
	marks(to, z->free_pages > 0 ? (ull)z->free_pages : 0, z->watermark_boost, mark);
	sizes(to, z->spanned, z->present, z->managed, z->cma);
	protection(to, z->lowmem_reserve);
	counters_of_zone(to, z);
	pagesets(to, z);
	fprintf(to, "  node_unreclaimable:  %d\n  start_pfn:           %llu\n",
		rig.m.nodes[z->node].kswapd_failures >= MAX_RECLAIM_RETRIES, (ull)z->start_pfn);
}

/* A Movable zone has marks of 32 pages even where it is empty. */
static void unpopulated(FILE *to, unsigned type)
{
	ull n = type == ZONE_MOVABLE ? 32 : 0, mark[NR_WMARK] = {n, n, n, n};

	marks(to, 0, 0, mark);
	sizes(to, 0, 0, 0, 0);
	protection(to, NULL);
}

int proc_zoneinfo(const struct place *, FILE *to)
{
	for (unsigned n = 0; n < rig.m.arena->nr_nodes; n++) {
		bool first = true;

		for (unsigned t = 0; t <= NR_ZONE_TYPES; t++) {
			int32_t i = t < NR_ZONE_TYPES ? rig.m.nodes[n].zone[t] : -1;

			if (i < 0 && !(rig.m.arena->zone_names & 1u << t))
				continue;
			fprintf(to, "Node %u, zone %8s\n", n,
				t < NR_ZONE_TYPES ? pr_zone_name[t] : "Device");
			if (i < 0) {
				unpopulated(to, t);
				continue;
			}
			populated(to, &rig.m.zones[i], first);
			first = false;
		}
	}
	return 0;
}
