/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * digest.c: one number for the state of a machine. Two machines with the same digest return the
 * same frames to the same requests. Owner marks and event counters are the host's and left out.
 */
#include "base/check.h"
#include "base/lists.h"

#define XXH_STATIC_LINKING_ONLY /* the state lies on the stack */
#include <xxhash.h>

static void add_list(XXH3_state_t *s, const struct pr_machine *m, const struct zone *z,
		     const struct list *l, unsigned order, bool pcp)
{
	uint64_t nr = l->nr;

	XXH3_64bits_update(s, &nr, sizeof(nr));
	for (uint32_t rel = l->first; rel != LINK_NONE;
	     rel = link_next(m, z, rel, order, pcp))
		XXH3_64bits_update(s, &rel, sizeof(rel));
}

static void add_compaction(XXH3_state_t *s, const struct zone *z)
{
	const struct compact_memory *c = &z->compact;
	const uint64_t figures[] = {c->free_pfn, c->migrate_pfn[0], c->migrate_pfn[1],
				    c->init_migrate_pfn, c->init_free_pfn, c->considered,
				    c->defer_shift, (uint64_t)c->order_failed, c->blockskip_flush};

	XXH3_64bits_update(s, figures, sizeof(figures));
}

static void add_zone(XXH3_state_t *s, const struct pr_machine *m, const struct zone *z)
{
	const int64_t figures[] = {
		z->node, z->type, (int64_t)z->start_pfn, (int64_t)z->spanned, (int64_t)z->managed,
		z->free_pages, z->free_cma, (int64_t)z->watermark[WMARK_MIN],
		(int64_t)z->watermark[WMARK_LOW], (int64_t)z->watermark[WMARK_HIGH],
		(int64_t)z->watermark_boost, (int64_t)z->reserved_highatomic,
		(int64_t)z->free_highatomic, z->flags,
	};

	XXH3_64bits_update(s, figures, sizeof(figures));
	XXH3_64bits_update(s, z->lowmem_reserve, sizeof(z->lowmem_reserve));
	add_compaction(s, z);
	for (unsigned o = 0; o < NR_ORDERS; o++)
		for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
			add_list(s, m, z, &z->area[o].list[t], o, false);
	for (unsigned c = 0; c < m->arena->nr_cpus; c++) {
		const struct pcp *p = pr_pcp(m, z, c);
		const int32_t cpu[] = {p->count, p->high, p->high_min, p->high_max, p->batch,
				       p->flags, p->alloc_factor, p->expire, p->free_count,
				       p->stat_threshold, p->free_diff, p->cma_diff};

		XXH3_64bits_update(s, cpu, sizeof(cpu));
		for (int i = 0; i < NR_PCP_LISTS; i++)
			add_list(s, m, z, &p->list[i], pr_pcp_order(i), true);
	}
}

static void add_block(XXH3_state_t *s, const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	const uint8_t figures[] = {(uint8_t)pr_block_type(m, z, pfn), pr_block_skip(m, z, pfn)};

	XXH3_64bits_update(s, figures, sizeof(figures));
}

/* What is in use matters too: where it can be freed, and as what a block is judged. */
static void add_frames(XXH3_state_t *s, const struct pr_machine *m, const struct zone *z)
{
	pfn_t last = z->start_pfn + z->spanned - 1;

	for (pfn_t pfn = z->start_pfn; pfn <= last; pfn += PAGEBLOCK_PAGES)
		add_block(s, m, z, pfn);
	add_block(s, m, z, last);
	for (uint64_t rel = 0; rel < z->spanned;) {
		pfn_t pfn = z->start_pfn + rel;
		const struct page *page = page_rel(m, z, (uint32_t)rel);
		int free = pfn & (PAGEBLOCK_PAGES - 1) ? -1 : block_free_order(m, z, pfn);

		if (free >= 0) {
			rel += 1ull << free;
			continue;
		}
		if (page->state == PAGE_USED) {
			const uint32_t used[] = {(uint32_t)rel, page->order, page->flags};

			XXH3_64bits_update(s, used, sizeof(used));
		}
		rel++;
	}
}

static void add_data(void *ctx, const void *data, size_t size)
{
	XXH3_64bits_update(ctx, data, size);
}

uint64_t pr_digest(const struct pr_machine *m)
{
	XXH3_state_t s;

	XXH3_64bits_reset(&s);
	XXH3_64bits_update(&s, &m->arena->version, sizeof(m->arena->version));
	for (unsigned n = 0; n < m->arena->nr_nodes; n++) {
		const int kswapd[] = {m->nodes[n].kswapd_order, m->nodes[n].kswapd_highest};

		XXH3_64bits_update(&s, kswapd, sizeof(kswapd));
	}
	for (unsigned c = 0; c < m->arena->nr_cpus; c++)
		XXH3_64bits_update(&s, m->lru_batches[c].pfn,
				   m->lru_batches[c].nr * sizeof(m->lru_batches[c].pfn[0]));
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		add_zone(&s, m, &m->zones[i]);
		add_frames(&s, m, &m->zones[i]);
	}
	digest_lru(m, add_data, &s);
	return XXH3_64bits_digest(&s);
}
