/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shm/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { BUCKETS = 256, LEAF_SHIFT = 9, LEAF_PAGES = 1 << LEAF_SHIFT };

struct leaf {
	struct leaf *next;
	uint64_t index;
	unsigned used;
	struct {
		pfn_t pfn;
		uint32_t slot; /* 1 + slot, 0 for a hole */
	} page[LEAF_PAGES];
};

/* Slots: page-sized pieces of one mapping, handed out from the start, then from a stack. */
static char *slots;
static uint32_t nr_slots, next_slot, *free_stack, nr_free;

int pages_init(uint64_t limit)
{
	uint64_t n = limit / PR_PAGE_SIZE;

	nr_slots = n < UINT32_MAX - 1 ? (uint32_t)n : UINT32_MAX - 1;
	slots = mmap(NULL, (size_t)nr_slots * PR_PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	free_stack = mmap(NULL, (size_t)nr_slots * sizeof(*free_stack), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return slots == MAP_FAILED || free_stack == MAP_FAILED ? -ENOMEM : 0;
}

void pages_exit(void)
{
	munmap(slots, (size_t)nr_slots * PR_PAGE_SIZE);
	munmap(free_stack, (size_t)nr_slots * sizeof(*free_stack));
}

static void *slot_data(uint32_t slot)
{
	return slots + (size_t)(slot - 1) * PR_PAGE_SIZE;
}

static uint32_t slot_get(void)
{
	if (nr_free)
		return free_stack[--nr_free];
	return next_slot < nr_slots ? ++next_slot : 0;
}

static void slot_put(uint32_t slot)
{
	/* the next user finds zeroes, and the host has its memory back */
	madvise(slot_data(slot), PR_PAGE_SIZE, MADV_DONTNEED);
	free_stack[nr_free++] = slot;
}

static struct leaf *find(struct pages *p, uint64_t index)
{
	struct leaf *l = p->bucket ? p->bucket[index % BUCKETS] : NULL;

	while (l && l->index != index)
		l = l->next;
	return l;
}

static struct leaf *find_or_make(struct pages *p, uint64_t index)
{
	struct leaf *l = find(p, index);

	if (l)
		return l;
	if (!p->bucket && !(p->bucket = calloc(BUCKETS, sizeof(struct leaf *))))
		return NULL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->index = index;
	l->next = p->bucket[index % BUCKETS];
	p->bucket[index % BUCKETS] = l;
	return l;
}

static void free_if_empty(struct pages *p, struct leaf *l)
{
	struct leaf **at = &p->bucket[l->index % BUCKETS];

	if (l->used)
		return;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	free(l);
	if (!p->resident) {
		free(p->bucket);
		p->bucket = NULL;
	}
}

void *page_at(struct pages *p, uint64_t i)
{
	struct leaf *l = find(p, i >> LEAF_SHIFT);
	uint32_t slot = l ? l->page[i % LEAF_PAGES].slot : 0;

	return slot ? slot_data(slot) : NULL;
}

void *page_get(struct pages *p, uint64_t i, bool *fresh)
{
	struct pr_request r = PR_REQUEST(0, GFP_HIGHUSER_MOVABLE | __GFP_NOWARN);
	struct leaf *l = find_or_make(p, i >> LEAF_SHIFT);
	uint32_t slot;
	pfn_t pfn;
	int err;

	if (fresh)
		*fresh = false;
	if (!l)
		return NULL;
	if (l->page[i % LEAF_PAGES].slot)
		return slot_data(l->page[i % LEAF_PAGES].slot);
	slot = slot_get();
	r.owner = p->owner;
	r.lru = true;
	pthread_mutex_lock(&rig.lock);
	err = slot ? pr_alloc(&rig.m, &r, &pfn) : -ENOMEM;
	if (!err) {
		pr_count(&rig.m, 0, EV_PGFAULT, 1);
		rig.shm_pages[pr_zone_of(&rig.m, pfn) - rig.m.zones]++;
	}
	pthread_mutex_unlock(&rig.lock);
	if (err) {
		if (slot)
			free_stack[nr_free++] = slot;
		free_if_empty(p, l);
		return NULL;
	}
	l->page[i % LEAF_PAGES].pfn = pfn;
	l->page[i % LEAF_PAGES].slot = slot;
	l->used++;
	p->resident++;
	if (fresh)
		*fresh = true;
	return slot_data(slot);
}

static void drop_in(struct pages *p, struct leaf *l, uint64_t from, uint64_t to)
{
	uint64_t base = l->index << LEAF_SHIFT;

	pthread_mutex_lock(&rig.lock);
	for (unsigned k = 0; k < LEAF_PAGES; k++) {
		if (base + k < from || base + k >= to || !l->page[k].slot)
			continue;
		pr_free(&rig.m, l->page[k].pfn, 0, 0);
		rig.shm_pages[pr_zone_of(&rig.m, l->page[k].pfn) - rig.m.zones]--;
		slot_put(l->page[k].slot);
		l->page[k].slot = 0;
		l->used--;
		p->resident--;
	}
	pthread_mutex_unlock(&rig.lock);
	free_if_empty(p, l);
}

void pages_drop(struct pages *p, uint64_t from, uint64_t to)
{
	uint64_t first = from >> LEAF_SHIFT, last = to ? (to - 1) >> LEAF_SHIFT : 0;

	for (unsigned b = 0; b < BUCKETS && from < to; b++)
		for (struct leaf *l = p->bucket ? p->bucket[b] : NULL, *next; l; l = next) {
			next = l->next;
			if (l->index >= first && l->index <= last)
				drop_in(p, l, from, to);
		}
}

uint64_t pages_next(struct pages *p, uint64_t i, uint64_t to, bool present)
{
	while (i < to) {
		struct leaf *l = find(p, i >> LEAF_SHIFT);

		if (!l && present)
			i = ((i >> LEAF_SHIFT) + 1) << LEAF_SHIFT;
		else if (!l || (l->page[i % LEAF_PAGES].slot != 0) == present)
			return i;
		else
			i++;
	}
	return to;
}
