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

/* Zone type that gfp's zone bits allow at most; -1 for a combination that Linux calls bad. */
static inline int gfp_zone(gfp_t gfp)
{
	static const int8_t zone[16] = {
		/* DMA, HIGHMEM, DMA32, MOVABLE are bits 0 to 3 */
		ZONE_NORMAL, ZONE_DMA, ZONE_NORMAL, -1, ZONE_DMA32, -1, -1, -1,
		ZONE_NORMAL, ZONE_DMA, ZONE_MOVABLE, -1, ZONE_DMA32, -1, -1, -1,
	};

	return zone[gfp & 0xf];
}

/* Migrate type of a request where pages are grouped by mobility; -1 if both movable and reclaimable. */
static inline int gfp_type_mobile(gfp_t gfp)
{
	static const int8_t type[] = {MT_UNMOVABLE, MT_MOVABLE, MT_RECLAIMABLE, -1};

	return type[gfp / __GFP_MOVABLE & 3];
}

static inline int gfp_type(const struct pr_machine *m, gfp_t gfp)
{
	int t = gfp_type_mobile(gfp);

	return unlikely(m->arena->mobility_disabled) && t >= 0 ? MT_UNMOVABLE : t;
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
	if (r->only_zone >= 0) { /* named by the user: gfp's zone bits do not narrow it */
		c->highest = m->zones[r->only_zone].type;
		node = (int)m->zones[r->only_zone].node;
	}
	c->list = r->gfp & __GFP_THISNODE ? m->nodes[node].thisnode : m->nodes[node].fallback;
	context_set_nodemask(c, r->nodemask);
	return 0;
}

/* zone_watermark_fast: order 0 first without reserves, and boost does not bind __GFP_HIGH. */
static bool zone_has_room(const struct zone *z, unsigned order, uint64_t mark,
			  enum zone_type highest, unsigned alloc_flags)
{
	if (!order) {
		int64_t usable = zone_free(z) - zone_unusable(z, 0, alloc_flags);

		if (usable > 0 && (uint64_t)usable > mark + load(&z->lowmem_reserve[highest]))
			return true;
	}
	if (zone_watermark_ok(z, order, mark, highest, alloc_flags))
		return true;
	if (!order && (alloc_flags & ALLOC_MIN_RESERVE) && load(&z->watermark_boost) &&
	    (alloc_flags & ALLOC_WMARK_MASK) == WMARK_MIN)
		return zone_watermark_ok(z, 0, load(&z->watermark[WMARK_MIN]), highest, alloc_flags);
	return false;
}

/* Books n requests of an order that z served (zone_statistics); the lock of the counts is held. */
static inline void count_taken(struct context *c, struct zone *z, struct counts *counts,
			       unsigned order, unsigned n)
{
	counts->taken[order] += n;
	if (likely(z->node == c->preferred->node))
		return;
	counts->missed += n;
	__atomic_fetch_add(&zoneref_zone(c, c->preferred)->numa_foreign, n, __ATOMIC_RELAXED);
}

static inline void frame_use(struct page *page, const struct pr_request *r, unsigned order)
{
	unsigned flags = r->lru ? PAGE_LRU : 0;

	if (order && (r->gfp & __GFP_COMP))
		flags |= PAGE_COMP;
	page->owner = r->owner;
	in_order();
	store(&page->info, page_info(PAGE_USED, order, flags, 0));
}

static pfn_t buddy_take_any(struct op *op, struct context *c, unsigned alloc_flags)
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

static pfn_t take_from_buddy(struct op *op, struct context *c, unsigned alloc_flags)
{
	pfn_t pfn;

	zone_lock(op->z);
	pfn = buddy_take_any(op, c, alloc_flags);
	if (pfn != PFN_NONE) {
		frame_use(pr_page(c->m, op->z, pfn), c->r, c->r->order);
		count_taken(c, op->z, &op->books->counts[1], c->r->order, 1);
	}
	zone_unlock(op->z);
	return pfn;
}

