/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compact.h: compaction on demand, contiguous ranges. Blocks move only if pr_host.migrate is set.
 */
#ifndef PAGERIG_COMPACT_H
#define PAGERIG_COMPACT_H

#include <pagerig/machine.h>

/*
 * Compacts all of a zone (by index), a node or the machine, run by a CPU, as a write to
 * node<N>/compact or proc/sys/vm/compact_memory does. 0 or -EINVAL. mm/compaction.c: compact_node.
 */
int pr_compact_zone(struct pr_machine *m, unsigned zone, unsigned cpu);
int pr_compact_node(struct pr_machine *m, unsigned node, unsigned cpu);
int pr_compact_memory(struct pr_machine *m, unsigned cpu);

/*
 * kcompactd of a node, run by a CPU: does what it was woken for. 1; 0 if it was nothing; -EINVAL.
 * mm/compaction.c: kcompactd_do_work.
 */
int pr_kcompactd_step(struct pr_machine *m, unsigned node, unsigned cpu);
/*
 * Its other half, to be called every 500 ms: compacts if the node's fragmentation is above what
 * compaction_proactiveness allows. 1; 0 if there was no need; -EAGAIN: it was no use, and Linux
 * would wait 64 times as long; -EINVAL.
 */
int pr_kcompactd_proactive(struct pr_machine *m, unsigned node, unsigned cpu);

/*
 * Allocates the frames start..start+n-1 of one zone as single frames of that owner (with
 * __GFP_COMP: as one block; then n is a power of two, and start aligned). mt: MT_MOVABLE, or MT_CMA
 * inside a CMA area. gfp says how hard frames are looked for to move to. 0; -EINVAL; -EBUSY if
 * something in the way can't be moved; -ENOMEM if there is nowhere to move to. mm/page_alloc.c:
 * alloc_contig_range.
 */
int pr_alloc_contig(struct pr_machine *m, pfn_t start, uint64_t n, enum migratetype mt, gfp_t gfp,
		    unsigned cpu, uint32_t owner);
/* Frees single frames one after the other; -EINVAL at the first that is not one in use. */
int pr_free_contig(struct pr_machine *m, pfn_t start, uint64_t n, unsigned cpu);
/*
 * The same somewhere in a zone's CMA areas, aligned to 1 << align frames. 0 and *pfn; -EINVAL;
 * -ENOMEM if no place could be emptied. mm/cma.c: cma_alloc.
 */
int pr_cma_alloc(struct pr_machine *m, unsigned zone, uint64_t n, unsigned align, gfp_t gfp,
		 unsigned cpu, uint32_t owner, pfn_t *pfn);

/* Per mille of how much fragmentation, not shortage, is why an order is missing; -1000: it is not.
 */
int pr_fragmentation_index(const struct zone *z, unsigned order);
/* Per cent of the free memory that lies in blocks below an order. */
unsigned pr_extfrag_for_order(const struct zone *z, unsigned order);

#endif
