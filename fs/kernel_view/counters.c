/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel_view/counters.h"

#include <string.h>

typedef unsigned long long ull;

/* The part of free pages that is folded in, as zone_page_state of mm/vmstat.c: CPUs owe the rest.
 */
static ull free_pages(const struct zone *z)
{
	return z->free_pages > 0 ? (ull)z->free_pages : 0;
}

static ull free_cma(const struct zone *z)
{
	return z->free_cma > 0 ? (ull)z->free_cma : 0;
}

static const struct lruvec *lru_of(const struct zone *z)
{
	return &rig.m.nodes[z->node].lru;
}

static ull numa_hit(const struct zone *z)
{
	return pr_zone_numa(&rig.m, z).hit;
}

static ull numa_miss(const struct zone *z)
{
	return pr_zone_numa(&rig.m, z).miss;
}

static ull numa_foreign(const struct zone *z)
{
	return pr_zone_numa(&rig.m, z).foreign;
}

static ull numa_interleave(const struct zone *z)
{
	return pr_zone_numa(&rig.m, z).interleave;
}

static ull numa_local(const struct zone *z)
{
	return pr_zone_numa(&rig.m, z).local;
}

static ull numa_other(const struct zone *z)
{
	return pr_zone_numa(&rig.m, z).other;
}

#define ZONE_LRU(name, list)                                                                       \
	static ull name(const struct zone *z)                                                      \
	{                                                                                          \
		return lru_of(z)->pages[list][z->type];                                            \
	}
ZONE_LRU(zone_inactive_anon, LRU_INACTIVE_ANON)
ZONE_LRU(zone_active_anon, LRU_ACTIVE_ANON)
ZONE_LRU(zone_inactive_file, LRU_INACTIVE_FILE)
ZONE_LRU(zone_active_file, LRU_ACTIVE_FILE)
ZONE_LRU(zone_unevictable, LRU_UNEVICTABLE)

static ull on_list(const struct node *n, enum lru_list list)
{
	ull pages = 0;

	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		pages += n->lru.pages[list][t];
	return pages;
}

/* Pages of shm/: in Linux's words file pages, but on the anonymous lists of the LRU. */
static ull shm_pages(const struct node *n)
{
	ull pages = 0;

	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		pages += n->zone[t] >= 0 ? rig.shm_pages[n->zone[t]] : 0;
	return pages;
}

#define NODE(name, expression)                                                                     \
	static ull name(const struct node *n)                                                      \
	{                                                                                          \
		return (expression);                                                               \
	}
NODE(inactive_anon, on_list(n, LRU_INACTIVE_ANON))
NODE(active_anon, on_list(n, LRU_ACTIVE_ANON))
NODE(inactive_file, on_list(n, LRU_INACTIVE_FILE))
NODE(active_file, on_list(n, LRU_ACTIVE_FILE))
NODE(unevictable, on_list(n, LRU_UNEVICTABLE))
NODE(file_pages, shm_pages(n) + inactive_file(n) + active_file(n))
NODE(isolated_anon, n->lru.isolated[0])
NODE(isolated_file, n->lru.isolated[1])
NODE(refault_anon, n->lru.refaulted[0])
NODE(refault_file, n->lru.refaulted[1])
NODE(activate_anon, n->lru.activated[0])
NODE(activate_file, n->lru.activated[1])
NODE(restore_anon, n->lru.restored[0])
NODE(restore_file, n->lru.restored[1])
NODE(anon_mapped, n->lru.mapped[0])
NODE(file_mapped, n->lru.mapped[1])
NODE(dirty, n->lru.dirty)
NODE(writeback, n->lru.writeback)

struct zone_counter {
	const char *name;
	ull (*of)(const struct zone *z); /* NULL: 0 */
};

struct node_counter {
	const char *name;
	ull (*of)(const struct node *n);
	bool event; /* the engine counts it, but not by node: all of it is node 0's */
};

