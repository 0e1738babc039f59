/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proc.c: buddyinfo, pagetypeinfo, vmstat, sys/vm. Order and spacing are those of mm/vmstat.c
 * of 6.12.
 */
#include "kernel_view/counters.h"
#include "kernel_view/kernel_view.h"

#include "shm/shm.h"

#include <errno.h>
#include <stdlib.h>

typedef unsigned long long ull;

int proc_buddyinfo(const struct place *, FILE *to)
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

static bool named(unsigned type)
{
	return rig.m.arena->type_names & 1u << type;
}

static void free_by_type(FILE *to, const struct zone *z)
{
	for (unsigned t = 0; t < NR_MIGRATETYPES; t++) {
		if (!named(t))
			continue;
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

	for (pfn_t pfn = z->start_pfn; pfn < z->start_pfn + z->spanned;
	     pfn = (pfn | (PAGEBLOCK_PAGES - 1)) + 1)
		if (!pr_block_absent(&rig.m, z, pfn))
			count[pr_block_type(&rig.m, z, pfn)]++;
	fprintf(to, "Node %u, zone %8s ", z->node, pr_zone_name[z->type]);
	for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
		if (named(t))
			fprintf(to, "%12llu ", count[t]);
	fputc('\n', to);
}

static void for_zones_of(unsigned node, FILE *to, void (*print)(FILE *to, const struct zone *z))
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (rig.m.nodes[node].zone[t] >= 0)
			print(to, &rig.m.zones[rig.m.nodes[node].zone[t]]);
}

static bool has_memory(unsigned node)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (rig.m.nodes[node].zone[t] >= 0)
			return true;
	return false;
}

/* Each node with memory prints all of it anew, headers too. */
int proc_pagetypeinfo(const struct place *, FILE *to)
{
	for (unsigned n = 0; n < rig.m.arena->nr_nodes; n++) {
		if (!has_memory(n))
			continue;
		fprintf(to, "Page block order: %d\nPages per block:  %d\n\n%-43s ", PAGEBLOCK_ORDER,
			PAGEBLOCK_PAGES, "Free pages count per migrate type at order");
		for (unsigned o = 0; o < NR_ORDERS; o++)
			fprintf(to, "%6u ", o);
		fputc('\n', to);
		for_zones_of(n, to, free_by_type);
		fprintf(to, "\n%-23s", "Number of blocks type ");
		for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
			if (named(t))
				fprintf(to, "%12s ", pr_migratetype_name[t]);
		fputc('\n', to);
		for_zones_of(n, to, blocks_by_type);
	}
	return 0;
}

int proc_vmstat(const struct place *, FILE *to)
{
	counters_vmstat(to);
	return 0;
}

int node_vmstat(const struct place *at, FILE *to)
{
	counters_node_vmstat(to, at->node);
	return 0;
}

int proc_swaps(const struct place *, FILE *to)
{
	return shm_swaps(to);
}

int swap_stat(const struct place *, FILE *to)
{
	return shm_swap_stat(to);
}

int page_cluster_show(const struct place *, FILE *to)
{
	fprintf(to, "%u\n", shm_page_cluster());
	return 0;
}

int page_cluster_store(const struct place *, char *line, FILE *, char *why)
{
	char *end;
	unsigned long n = strtoul(line, &end, 10);

	if (end == line || *end || n > 31) { /* as Linux: page_cluster_max */
		snprintf(why, WHY_SIZE, "page-cluster does not take '%.64s': 0 to 31", line);
		return -EINVAL;
	}
	shm_set_page_cluster((unsigned)n);
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

int sysctl_store(const struct place *at, char *line, FILE *, char *why)
{
	int err = pr_sysctl_store(&rig.m, at->name, line);

	if (err)
		snprintf(why, WHY_SIZE, "%s does not take '%.64s'", at->name, line);
	return err;
}
