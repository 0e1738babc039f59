/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meminfo.c: proc/meminfo and a node's: the lines of Linux 6.12 (fs/proc/meminfo.c and
 * drivers/base/node.c), which are counters by other names, and a few sums.
 */
#include "kernel_view/counters.h"
#include "kernel_view/kernel_view.h"

typedef unsigned long long ull;
enum { MAX_SUM = 3, PAGE_KB = PR_PAGE_SIZE / 1024 };

struct line {
	const char *label;
	const char *sum[MAX_SUM]; /* counters, in pages; none: 0 */
	ull (*kb)(int node);	  /* instead */
};

static ull managed(int node)
{
	ull n = 0;

	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++)
		if (node < 0 || rig.m.zones[i].node == (uint32_t)node)
			n += rig.m.zones[i].managed;
	return n;
}

static ull total(int node)
{
	return managed(node) * PAGE_KB;
}

static ull used(int node)
{
	ull all = managed(node), free = counters_value("nr_free_pages", node);

	return (all > free ? all - free : 0) * PAGE_KB;
}

/* What could be had without swapping: si_mem_available of mm/show_mem.c, without slab. */
static ull available(int)
{
	ull free = counters_value("nr_free_pages", -1), reserve = 0, low = 0;
	ull cache = counters_value("nr_active_file", -1) + counters_value("nr_inactive_file", -1);

	for (unsigned n = 0; n < rig.m.arena->nr_nodes; n++)
		reserve += rig.m.nodes[n].totalreserve_pages;
	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++)
		low += rig.m.zones[i].watermark[WMARK_LOW];
	free += cache - (cache / 2 < low ? cache / 2 : low);
	return (free > reserve ? free - reserve : 0) * PAGE_KB;
}

static ull swap_total(int)
{
	return rig.swap_total * PAGE_KB;
}

static ull swap_free(int)
{
	/* of shm/, and of tasks */
	ull all = rig.swap_total, taken = rig.swap_used + rig.m.arena->swap_used;

	return (all > taken ? all - taken : 0) * PAGE_KB;
}

/* With overcommit_ratio's default of 50 per cent. */
static ull commit_limit(int)
{
	return (managed(-1) / 2 + rig.swap_total) * PAGE_KB;
}

/* 32 TiB less a byte, as on x86-64. */
static ull vmalloc_total(int)
{
	return ((1ull << 45) - 1) / 1024;
}

static ull cma_total(int)
{
	ull n = 0;

	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++)
		n += rig.m.zones[i].cma;
	return n * PAGE_KB;
}

static const struct line lines[] = {
	{"MemTotal", .kb = total},
	{"MemFree", {"nr_free_pages"}},
	{"MemAvailable", .kb = available},
	{"Buffers"},
	{"Cached", {"nr_file_pages"}},
	{"SwapCached", {"nr_swapcached"}},
	{"Active", {"nr_active_anon", "nr_active_file"}},
	{"Inactive", {"nr_inactive_anon", "nr_inactive_file"}},
	{"Active(anon)", {"nr_active_anon"}},
	{"Inactive(anon)", {"nr_inactive_anon"}},
	{"Active(file)", {"nr_active_file"}},
	{"Inactive(file)", {"nr_inactive_file"}},
	{"Unevictable", {"nr_unevictable"}},
	{"Mlocked", {"nr_mlock"}},
	{"SwapTotal", .kb = swap_total},
	{"SwapFree", .kb = swap_free},
	{"Dirty", {"nr_dirty"}},
	{"Writeback", {"nr_writeback"}},
	{"AnonPages", {"nr_anon_pages"}},
	{"Mapped", {"nr_mapped"}},
	{"Shmem", {"nr_shmem"}},
	{"KReclaimable", {"nr_slab_reclaimable", "nr_kernel_misc_reclaimable"}},
	{"Slab", {"nr_slab_reclaimable", "nr_slab_unreclaimable"}},
	{"SReclaimable", {"nr_slab_reclaimable"}},
	{"SUnreclaim", {"nr_slab_unreclaimable"}},
	{"KernelStack"},
	{"PageTables", {"nr_page_table_pages"}},
	{"SecPageTables", {"nr_sec_page_table_pages"}},
	{"NFS_Unstable"},
	{"Bounce", {"nr_bounce"}},
	{"WritebackTmp", {"nr_writeback_temp"}},
	{"CommitLimit", .kb = commit_limit},
	{"Committed_AS"},
	{"VmallocTotal", .kb = vmalloc_total},
	{"VmallocUsed"},
	{"VmallocChunk"},
	{"Percpu"},
	{"AnonHugePages"},
	{"ShmemHugePages"},
	{"ShmemPmdMapped"},
	{"FileHugePages"},
	{"FilePmdMapped"},
	{"CmaTotal", .kb = cma_total},
	{"CmaFree", {"nr_free_cma"}},
	{"DirectMap4k"},
	{"DirectMap2M"},
};

static const struct line node_lines[] = {
	{"MemTotal", .kb = total},
	{"MemFree", {"nr_free_pages"}},
	{"MemUsed", .kb = used},
	{"SwapCached", {"nr_swapcached"}},
	{"Active", {"nr_active_anon", "nr_active_file"}},
	{"Inactive", {"nr_inactive_anon", "nr_inactive_file"}},
	{"Active(anon)", {"nr_active_anon"}},
	{"Inactive(anon)", {"nr_inactive_anon"}},
	{"Active(file)", {"nr_active_file"}},
	{"Inactive(file)", {"nr_inactive_file"}},
	{"Unevictable", {"nr_unevictable"}},
	{"Mlocked", {"nr_mlock"}},
	{"Dirty", {"nr_dirty"}},
	{"Writeback", {"nr_writeback"}},
	{"FilePages", {"nr_file_pages"}},
	{"Mapped", {"nr_mapped"}},
	{"AnonPages", {"nr_anon_pages"}},
	{"Shmem", {"nr_shmem"}},
	{"KernelStack"},
	{"PageTables", {"nr_page_table_pages"}},
	{"SecPageTables", {"nr_sec_page_table_pages"}},
	{"NFS_Unstable"},
	{"Bounce", {"nr_bounce"}},
	{"WritebackTmp", {"nr_writeback_temp"}},
	{"KReclaimable", {"nr_slab_reclaimable", "nr_kernel_misc_reclaimable"}},
	{"Slab", {"nr_slab_reclaimable", "nr_slab_unreclaimable"}},
	{"SReclaimable", {"nr_slab_reclaimable"}},
	{"SUnreclaim", {"nr_slab_unreclaimable"}},
	{"AnonHugePages"},
	{"ShmemHugePages"},
	{"ShmemPmdMapped"},
	{"FileHugePages"},
	{"FilePmdMapped"},
};

static void print_line(FILE *to, const struct line *l, int node)
{
	char label[24];
	ull n = 0;

	for (unsigned i = 0; i < MAX_SUM && l->sum[i]; i++)
		n += counters_value(l->sum[i], node) * PAGE_KB;
	if (l->kb)
		n = l->kb(node);
	snprintf(label, sizeof(label), "%s:", l->label);
	fprintf(to, "%-15s %8llu kB\n", label, n);
}

int proc_meminfo(const struct place *, FILE *to)
{
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		print_line(to, &lines[i], -1);
	return 0;
}

int node_meminfo(const struct place *at, FILE *to)
{
	for (unsigned i = 0; i < sizeof(node_lines) / sizeof(node_lines[0]); i++) {
		fprintf(to, "Node %d ", at->node);
		print_line(to, &node_lines[i], at->node);
	}
	return 0;
}
