/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_alloc: from gfp to a page: which zones, which watermark, which reserves, and one walk over
 * the zonelist. Retries and failure are the slow path's, one floor above.
 */
#ifndef PAGE_ALLOC_H
#define PAGE_ALLOC_H

#include <pagerig/alloc.h>

#include "buddy/buddy.h"

/*
 * What one request asks, worked out once (struct alloc_context). filtered: some entries of the list
 * are not for this request whatever their type (node mask, one zone alone).
 */
struct context {
	struct pr_machine *m;
	const struct pr_request *r;
	const struct zoneref *list; /* from its start; ends with LINK_NONE */
	enum zone_type highest;
	enum migratetype type;
	uint64_t nodemask; /* 0: all */
	const struct zoneref *preferred; /* first usable entry, or the list's end */
	bool filtered;
	bool tried; /* the last walk came past a watermark: it may have left traces */
};

/* 0 or -EINVAL: fills c from r (prepare_alloc_pages). */
int context_init(struct context *c, struct pr_machine *m, const struct pr_request *r);
static inline bool zoneref_end(const struct zoneref *e)
{
	return e->zone == LINK_NONE;
}
static inline bool zoneref_passes(const struct context *c, const struct zoneref *e)
{
	if (c->r->only_zone >= 0 && e->zone != (uint32_t)c->r->only_zone)
		return false;
	return !c->nodemask || (c->nodemask >> e->node & 1);
}
/* First entry at or after e that the context may use. */
static inline const struct zoneref *context_skip(const struct context *c, const struct zoneref *e)
{
	while (!zoneref_end(e) && (e->type > (unsigned)c->highest ||
				   (unlikely(c->filtered) && !zoneref_passes(c, e))))
		e++;
	return e;
}
static inline void context_set_nodemask(struct context *c, uint64_t nodemask)
{
	c->nodemask = nodemask;
	c->filtered = nodemask || c->r->only_zone >= 0;
	c->preferred = context_skip(c, c->list);
}
static inline struct zone *zoneref_zone(const struct context *c, const struct zoneref *e)
{
	return &c->m->zones[e->zone];
}
#define for_each_usable_zone(c, e)                                                                 \
	for ((e) = context_skip(c, (c)->list); !zoneref_end(e); (e) = context_skip(c, (e) + 1))

/* One walk over the zonelist (get_page_from_freelist); the first frame, or PFN_NONE. */
pfn_t get_page(struct context *c, unsigned alloc_flags);
static inline unsigned flags_cma(const struct context *c, unsigned alloc_flags)
{
	return c->type == MT_MOVABLE ? alloc_flags | ALLOC_CMA : alloc_flags;
}

/* Marks a block taken from z as the request's. */
void mark_used(const struct context *c, const struct zone *z, pfn_t pfn, unsigned order);

/* Notes a wake-up for the kswapd of z's node, and wakes it if there is need (reclaim's). */
void wake_kswapd(struct pr_machine *m, struct zone *z, unsigned order, enum zone_type highest,
		 gfp_t gfp, unsigned cpu);
/* Gives a high-atomic block back to the request's type; pages moved or 0. */
bool unreserve_highatomic(struct context *c, bool force);

/* zone_reclaim_mode: before a request leaves a zone for another node. True: look here again. */
bool node_reclaim(struct context *c, struct zone *z);
/* The slow path (slowpath.c) and its report (report.c). */
pfn_t slowpath(struct context *c);
void report_failure(const struct context *c);

#endif
