/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c: a failed allocation in the kernel's words (mm/page_alloc.c: warn_alloc; mm/show_mem.c). */
#include "page_alloc/page_alloc.h"

#include <stdarg.h>
#include <stdio.h>

enum { PAGE_KB = PR_PAGE_SIZE / 1024 };

struct text {
	char buf[16384];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
	if (t->len > sizeof(t->buf) - 1)
		t->len = sizeof(t->buf) - 1;
}

static void put_zone(struct text *t, const struct context *c, const struct zone *z)
{
	const struct pr_machine *m = c->m;
	long long pcp = 0;

	for (unsigned i = 0; i < m->arena->nr_cpus; i++)
		pcp += pr_pcp(m, z, i)->count;
	put(t, "Node %u %s free:%lldkB boost:%llukB min:%llukB low:%llukB high:%llukB ", z->node,
	    pr_zone_name[z->type], (long long)pr_zone_free_snapshot(m, z) * PAGE_KB,
	    (unsigned long long)z->watermark_boost * PAGE_KB,
	    (unsigned long long)zone_mark(z, WMARK_MIN) * PAGE_KB,
	    (unsigned long long)zone_mark(z, WMARK_LOW) * PAGE_KB,
	    (unsigned long long)zone_mark(z, WMARK_HIGH) * PAGE_KB);
	put(t, "reserved_highatomic:%lluKB free_highatomic:%lluKB present:%llukB managed:%llukB ",
	    (unsigned long long)z->reserved_highatomic * PAGE_KB,
	    (unsigned long long)z->free_highatomic * PAGE_KB,
	    (unsigned long long)z->present * PAGE_KB, (unsigned long long)z->managed * PAGE_KB);
	put(t, "free_pcp:%lldkB local_pcp:%dkB free_cma:%lldkB\nlowmem_reserve[]:", pcp * PAGE_KB,
	    pr_pcp(m, z, c->r->cpu)->count * PAGE_KB, (long long)z->free_cma * PAGE_KB);
	for (unsigned i = 0; i < NR_ZONE_TYPES; i++)
		put(t, " %llu", (unsigned long long)z->lowmem_reserve[i]);
	put(t, "\n");
}

static void put_areas(struct text *t, const struct zone *z)
{
	unsigned long long kb = 0;

	put(t, "Node %u %s:", z->node, pr_zone_name[z->type]);
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		const struct free_area *area = &z->area[o];

		put(t, " %llu*%ukB", (unsigned long long)area->nr_free, PAGE_KB << o);
		kb += area->nr_free * ((unsigned long long)PAGE_KB << o);
		if (!area->nr_free)
			continue;
		put(t, " (");
		for (unsigned i = 0; i < NR_MIGRATETYPES; i++)
			if (area->list[i].nr)
				put(t, "%c", "UMEHCI"[i]);
		put(t, ")");
	}
	put(t, " = %llukB\n", kb);
}

void report_failure(const struct context *c)
{
	struct text t = {.len = 0};
	char gfp[256];

	if (!c->m->host.report || (c->r->gfp & __GFP_NOWARN))
		return;
	pr_gfp_print(c->r->gfp, gfp, sizeof(gfp));
	put(&t, "page allocation failure: order:%u, mode:%#x(%s), nodemask=%s\nMem-Info:\n",
	    c->r->order, c->r->gfp, gfp, c->r->nodemask ? "set" : "(null)");
	for (unsigned i = 0; i < c->m->arena->nr_zones; i++)
		put_zone(&t, c, &c->m->zones[i]);
	for (unsigned i = 0; i < c->m->arena->nr_zones; i++)
		put_areas(&t, &c->m->zones[i]);
	c->m->host.report(c->m->host.ctx, t.buf);
}
