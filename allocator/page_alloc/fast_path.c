/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fast_path.c: watermarks, the walk over the zonelist, and the public entries. Source of the
 * behaviour: mm/page_alloc.c of 6.12 (get_page_from_freelist, rmqueue, __zone_watermark_ok).
 *
 * Different on purpose: no dirty-page spreading (__GFP_WRITE) as nothing is dirty yet, and no
 * cpusets (ALLOC_CPUSET only decides what it decides without them).
 */
#include "page_alloc/page_alloc.h"

#include <errno.h>

int gfp_zone(gfp_t gfp)
{
	unsigned low = !!(gfp & __GFP_DMA) + !!(gfp & __GFP_DMA32) + !!(gfp & __GFP_HIGHMEM);

	if (low > 1)
		return -1;
	if (gfp & __GFP_DMA)
		return ZONE_DMA;
	if (gfp & __GFP_DMA32)
		return ZONE_DMA32;
	return (gfp & __GFP_HIGHMEM) && (gfp & __GFP_MOVABLE) ? ZONE_MOVABLE : ZONE_NORMAL;
}

int gfp_type(const struct pr_machine *m, gfp_t gfp)
{
	static const int type[] = {MT_UNMOVABLE, MT_MOVABLE, MT_RECLAIMABLE, -1};
	int t = type[!!(gfp & __GFP_MOVABLE) + 2 * !!(gfp & __GFP_RECLAIMABLE)];

	return t >= 0 && m->arena->mobility_disabled ? MT_UNMOVABLE : t;
}

const struct zoneref *context_skip(const struct context *c, const struct zoneref *e)
{
	for (; !zoneref_end(e); e++) {
		const struct zone *z = zoneref_zone(c, e);

		if (c->r->only_zone >= 0 && e->zone != (uint32_t)c->r->only_zone)
			continue;
		if (z->type <= c->highest && (!c->nodemask || (c->nodemask >> z->node & 1)))
			break;
	}
	return e;
}

void context_set_preferred(struct context *c)
{
	c->preferred = context_skip(c, c->list);
}

int context_init(struct context *c, struct pr_machine *m, const struct pr_request *r)
{
	int type = gfp_type(m, r->gfp), highest = gfp_zone(r->gfp), node = r->node;

	if (r->order > MAX_ORDER || type < 0 || highest < 0 || r->cpu >= m->arena->nr_cpus)
		return -EINVAL;
	if (node < 0)
		node = (int)m->arena->cpu_node[r->cpu];
	if ((uint32_t)node >= m->arena->nr_nodes || r->only_zone >= (int)m->arena->nr_zones)
		return -EINVAL;
	c->m = m;
	c->r = r;
	c->type = (enum migratetype)type;
	c->highest = (enum zone_type)highest;
	if (r->only_zone >= 0) { /* the user names the zone: gfp's zone bits do not narrow it */
		c->highest = m->zones[r->only_zone].type;
		node = (int)m->zones[r->only_zone].node;
	}
	c->list = r->gfp & __GFP_THISNODE ? m->nodes[node].thisnode : m->nodes[node].fallback;
	c->nodemask = r->nodemask;
	context_set_preferred(c);
	return 0;
}

/* Free pages that this request can't have: those in reserve for others, and all but one of a block. */
static int64_t unusable_free(const struct zone *z, unsigned order, unsigned alloc_flags)
{
	int64_t n = (1ll << order) - 1;

	if (!(alloc_flags & ALLOC_RESERVES))
		n += (int64_t)z->free_highatomic;
	if (!(alloc_flags & ALLOC_CMA) && z->free_cma > 0)
		n += z->free_cma;
	return n;
}

