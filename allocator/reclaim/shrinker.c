/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shrinker.c: other caches give way in proportion to the LRU; and drop_caches. Source of the
 * behaviour: mm/shrinker.c (do_shrink_slab) and fs/drop_caches.c of 6.12.
 */
#include "reclaim/reclaim.h"

#include <errno.h>

enum { SHRINK_BATCH = 128, DEFAULT_SEEKS = 2, DROP_PAGES = 1, DROP_SLABS = 2 };

int pr_shrinker_register(struct pr_machine *m, const struct pr_shrinker *s)
{
	for (unsigned i = 0; i < PR_MAX_SHRINKERS; i++)
		if (!m->shrinker[i]) {
			m->shrinker[i] = s;
			return 0;
		}
	return -ENOSPC;
}

/* Objects to try now: the same share as of the LRU, and what was left before. */
static uint64_t objects_to_scan(const struct pr_shrinker *s, int priority, uint64_t freeable,
				uint64_t deferred, uint64_t *delta)
{
	uint64_t total;

	*delta = s->seeks ? (freeable >> priority) * 4 / s->seeks : freeable / 2;
	total = (deferred >> priority) + *delta;
	return total < 2 * freeable ? total : 2 * freeable;
}

static uint64_t shrink_one(struct scan *sc, unsigned node, unsigned i)
{
	const struct pr_shrinker *s = sc->m->shrinker[i];
	uint64_t *deferred = &sc->m->nodes[node].shrink_deferred[i];
	uint64_t freeable = s->count(s->ctx, node), total, delta, left, freed = 0, scanned = 0;

	if (!freeable)
		return 0;
	total = left = objects_to_scan(s, sc->priority, freeable, *deferred, &delta);
	pr_trace(sc->m, sc->cpu, mm_shrink_slab_start, .shr = i, .nid = (int)node,
		 .nr_objects_to_shrink = (int64_t)*deferred, .gfp_flags = sc->gfp,
		 .cache_items = freeable, .delta = delta, .total_scan = total,
		 .priority = sc->priority);
	while (left >= SHRINK_BATCH || left >= freeable) {
		uint64_t now = left < SHRINK_BATCH ? left : SHRINK_BATCH;

		if (!now)
			break;
		freed += s->scan(s->ctx, node, now);
		scanned += now;
		left -= now;
	}
	pr_count(sc->m, sc->cpu, EV_SLABS_SCANNED, scanned);
	*deferred = *deferred + delta > scanned ? *deferred + delta - scanned : 0;
	if (*deferred > 2 * freeable)
		*deferred = 2 * freeable;
	pr_trace(sc->m, sc->cpu, mm_shrink_slab_end, .shr = i, .nid = (int)node,
		 .unused_scan = (int64_t)left, .new_scan = (int64_t)*deferred,
		 .total_scan = (int64_t)total, .retval = (int)freed);
	return freed;
}

uint64_t shrink_slab(struct scan *sc, unsigned node)
{
	uint64_t freed = 0;

	for (unsigned i = 0; i < PR_MAX_SHRINKERS && sc->m->shrinker[i]; i++)
		freed += shrink_one(sc, node, i);
	return freed;
}

/* Clean file pages that nobody has mapped; the rest stays where it was. */
static uint64_t drop_list(struct pr_machine *m, struct node *n, enum lru_list lru, unsigned cpu)
{
	struct list *l = &n->lru.list[lru];
	uint64_t dropped = 0;

	for (uint32_t rel = l->last; rel != LINK_NONE;) {
		struct user_page p = user_page_at(m, n->start_pfn + rel);
		uint64_t nr = page_nr(p.page);
		unsigned order = page_order(p.page);

		rel = p.page->prev;
		if (page_has(p.page, PG_DIRTY | PG_WRITEBACK) || owner_mapped(m, &p) ||
		    owner_evict(m, &p, 0))
			continue;
		if (!pr_free(m, p.pfn, order, cpu))
			dropped += nr;
	}
	return dropped;
}

/* Again and again, until little more comes of it. */
static uint64_t drop_slab(struct pr_machine *m, unsigned cpu)
{
	struct scan sc = {.m = m, .cpu = cpu, .gfp = GFP_KERNEL};
	uint64_t freed, total = 0;
	unsigned shift = 0;

	do {
		freed = 0;
		for (unsigned n = 0; n < m->arena->nr_nodes; n++)
			freed += shrink_slab(&sc, n);
		total += freed;
	} while (freed >> shift++ > 1 && shift < 64);
	return total;
}

uint64_t pr_drop_caches(struct pr_machine *m, unsigned what, unsigned cpu)
{
	uint64_t dropped = 0;

	if (what & DROP_PAGES) {
		pr_lru_drain_all(m);
		for (unsigned n = 0; n < m->arena->nr_nodes; n++) {
			dropped += drop_list(m, &m->nodes[n], LRU_INACTIVE_FILE, cpu);
			dropped += drop_list(m, &m->nodes[n], LRU_ACTIVE_FILE, cpu);
		}
		pr_count(m, cpu, EV_DROP_PAGECACHE, 1);
	}
	if (what & DROP_SLABS) {
		dropped += drop_slab(m, cpu);
		pr_count(m, cpu, EV_DROP_SLAB, 1);
	}
	return dropped;
}
