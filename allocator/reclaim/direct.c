/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * direct.c: reclaim by who needs the memory: for a request that failed, for a node before requests
 * leave it (zone_reclaim_mode), on demand. Source of the behaviour: mm/vmscan.c of 6.12
 * (try_to_free_pages, shrink_zones, should_continue_reclaim, __node_reclaim).
 */
#include "reclaim/direct.h"

#include "reclaim/compaction.h"
#include "reclaim/reclaim.h"

#include <errno.h>

enum { RECLAIM_ZONE = 1, RECLAIM_WRITE = 2, RECLAIM_UNMAP = 4, NODE_PRIORITY = 4 };

static bool compaction_allowed(const struct scan *sc)
{
	return sc->gfp & __GFP_IO;
}

/* Above the high watermark, exactly where the CPUs' differences could matter. */
static bool room_above_high(const struct scan *sc, const struct zone *z)
{
	int64_t free = z->free_pages > 0 ? z->free_pages : 0;

	if (z->drift_mark && free < (int64_t)z->drift_mark)
		free = pr_zone_free_snapshot(sc->m, z);
	return zone_watermark_ok_free(z, 0, zone_mark(z, WMARK_HIGH) + compact_gap(sc->order),
				      (enum zone_type)sc->reclaim_idx, 0, free);
}

/* A block of the order is there, or compaction can make one. */
static bool block_in_reach(const struct scan *sc, const struct zone *z, bool *there)
{
	enum zone_type highest = (enum zone_type)sc->reclaim_idx;

	*there = zone_watermark_ok(z, sc->order, zone_mark(z, WMARK_MIN), highest, 0);
	return *there || compaction_suitable(sc->m, sc->cpu, z, sc->order, highest);
}

/* Enough is free for a costly order: the rest is compaction's work. */
static bool compaction_ready(const struct scan *sc, const struct zone *z)
{
	bool there;

	return compaction_allowed(sc) && block_in_reach(sc, z, &there) &&
	       (there || room_above_high(sc, z));
}

bool reclaim_for_compaction(const struct scan *sc, const struct node *n)
{
	uint64_t inactive;
	bool there;

	if (!compaction_allowed(sc) || !sc->order ||
	    (sc->order <= COSTLY_ORDER && sc->priority >= DEF_PRIORITY - 2))
		return false;
	for (int t = 0; t <= sc->reclaim_idx; t++) {
		const struct zone *z = n->zone[t] >= 0 ? &sc->m->zones[n->zone[t]] : NULL;

		if (z && z->managed && block_in_reach(sc, z, &there))
			return false;
	}
	inactive = lru_size(n, LRU_INACTIVE_FILE, NR_ZONE_TYPES);
	if (swap_left(sc->m))
		inactive += lru_size(n, LRU_INACTIVE_ANON, NR_ZONE_TYPES);
	return inactive > compact_gap(sc->order);
}

/* A round over the nodes of the request, each once. */
static void shrink_zones(struct scan *sc, struct context *c)
{
	struct node *first = NULL, *last = NULL;
	const struct zoneref *e;

	for_each_usable_zone(c, e) {
		struct zone *z = zoneref_zone(c, e);
		struct node *n = &sc->m->nodes[z->node];

		if (sc->order > COSTLY_ORDER && compaction_ready(sc, z)) {
			sc->compaction_ready = true;
			continue;
		}
		if (n == last)
			continue;
		last = n;
		first = first ? first : n;
		shrink_node(sc, n);
	}
	if (first && sc->nr_reclaimed <= sc->nr_scanned >> 3 && sc->priority == 1 &&
	    !sc->nr_reclaimed)
		reclaim_throttle(sc, first, THROTTLE_NOPROGRESS);
}