static bool has_block(const struct zone *z, unsigned order, unsigned alloc_flags)
{
	for (unsigned o = order; o < NR_ORDERS; o++) {
		const struct free_area *area = &z->area[o];

		if (!area->nr_free)
			continue;
		for (unsigned t = 0; t < NR_PCP_TYPES; t++)
			if (area->list[t].nr)
				return true;
		if ((alloc_flags & ALLOC_CMA) && area->list[MT_CMA].nr)
			return true;
		if ((alloc_flags & (ALLOC_HIGHATOMIC | ALLOC_OOM)) && area->list[MT_HIGHATOMIC].nr)
			return true;
	}
	return false;
}

bool zone_watermark_ok_free(const struct zone *z, unsigned order, uint64_t mark,
			    enum zone_type highest, unsigned alloc_flags, int64_t free)
{
	int64_t min = (int64_t)mark;

	free -= unusable_free(z, order, alloc_flags);
	if (alloc_flags & ALLOC_MIN_RESERVE) {
		min -= min / 2;
		if (alloc_flags & ALLOC_NON_BLOCK)
			min -= min / 4;
	}
	if (alloc_flags & ALLOC_OOM)
		min -= min / 2;
	if (free <= min + (int64_t)z->lowmem_reserve[highest])
		return false;
	return !order || has_block(z, order, alloc_flags);
}

static int64_t zone_free(const struct zone *z)
{
	return z->free_pages > 0 ? z->free_pages : 0;
}

bool zone_watermark_ok(const struct zone *z, unsigned order, uint64_t mark, enum zone_type highest,
		       unsigned alloc_flags)
{
	return zone_watermark_ok_free(z, order, mark, highest, alloc_flags, zone_free(z));
}

/* zone_watermark_fast: order 0 first without reserves, and boost does not bind __GFP_HIGH. */
static bool zone_has_room(const struct zone *z, unsigned order, uint64_t mark,
			  enum zone_type highest, unsigned alloc_flags)
{
	if (!order) {
		int64_t usable = zone_free(z) - unusable_free(z, 0, alloc_flags);

		if (usable > 0 && (uint64_t)usable > mark + z->lowmem_reserve[highest])
			return true;
	}
	if (zone_watermark_ok(z, order, mark, highest, alloc_flags))
		return true;
	if (!order && (alloc_flags & ALLOC_MIN_RESERVE) && z->watermark_boost &&
	    (alloc_flags & ALLOC_WMARK_MASK) == WMARK_MIN)
		return zone_watermark_ok(z, 0, z->watermark[WMARK_MIN], highest, alloc_flags);
	return false;
}

void wake_kswapd(struct pr_machine *m, struct zone *z, unsigned order, enum zone_type highest)
{
	struct node *node = &m->nodes[z->node];

	if (!z->managed)
		return;
	if (node->kswapd_highest == NR_ZONE_TYPES || node->kswapd_highest < (int)highest)
		node->kswapd_highest = (int)highest;
	if (node->kswapd_order < (int)order)
		node->kswapd_order = (int)order;
	node->kswapd_wakeups++;
	m->arena->event[EV_KSWAPD_WAKE]++;
	if (m->host.wake_kswapd)
		m->host.wake_kswapd(m->host.ctx, z->node, order, highest);
}

/* numa_hit and the others (zone_statistics), n pages from z where preferred was wanted. */
static void count_taken(struct context *c, struct zone *z, unsigned pages, unsigned times)
{
	struct zone *preferred = zoneref_zone(c, c->preferred);

	c->m->arena->event[EV_PGALLOC_DMA + z->type] += pages;
	if (z->node == preferred->node) {
		z->numa_hit += times;
	} else {
		z->numa_miss += times;
		preferred->numa_foreign += times;
	}
	if (z->node == c->m->arena->cpu_node[c->r->cpu])
		z->numa_local += times;
	else
		z->numa_other += times;
}

