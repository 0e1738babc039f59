/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_events.h: the one table of events. From it come the records, tracing/events/, their
 * format files and their text. Names, fields and text are those of include/trace/events/ of 6.12
 * (system, event, text, fields); widths are ours.
 *
 * A text is printed as it stands but for {conversion:field}; conversions are listed in
 * base/trace_print.c. A new event is one entry here and pr_trace() where it happens.
 */
#ifndef PAGERIG_TRACE_EVENTS_H
#define PAGERIG_TRACE_EVENTS_H

/* E(system, event, text, fields), fields are TF(type, name) without commas. */
#define PR_TRACE_EVENTS(E)                                                                         \
	PR_TRACE_KMEM(E)                                                                           \
	PR_TRACE_VMSCAN(E)                                                                         \
	PR_TRACE_COMPACTION(E)                                                                     \
	PR_TRACE_MIGRATE(E)                                                                        \
	PR_TRACE_OOM(E)

#define PR_TRACE_KMEM(E)                                                                           \
	E(kmem, mm_page_alloc,                                                                     \
	  "page={page:pfn} pfn={pfn:pfn} order={d:order} migratetype={d:migratetype} "             \
	  "gfp_flags={gfp:gfp_flags}",                                                             \
	  TF(uint64_t, pfn) TF(uint32_t, order) TF(uint32_t, gfp_flags) TF(int32_t, migratetype))  \
	E(kmem, mm_page_free, "page={page:pfn} pfn={pfn:pfn} order={d:order}",                     \
	  TF(uint64_t, pfn) TF(uint32_t, order))                                                   \
	E(kmem, mm_page_free_batched, "page={page:pfn} pfn={pfn:pfn} order=0", TF(uint64_t, pfn))  \
	E(kmem, mm_page_alloc_zone_locked,                                                         \
	  "page={page:pfn} pfn={pfn:pfn} order={d:order} migratetype={d:migratetype} "             \
	  "percpu_refill={d:percpu_refill}",                                                       \
	  TF(uint64_t, pfn) TF(uint32_t, order) TF(int32_t, migratetype)                           \
		  TF(int32_t, percpu_refill))                                                      \
	E(kmem, mm_page_pcpu_drain,                                                                \
	  "page={page:pfn} pfn={pfn:pfn} order={d:order} migratetype={d:migratetype}",             \
	  TF(uint64_t, pfn) TF(uint32_t, order) TF(int32_t, migratetype))                          \
	E(kmem, mm_page_alloc_extfrag,                                                             \
	  "page={page:pfn} pfn={pfn:pfn} alloc_order={d:alloc_order} "                             \
	  "fallback_order={d:fallback_order} pageblock_order=9 "                                   \
	  "alloc_migratetype={d:alloc_migratetype} fallback_migratetype={d:fallback_migratetype} " \
	  "fragmenting={below_block:fallback_order} change_ownership={d:change_ownership}",        \
	  TF(uint64_t, pfn) TF(int32_t, alloc_order) TF(int32_t, fallback_order)                   \
		  TF(int32_t, alloc_migratetype) TF(int32_t, fallback_migratetype)                 \
			  TF(int32_t, change_ownership))                                           \
	E(kmem, mm_alloc_contig_migrate_range_info,                                                \
	  "start={x:start} end={x:end} migratetype={d:migratetype} nr_migrated={d:nr_migrated} "   \
	  "nr_reclaimed={d:nr_reclaimed} nr_mapped={d:nr_mapped}",                                 \
	  TF(uint64_t, start) TF(uint64_t, end) TF(uint64_t, nr_migrated)                          \
		  TF(uint64_t, nr_reclaimed) TF(uint64_t, nr_mapped) TF(int32_t, migratetype))

