/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * direct.c: direct reclaim while there is nothing that it could free: it goes through its rounds,
 * counts its stalls, and gives way to compaction where that has room to work. Source of the
 * behaviour: mm/vmscan.c of 6.12 (do_try_to_free_pages, compaction_ready).
 */
#include "reclaim/direct.h"

#include "reclaim/compaction.h"

/* Above the high watermark, exactly where the CPUs' differences could matter. */
static bool room_above_high(const struct context *c, const struct zone *z)
{
	int64_t free = load(&z->free_pages) > 0 ? load(&z->free_pages) : 0;

	if (z->drift_mark && free < (int64_t)z->drift_mark)
		free = pr_zone_free_snapshot(c->m, z);
	return zone_watermark_ok_free(z, 0, zone_mark(z, WMARK_HIGH) + compact_gap(c->r->order),
				      c->highest, 0, free);
}

/* Enough is free for a costly order: the rest is compaction's work. */
static bool compaction_ready(const struct context *c, const struct zone *z)
{
	unsigned order = c->r->order;

	if (!(c->r->gfp & __GFP_IO))
		return false;
	if (zone_watermark_ok(z, order, zone_mark(z, WMARK_MIN), c->highest, 0))
		return true;
	if (!compaction_suitable(c->m, z, order, c->highest))
		return false;
	return room_above_high(c, z);
}

uint64_t try_to_free_pages(struct context *c)
{
	enum { WALKS = 2 }; /* partial and full walk of the cgroups */
	const struct zoneref *e;
	bool ready = false;

	for (int i = 0; i < WALKS && !ready; i++) {
		pr_count(c->m, c->r->cpu, EV_ALLOCSTALL_DMA + c->highest, 1);
		if (c->r->order <= COSTLY_ORDER)
			continue;
		for_each_usable_zone(c, e)
			if (compaction_ready(c, zoneref_zone(c, e)))
				ready = true;
	}
	return ready;
}

uint64_t zone_reclaimable_pages(const struct pr_machine *m, const struct zone *z)
{
	/* a zone with nothing on its LRU counts its free pages */
	return (uint64_t)pr_zone_free_snapshot(m, z);
}