static pfn_t take_from_buddy(struct op *op, struct context *c, unsigned alloc_flags)
{
	enum take_mode mode = TAKE_NORMAL;
	unsigned order = c->r->order;
	pfn_t pfn = PFN_NONE;

	if (alloc_flags & ALLOC_HIGHATOMIC)
		pfn = buddy_take_smallest(op, order, MT_HIGHATOMIC);
	if (pfn == PFN_NONE)
		pfn = buddy_take(op, order, c->type, alloc_flags, &mode);
	/* a caller that can't wait, or an OOM victim, may have the reserve as its last resort */
	if (pfn == PFN_NONE && (alloc_flags & (ALLOC_OOM | ALLOC_NON_BLOCK)))
		pfn = buddy_take_smallest(op, order, MT_HIGHATOMIC);
	return pfn;
}

static pfn_t take_from_zone(struct context *c, struct zone *z, unsigned alloc_flags)
{
	struct op op = op_make(c->m, z, c->r->cpu);
	pfn_t pfn = PFN_NONE;

	if (pcp_order(c->r->order) && !c->r->irqoff)
		pfn = pcp_take(&op, c->r->order, c->type, alloc_flags);
	if (pfn == PFN_NONE)
		pfn = take_from_buddy(&op, c, alloc_flags);
	if (pfn != PFN_NONE)
		count_taken(c, z, 1u << c->r->order, 1);
	if ((alloc_flags & ALLOC_KSWAPD) && (z->flags & ZONE_BOOSTED_WATERMARK)) {
		z->flags &= ~(uint32_t)ZONE_BOOSTED_WATERMARK;
		wake_kswapd(c->m, z, 0, z->type);
	}
	return pfn;
}

void mark_used(const struct context *c, const struct zone *z, pfn_t pfn, unsigned order)
{
	struct page *page = pr_page(c->m, z, pfn);

	page->state = PAGE_USED;
	page->order = (uint8_t)order;
	page->flags = c->r->lru ? PAGE_LRU : 0;
	if (order && (c->r->gfp & __GFP_COMP))
		page->flags |= PAGE_COMP;
	page->owner = c->r->owner;
}

/* A block for future GFP_ATOMIC requests of high order (reserve_highatomic_pageblock). */
static void reserve_highatomic(struct context *c, struct zone *z, pfn_t pfn, unsigned order)
{
	struct op op = op_make(c->m, z, c->r->cpu);
	uint64_t share = z->managed / 100, max;
	enum migratetype mt;

	if (share < PAGEBLOCK_PAGES)
		return;
	max = (share + PAGEBLOCK_PAGES - 1) / PAGEBLOCK_PAGES * PAGEBLOCK_PAGES;
	if (z->reserved_highatomic >= max)
		return;
	mt = block_type(&op, pfn);
	if (!type_mergeable(mt))
		return;
	if (order >= PAGEBLOCK_ORDER) {
		block_set_type_range(&op, pfn, order, MT_HIGHATOMIC);
		z->reserved_highatomic += 1ull << order;
	} else if (block_move_free(&op, pfn, mt, MT_HIGHATOMIC) != -1) {
		z->reserved_highatomic += PAGEBLOCK_PAGES;
	}
}

/* May this zone serve the request under alloc_flags? Remembers that it fell below high. */
static bool zone_allowed(struct context *c, struct zone *z, unsigned alloc_flags)
{
	unsigned order = c->r->order;

	if (!(z->flags & ZONE_BELOW_HIGH)) {
		if (zone_has_room(z, order, zone_mark(z, WMARK_HIGH), c->highest, alloc_flags))
			return true;
		z->flags |= ZONE_BELOW_HIGH;
	}
	return zone_has_room(z, order, zone_mark(z, alloc_flags & ALLOC_WMARK_MASK), c->highest,
			     alloc_flags) ||
	       (alloc_flags & ALLOC_NO_WATERMARKS);
}