#define PR_TRACE_VMSCAN(E)                                                                         \
	E(vmscan, mm_vmscan_kswapd_sleep, "nid={d:nid}", TF(int32_t, nid))                         \
	E(vmscan, mm_vmscan_kswapd_wake, "nid={d:nid} order={d:order}",                            \
	  TF(int32_t, nid) TF(int32_t, zid) TF(int32_t, order))                                    \
	E(vmscan, mm_vmscan_wakeup_kswapd,                                                         \
	  "nid={d:nid} order={d:order} gfp_flags={gfp:gfp_flags}",                                 \
	  TF(int32_t, nid) TF(int32_t, zid) TF(int32_t, order) TF(uint32_t, gfp_flags))            \
	E(vmscan, mm_vmscan_direct_reclaim_begin, "order={d:order} gfp_flags={gfp:gfp_flags}",     \
	  TF(int32_t, order) TF(uint32_t, gfp_flags))                                              \
	E(vmscan, mm_vmscan_direct_reclaim_end, "nr_reclaimed={d:nr_reclaimed}",                   \
	  TF(uint64_t, nr_reclaimed))                                                              \
	E(vmscan, mm_vmscan_node_reclaim_begin,                                                    \
	  "nid={d:nid} order={d:order} gfp_flags={gfp:gfp_flags}",                                 \
	  TF(int32_t, nid) TF(int32_t, order) TF(uint32_t, gfp_flags))                             \
	E(vmscan, mm_vmscan_node_reclaim_end, "nr_reclaimed={d:nr_reclaimed}",                     \
	  TF(uint64_t, nr_reclaimed))                                                              \
	E(vmscan, mm_shrink_slab_start,                                                            \
	  "{shrinker:shr} {shrinker:shr}: nid: {d:nid} objects to shrink "                         \
	  "{d:nr_objects_to_shrink} gfp_flags {gfp:gfp_flags} cache items {d:cache_items} "        \
	  "delta {d:delta} total_scan {d:total_scan} priority {d:priority}",                       \
	  TF(uint32_t, shr) TF(int32_t, nid) TF(int64_t, nr_objects_to_shrink)                     \
		  TF(uint64_t, cache_items) TF(uint64_t, delta) TF(uint64_t, total_scan)           \
			  TF(uint32_t, gfp_flags) TF(int32_t, priority))                           \
	E(vmscan, mm_shrink_slab_end,                                                              \
	  "{shrinker:shr} {shrinker:shr}: nid: {d:nid} unused scan count {d:unused_scan} "         \
	  "new scan count {d:new_scan} total_scan {d:total_scan} last shrinker return val "        \
	  "{d:retval}",                                                                            \
	  TF(uint32_t, shr) TF(int32_t, nid) TF(int64_t, unused_scan) TF(int64_t, new_scan)        \
		  TF(int64_t, total_scan) TF(int32_t, retval))                                     \
	E(vmscan, mm_vmscan_lru_isolate,                                                           \
	  "classzone={d:highest_zoneidx} order={d:order} nr_requested={d:nr_requested} "           \
	  "nr_scanned={d:nr_scanned} nr_skipped={d:nr_skipped} nr_taken={d:nr_taken} "             \
	  "lru={lru:lru}",                                                                         \
	  TF(int32_t, highest_zoneidx) TF(int32_t, order) TF(uint64_t, nr_requested)               \
		  TF(uint64_t, nr_scanned) TF(uint64_t, nr_skipped) TF(uint64_t, nr_taken)         \
			  TF(int32_t, lru))                                                        \
	E(vmscan, mm_vmscan_write_folio, "page={page:pfn} pfn={pfn:pfn} flags={wb:reclaim_flags}", \
	  TF(uint64_t, pfn) TF(int32_t, reclaim_flags))                                            \
	E(vmscan, mm_vmscan_lru_shrink_inactive,                                                   \
	  "nid={d:nid} nr_scanned={d:nr_scanned} nr_reclaimed={d:nr_reclaimed} "                   \
	  "nr_dirty={d:nr_dirty} nr_writeback={d:nr_writeback} nr_congested={d:nr_congested} "     \
	  "nr_immediate={d:nr_immediate} nr_activate_anon={d:nr_activate0} "                       \
	  "nr_activate_file={d:nr_activate1} nr_ref_keep={d:nr_ref_keep} "                         \
	  "nr_unmap_fail={d:nr_unmap_fail} priority={d:priority} flags={wb:reclaim_flags}",        \
	  TF(int32_t, nid) TF(uint32_t, nr_scanned) TF(uint32_t, nr_reclaimed)                     \
		  TF(uint32_t, nr_dirty) TF(uint32_t, nr_writeback) TF(uint32_t, nr_congested)     \
			  TF(uint32_t, nr_immediate) TF(uint32_t, nr_activate0)                    \
				  TF(uint32_t, nr_activate1) TF(uint32_t, nr_ref_keep)             \
					  TF(uint32_t, nr_unmap_fail) TF(int32_t, priority)        \
						  TF(int32_t, reclaim_flags))                      \
	E(vmscan, mm_vmscan_lru_shrink_active,                                                     \
	  "nid={d:nid} nr_taken={d:nr_taken} nr_active={d:nr_active} "                             \
	  "nr_deactivated={d:nr_deactivated} nr_referenced={d:nr_referenced} "                     \
	  "priority={d:priority} flags={wb:reclaim_flags}",                                        \
	  TF(int32_t, nid) TF(uint64_t, nr_taken) TF(uint64_t, nr_active)                          \
		  TF(uint64_t, nr_deactivated) TF(uint64_t, nr_referenced) TF(int32_t, priority)   \
			  TF(int32_t, reclaim_flags))                                              \
	E(vmscan, mm_vmscan_throttled,                                                             \
	  "nid={d:nid} usec_timeout={d:usec_timeout} usect_delayed={d:usec_delayed} "              \
	  "reason={throttle:reason}",                                                              \
	  TF(int32_t, nid) TF(int32_t, usec_timeout) TF(int32_t, usec_delayed)                     \
		  TF(int32_t, reason))

