/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io: READ and WRITE of shm/. A request gathers the frames of its pages and pins them until it was
 * answered; so a page is on no list, and cannot be taken away, while its request is under way (R4,
 * R9). If a frame is missing the request is parked: the pager goes on with it when there is one,
 * and the thread that took it from the kernel is free for the next (R6).
 */
#ifndef SHM_IO_H
#define SHM_IO_H

#include "shm/segment.h"

enum { MAX_IO_PAGES = 258 };
struct io {
	struct io *next; /* parked requests, oldest first; next_wide: those of several pages */
	struct io *next_wide;
	fuse_req_t req;
	uint64_t node, off, end; /* bytes off..end-1 of that segment */
	const char *buf;	 /* WRITE: the bytes */
	bool writepage, direct;
	unsigned nr; /* pages */
	pfn_t pfn[MAX_IO_PAGES]; /* those that are pinned; 0: not yet */
};

/* Pins what has a frame and takes frames for the rest. 0, or page_get's errors; what is pinned stays, *at is the first that failed. */
int io_gather(struct segment *s, struct io *io, unsigned *at);
/* Answers and lets go of the pages; s may be NULL. With shm's lock, which is released meanwhile. */
void io_finish(struct segment *s, struct io *io, int err);
/* Lets go of the pages without an answer. */
void io_release(struct io *io);

/* pager.c: takes over a request (and copies what it needs of it). With shm's lock. */
int pager_park(const struct io *io);
/*
 * Page `at` of a request from swap, if that can be done without waiting: 0; -EAGAIN, -ENOMEM: park it.
 * With shm's lock, which is released meanwhile.
 */
int pager_try(struct segment *s, struct io *io, unsigned at);
extern atomic_uint page_cluster; /* proc/sys/vm/page-cluster: 1 << this pages are read from swap at once */
/* Is page i of a segment asked for by a parked request of several pages? With shm's lock. */
bool pager_wants(uint64_t node, uint64_t i);
/* Serves one that the notifying thread waits for; false: there is none. With shm's lock. */
bool pager_serve_urgent(void);
int pager_start(void);
void pager_stop(void);

/* reclaim.c */
int reclaim_start(struct fuse_session *se);
void reclaim_stop(void);
/*
 * One round of direct reclaim for a parked request: waits until the notifying thread made one.
 * Pages that came free, or -ENOMEM where waiting is of no use: there is no swap, this request
 * itself holds the thread up, or the end is near. With shm's lock, which is released meanwhile.
 */
int64_t reclaim_round(const struct io *io);
/* Does the notifying thread wait for the kernel to let go of pages of this request? */
bool reclaim_waits_for(const struct io *io);
/* An urgent request has come: who waits in reclaim_round looks after it. */
void reclaim_hurry(void);
/* Wakes the thread; from anywhere, also under rig.lock. */
void reclaim_wake(void *ctx, unsigned node, unsigned order, enum zone_type highest);

#endif
