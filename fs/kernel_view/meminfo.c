/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meminfo.c: proc/meminfo and a node's: the lines of Linux 6.12 (fs/proc/meminfo.c,
 * drivers/base/node.c). */
#include "kernel_view/counters.h"
#include "kernel_view/kernel_view.h"

typedef unsigned long long ull;

struct line {
	const char *label;
	ull (*pages)(const struct counter_sums *s); /* NULL: 0 */
};

static ull total(const struct counter_sums *s)
{
	return s->managed;
}

static ull free_kb(const struct counter_sums *s)
{
	return s->free;
}

static ull used(const struct counter_sums *s)
{
	return s->managed > s->free ? s->managed - s->free : 0;
}

/* What could be had without swapping: free pages above the reserves (si_mem_available). */
static ull available(const struct counter_sums *s)
{
	ull reserve = 0;

	for (unsigned n = 0; n < rig.m.arena->nr_nodes; n++)
		reserve += rig.m.nodes[n].totalreserve_pages;
	return s->free > reserve ? s->free - reserve : 0;
}

static ull shm(const struct counter_sums *s)
{
	return s->shm;
}

static ull swap_total(const struct counter_sums *s)
{
	return rig.swap_total;
}

static ull swap_free(const struct counter_sums *s)
{
	return rig.swap_total - rig.swap_used;
}

static ull cma(const struct counter_sums *s)
{
	return s->cma;
}

static ull cma_free(const struct counter_sums *s)
{
	return s->free_cma;
}

/* overcommit_ratio's default of 50 per cent, and swap. */
static ull commit_limit(const struct counter_sums *s)
{
	return s->managed / 2 + rig.swap_total;
}

/* 32 TiB less a byte, as on x86-64: in units of a page, as the others. */
static ull vmalloc_total(const struct counter_sums *s)
{
	return ((1ull << 45) - 1) >> PR_PAGE_SHIFT;
}

static const struct line lines[] = {
	{"MemTotal", total},
	{"MemFree", free_kb},
	{"MemAvailable", available},
	{"Buffers"},
	{"Cached", shm},
	{"SwapCached"},
	{"Active"},
	{"Inactive", shm},
	{"Active(anon)"},
	{"Inactive(anon)", shm},
	{"Active(file)"},
	{"Inactive(file)"},
	{"Unevictable"},
	{"Mlocked"},
	{"SwapTotal", swap_total},
	{"SwapFree", swap_free},
	{"Dirty"},
	{"Writeback"},
	{"AnonPages"},
	{"Mapped"},
	{"Shmem", shm},
	{"KReclaimable"},
	{"Slab"},
	{"SReclaimable"},
	{"SUnreclaim"},
	{"KernelStack"},
	{"PageTables"},
	{"SecPageTables"},
	{"NFS_Unstable"},
	{"Bounce"},
	{"WritebackTmp"},
	{"CommitLimit", commit_limit},
	{"Committed_AS"},
	{"VmallocTotal", vmalloc_total},
	{"VmallocUsed"},
	{"VmallocChunk"},
	{"Percpu"},
	{"AnonHugePages"},
	{"ShmemHugePages"},
	{"ShmemPmdMapped"},
	{"FileHugePages"},
	{"FilePmdMapped"},
	{"CmaTotal", cma},
	{"CmaFree", cma_free},
	{"DirectMap4k"},
	{"DirectMap2M"},
};

static const struct line node_lines[] = {
	{"MemTotal", total}, {"MemFree", free_kb},
	{"MemUsed", used},   {"SwapCached"},
	{"Active"},	     {"Inactive", shm},
	{"Active(anon)"},    {"Inactive(anon)", shm},
	{"Active(file)"},    {"Inactive(file)"},
	{"Unevictable"},     {"Mlocked"},
	{"Dirty"},	     {"Writeback"},
	{"FilePages", shm},  {"Mapped"},
	{"AnonPages"},	     {"Shmem", shm},
	{"KernelStack"},     {"PageTables"},
	{"SecPageTables"},   {"NFS_Unstable"},
	{"Bounce"},	     {"WritebackTmp"},
	{"KReclaimable"},    {"Slab"},
	{"SReclaimable"},    {"SUnreclaim"},
	{"AnonHugePages"},   {"ShmemHugePages"},
	{"ShmemPmdMapped"},  {"FileHugePages"},
	{"FilePmdMapped"},
};

static ull kb(ull pages)
{
	return pages * (PR_PAGE_SIZE / 1024);
}

static void print_line(FILE *to, const struct line *l, const struct counter_sums *s)
{
	char label[24];
	ull n = l->pages ? kb(l->pages(s)) : 0;

	if (l->pages == vmalloc_total)
		n += 3; /* the last page is there but for a byte */
	snprintf(label, sizeof(label), "%s:", l->label);
	fprintf(to, "%-15s %8llu kB\n", label, n);
}

int proc_meminfo(const struct place *at, FILE *to)
{
	struct counter_sums s = counters_sum(-1);

	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		print_line(to, &lines[i], &s);
	return 0;
}

int node_meminfo(const struct place *at, FILE *to)
{
	struct counter_sums s = counters_sum(at->node);

	for (unsigned i = 0; i < sizeof(node_lines) / sizeof(node_lines[0]); i++) {
		fprintf(to, "Node %d ", at->node);
		print_line(to, &node_lines[i], &s);
	}
	return 0;
}
