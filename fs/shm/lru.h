/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lru: in which order pages of shm/ leave memory. FUSE shows no reference bits, so three lists of
 * each node stand for them: pages come onto the inactive list; from its tail they are taken away
 * from the kernel and wait on the cold list; who is read there was referenced and becomes active,
 * the tail of the cold list is evicted. A page that comes back from swap sooner than it would have
 * left the active list becomes active at once (mm/workingset.c).
 *
 * The order is all that is decided here: who takes pages away is reclaim's business. Under shm's lock.
 */
#ifndef SHM_LRU_H
#define SHM_LRU_H

#include "shm/frames.h"

void shm_lru_add(pfn_t pfn, enum frame_list list);
void shm_lru_del(pfn_t pfn);
/* Where a frame that nobody uses any more belongs, by its flags; takes them off. */
enum frame_list shm_lru_place(pfn_t pfn);
uint64_t shm_lru_size(unsigned node, enum frame_list list);
/* The coldest page of a list, 0 if there is none. */
pfn_t shm_lru_tail(unsigned node, enum frame_list list);
/* The list whose tail is due to be taken away from the kernel. */
enum frame_list shm_lru_victim(unsigned node);
/* How many pages should wait on the cold list. */
uint64_t shm_lru_cold_target(unsigned node);
/* Time in evictions, for a page that leaves; and: is it back soon enough to be active? */
uint32_t shm_lru_evicted(unsigned node);
bool shm_lru_was_recent(uint32_t stamp);

#endif
