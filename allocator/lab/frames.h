/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames: which block of the engine stands for a block of a trace. The trace's frame numbers are
 * names here, any 64-bit numbers. Blocks that are live never overlap.
 *
 * Groups of 64 frames, found by a hash of their number: a trace works on neighbouring frames, so
 * an event mostly finds its group in the cache, and one mask says whether any frame of a range
 * is live. Memory: 528 bytes a group that was ever named.
 */
#ifndef LAB_FRAMES_H
#define LAB_FRAMES_H

#include <pagerig/types.h>

enum { GROUP_ORDER = 6, GROUP_FRAMES = 1 << GROUP_ORDER };

/* What stands behind a live head: a block of the engine, or none as it failed. 0: no head. */
typedef uint64_t block_t;
enum { BLOCK_LIVE = 0x40, BLOCK_EMPTY = 0x80, BLOCK_ORDER = 0x0f };
static inline block_t block_make(pfn_t pfn, unsigned order)
{
	return pfn == PFN_NONE ? BLOCK_LIVE | BLOCK_EMPTY | order : pfn << 8 | BLOCK_LIVE | order;
}
static inline pfn_t block_pfn(block_t b)
{
	return b & BLOCK_EMPTY ? PFN_NONE : b >> 8;
}
static inline unsigned block_order(block_t b)
{
	return b & BLOCK_ORDER;
}

struct group {
	uint64_t nr;   /* frame / 64 */
	uint64_t live; /* a bit for each frame of a live block, inner ones too */
	block_t head[GROUP_FRAMES];
};

struct frames {
	struct group *group;
	uint32_t *slot; /* open addressing: index into group[] + 1 */
	uint32_t nr_groups, max_groups, slot_mask;
};

/* 0 or -ENOMEM. */
int frames_init(struct frames *f);
void frames_exit(struct frames *f);
/* The group of a frame or NULL. Valid until the next frames_group_make. */
struct group *frames_group(const struct frames *f, uint64_t frame);
/* Makes it if it is not there; NULL if the host is out of memory. */
struct group *frames_group_make(struct frames *f, uint64_t frame);
/* Is any frame of [frame, frame + 2^order) live? */
bool frames_live(const struct frames *f, uint64_t frame, unsigned order);
/* Head of the live block that holds a frame (*b: what stands for it), or false. */
bool frames_head(const struct frames *f, uint64_t frame, uint64_t *head, block_t *b);
/* Enters a block; none of its frames may be live. 0 or -ENOMEM (nothing was entered). */
int frames_add(struct frames *f, uint64_t frame, block_t b);
/* Takes a block out that is in. */
void frames_remove(struct frames *f, uint64_t frame, unsigned order);

/* Bits of a group for a block that lies in it (order <= GROUP_ORDER). */
static inline uint64_t group_bits(uint64_t frame, unsigned order)
{
	uint64_t ones = order >= GROUP_ORDER ? ~0ull : (1ull << (1u << order)) - 1;

	return ones << (frame & (GROUP_FRAMES - 1));
}
static inline void frames_prefetch(const struct frames *f, uint64_t frame)
{
	const struct group *g = frames_group(f, frame);

	if (g)
		__builtin_prefetch(&g->head[frame & (GROUP_FRAMES - 1)], 1);
}

#endif