/* From the lightest touch to the whole lists, until there is enough. */
static void all_priorities(struct scan *sc, struct context *c)
{
	struct node *last = NULL;
	const struct zoneref *e;

	pr_count(sc->m, sc->cpu, EV_ALLOCSTALL_DMA + sc->reclaim_idx, 1);
	for (sc->priority = DEF_PRIORITY; sc->priority >= 0; sc->priority--) {
		sc->nr_scanned = 0;
		shrink_zones(sc, c);
		if (sc->nr_reclaimed >= sc->nr_to_reclaim || sc->compaction_ready)
			break;
		if (sc->priority < DEF_PRIORITY - 2)
			sc->may_writepage = true;
	}
	for_each_usable_zone(c, e) {
		struct node *n = &sc->m->nodes[zoneref_zone(c, e)->node];

		if (n != last)
			snapshot_refaults(n);
		last = n;
	}
}

/* 1 if there is nothing to free, but compaction can go ahead: that is progress, too. */
static uint64_t free_some(struct scan *sc, struct context *c)
{
	bool again = true; /* a second time, for memory cgroups that the first walk left out */

	for (;;) {
		all_priorities(sc, c);
		if (sc->nr_reclaimed || sc->compaction_ready)
			return sc->nr_reclaimed ? sc->nr_reclaimed : 1;
		if (!again && !sc->skipped_deactivate)
			return 0;
		if (!again) {
			sc->force_deactivate = true;
			sc->skipped_deactivate = false;
		}
		again = false;
	}
}

/* Too little is left for those who free memory: kswapd first (throttle_direct_reclaim). */
static void wait_for_kswapd(struct scan *sc, struct context *c)
{
	const struct zoneref *e;

	for_each_usable_zone(c, e) {
		struct zone *z = zoneref_zone(c, e);
		struct node *n = &sc->m->nodes[z->node];

		if (z->type > ZONE_NORMAL)
			continue;
		if (!reserves_ok(sc->m, n)) {
			pr_count(sc->m, sc->cpu, EV_PGSCAN_DIRECT_THROTTLE, 1);
			reclaim_throttle(sc, n, THROTTLE_RESERVES);
		}
		return;
	}
}

uint64_t try_to_free_pages(struct context *c)
{
	struct scan sc = {.m = c->m, .cpu = c->r->cpu, .order = c->r->order, .gfp = c->r->gfp,
			  .nr_to_reclaim = SWAP_CLUSTER_MAX, .reclaim_idx = c->highest,
			  .may_writepage = !c->m->arena->sysctl.laptop_mode, .may_unmap = true,
			  .may_swap = true, .swappiness = -1};
	uint64_t got;

	wait_for_kswapd(&sc, c);
	pr_trace(c->m, c->r->cpu, mm_vmscan_direct_reclaim_begin, .order = (int)c->r->order,
		 .gfp_flags = c->r->gfp);
	got = free_some(&sc, c);
	pr_trace(c->m, c->r->cpu, mm_vmscan_direct_reclaim_end, .nr_reclaimed = got);
	return got;
}

/* File pages that this mode may take: all, or only what no page table has; less what is dirty. */
static uint64_t node_pagecache(const struct pr_machine *m, const struct node *n)
{
	int mode = m->arena->sysctl.zone_reclaim_mode;
	uint64_t file = lru_size(n, LRU_INACTIVE_FILE, NR_ZONE_TYPES) +
			lru_size(n, LRU_ACTIVE_FILE, NR_ZONE_TYPES);
	uint64_t dirty = mode & RECLAIM_WRITE ? 0 : n->lru.dirty;

	if (!(mode & RECLAIM_UNMAP))
		file = file > n->lru.mapped[1] ? file - n->lru.mapped[1] : 0;
	return file > dirty ? file - dirty : 0;
}

static bool node_has_cpu(const struct pr_machine *m, unsigned node)
{
	for (unsigned c = 0; c < m->arena->nr_cpus; c++)
		if (m->arena->cpu_node[c] == node)
			return true;
	return false;
}