pfn_t get_page(struct context *c, unsigned alloc_flags)
{
	const struct zoneref *e;
	bool no_fragment;

retry:
	no_fragment = alloc_flags & ALLOC_NOFRAGMENT;
	for (e = c->preferred; !zoneref_end(e); e = context_skip(c, e + 1)) {
		struct zone *z = zoneref_zone(c, e);
		pfn_t pfn;

		/* a mixed block here is better than a page from another node */
		if (no_fragment && c->m->arena->nr_nodes > 1 &&
		    z->node != zoneref_zone(c, c->preferred)->node) {
			alloc_flags &= ~(unsigned)ALLOC_NOFRAGMENT;
			goto retry;
		}
		if (!zone_allowed(c, z, alloc_flags))
			continue;
		pfn = take_from_zone(c, z, alloc_flags);
		if (pfn == PFN_NONE)
			continue;
		mark_used(c, z, pfn, c->r->order);
		if (alloc_flags & ALLOC_HIGHATOMIC)
			reserve_highatomic(c, z, pfn, c->r->order);
		return pfn;
	}
	if (no_fragment) {
		alloc_flags &= ~(unsigned)ALLOC_NOFRAGMENT;
		goto retry;
	}
	return PFN_NONE;
}

unsigned flags_cma(const struct context *c, unsigned alloc_flags)
{
	return c->type == MT_MOVABLE ? alloc_flags | ALLOC_CMA : alloc_flags;
}

unsigned flags_nofragment(const struct context *c)
{
	unsigned flags = c->r->gfp & __GFP_KSWAPD_RECLAIM ? ALLOC_KSWAPD : 0;
	const struct zone *z;

	if (zoneref_end(c->preferred))
		return flags;
	z = zoneref_zone(c, c->preferred);
	if (z->type != ZONE_NORMAL)
		return flags;
	/* with several nodes, only where there is a DMA32 to go to before the next node */
	if (c->m->arena->nr_nodes > 1 && c->m->nodes[z->node].zone[ZONE_DMA32] < 0)
		return flags;
	return flags | ALLOC_NOFRAGMENT;
}

int pr_alloc(struct pr_machine *m, const struct pr_request *r, pfn_t *pfn)
{
	struct context c;

	if (context_init(&c, m, r))
		return -EINVAL;
	*pfn = get_page(&c, flags_cma(&c, WMARK_LOW) | flags_nofragment(&c));
	if (*pfn == PFN_NONE)
		*pfn = slowpath(&c);
	return *pfn == PFN_NONE ? -ENOMEM : 0;
}

/* A zone of the first node of the list with room for all n at once, or NULL. */
static struct zone *bulk_zone(struct context *c, unsigned alloc_flags, unsigned n)
{
	const struct zoneref *e;

	for (e = c->preferred; !zoneref_end(e); e = context_skip(c, e + 1)) {
		struct zone *z = zoneref_zone(c, e), *preferred = zoneref_zone(c, c->preferred);

		if (z->node != preferred->node)
			return NULL;
		if (zone_has_room(z, 0, zone_mark(z, WMARK_LOW) + n, preferred->type, alloc_flags))
			return z;
	}
	return NULL;
}

unsigned pr_alloc_bulk(struct pr_machine *m, const struct pr_request *r, unsigned n, pfn_t *pfns)
{
	struct pr_request one = *r;
	struct context c;
	struct zone *z = NULL;
	unsigned flags, got = 0;

	one.order = 0;
	if (!n || context_init(&c, m, &one))
		return 0;
	flags = flags_cma(&c, WMARK_LOW);
	if (n > 1)
		z = bulk_zone(&c, flags, n);
	if (z) {
		struct op op = op_make(m, z, r->cpu);

		for (; got < n; got++) {
			pfns[got] = pcp_take_bulk(&op, c.type, flags);
			if (pfns[got] == PFN_NONE)
				break;
			mark_used(&c, z, pfns[got], 0);
		}
		count_taken(&c, z, got, got);
	}
	/* none at all: as a single request would, with the slow path */
	return got || pr_alloc(m, &one, &pfns[0]) ? got : 1;
}
