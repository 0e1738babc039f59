/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * workingset.c: refault distance. A page that leaves memory takes along the node's count of
 * evictions and activations; if it comes back while that count has grown by less than what is in
 * memory, it would have stayed with a little more room, and comes back as active. Source of the
 * behaviour: mm/workingset.c of 6.12.
 *
 * A shadow is count << 8 | node << 1 | (was active before); 0 is none, so the lowest bit of the
 * count's part is set.
 */
#include "reclaim/reclaim.h"

enum { SHADOW_WORKINGSET = 1, SHADOW_NODE_SHIFT = 1, SHADOW_VALID = 0x80, SHADOW_SHIFT = 8 };
#define SHADOW_COUNT_MASK (~0ull >> SHADOW_SHIFT)
_Static_assert(PR_MAX_NODES <= 64, "a node fits between the bits");

uint64_t workingset_evict(const struct pr_machine *m, const struct user_page *p)
{
	uint64_t count = p->n->lru.nonresident_age;

	workingset_age(p->n, page_nr(p->page));
	return count << SHADOW_SHIFT | SHADOW_VALID |
	       (uint64_t)(p->n - m->nodes) << SHADOW_NODE_SHIFT |
	       (page_has(p->page, PG_WORKINGSET) ? SHADOW_WORKINGSET : 0);
}

/* What the page competed with: the rest of memory that could have made room for it. */
static uint64_t competition(const struct pr_machine *m, const struct node *n, bool file)
{
	uint64_t pages = lru_size(n, LRU_ACTIVE_FILE, NR_ZONE_TYPES);

	if (!file)
		pages += lru_size(n, LRU_INACTIVE_FILE, NR_ZONE_TYPES);
	if (swap_left(m)) {
		pages += lru_size(n, LRU_ACTIVE_ANON, NR_ZONE_TYPES);
		if (file)
			pages += lru_size(n, LRU_INACTIVE_ANON, NR_ZONE_TYPES);
	}
	return pages;
}

void pr_workingset_refault(struct pr_machine *m, pfn_t pfn, uint64_t shadow)
{
	struct user_page p = user_page_at(m, pfn);
	unsigned nr = page_nr(p.page), from = shadow >> SHADOW_NODE_SHIFT & (PR_MAX_NODES - 1);
	bool file = page_file(p.page);
	struct node *evicted;
	uint64_t distance;

	if (!(shadow & SHADOW_VALID) || from >= m->arena->nr_nodes)
		return;
	evicted = &m->nodes[from];
	p.n->lru.refaulted[file] += nr;
	distance = (evicted->lru.nonresident_age - (shadow >> SHADOW_SHIFT)) & SHADOW_COUNT_MASK;
	if (distance > competition(m, evicted, file))
		return;
	page_set(p.page, PG_ACTIVE);
	workingset_age(p.n, nr);
	p.n->lru.activated[file] += nr;
	if (shadow & SHADOW_WORKINGSET) {
		page_set(p.page, PG_WORKINGSET);
		lru_note_cost(p.n, file, nr, 0);
		p.n->lru.restored[file] += nr;
	}
}

void snapshot_refaults(struct node *n)
{
	n->lru.refaults[0] = n->lru.activated[0];
	n->lru.refaults[1] = n->lru.activated[1];
}
