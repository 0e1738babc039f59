/* SPDX-License-Identifier: GPL-2.0-or-later */
/* native: pagerig's own files: zones and lists, allocations, frames, the lab. For the table. */
#ifndef NATIVE_H
#define NATIVE_H

#include "tree/tree.h"

typedef int show_fn(const struct place *at, FILE *to);
typedef int more_fn(const struct place *at, void **state, FILE *to);
typedef int store_fn(const struct place *at, char *line, FILE *reply, char *why);

/* zones.c */
more_fn zone_free_list, zone_pageblocks;
show_fn zone_free_area, zone_wmark_min, zone_wmark_low, zone_wmark_high,
	zone_wmark_promo, zone_wmark_boost, zone_managed, zone_present, zone_spanned, zone_start_pfn,
	zone_nr_free, zone_lowmem_reserve, zone_pcp, zone_unusable, zone_extfrag, zone_link_target;
store_fn zone_set_min, zone_set_low, zone_set_high, zone_set_promo, zone_set_boost;
/* nodes.c */
show_fn nodes_online, nodes_possible, node_cpulist, node_distance, node_numastat, node_zonelist,
	page_show, segment_stat;
/* error_log.c */
show_fn error_log_show;
store_fn error_log_clear;
void error_log_exit(void);
/* failure.c: struct pr_host's report and shmem */
void failure_report(void *ctx, const struct pr_request *r, const char *text);
uint64_t failure_shmem(void *ctx, unsigned zone);
/* lab.c */
show_fn lab_digest, lab_check;
store_fn control_store, node_alloc, zone_alloc, node_free, zone_free;

#endif
