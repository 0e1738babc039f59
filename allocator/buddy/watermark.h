/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watermark.h: is there room in a zone? What an attempt may take below a watermark, by its flags, and
 * the test itself (mm/page_alloc.c: __zone_watermark_ok). No locks: the figures may be of different
 * moments, as in Linux. It lies this low because a spilling per-CPU list asks, too.
 */
#ifndef WATERMARK_H
#define WATERMARK_H

#include "base/lists.h"

/* Flags of one attempt; values are free, the meanings are mm/internal.h's. */
enum alloc_flag {
	ALLOC_WMARK_MASK = 3, /* which watermark: an enum watermark */
	ALLOC_NO_WATERMARKS = 1 << 2,
	ALLOC_OOM = 1 << 3,
	ALLOC_NON_BLOCK = 1 << 4,
	ALLOC_MIN_RESERVE = 1 << 5,
	ALLOC_CPUSET = 1 << 6,
	ALLOC_CMA = 1 << 7,
	ALLOC_NOFRAGMENT = 1 << 8,
	ALLOC_HIGHATOMIC = 1 << 9,
	ALLOC_KSWAPD = 1 << 11,
	ALLOC_RESERVES = ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE | ALLOC_HIGHATOMIC | ALLOC_OOM,
};

static inline uint64_t zone_mark(const struct zone *z, enum watermark w)
{
	return load(&z->watermark[w]) + load(&z->watermark_boost);
}

/* Free pages of the zone's own books, without what CPUs keep to themselves. */
static inline int64_t zone_free(const struct zone *z)
{
	int64_t free = load(&z->free_pages);

	return free > 0 ? free : 0;
}

/* Free pages that this request can't have: those in reserve for others, and all but one of a block. */
static inline int64_t zone_unusable(const struct zone *z, unsigned order, unsigned alloc_flags)
{
	int64_t n = (1ll << order) - 1;

	if (!(alloc_flags & ALLOC_RESERVES))
		n += (int64_t)load(&z->free_highatomic);
	if (!(alloc_flags & ALLOC_CMA) && load(&z->free_cma) > 0)
		n += load(&z->free_cma);
	return n;
}

/* A block of that order or a larger one, of a type that such a request may have? */
static inline bool zone_has_block(const struct zone *z, unsigned order, unsigned alloc_flags)
{
	unsigned orders = load(&z->mask[MT_UNMOVABLE]) | load(&z->mask[MT_MOVABLE]) |
			  load(&z->mask[MT_RECLAIMABLE]);

	if (alloc_flags & ALLOC_CMA)
		orders |= load(&z->mask[MT_CMA]);
	if (alloc_flags & (ALLOC_HIGHATOMIC | ALLOC_OOM))
		orders |= load(&z->mask[MT_HIGHATOMIC]);
	return orders >> order;
}

/*
 * Is there room above mark (pages), with the reserves that flags open, and a block of that order?
 * free: the zone's free pages, or as many as there might be.
 */
static inline bool zone_watermark_ok_free(const struct zone *z, unsigned order, uint64_t mark,
					  enum zone_type highest, unsigned alloc_flags,
					  int64_t free)
{
	int64_t min = (int64_t)mark;

	free -= zone_unusable(z, order, alloc_flags);
	if (alloc_flags & ALLOC_MIN_RESERVE) {
		min -= min / 2;
		if (alloc_flags & ALLOC_NON_BLOCK)
			min -= min / 4;
	}
	if (alloc_flags & ALLOC_OOM)
		min -= min / 2;
	if (free <= min + (int64_t)load(&z->lowmem_reserve[highest]))
		return false;
	return !order || zone_has_block(z, order, alloc_flags);
}

static inline bool zone_watermark_ok(const struct zone *z, unsigned order, uint64_t mark,
				     enum zone_type highest, unsigned alloc_flags)
{
	return zone_watermark_ok_free(z, order, mark, highest, alloc_flags, zone_free(z));
}

#endif