static inline pfn_t take_from_pcp(struct op *op, struct context *c, unsigned alloc_flags)
{
	pfn_t pfn;

	pcp_lock(op->pcp);
	pfn = pcp_take(op, c->r->order, c->type, alloc_flags);
	if (likely(pfn != PFN_NONE))
		count_taken(c, op->z, &op->books->counts[0], c->r->order, 1);
	pcp_unlock(op->pcp);
	if (likely(pfn != PFN_NONE))
		frame_use(pr_page(c->m, op->z, pfn), c->r, c->r->order);
	return pfn;
}

static inline pfn_t take_from_zone(struct context *c, struct zone *z, unsigned alloc_flags)
{
	struct op op = op_make(c->m, z, c->r->cpu);
	pfn_t pfn = PFN_NONE;

	if (pcp_order(c->r->order))
		pfn = take_from_pcp(&op, c, alloc_flags);
	if (unlikely(pfn == PFN_NONE))
		pfn = take_from_buddy(&op, c, alloc_flags);
	if (unlikely(load(&z->flags) & ZONE_BOOSTED_WATERMARK) && (alloc_flags & ALLOC_KSWAPD)) {
		zone_flag_clear(z, ZONE_BOOSTED_WATERMARK);
		wake_kswapd(c->m, z, 0, z->type, 0, c->r->cpu);
	}
	return pfn;
}

void mark_used(const struct context *c, const struct zone *z, pfn_t pfn, unsigned order)
{
	frame_use(pr_page(c->m, z, pfn), c->r, order);
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
	zone_lock(z);
	mt = block_type(&op, pfn);
	if (z->reserved_highatomic >= max || !type_mergeable(mt))
		goto out;
	if (order >= PAGEBLOCK_ORDER) {
		block_set_type_range(&op, pfn, order, MT_HIGHATOMIC);
		z->reserved_highatomic += 1ull << order;
	} else if (block_move_free(&op, pfn, mt, MT_HIGHATOMIC) != -1) {
		z->reserved_highatomic += PAGEBLOCK_PAGES;
	}
out:
	zone_unlock(z);
}

/* May this zone serve the request under alloc_flags? Remembers that it fell below high. */
static inline bool zone_allowed(struct context *c, struct zone *z, unsigned alloc_flags)
{
	unsigned order = c->r->order;

	if (!(load(&z->flags) & ZONE_BELOW_HIGH)) {
		if (zone_has_room(z, order, zone_mark(z, WMARK_HIGH), c->highest, alloc_flags))
			return true;
		zone_flag_set(z, ZONE_BELOW_HIGH);
	}
	return zone_has_room(z, order, zone_mark(z, alloc_flags & ALLOC_WMARK_MASK), c->highest,
			     alloc_flags) ||
	       (alloc_flags & ALLOC_NO_WATERMARKS);
}

/* zone_reclaim_mode: rather make room on a near node than go to the next one. */
static __attribute__((noinline)) bool reclaimed_room(struct context *c, struct zone *z,
						     unsigned alloc_flags)
{
	enum { RECLAIM_DISTANCE = 30 };
	unsigned order = c->r->order;

	if (c->m->nodes[c->preferred->node].distance[z->node] > RECLAIM_DISTANCE)
		return false;
	return node_reclaim(c, z) &&
	       zone_watermark_ok(z, order, zone_mark(z, alloc_flags & ALLOC_WMARK_MASK), c->highest,
				 alloc_flags);
}

pfn_t get_page(struct context *c, unsigned alloc_flags)
{
	const struct zoneref *e;
	bool no_fragment;

retry:
	no_fragment = alloc_flags & ALLOC_NOFRAGMENT;
	c->tried = false;
	for (e = c->preferred; !zoneref_end(e); e = context_skip(c, e + 1)) {
		struct zone *z = zoneref_zone(c, e);
		pfn_t pfn;

		/* a mixed block here is better than a page from another node */
		if (no_fragment && c->m->arena->nr_nodes > 1 && e->node != c->preferred->node) {
			alloc_flags &= ~(unsigned)ALLOC_NOFRAGMENT;
			goto retry;
		}
		if (!zone_allowed(c, z, alloc_flags) &&
		    (likely(!c->m->arena->sysctl.zone_reclaim_mode) ||
		     !reclaimed_room(c, z, alloc_flags)))
			continue;
		c->tried = true;
		pfn = take_from_zone(c, z, alloc_flags);
		if (pfn == PFN_NONE)
			continue;
		if (unlikely(alloc_flags & ALLOC_HIGHATOMIC))
			reserve_highatomic(c, z, pfn, c->r->order);
		return pfn;
	}
	if (no_fragment && c->tried) { /* a watermark does not ask what is mixed */
		alloc_flags &= ~(unsigned)ALLOC_NOFRAGMENT;
		goto retry;
	}
	return PFN_NONE;
}

