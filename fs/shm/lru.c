/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shm/lru.h"

static struct {
	uint32_t first, last;
	uint64_t nr;
} lists[PR_MAX_NODES][NR_LISTS];
/* Of the pages that a loop brings back, so many stay: it finds them in the next round. */
enum { ONE_IN = 16 };
static uint32_t evictions, lottery;

static unsigned node_of(pfn_t pfn)
{
	return pr_zone_of(&rig.m, pfn)->node;
}

void shm_lru_add(pfn_t pfn, enum frame_list list)
{
	struct frame *f = frame_at(pfn);
	unsigned n = node_of(pfn);

	f->list = (uint8_t)list;
	f->prev = 0;
	f->next = lists[n][list].first;
	if (f->next)
		frame_at(f->next)->prev = (uint32_t)pfn;
	else
		lists[n][list].last = (uint32_t)pfn;
	lists[n][list].first = (uint32_t)pfn;
	lists[n][list].nr++;
}

void shm_lru_del(pfn_t pfn)
{
	struct frame *f = frame_at(pfn);
	unsigned n = node_of(pfn), list = f->list;

	if (list == LIST_NONE)
		return;
	*(f->prev ? &frame_at(f->prev)->next : &lists[n][list].first) = f->next;
	*(f->next ? &frame_at(f->next)->prev : &lists[n][list].last) = f->prev;
	f->next = f->prev = 0;
	f->list = LIST_NONE;
	lists[n][list].nr--;
}

enum frame_list shm_lru_place(pfn_t pfn)
{
	struct frame *f = frame_at(pfn);
	bool active = f->flags & (FRAME_REFERENCED | FRAME_WORKINGSET);

	f->flags &= (uint8_t)~(FRAME_REFERENCED | FRAME_WORKINGSET);
	return active ? LIST_ACTIVE : LIST_INACTIVE;
}

uint64_t shm_lru_size(unsigned node, enum frame_list list)
{
	return lists[node][list].nr;
}

pfn_t shm_lru_tail(unsigned node, enum frame_list list)
{
	return lists[node][list].last;
}

/* sqrt(10 * GiB), at least 1: how many active pages an inactive one carries (inactive_is_low) */
static uint64_t inactive_ratio(uint64_t pages)
{
	uint64_t gb = pages >> (30 - PR_PAGE_SHIFT), r = 1;

	while ((r + 1) * (r + 1) <= 10 * gb)
		r++;
	return r;
}

enum frame_list shm_lru_victim(unsigned node)
{
	uint64_t inactive = shm_lru_size(node, LIST_INACTIVE), cold = shm_lru_size(node, LIST_COLD);
	uint64_t active = shm_lru_size(node, LIST_ACTIVE);

	if (!inactive || (inactive + cold) * inactive_ratio(inactive + cold + active) < active)
		return active ? LIST_ACTIVE : LIST_INACTIVE;
	return LIST_INACTIVE;
}

uint64_t shm_lru_cold_target(unsigned node)
{
	uint64_t all = shm_lru_size(node, LIST_INACTIVE) + shm_lru_size(node, LIST_ACTIVE) +
		       shm_lru_size(node, LIST_COLD);

	return all / 8 > 32 ? all / 8 : 32;
}

uint32_t shm_lru_evicted(unsigned)
{
	return ++evictions;
}

bool shm_lru_was_recent(uint32_t stamp)
{
	uint64_t active = 0, all = 0;
	uint32_t distance = evictions - stamp;

	for (unsigned n = 0; n < rig.m.arena->nr_nodes; n++) {
		active += shm_lru_size(n, LIST_ACTIVE);
		all += shm_lru_size(n, LIST_INACTIVE) + shm_lru_size(n, LIST_COLD);
	}
	if (distance <= active)
		return true;
	/* a loop over somewhat more than memory would evict each page just before its use */
	return distance <= 2 * (active + all) && ++lottery % ONE_IN == 0;
}
