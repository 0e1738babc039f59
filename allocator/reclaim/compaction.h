/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compaction: makes large free blocks: from one end of a zone the migrate scanner takes movable
 * blocks out of pageblocks, from the other end the free scanner finds frames to move them to, until
 * they meet or a block of the wanted order is there. Source of the behaviour: mm/compaction.c of
 * 6.12.
 *
 * Different on purpose: nothing contends (the caller holds the zone), and no signal comes.
 */
#ifndef COMPACTION_H
#define COMPACTION_H

#include <pagerig/compact.h>

#include "page_alloc/page_alloc.h"

/* What came of it, in the order in which the best of several zones is chosen. */
enum compact_result {
	COMPACT_NOT_SUITABLE_ZONE, /* only in records */
	COMPACT_SKIPPED,  /* too few free frames to move to, or fragmentation is not the trouble */
	COMPACT_DEFERRED, /* it failed lately */
	COMPACT_NO_SUITABLE_PAGE,
	COMPACT_CONTINUE,
	COMPACT_COMPLETE,	 /* the whole zone was scanned in vain */
	COMPACT_PARTIAL_SKIPPED, /* part of it was */
	COMPACT_CONTENDED,
	COMPACT_SUCCESS,
};

/* How hard direct compaction tries; less is harder. */
enum compact_priority { COMPACT_PRIO_SYNC_FULL, COMPACT_PRIO_SYNC_LIGHT, COMPACT_PRIO_ASYNC };

/* Free frames that compaction for an order needs above the watermark. */
static inline uint64_t compact_gap(unsigned order)
{
	return 2ull << order;
}

/* Would compaction for that order find room to work, with `free` pages free? */
bool compaction_has_room(const struct zone *z, unsigned order, enum zone_type highest,
			 int64_t free);
/* And is fragmentation the trouble? (compaction_suitable) */
bool compaction_suitable(struct pr_machine *m, unsigned cpu, const struct zone *z, unsigned order,
			 enum zone_type highest);
/* COMPACT_SUCCESS: the request would succeed as it is; _CONTINUE: a run is worth it; or _SKIPPED.
 */
enum compact_result compaction_worth(struct pr_machine *m, unsigned cpu, const struct zone *z,
				     unsigned order, enum zone_type highest, unsigned alloc_flags);

enum { COMPACT_MAX_DEFER_SHIFT = 6 };
/* It failed: leave out the next runs, more of them each time. */
void compaction_defer(struct pr_machine *m, struct zone *z, int order, unsigned cpu);
/* Is this run to be left out? Counts it. */
bool compaction_deferred(struct pr_machine *m, struct zone *z, int order, unsigned cpu);
/* An allocation of that order came about after all, or (false) will presumably. */
void compaction_defer_reset(struct pr_machine *m, struct zone *z, int order, bool alloc_success,
			    unsigned cpu);

/*
 * Compacts the zones of a request, one after the other, until one has a block for it; *captured is
 * a block that arose on the way and is taken already, or PFN_NONE. (try_to_compact_pages)
 */
enum compact_result try_to_compact(struct context *c, unsigned alloc_flags,
				   enum compact_priority prio, pfn_t *captured);
/* Clears the skip bits of the node's zones, if a whole run failed since (reset_isolation_suitable).
 */
void compaction_reset_zone(struct pr_machine *m, struct zone *z);
void compaction_reset_suitable(struct pr_machine *m, unsigned node);

/* A zone is compacted by one thread at a time, which alone touches what it remembers. */
static inline bool compact_begin(struct zone *z)
{
	return !__atomic_exchange_n(&z->compact.busy, 1, __ATOMIC_ACQUIRE);
}
static inline void compact_end(struct zone *z)
{
	__atomic_store_n(&z->compact.busy, 0, __ATOMIC_RELEASE);
}
/* All of a node's zones, whatever their state; proactive: until they are tidy enough. */
void compact_node(struct pr_machine *m, unsigned node, unsigned cpu, bool proactive);
/* One zone, for kcompactd, until there is a block of the order; counted as its work. */
enum compact_result compact_background(struct pr_machine *m, struct zone *z, int order,
				       unsigned cpu, enum zone_type highest);
/* Wakes a node's kcompactd if it could do something for that order (wakeup_kcompactd). */
void wake_kcompactd(struct pr_machine *m, struct node *n, int order, int highest, unsigned cpu);
/* Empties all CPUs' lists of a zone, by one CPU. */
void drain_zone_lists(struct pr_machine *m, struct zone *z, unsigned cpu);
/* Fragmentation score at which proactive compaction stops (low) or starts. */
unsigned proactive_mark(const struct pr_machine *m, bool low);

#endif
