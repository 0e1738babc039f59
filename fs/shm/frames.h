/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames: the frames of the machine that hold pages of shm/: what lies in each, who uses it at this
 * moment, on which list it waits. Content is one mapping, at the frame's own address, so that a
 * frame needs no second name; host memory is taken when a frame is first written.
 *
 * A frame is taken from the engine zeroed in meaning, not in fact: FRAME_ZERO says that whatever
 * the mapping holds, the page reads as zeroes. So a page of a removed file is never seen again,
 * and a fault on a hole touches no memory.
 *
 * Under shm's lock; rig.lock is taken inside, for the allocator alone.
 */
#ifndef SHM_FRAMES_H
#define SHM_FRAMES_H

#include "rig.h"
#include "shm/store.h"

enum frame_list {
	LIST_NONE,     /* free, or in somebody's hands */
	LIST_INACTIVE, /* the kernel may hold it; seen once */
	LIST_ACTIVE,   /* the kernel may hold it; seen again */
	LIST_COLD,     /* taken away from the kernel: a READ rescues it */
	LIST_STALE,    /* free, but host memory is still there */
	NR_LISTS,
};
enum frame_flag {
	FRAME_USED = 1,
	FRAME_ZERO = 2,	      /* reads as zeroes whatever the mapping holds */
	FRAME_BACKED = 4,     /* the host has memory for it */
	FRAME_REFERENCED = 8, /* used since it was last looked at */
	FRAME_AHEAD = 16,     /* read from swap before anybody asked */
	FRAME_WORKINGSET = 32, /* came back soon after it was evicted */
	FRAME_TOUCHED = 64,    /* somebody had it since a batch took it */
};

struct frame {
	uint32_t segment; /* 0: none any more, freed when the last pin goes */
	uint32_t next, prev;
	uint16_t pins; /* requests and batches that need it to stay */
	uint8_t list, flags;
	uint64_t index; /* page of the segment */
	uint32_t spare[2];
};
_Static_assert(sizeof(struct frame) == FRAME_SIZE, "frame is budgeted");

/* Host memory for content: limit bytes at most. 0 or -errno. */
int shm_frames_init(uint64_t nr_frames, uint64_t limit);
void shm_frames_exit(void);
uint64_t frames_span(void); /* frame numbers there are, for shm_frames_init */

static inline struct frame *frame_at(pfn_t pfn)
{
	return (struct frame *)store_frames() + pfn;
}
/* Its bytes, only to be read. Frame 0 is never handed out: zeroes. */
const void *frame_read(pfn_t pfn);
/* Its bytes to write; all says that all of them will be. */
void *frame_write(pfn_t pfn, bool all);

/* A frame that reads as zeroes, pinned once; 0 if there is no memory without reclaim. */
pfn_t frame_alloc(uint32_t owner);
/* This thread may take from the reserves: reclaim waits for it. */
extern __thread bool frames_memalloc;
/* Lets go of one pin: an orphan is freed by its last, others go to the list they belong on. */
void frame_unpin(pfn_t pfn);
/* The page is gone: frees the frame, at once or with its last pin. */
void frame_drop(pfn_t pfn);
/* Gives the host back what free frames hold; how many. */
uint64_t frames_trim(uint64_t max);
uint64_t frames_in_use(void);
unsigned frames_cpu(void); /* the simulated CPU of the calling thread */

#endif
