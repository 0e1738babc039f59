/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.c: a failed allocation in the kernel's words, line by line what 6.12 prints
 * (mm/page_alloc.c: warn_alloc; mm/show_mem.c). The host puts in front whose request it was. Kinds
 * of memory that nothing here has (slab, page tables, bounce buffers …) are printed as 0, so that
 * scripts which read kernel logs find every figure.
 */
#include "page_alloc/page_alloc.h"

#include <pagerig/reclaim.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

typedef unsigned long long ull;

/* Bytes that one zone, one node and all the rest take at most. */
enum { ZONE_TEXT = 2048, NODE_TEXT = 1024, OTHER_TEXT = 2048 };

struct text {
	char *buf;
	size_t len, size;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n < t->size - t->len ? (size_t)n : t->size - t->len - 1;
}

static ull kb(uint64_t pages)
{
	return (ull)pages * (PR_PAGE_SIZE / 1024);
}

static uint64_t free_pages(const struct zone *z)
{
	return z->free_pages > 0 ? (uint64_t)z->free_pages : 0;
}

static uint64_t pcp_pages(const struct pr_machine *m, const struct zone *z)
{
	uint64_t sum = 0;

	for (unsigned cpu = 0; cpu < m->arena->nr_cpus; cpu++)
		sum += (uint64_t)pr_pcp(m, z, cpu)->count;
	return sum;
}

/* Numbers of the bits of a set, as %*pbl prints them: "0-2,5". */
static void put_list(struct text *t, uint64_t set, unsigned nr)
{
	const char *comma = "";

	for (unsigned first = 0; first < nr; first++) {
		unsigned last = first;

		if (!(set >> first & 1))
			continue;
		while (last + 1 < nr && set >> (last + 1) & 1)
			last++;
		put(t, last > first ? "%s%u-%u" : "%s%u", comma, first, last);
		comma = ",";
		first = last;
	}
}

/* What is shown: zones that the request could use at best, of nodes that it was allowed. */
struct view {
	const struct context *c;
	int highest;
	uint64_t nodes;
};

static struct view view_of(const struct context *c)
{
	struct view v = {c, (int)c->highest, 0};
	bool confined = (c->r->gfp & __GFP_DIRECT_RECLAIM) &&
			(!c->r->memalloc || (c->r->gfp & __GFP_NOMEMALLOC));

	v.nodes = confined && c->r->nodemask ? c->r->nodemask : ~0ull;
	return v;
}

static bool shows(const struct view *v, const struct zone *z)
{
	return (int)z->type <= v->highest && (v->nodes >> z->node & 1);
}

#define for_each_shown_zone(v, z)                                                                  \
	for (const struct zone *z = (v)->c->m->zones;                                              \
	     z < (v)->c->m->zones + (v)->c->m->arena->nr_zones; z++)                               \
		if (shows(v, z))

static bool shows_node(const struct view *v, unsigned node)
{
	for_each_shown_zone (v, z)
		if (z->node == node)
			return true;
	return false;
}

/* What a node holds, or with node -1 all of them, by use; in pages. */
struct uses {
	uint64_t lru[NR_LRU_LISTS], isolated[2], mapped, dirty, writeback, shmem;
};

static struct uses uses_of(const struct pr_machine *m, int node)
{
	struct uses u = {0};

	for (unsigned n = 0; n < m->arena->nr_nodes; n++) {
		const struct lruvec *v = &m->nodes[n].lru;

		if (node >= 0 && (unsigned)node != n)
			continue;
		for (unsigned i = 0; i < 2; i++) {
			u.isolated[i] += v->isolated[i];
			u.mapped += v->mapped[i];
		}
		u.dirty += v->dirty;
		u.writeback += v->writeback;
		for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
			if (m->nodes[n].zone[t] >= 0 && m->host.shmem)
				u.shmem +=
					m->host.shmem(m->host.ctx, (unsigned)m->nodes[n].zone[t]);
	}
	for (unsigned i = 0; i < NR_LRU_LISTS; i++)
		u.lru[i] = pr_lru_pages(m, node, (enum lru_list)i);
	return u;
}