#define PR_TRACE_ISOLATE(E, name)                                                                  \
	E(compaction, name,                                                                        \
	  "range=({x:start_pfn} ~ {x:end_pfn}) nr_scanned={d:nr_scanned} nr_taken={d:nr_taken}",   \
	  TF(uint64_t, start_pfn) TF(uint64_t, end_pfn) TF(uint64_t, nr_scanned)                   \
		  TF(uint64_t, nr_taken))
#define PR_TRACE_SUITABLE(E, name)                                                                 \
	E(compaction, name, "node={d:nid} zone={zone:idx} order={d:order} ret={compact:ret}",      \
	  TF(int32_t, nid) TF(int32_t, idx) TF(int32_t, order) TF(int32_t, ret))
#define PR_TRACE_DEFER(E, name)                                                                    \
	E(compaction, name,                                                                        \
	  "node={d:nid} zone={zone:idx} order={d:order} order_failed={d:order_failed} "            \
	  "consider={d:considered} limit={shift:defer_shift}",                                     \
	  TF(int32_t, nid) TF(int32_t, idx) TF(int32_t, order) TF(uint32_t, considered)            \
		  TF(uint32_t, defer_shift) TF(int32_t, order_failed))
#define PR_TRACE_KCOMPACTD(E, name)                                                                \
	E(compaction, name,                                                                        \
	  "nid={d:nid} order={d:order} classzone_idx={zone:highest_zoneidx}",                      \
	  TF(int32_t, nid) TF(int32_t, order) TF(int32_t, highest_zoneidx))

