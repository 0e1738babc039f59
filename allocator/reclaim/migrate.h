/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * migrate: the content of blocks in use goes to other frames, their owners being told; the frames
 * left behind are freed. Compaction and contiguous ranges say where to. Source of the behaviour:
 * mm/migrate.c of 6.12 (migrate_pages).
 *
 * A block that is isolated has PAGE_ISOLATED instead of PAGE_LRU. Its owner may free it all the
 * same: the mark is gone then, and each step looks for it first. No lock is held while owners are
 * told.
 */
#ifndef MIGRATE_H
#define MIGRATE_H

#include "base/lists.h"

#include <pagerig/owner.h>

enum migrate_mode { MIGRATE_ASYNC, MIGRATE_SYNC_LIGHT, MIGRATE_SYNC };

/* Blocks that are isolated: all of a pageblock, and what a contiguous range had before it. */
enum { MAX_ISOLATED = PAGEBLOCK_PAGES + 64 };
struct block_list {
	unsigned nr;
	pfn_t pfn[MAX_ISOLATED];
};

struct migration {
	struct pr_machine *m;
	struct zone *z; /* of the blocks that are moved */
	unsigned cpu;
	enum migrate_mode mode;
	bool contig;   /* for a range by its numbers, not for compaction */
	bool no_batch; /* what was moved is on the LRU at once (lru_cache_disable) */
	/* A frame to move to, in state PAGE_USED, or PFN_NONE; and what becomes of one not used. */
	pfn_t (*get_new)(void *ctx, unsigned order);
	void (*put_new)(void *ctx, pfn_t pfn, unsigned order);
	void *ctx;
};

static inline enum page_state info_state(uint32_t info)
{
	return (enum page_state)(info & 0xff);
}
static inline unsigned info_order(uint32_t info)
{
	return info >> 8 & 0xff;
}
static inline unsigned info_flags(uint32_t info)
{
	return info >> 16 & 0xff;
}
static inline bool info_compound(uint32_t info)
{
	return info_state(info) == PAGE_USED && (info_flags(info) & PAGE_COMP);
}
/* Can this block be moved: user memory on the LRU, with an owner who can be told? */
static inline bool info_movable(const struct pr_machine *m, uint32_t owner, uint32_t info)
{
	return info_state(info) == PAGE_USED && (info_flags(info) & PAGE_LRU) &&
	       pr_owner_movable(m, owner);
}

/* An isolated block goes onto the CPU's batch; false, and nothing, if it is isolated no more. */
bool lru_add_isolated(struct pr_machine *m, pfn_t pfn, unsigned cpu);
/* Takes a block off the LRU, as info says it is, and adds it to a list; false if it has changed. */
bool isolate_block(struct pr_machine *m, const struct zone *z, struct block_list *to, pfn_t pfn,
		   uint32_t info);
/*
 * Moves the blocks of a list, the last one first. 0 if all moved; how many did not (they are on
 * the list still); -ENOMEM if there was nowhere to move to. *moved: pages (may be NULL).
 */
int migrate_blocks(const struct migration *g, struct block_list *from, uint64_t *moved);
/* Blocks that were not moved go back onto the LRU, through the CPU's batch; the last one first. */
void putback_blocks(struct pr_machine *m, unsigned cpu, struct block_list *from);

#endif
