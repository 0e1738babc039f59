/* SPDX-License-Identifier: GPL-2.0-or-later */
/* native: pagerig's own files: zones and lists, allocations, frames, the lab. For the table. */
#ifndef NATIVE_H
#define NATIVE_H

#include "tree/tree.h"

typedef int show_fn(const struct place *at, FILE *to);
typedef int store_fn(const struct place *at, char *line, FILE *reply, char *why);

/* zones.c */
show_fn zone_free_list, zone_free_area, zone_wmark_min, zone_wmark_low, zone_wmark_high,
	zone_wmark_promo, zone_wmark_boost, zone_managed, zone_present, zone_spanned, zone_start_pfn,
	zone_nr_free, zone_lowmem_reserve, zone_pcp, zone_pageblocks, zone_unusable, zone_link_target;
store_fn zone_set_min, zone_set_low, zone_set_high;
/* nodes.c */
show_fn nodes_online, nodes_possible, node_cpulist, node_distance, node_numastat, node_zonelist,
	page_show, segment_stat;
/* lab.c */
show_fn lab_digest, lab_check, error_log_show, allocation_show;
store_fn control_store, node_alloc, zone_alloc, node_free, error_log_clear;
int allocation_remove(const struct place *at);

#endif