static void put_totals(struct text *t, const struct view *v)
{
	const struct pr_machine *m = v->c->m;
	struct uses u = uses_of(m, -1);
	uint64_t free = 0, cma = 0, pcp = 0;

	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		free += free_pages(&m->zones[i]);
		cma += (uint64_t)m->zones[i].free_cma;
	}
	for_each_shown_zone (v, z)
		pcp += pcp_pages(m, z);
	put(t, "active_anon:%llu inactive_anon:%llu isolated_anon:%llu\n",
	    (ull)u.lru[LRU_ACTIVE_ANON], (ull)u.lru[LRU_INACTIVE_ANON], (ull)u.isolated[0]);
	put(t, " active_file:%llu inactive_file:%llu isolated_file:%llu\n",
	    (ull)u.lru[LRU_ACTIVE_FILE], (ull)u.lru[LRU_INACTIVE_FILE], (ull)u.isolated[1]);
	put(t, " unevictable:%llu dirty:%llu writeback:%llu\n", (ull)u.lru[LRU_UNEVICTABLE],
	    (ull)u.dirty, (ull)u.writeback);
	put(t, " slab_reclaimable:0 slab_unreclaimable:0\n mapped:%llu shmem:%llu pagetables:0\n",
	    (ull)u.mapped, (ull)u.shmem);
	put(t, " sec_pagetables:0 bounce:0\n kernel_misc_reclaimable:0\n");
	put(t, " free:%llu free_pcp:%llu free_cma:%llu\n", (ull)free, (ull)pcp, (ull)cma);
}

static void put_node(struct text *t, const struct view *v, unsigned node)
{
	enum { MAX_RECLAIM_RETRIES = 16 };
	struct uses u = uses_of(v->c->m, (int)node);

	put(t, "Node %u active_anon:%llukB inactive_anon:%llukB active_file:%llukB ", node,
	    kb(u.lru[LRU_ACTIVE_ANON]), kb(u.lru[LRU_INACTIVE_ANON]), kb(u.lru[LRU_ACTIVE_FILE]));
	put(t,
	    "inactive_file:%llukB unevictable:%llukB isolated(anon):%llukB isolated(file):%llukB ",
	    kb(u.lru[LRU_INACTIVE_FILE]), kb(u.lru[LRU_UNEVICTABLE]), kb(u.isolated[0]),
	    kb(u.isolated[1]));
	put(t, "mapped:%llukB dirty:%llukB writeback:%llukB shmem:%llukB ", kb(u.mapped),
	    kb(u.dirty), kb(u.writeback), kb(u.shmem));
	put(t,
	    "shmem_thp:0kB shmem_pmdmapped:0kB anon_thp:0kB writeback_tmp:0kB kernel_stack:0kB "
	    "pagetables:0kB sec_pagetables:0kB all_unreclaimable? %s\n",
	    v->c->m->nodes[node].kswapd_failures >= MAX_RECLAIM_RETRIES ? "yes" : "no");
}

static void put_zone(struct text *t, const struct view *v, const struct zone *z)
{
	const struct pr_machine *m = v->c->m;
	const uint64_t(*lru)[NR_ZONE_TYPES] = m->nodes[z->node].lru.pages;

	put(t,
	    "Node %u %s free:%llukB boost:%llukB min:%llukB low:%llukB high:%llukB "
	    "reserved_highatomic:%lluKB ",
	    z->node, pr_zone_name[z->type], kb(free_pages(z)), kb(z->watermark_boost),
	    kb(zone_mark(z, WMARK_MIN)), kb(zone_mark(z, WMARK_LOW)), kb(zone_mark(z, WMARK_HIGH)),
	    kb(z->reserved_highatomic));
	put(t, "active_anon:%llukB inactive_anon:%llukB active_file:%llukB inactive_file:%llukB ",
	    kb(lru[LRU_ACTIVE_ANON][z->type]), kb(lru[LRU_INACTIVE_ANON][z->type]),
	    kb(lru[LRU_ACTIVE_FILE][z->type]), kb(lru[LRU_INACTIVE_FILE][z->type]));
	put(t,
	    "unevictable:%llukB writepending:0kB present:%llukB managed:%llukB mlocked:0kB "
	    "bounce:0kB ",
	    kb(lru[LRU_UNEVICTABLE][z->type]), kb(z->present), kb(z->managed));
	put(t, "free_pcp:%llukB local_pcp:%llukB free_cma:%llukB\nlowmem_reserve[]:",
	    kb(pcp_pages(m, z)), kb((uint64_t)pr_pcp(m, z, v->c->r->cpu)->count),
	    kb((uint64_t)z->free_cma));
	for (unsigned i = 0; i < NR_ZONE_TYPES; i++)
		put(t, " %llu", (ull)z->lowmem_reserve[i]);
	put(t, "\n");
}

