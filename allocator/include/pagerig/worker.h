/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker.h: threads that call the engine often. A worker pays no atomic operation for locks that it
 * alone takes (biased locking; the fence makes the order of one thread's stores and loads known
 * to another). Calling this is never needed: other threads take every lock in the ordinary way.
 */
#ifndef PAGERIG_WORKER_H
#define PAGERIG_WORKER_H

/*
 * The calling thread is a worker from now on. fence makes every thread of the process pass a full
 * memory barrier, now: on Linux, membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) after its
 * registration; the last one given counts, for all workers. 0; -EAGAIN if there are 64 already.
 */
int pr_worker_begin(void (*fence)(void));
/* Not any more; before the thread ends, and outside of calls to the engine. */
void pr_worker_end(void);

#endif
