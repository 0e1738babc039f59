/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump.c: the state of a node in the words of the recordings. */
#include "golden.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

void golden_brief(struct golden *g, FILE *to, const struct zone *z)
{
	const struct pcp *p = pr_pcp(&g->m, z, g->cpu);
	const struct node *node = &g->m.nodes[z->node];

	if (g->terse)
		return;
	fprintf(to, " | n%u.z%d fp=%lld%+d c=%d h=%d af=%d fc=%d pf=%x zf=%x b=%llu ha=%llu/%llu kw=%d,%d",
		z->node, z->type, (long long)z->free_pages, p->free_diff, p->count, p->high,
		p->alloc_factor, p->free_count, p->flags, z->flags, (ull)z->watermark_boost,
		(ull)z->reserved_highatomic, (ull)z->free_highatomic, node->kswapd_order,
		node->kswapd_highest);
}

void golden_emitf(struct golden *g, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) >= 0)
		golden_emit(g, text);
	va_end(ap);
	free(text);
}

static void emit_list(struct golden *g, const struct zone *z, const struct list *l, unsigned order,
		      bool pcp, const char *head)
{
	char *text = NULL;
	size_t size;
	FILE *f;

	if (!l->nr)
		return;
	f = open_memstream(&text, &size);
	fprintf(f, "%s", head);
	for (uint32_t rel = l->first; rel != LINK_NONE;
	     rel = pr_list_next(&g->m, z, order, pcp, rel))
		fprintf(f, " %llx", (ull)(z->start_pfn + rel));
	fclose(f);
	golden_emit(g, text);
	free(text);
}

static void dump_pcp(struct golden *g, const struct zone *z, unsigned cpu)
{
	const struct pcp *p = pr_pcp(&g->m, z, cpu);
	char head[64];

	golden_emitf(g, " PCP cpu=%u count=%d high=%d high_min=%d high_max=%d batch=%d flags=%x "
		 "alloc_factor=%d expire=%d free_count=%d stat_threshold=%d diff_free=%d",
	      cpu, p->count, p->high, p->high_min, p->high_max, p->batch, p->flags, p->alloc_factor,
	      p->expire, p->free_count, p->stat_threshold, p->free_diff);
	for (int i = 0; i < NR_PCP_LISTS; i++) {
		if (i < NR_LOWORDER_PCP_LISTS)
			snprintf(head, sizeof(head), " PL cpu=%u order=%d mt=%c :", cpu,
				 i / NR_PCP_TYPES, pr_migratetype_letter[i % NR_PCP_TYPES]);
		else
			snprintf(head, sizeof(head), " PL cpu=%u order=%d mt=%s :", cpu,
				 PAGEBLOCK_ORDER, i == NR_LOWORDER_PCP_LISTS ? "nonM" : "M");
		emit_list(g, z, &p->list[i], pr_pcp_order(i), true, head);
	}
}

static void dump_areas(struct golden *g, const struct zone *z, bool lists)
{
	char head[64];

	for (unsigned o = 0; o < NR_ORDERS; o++) {
		const struct list *l = z->area[o].list;

		golden_emitf(g, " AREA order=%u nr_free=%llu U=%llu M=%llu R=%llu H=%llu C=%llu I=%llu", o,
		      (ull)z->area[o].nr_free, (ull)l[0].nr, (ull)l[1].nr, (ull)l[2].nr,
		      (ull)l[3].nr, (ull)l[4].nr, (ull)l[5].nr);
	}
	for (unsigned o = 0; lists && o < NR_ORDERS; o++)
		for (unsigned t = 0; t < NR_MIGRATETYPES; t++) {
			snprintf(head, sizeof(head), " FL order=%u mt=%c :", o,
				 pr_migratetype_letter[t]);
			emit_list(g, z, &z->area[o].list[t], o, false, head);
		}
}

static void dump_blocks(struct golden *g, const struct zone *z)
{
	pfn_t first = z->start_pfn & ~(pfn_t)(PAGEBLOCK_PAGES - 1);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, " PB start=%llx :", (ull)first);
	for (pfn_t pfn = first; pfn < z->start_pfn + z->spanned; pfn += PAGEBLOCK_PAGES) {
		fputc(pr_block_absent(&g->m, z, pfn)
			      ? '-'
			      : pr_migratetype_letter[pr_block_type(&g->m, z, pfn)],
		      f);
	}
	fprintf(f, "\n SKIP :");
	for (pfn_t pfn = first; pfn < z->start_pfn + z->spanned; pfn += PAGEBLOCK_PAGES)
		fputc(pr_block_absent(&g->m, z, pfn) ? '-' : '0' + pr_block_skip(&g->m, z, pfn), f);
	fclose(f);
	text[strcspn(text, "\n")] = 0;
	golden_emit(g, text);
	golden_emit(g, text + strlen(text) + 1);
	free(text);
}