static inline unsigned flags_nofragment(const struct context *c)
{
	unsigned flags = c->r->gfp & __GFP_KSWAPD_RECLAIM ? ALLOC_KSWAPD : 0;

	if (zoneref_end(c->preferred) || c->preferred->type != ZONE_NORMAL)
		return flags;
	/* with several nodes, only where there is a DMA32 to go to before the next node */
	if (c->m->arena->nr_nodes > 1 && c->m->nodes[c->preferred->node].zone[ZONE_DMA32] < 0)
		return flags;
	return flags | ALLOC_NOFRAGMENT;
}

/* Whatever else is the case. */
static __attribute__((noinline)) int alloc_any(struct pr_machine *m, const struct pr_request *r,
					       pfn_t *pfn)
{
	struct context c;

	if (context_init(&c, m, r))
		return -EINVAL;
	*pfn = get_page(&c, flags_cma(&c, WMARK_LOW) | flags_nofragment(&c));
	if (*pfn == PFN_NONE)
		*pfn = slowpath(&c);
	return *pfn == PFN_NONE ? -ENOMEM : 0;
}

/* Is z far above what any request must leave, with a block of that order? Then which watermark
 * and which reserves there are does not matter. */
static inline bool zone_is_rich(const struct zone *z, unsigned order, enum zone_type highest,
				unsigned alloc_flags)
{
	if (load(&z->flags) & (ZONE_BELOW_HIGH | ZONE_BOOSTED_WATERMARK))
		return false;
	if (load(&z->free_pages) - zone_unusable(z, order, alloc_flags) <=
	    (int64_t)(zone_mark(z, WMARK_HIGH) + load(&z->lowmem_reserve[highest])))
		return false;
	return !order || zone_has_block(z, order, alloc_flags);
}

/*
 * The common case, with nothing on the way that the general one would do besides: any node, no
 * filter, a preferred zone above its high watermark. That zone, or NULL; *mt is the request's type.
 * order is r->order, given apart so that the compiler knows it where it is 0.
 */
hot_inline struct zone *common_zone(struct pr_machine *m, const struct pr_request *r,
				    unsigned order, enum migratetype *mt)
{
	/* where mobility is off, no zone is preferred here: see set_preferred() */
	int type = gfp_type_mobile(r->gfp), highest = gfp_zone(r->gfp), node = r->node;
	uint32_t preferred;
	struct zone *z;

	/* one test for what is hardly ever there */
	if (unlikely((type | highest) < 0 || r->cpu >= m->arena->nr_cpus ||
		     (r->nodemask | (unsigned)(r->only_zone + 1) | (r->gfp & __GFP_THISNODE))))
		return NULL;
	if (node < 0)
		node = (int)m->arena->cpu_node[r->cpu];
	if (unlikely((uint32_t)node >= m->arena->nr_nodes))
		return NULL;
	preferred = m->arena->preferred[node][highest];
	if (unlikely(preferred == UINT16_MAX))
		return NULL;
	z = &m->zones[preferred];
	if (unlikely(!zone_is_rich(z, order, (enum zone_type)highest,
				   type == MT_MOVABLE ? ALLOC_CMA : 0)))
		return NULL;
	*mt = (enum migratetype)type;
	return z;
}

/*
 * A block of the common zone that is at hand on the CPU's list, which nobody else works on. PFN_NONE:
 * something else is the case, and nothing was changed.
 */