#define PR_TRACE_COMPACTION(E)                                                                     \
	PR_TRACE_ISOLATE(E, mm_compaction_isolate_migratepages)                                    \
	PR_TRACE_ISOLATE(E, mm_compaction_isolate_freepages)                                       \
	PR_TRACE_ISOLATE(E, mm_compaction_fast_isolate_freepages)                                  \
	E(compaction, mm_compaction_migratepages,                                                  \
	  "nr_migrated={d:nr_migrated} nr_failed={d:nr_failed}",                                   \
	  TF(uint64_t, nr_migrated) TF(uint64_t, nr_failed))                                       \
	E(compaction, mm_compaction_begin,                                                         \
	  "zone_start={x:zone_start} migrate_pfn={x:migrate_pfn} free_pfn={x:free_pfn} "           \
	  "zone_end={x:zone_end}, mode={sync:sync}",                                               \
	  TF(uint64_t, zone_start) TF(uint64_t, migrate_pfn) TF(uint64_t, free_pfn)                \
		  TF(uint64_t, zone_end) TF(uint8_t, sync))                                        \
	E(compaction, mm_compaction_end,                                                           \
	  "zone_start={x:zone_start} migrate_pfn={x:migrate_pfn} free_pfn={x:free_pfn} "           \
	  "zone_end={x:zone_end}, mode={sync:sync} status={compact:status}",                       \
	  TF(uint64_t, zone_start) TF(uint64_t, migrate_pfn) TF(uint64_t, free_pfn)                \
		  TF(uint64_t, zone_end) TF(uint8_t, sync) TF(int32_t, status))                    \
	E(compaction, mm_compaction_try_to_compact_pages,                                          \
	  "order={d:order} gfp_mask={gfp:gfp_mask} priority={d:prio}",                             \
	  TF(int32_t, order) TF(uint32_t, gfp_mask) TF(int32_t, prio))                             \
	PR_TRACE_SUITABLE(E, mm_compaction_finished)                                               \
	PR_TRACE_SUITABLE(E, mm_compaction_suitable)                                               \
	PR_TRACE_DEFER(E, mm_compaction_deferred)                                                  \
	PR_TRACE_DEFER(E, mm_compaction_defer_compaction)                                          \
	PR_TRACE_DEFER(E, mm_compaction_defer_reset)                                               \
	E(compaction, mm_compaction_kcompactd_sleep, "nid={d:nid}", TF(int32_t, nid))              \
	PR_TRACE_KCOMPACTD(E, mm_compaction_wakeup_kcompactd)                                      \
	PR_TRACE_KCOMPACTD(E, mm_compaction_kcompactd_wake)

#define PR_TRACE_MIGRATE(E)                                                                        \
	E(migrate, mm_migrate_pages,                                                               \
	  "nr_succeeded={d:succeeded} nr_failed={d:failed} nr_thp_succeeded={d:thp_succeeded} "    \
	  "nr_thp_failed={d:thp_failed} nr_thp_split={d:thp_split} nr_split={d:large_folio_split} " \
	  "mode={migrate_mode:mode} reason={migrate_reason:reason}",                               \
	  TF(uint64_t, succeeded) TF(uint64_t, failed) TF(uint64_t, thp_succeeded)                 \
		  TF(uint64_t, thp_failed) TF(uint64_t, thp_split) TF(uint64_t, large_folio_split) \
			  TF(int32_t, mode) TF(int32_t, reason))                                   \
	E(migrate, mm_migrate_pages_start,                                                         \
	  "mode={migrate_mode:mode} reason={migrate_reason:reason}",                               \
	  TF(int32_t, mode) TF(int32_t, reason))

#define PR_TRACE_OOM(E)                                                                            \
	E(oom, reclaim_retry_zone,                                                                 \
	  "node={d:node} zone={zone:zone_idx} order={d:order} reclaimable={d:reclaimable} "        \
	  "available={d:available} min_wmark={d:min_wmark} "                                       \
	  "no_progress_loops={d:no_progress_loops} wmark_check={d:wmark_check}",                   \
	  TF(int32_t, node) TF(int32_t, zone_idx) TF(int32_t, order) TF(int32_t, no_progress_loops) \
		  TF(uint64_t, reclaimable) TF(uint64_t, available) TF(uint64_t, min_wmark)        \
			  TF(uint8_t, wmark_check))                                                \
	E(oom, compact_retry,                                                                      \
	  "order={d:order} priority={compact_prio:priority} compaction_result={feedback:result} "  \
	  "retries={d:retries} max_retries={d:max_retries} should_retry={d:ret}",                  \
	  TF(int32_t, order) TF(int32_t, priority) TF(int32_t, result) TF(int32_t, retries)        \
		  TF(int32_t, max_retries) TF(uint8_t, ret))                                       \
	E(oom, mark_victim,                                                                        \
	  "pid={d:pid} total-vm={d:total_vm}kB anon-rss={d:anon_rss}kB file-rss:{d:file_rss}kB "   \
	  "shmem-rss:{d:shmem_rss}kB uid={d:uid} oom_score_adj={d:oom_score_adj}",                 \
	  TF(int32_t, pid) TF(uint32_t, uid) TF(uint64_t, total_vm) TF(uint64_t, anon_rss)         \
		  TF(uint64_t, file_rss) TF(uint64_t, shmem_rss) TF(int16_t, oom_score_adj))

#endif