static void put_areas(struct text *t, const struct zone *z)
{
	uint64_t pages = 0;

	put(t, "Node %u %s: ", z->node, pr_zone_name[z->type]);
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		const struct free_area *area = &z->area[o];

		put(t, "%llu*%llukB ", (ull)area->nr_free, kb(1ull << o));
		pages += area->nr_free << o;
		if (!area->nr_free)
			continue;
		put(t, "(");
		for (unsigned type = 0; type < NR_MIGRATETYPES; type++)
			if (area->list[type].nr)
				put(t, "%c", "UMEHCI"[type]);
		put(t, ") ");
	}
	put(t, "= %llukB\n", kb(pages));
}

static void put_memory(struct text *t, const struct pr_machine *m)
{
	uint64_t present = 0, managed = 0, cma = 0;
	struct uses u = uses_of(m, -1);

	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		const struct zone *z = &m->zones[i];

		present += z->present;
		managed += z->managed;
		cma += z->cma;
	}
	put(t, "%llu total pagecache pages\n0 pages in swap cache\n",
	    (ull)(u.shmem + u.lru[LRU_ACTIVE_FILE] + u.lru[LRU_INACTIVE_FILE]));
	put(t, "Free swap  = %llukB\nTotal swap = %llukB\n",
	    kb(m->arena->swap_total - m->arena->swap_used), kb(m->arena->swap_total));
	/* Movable counts as HighMem/MovableOnly on 32-bit machines alone */
	put(t,
	    "%llu pages RAM\n0 pages HighMem/MovableOnly\n%llu pages reserved\n"
	    "%llu pages cma reserved\n",
	    (ull)present, (ull)(present - managed), (ull)cma);
}

static void put_head(struct text *t, const struct context *c)
{
	const struct pr_request *r = c->r;
	unsigned nr = c->m->arena->nr_nodes;
	char gfp[512];

	pr_gfp_print(r->gfp, gfp, sizeof(gfp));
	put(t, "page allocation failure: order:%u, mode:%#x(%s), nodemask=", r->order, r->gfp, gfp);
	if (r->nodemask)
		put_list(t, r->nodemask, nr);
	else
		put(t, "(null)");
	put(t, ",cpuset=/,mems_allowed=");
	put_list(t, ~0ull, nr);
	put(t, "\n");
}

void report_failure(const struct context *c)
{
	const struct pr_machine *m = c->m;
	struct view v = view_of(c);
	struct text t = {.size = OTHER_TEXT + (size_t)m->arena->nr_zones * ZONE_TEXT +
				 (size_t)m->arena->nr_nodes * NODE_TEXT};

	if (!m->host.report || (c->r->gfp & __GFP_NOWARN))
		return;
	t.buf = malloc(t.size);
	if (!t.buf) /* of all moments */
		return;
	put_head(&t, c);
	put(&t, "Mem-Info:\n");
	put_totals(&t, &v);
	for (unsigned n = 0; n < m->arena->nr_nodes; n++)
		if (shows_node(&v, n))
			put_node(&t, &v, n);
	for_each_shown_zone (&v, z)
		put_zone(&t, &v, z);
	for_each_shown_zone (&v, z)
		put_areas(&t, z);
	put_memory(&t, m);
	m->host.report(m->host.ctx, c->r, t.buf);
	free(t.buf);
}
