/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.c: every file of the tree but those below shm/. */
#include "kernel_view/kernel_view.h"
#include "native/allocations.h"
#include "native/replay.h"

#define RO (S_IFREG | 0444)
#define RW (S_IFREG | 0644)
#define WO (S_IFREG | 0200)
#define LNK (S_IFLNK | 0777)
#define ZONE "nodes/{node}/zones/{zone}/"

const struct tree_node tree_table[] = {
	{"README", RO, "this text", tree_readme},
	{"control", S_IFREG | 0666, "commands; the reply is read on the same open file",
	 .store = control_store, .replies = true},
	{"nodes/online", RO, "nodes of this machine", nodes_online},
	{"nodes/possible", RO, "nodes there could be", nodes_possible},
	{"nodes/zones/{zone-link}", LNK, "all zones by name", zone_link_target},
	{"nodes/{node}/cpulist", RO, "CPUs of the node", node_cpulist},
	{"nodes/{node}/distance", RO, "distance to each node", node_distance},
	{"nodes/{node}/meminfo", RO, "memory of the node by use, kB", node_meminfo},
	{"nodes/{node}/vmstat", RO, "counters of the node", node_vmstat},
	{"nodes/{node}/numastat", RO, "hits and misses of the node", node_numastat},
	{"nodes/{node}/zonelist", RO, "zones in the order in which requests try them", node_zonelist},
	{"nodes/{node}/alloc", WO, "order= gfp= cpu= count= name=: by the node's zonelist", .store = node_alloc},
	{"nodes/{node}/free", WO, "name=, of an allocation that lies here alone", .store = node_free},
	{ZONE "alloc", WO, "the same, from this zone alone", .store = zone_alloc},
	{ZONE "free", WO, "name=, of an allocation that lies here alone", .store = zone_free},
	{ZONE "free_area", RO, "free blocks, order by migrate type", zone_free_area},
	{ZONE "free_lists/{order}/{type}", RO, "first frames of free blocks in list order",
	 .more = zone_free_list},
	{ZONE "watermarks/min", RW, "pages; a sysctl recalculates it", zone_wmark_min, .store = zone_set_min},
	{ZONE "watermarks/low", RW, "pages; a sysctl recalculates it", zone_wmark_low, .store = zone_set_low},
	{ZONE "watermarks/high", RW, "pages; a sysctl recalculates it", zone_wmark_high, .store = zone_set_high},
	{ZONE "watermarks/promo", RW, "pages; a sysctl recalculates it", zone_wmark_promo, .store = zone_set_promo},
	{ZONE "watermarks/boost", RW, "pages that all of them have on top for now", zone_wmark_boost, .store = zone_set_boost},
	{ZONE "managed", RO, "pages of the allocator", zone_managed},
	{ZONE "present", RO, "pages that exist", zone_present},
	{ZONE "spanned", RO, "pages from first to last", zone_spanned},
	{ZONE "start_pfn", RO, "first frame", zone_start_pfn},
	{ZONE "nr_free", RO, "pages on the free lists", zone_nr_free},
	{ZONE "lowmem_reserve", RO, "pages kept from requests that could use a higher zone",
	 zone_lowmem_reserve},
	{ZONE "pcp/{cpu}", RO, "the per-CPU lists of a CPU", zone_pcp},
	{ZONE "pageblocks", RO, "type of each pageblock, 64 a line: U M R H C I, - none",
	 .more = zone_pageblocks},
	{ZONE "fragmentation/unusable_index", RO, "share of free memory that is of no use, by order",
	 zone_unusable},
	{ZONE "fragmentation/extfrag_index", RO, "why an order would fail: 0 no memory, 1 in pieces, -1 it would not",
	 zone_extfrag},
	{"allocations/{allocation}", RO, "a live allocation; rm frees it",
	 .more = allocation_more, .remove = allocation_remove},
	{"pages/{pfn}", RO, "one frame; look up by number, not listed", page_show, .own_locks = true},
	{"segments/{segment}/stat", RO, "faults and resident pages of a file in shm/", segment_stat,
	 .own_locks = true},
	{"proc/buddyinfo", RO, "as Linux prints it", proc_buddyinfo},
	{"proc/pagetypeinfo", RO, "as Linux prints it", proc_pagetypeinfo},
	{"proc/zoneinfo", RO, "as Linux prints it", proc_zoneinfo},
	{"proc/vmstat", RO, "counters", proc_vmstat},
	{"proc/meminfo", RO, "memory by use, kB", proc_meminfo},
	{"proc/swaps", RO, "swap areas, as Linux prints them", proc_swaps, .own_locks = true},
	{"proc/sys/vm/{sysctl}", RW, "with Linux's ranges and side effects", sysctl_show,
	 .store = sysctl_store},
	{"tracing/error_log", RW, "why writes were refused and allocations failed; a write clears it",
	 error_log_show, .store = error_log_clear, .own_locks = true},
	{"lab/digest", RO, "one number for the state of the machine", lab_digest},
	{"lab/check", RO, "the invariant checker: ok, or a sentence", lab_check},
	{"lab/replay", RW,
	 "takes the text of tracefs (kmem events); says what became of them, and free blocks beside lab/reference; "
	 "a new text first gives back the last one's pages",
	 replay_show, .stream = replay_stream, .stream_end = replay_end},
	{"lab/reference", RW, "takes a /proc/buddyinfo, for lab/replay to compare with; an empty line: none",
	 reference_show, .stream = reference_stream, .stream_end = reference_end},
	{NULL},
};