/* enum zone_stat_item, then enum numa_stat_item */
static const struct zone_counter zone_counters[] = {
	{"nr_free_pages", free_pages},
	{"nr_zone_inactive_anon", zone_inactive_anon},
	{"nr_zone_active_anon", zone_active_anon},
	{"nr_zone_inactive_file", zone_inactive_file},
	{"nr_zone_active_file", zone_active_file},
	{"nr_zone_unevictable", zone_unevictable},
	{"nr_zone_write_pending"},
	{"nr_mlock"},
	{"nr_bounce"},
	{"nr_free_cma", free_cma},
	{"numa_hit", numa_hit},
	{"numa_miss", numa_miss},
	{"numa_foreign", numa_foreign},
	{"numa_interleave", numa_interleave},
	{"numa_local", numa_local},
	{"numa_other", numa_other},
};

/* enum node_stat_item */
static const struct node_counter node_counters[] = {
	{"nr_inactive_anon", inactive_anon},
	{"nr_active_anon", active_anon},
	{"nr_inactive_file", inactive_file},
	{"nr_active_file", active_file},
	{"nr_unevictable", unevictable},
	{"nr_slab_reclaimable"},
	{"nr_slab_unreclaimable"},
	{"nr_isolated_anon", isolated_anon},
	{"nr_isolated_file", isolated_file},
	{"workingset_nodes"},
	{"workingset_refault_anon", refault_anon},
	{"workingset_refault_file", refault_file},
	{"workingset_activate_anon", activate_anon},
	{"workingset_activate_file", activate_file},
	{"workingset_restore_anon", restore_anon},
	{"workingset_restore_file", restore_file},
	{"workingset_nodereclaim"},
	{"nr_anon_pages", anon_mapped},
	{"nr_mapped", file_mapped},
	{"nr_file_pages", file_pages},
	{"nr_dirty", dirty},
	{"nr_writeback", writeback},
	{"nr_writeback_temp"},
	{"nr_shmem", shm_pages},
	{"nr_shmem_hugepages"},
	{"nr_shmem_pmdmapped"},
	{"nr_file_hugepages"},
	{"nr_file_pmdmapped"},
	{"nr_anon_transparent_hugepages"},
	{"nr_vmscan_write", .event = true},
	{"nr_vmscan_immediate_reclaim", .event = true},
	{"nr_dirtied"},
	{"nr_written"},
	{"nr_throttled_written"},
	{"nr_kernel_misc_reclaimable"},
	{"nr_foll_pin_acquired"},
	{"nr_foll_pin_released"},
	{"nr_kernel_stack"},
	{"nr_page_table_pages"},
	{"nr_sec_page_table_pages"},
	{"nr_swapcached"},
	{"pgdemote_kswapd"},
	{"pgdemote_direct"},
	{"pgdemote_khugepaged"},
};

