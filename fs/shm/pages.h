/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages: the pages of one segment. Each is a hole, in a frame, in swap, of one repeated word (which
 * needs neither), or lost (its swap slot failed). Under shm's lock.
 */
#ifndef SHM_PAGES_H
#define SHM_PAGES_H

#include "shm/frames.h"
#include "shm/index.h"

/* One entry of a segment's index: kind in the low bits, what it means in the high ones. */
enum page_kind { PAGE_HOLE, PAGE_FRAME, PAGE_SWAP, PAGE_FILL, PAGE_LOST };
enum { ENTRY_UNWRITTEN = 8, ENTRY_SHIFT = 8 };
static inline uint64_t entry(enum page_kind kind, uint64_t value)
{
	return value << ENTRY_SHIFT | kind;
}
static inline enum page_kind entry_kind(uint64_t e)
{
	return (enum page_kind)(e & 7);
}
static inline uint64_t entry_value(uint64_t e)
{
	return e >> ENTRY_SHIFT;
}

struct pages {
	struct index index;
	uint64_t resident, elsewhere; /* pages in frames; in swap, of one word, or lost */
	uint64_t minor, major, refault, swapped_out, swapped_in, failed; /* counters, in pages */
};
struct segment;

enum page_use {
	USE_READ,  /* somebody faults on it */
	USE_WRITE, /* a part is overwritten */
	USE_WHOLE, /* all of it is */
	USE_CLEAN, /* the kernel writes it back: no use at all */
};
/*
 * Page i in a frame, pinned. 0; -ENOMEM: there is none without reclaim; -EAGAIN: it has to be read
 * from swap first (swap_in); -EIO: it is lost. Nothing changes on an error.
 */
int page_get(struct segment *s, uint64_t i, enum page_use use, pfn_t *pfn);
/* The frame of page i if it is in one, unpinned; 0 otherwise. */
pfn_t page_frame(const struct segment *s, uint64_t i);
/*
 * A page that was read from its slot into a frame (pinned once): takes the slot's place, which is
 * given back. -EAGAIN if the page is no longer there; then the frame is freed.
 */
int page_install(struct segment *s, uint64_t i, uint64_t slot, pfn_t pfn);
/* Counts the use of a page that was in swap. */
void page_count_major(struct segment *s, enum page_use use);
/* Gives pages from..to-1 back. */
void pages_drop(struct segment *s, uint64_t from, uint64_t to);
/* Zeroes bytes from..to-1 of page i, wherever it is. May read and write swap. */
void page_zero(struct segment *s, uint64_t i, unsigned from, unsigned to);
/* Nobody gets at page i any more until it is truncated or punched; says so in the error log. */
void page_lost(struct segment *s, uint64_t i);
/* Makes page i exist, unwritten, if it was a hole; *fresh says so. 0, -ENOSPC. */
int page_reserve(struct segment *s, uint64_t i, bool *fresh);
/* First page at or behind i that was written (or was not); to if there is none before it. */
uint64_t pages_next(const struct segment *s, uint64_t i, uint64_t to, bool data);
/* Puts what is evicted or comes back in place of what is there: one entry for another. */
void page_replace(struct segment *s, uint64_t i, uint64_t with);

/* Counts an event of proc/vmstat. */
void shm_count(enum pr_event e, uint64_t n);
/* Pages of one word, of all segments: each may need a slot once it is written. */
extern uint64_t shm_filled;

#endif