static bool has_holes(const struct golden *g, const struct zone *z)
{
	for (pfn_t pfn = z->start_pfn; pfn < z->start_pfn + z->spanned; pfn += PAGEBLOCK_PAGES)
		if (pr_block_absent(&g->m, z, pfn))
			return true;
	return false;
}

static void dump_compaction(struct golden *g, const struct zone *z)
{
	const struct compact_memory *c = &z->compact;

	golden_emitf(g, " COMPACT considered=%u defer_shift=%u order_failed=%d free_pfn=%llx "
			"migrate_pfn=%llx,%llx init_migrate=%llx init_free=%llx flush=%d contiguous=%d",
		     c->considered, c->defer_shift, c->order_failed, (ull)c->free_pfn,
		     (ull)c->migrate_pfn[0], (ull)c->migrate_pfn[1], (ull)c->init_migrate_pfn,
		     (ull)c->init_free_pfn, c->blockskip_flush, !has_holes(g, z));
}

static void dump_zone(struct golden *g, const struct zone *z, bool lists)
{
	golden_emitf(g, "ZONE %d %s node=%u start=%llx spanned=%llu present=%llu managed=%llu cma=%llu "
		 "flags=%x", z->type, pr_zone_name[z->type], z->node, (ull)z->start_pfn,
	      (ull)z->spanned, (ull)z->present, (ull)z->managed, (ull)z->cma, z->flags);
	golden_emitf(g, " WMARK min=%llu low=%llu high=%llu promo=%llu boost=%llu drift_mark=%llu",
	      (ull)z->watermark[0], (ull)z->watermark[1], (ull)z->watermark[2],
	      (ull)z->watermark[3], (ull)z->watermark_boost, (ull)z->drift_mark);
	golden_emitf(g, " PROT %llu %llu %llu %llu", (ull)z->lowmem_reserve[0], (ull)z->lowmem_reserve[1],
	      (ull)z->lowmem_reserve[2], (ull)z->lowmem_reserve[3]);
	golden_emitf(g, " HIGHATOMIC reserved=%llu free=%llu", (ull)z->reserved_highatomic,
	      (ull)z->free_highatomic);
	golden_emitf(g, " VMSTAT nr_free_pages=%lld nr_free_cma=%lld", (long long)z->free_pages,
	      (long long)z->free_cma);
	golden_emitf(g, " PAGESET high_min=%d high_max=%d batch=%d", z->pcp_high_min, z->pcp_high_max,
	      z->pcp_batch);
	dump_compaction(g, z);
	for (unsigned c = 0; c < g->m.arena->nr_cpus; c++)
		dump_pcp(g, z, c);
	dump_areas(g, z, lists);
	dump_blocks(g, z);
}

static void dump_zonelist(struct golden *g, const char *name, const struct zoneref *e)
{
	char text[256];
	int len = snprintf(text, sizeof(text), " ZONELIST %s :", name);

	for (; e->zone != LINK_NONE; e++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, " n%u/%s",
				g->m.zones[e->zone].node, pr_zone_name[g->m.zones[e->zone].type]);
	golden_emit(g, text);
}

bool golden_unknown_node(const struct golden *g, unsigned node)
{
	for (unsigned t = 0; node < g->m.arena->nr_nodes && t < NR_ZONE_TYPES; t++)
		if (g->m.nodes[node].zone[t] >= 0)
			return false;
	return true;
}

void golden_dump_node(struct golden *g, unsigned n, bool lists)
{
	const struct node *node = &g->m.nodes[n];

	golden_emitf(g, "NODE %u start=%llx spanned=%llu present=%llu totalreserve=%llu kswapd_order=%d "
		 "kswapd_highest=%d kswapd_failures=%d", n, (ull)node->start_pfn,
	      (ull)node->spanned, (ull)node->present, (ull)node->totalreserve_pages,
	      node->kswapd_order, node->kswapd_highest, node->kswapd_failures);
	dump_zonelist(g, "fallback", node->fallback);
	dump_zonelist(g, "thisnode", node->thisnode);
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (node->zone[t] >= 0)
			dump_zone(g, &g->m.zones[node->zone[t]], lists);
		else
			golden_emitf(g, "ZONE %u %s node=%u unpopulated spanned=0", t, pr_zone_name[t], n);
}