static bool worth_node_reclaim(const struct context *c, const struct node *n)
{
	unsigned node = (unsigned)(n - c->m->nodes);
	uint64_t managed = 0;

	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (n->zone[t] >= 0)
			managed += c->m->zones[n->zone[t]].managed;
	if (node_pagecache(c->m, n) <=
	    managed * (unsigned)c->m->arena->sysctl.min_unmapped_ratio / 100)
		return false;
	if (!(c->r->gfp & __GFP_DIRECT_RECLAIM) || c->r->memalloc)
		return false;
	return c->m->arena->cpu_node[c->r->cpu] == node || !node_has_cpu(c->m, node);
}

bool node_reclaim(struct context *c, struct zone *z)
{
	int mode = c->m->arena->sysctl.zone_reclaim_mode, node = (int)z->node;
	struct node *n = &c->m->nodes[node];
	uint64_t want = 1ull << c->r->order;
	struct scan sc = {.m = c->m, .cpu = c->r->cpu, .order = c->r->order, .gfp = c->r->gfp,
			  .nr_to_reclaim = want > SWAP_CLUSTER_MAX ? want : SWAP_CLUSTER_MAX,
			  .reclaim_idx = c->highest, .may_writepage = mode & RECLAIM_WRITE,
			  .may_unmap = mode & RECLAIM_UNMAP, .may_swap = true, .swappiness = -1};

	if (!worth_node_reclaim(c, n) ||
	    (__atomic_fetch_or(&n->lru.flags, LRUVEC_RECLAIM_LOCKED, __ATOMIC_ACQUIRE) &
	     LRUVEC_RECLAIM_LOCKED))
		return false;
	pr_trace(c->m, sc.cpu, mm_vmscan_node_reclaim_begin, .nid = node, .order = (int)sc.order,
		 .gfp_flags = sc.gfp);
	for (sc.priority = NODE_PRIORITY; sc.priority >= 0 && sc.nr_reclaimed < want; sc.priority--)
		shrink_node(&sc, n);
	pr_trace(c->m, sc.cpu, mm_vmscan_node_reclaim_end, .nr_reclaimed = sc.nr_reclaimed);
	__atomic_fetch_and(&n->lru.flags, ~(uint32_t)LRUVEC_RECLAIM_LOCKED, __ATOMIC_RELEASE);
	pr_count(c->m, sc.cpu, sc.nr_reclaimed >= want ? EV_PGSCAN_ZONE_RECLAIM_SUCCESS
						       : EV_PGSCAN_ZONE_RECLAIM_FAILED, 1);
	return sc.nr_reclaimed >= want;
}

int pr_reclaim_node(struct pr_machine *m, unsigned node, unsigned cpu, uint64_t pages,
		    int swappiness, uint64_t *done)
{
	unsigned failures = 0;

	*done = 0;
	if (node >= m->arena->nr_nodes || cpu >= m->arena->nr_cpus)
		return -EINVAL;
	while (*done < pages && failures < MAX_RECLAIM_FAILURES) {
		uint64_t batch = (pages - *done) / 4;
		struct scan sc = {.m = m, .cpu = cpu, .gfp = GFP_KERNEL, .may_unmap = true,
				  .may_swap = true, .may_writepage = true, .proactive = true,
				  .reclaim_idx = NR_ZONE_TYPES - 1, .swappiness = swappiness};

		sc.nr_to_reclaim = batch > SWAP_CLUSTER_MAX ? batch : SWAP_CLUSTER_MAX;
		sc.force_deactivate = failures > 0;
		pr_lru_drain_all(m);
		for (sc.priority = DEF_PRIORITY; sc.priority >= 0; sc.priority--) {
			sc.nr_scanned = 0;
			shrink_node(&sc, &m->nodes[node]);
			if (sc.nr_reclaimed >= sc.nr_to_reclaim)
				break;
		}
		snapshot_refaults(&m->nodes[node]);
		*done += sc.nr_reclaimed;
		if (!sc.nr_reclaimed) {
			failures++;
			reclaim_throttle(&sc, &m->nodes[node], THROTTLE_NOPROGRESS);
		}
	}
	return *done >= pages ? 0 : -EAGAIN;
}