/* What follows in /proc/vmstat; the engine counts some of them, by the same names. */
static const char *const events[] = {
	"nr_dirty_threshold",
	"nr_dirty_background_threshold",
	"nr_memmap_pages",
	"nr_memmap_boot_pages",
	"pgpgin",
	"pgpgout",
	"pswpin",
	"pswpout",
	"pgalloc_dma",
	"pgalloc_dma32",
	"pgalloc_normal",
	"pgalloc_movable",
	"allocstall_dma",
	"allocstall_dma32",
	"allocstall_normal",
	"allocstall_movable",
	"pgskip_dma",
	"pgskip_dma32",
	"pgskip_normal",
	"pgskip_movable",
	"pgfree",
	"pgactivate",
	"pgdeactivate",
	"pglazyfree",
	"pgfault",
	"pgmajfault",
	"pglazyfreed",
	"pgrefill",
	"pgreuse",
	"pgsteal_kswapd",
	"pgsteal_direct",
	"pgsteal_khugepaged",
	"pgscan_kswapd",
	"pgscan_direct",
	"pgscan_khugepaged",
	"pgscan_direct_throttle",
	"pgscan_anon",
	"pgscan_file",
	"pgsteal_anon",
	"pgsteal_file",
	"zone_reclaim_success",
	"zone_reclaim_failed",
	"pginodesteal",
	"slabs_scanned",
	"kswapd_inodesteal",
	"kswapd_low_wmark_hit_quickly",
	"kswapd_high_wmark_hit_quickly",
	"pageoutrun",
	"pgrotated",
	"drop_pagecache",
	"drop_slab",
	"oom_kill",
	"pgmigrate_success",
	"pgmigrate_fail",
	"thp_migration_success",
	"thp_migration_fail",
	"thp_migration_split",
	"compact_migrate_scanned",
	"compact_free_scanned",
	"compact_isolated",
	"compact_stall",
	"compact_fail",
	"compact_success",
	"compact_daemon_wake",
	"compact_daemon_migrate_scanned",
	"compact_daemon_free_scanned",
	"cma_alloc_success",
	"cma_alloc_fail",
	"unevictable_pgs_culled",
	"unevictable_pgs_scanned",
	"unevictable_pgs_rescued",
	"unevictable_pgs_mlocked",
	"unevictable_pgs_munlocked",
	"unevictable_pgs_cleared",
	"unevictable_pgs_stranded",
	"thp_fault_alloc",
	"thp_fault_fallback",
	"thp_fault_fallback_charge",
	"thp_collapse_alloc",
	"thp_collapse_alloc_failed",
	"thp_file_alloc",
	"thp_file_fallback",
	"thp_file_fallback_charge",
	"thp_file_mapped",
	"thp_split_page",
	"thp_split_page_failed",
	"thp_deferred_split_page",
	"thp_underused_split_page",
	"thp_split_pmd",
	"thp_scan_exceed_none_pte",
	"thp_scan_exceed_swap_pte",
	"thp_scan_exceed_share_pte",
	"thp_split_pud",
	"thp_zero_page_alloc",
	"thp_zero_page_alloc_failed",
	"thp_swpout",
	"thp_swpout_fallback",
	"swap_ra",
	"swap_ra_hit",
	"swpin_zero",
	"swpout_zero",
	"direct_map_level2_splits",
	"direct_map_level3_splits",
	"nr_unstable",
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static ull event(const char *name)
{
	for (unsigned e = 0; e < NR_EVENTS; e++)
		if (!strcmp(pr_event_name[e], name))
			return pr_event(&rig.m, (enum pr_event)e);
	return 0;
}

static ull zone_sum(const struct zone_counter *c, int node)
{
	ull n = 0;

	for (unsigned i = 0; c->of && i < rig.m.arena->nr_zones; i++)
		if (node < 0 || rig.m.zones[i].node == (uint32_t)node)
			n += c->of(&rig.m.zones[i]);
	return n;
}

static ull node_sum(const struct node_counter *c, int node)
{
	ull n = 0;

	if (c->event)
		return node > 0 ? 0 : event(c->name);
	for (unsigned i = 0; c->of && i < rig.m.arena->nr_nodes; i++)
		if (node < 0 || i == (unsigned)node)
			n += c->of(&rig.m.nodes[i]);
	return n;
}

void counters_of_zone(FILE *to, const struct zone *z)
{
	for (unsigned i = 0; i < COUNT(zone_counters); i++)
		fprintf(to, "      %-12s %llu\n", zone_counters[i].name,
			zone_counters[i].of ? zone_counters[i].of(z) : 0);
}

void counters_of_node(FILE *to, unsigned node)
{
	for (unsigned i = 0; i < COUNT(node_counters); i++)
		fprintf(to, "      %-12s %llu\n", node_counters[i].name,
			node_sum(&node_counters[i], (int)node));
}

void counters_node_vmstat(FILE *to, int node)
{
	for (unsigned i = 0; i < COUNT(zone_counters); i++)
		fprintf(to, "%s %llu\n", zone_counters[i].name, zone_sum(&zone_counters[i], node));
	for (unsigned i = 0; i < COUNT(node_counters); i++)
		fprintf(to, "%s %llu\n", node_counters[i].name, node_sum(&node_counters[i], node));
}

void counters_vmstat(FILE *to)
{
	counters_node_vmstat(to, -1);
	for (unsigned i = 0; i < COUNT(events); i++)
		fprintf(to, "%s %llu\n", events[i], event(events[i]));
}

ull counters_value(const char *name, int node)
{
	for (unsigned i = 0; i < COUNT(zone_counters); i++)
		if (!strcmp(zone_counters[i].name, name))
			return zone_sum(&zone_counters[i], node);
	for (unsigned i = 0; i < COUNT(node_counters); i++)
		if (!strcmp(node_counters[i].name, name))
			return node_sum(&node_counters[i], node);
	return event(name);
}