hot_inline pfn_t take_common(struct pr_machine *m, const struct pr_request *r, unsigned order)
{
	enum migratetype mt;
	struct zone *z = common_zone(m, r, order, &mt);
	struct page *frames;
	struct list *list;
	struct pcp *p;
	uint32_t rel;

	if (unlikely(!z))
		return PFN_NONE;
	p = pr_pcp(m, z, r->cpu);
	list = &p->list[pr_pcp_index(order, mt)];
	frames = zone_frames(m, z);
	if (unlikely(!pcp_trylock_common(p)))
		return PFN_NONE;
	rel = list->first;
	if (unlikely(rel == LINK_NONE)) {
		pcp_unlock(p);
		return PFN_NONE;
	}
	p->free_count >>= 1;
	pcp_pop(p, frames, list, order);
	p->counts[0].taken[order]++;
	pcp_unlock(p);
	frame_use(&frames[rel], r, order);
	return z->start_pfn + rel;
}

/* The same for orders that are not kept on per-CPU lists: a block of the type itself, from the zone. */
static pfn_t take_common_large(struct pr_machine *m, const struct pr_request *r)
{
	unsigned order = r->order;
	enum migratetype mt;
	struct zone *z;
	struct op op;
	pfn_t pfn;

	z = common_zone(m, r, order, &mt);
	if (unlikely(!z || load(&z->free_cma) > 0))
		return PFN_NONE;
	op = op_make(m, z, r->cpu);
	zone_lock(z);
	pfn = buddy_take_smallest(&op, order, mt);
	if (likely(pfn != PFN_NONE)) {
		frame_use(pr_page(m, z, pfn), r, order);
		op.books->counts[1].taken[order]++;
	}
	zone_unlock(z);
	return pfn;
}

hot_inline int alloc_one(struct pr_machine *m, const struct pr_request *r, pfn_t *pfn)
{
	pfn_t got = PFN_NONE;

	if (likely(!r->order))
		got = take_common(m, r, 0);
	else if (pcp_order(r->order))
		got = take_common(m, r, r->order);
	else if (r->order <= MAX_ORDER)
		got = take_common_large(m, r);
	if (unlikely(got == PFN_NONE))
		return alloc_any(m, r, pfn);
	*pfn = got;
	return 0;
}

static __attribute__((noinline, cold)) int alloc_traced(struct pr_machine *m,
							const struct pr_request *r, pfn_t *pfn)
{
	int err = alloc_one(m, r, pfn);

	if (err != -EINVAL)
		pr_trace(m, r->cpu, mm_page_alloc, .pfn = err ? PFN_NONE : *pfn,
			 .order = r->order, .gfp_flags = r->gfp,
			 .migratetype = gfp_type(m, r->gfp));
	return err;
}

int pr_alloc(struct pr_machine *m, const struct pr_request *r, pfn_t *pfn)
{
	if (unlikely(pr_trace_enabled(m, mm_page_alloc)))
		return alloc_traced(m, r, pfn);
	return alloc_one(m, r, pfn);
}

/* A zone of the first node of the list with room for all n at once, or NULL. */
static struct zone *bulk_zone(struct context *c, unsigned alloc_flags, unsigned n)
{
	const struct zoneref *e;

	for (e = c->preferred; !zoneref_end(e); e = context_skip(c, e + 1)) {
		struct zone *z = zoneref_zone(c, e);

		if (e->node != c->preferred->node)
			return NULL;
		if (zone_has_room(z, 0, zone_mark(z, WMARK_LOW) + n,
				  (enum zone_type)c->preferred->type, alloc_flags))
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

		pcp_lock(op.pcp);
		for (; got < n; got++) {
			pfns[got] = pcp_take_bulk(&op, 0, c.type, flags);
			if (pfns[got] == PFN_NONE)
				break;
			frame_use(pr_page(m, z, pfns[got]), &one, 0);
		}
		count_taken(&c, z, &op.books->counts[0], 0, got);
		pcp_unlock(op.pcp);
	}
	/* none at all: as a single request would, with the slow path */
	return got || pr_alloc(m, &one, &pfns[0]) ? got : 1;
}
