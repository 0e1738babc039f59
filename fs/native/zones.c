/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zones.c: files of nodes/{node}/zones/{zone}. */
#include "native/native.h"

#include <errno.h>
#include <stdlib.h>

typedef unsigned long long ull;

static struct zone *zone_at(const struct place *at)
{
	return &rig.m.zones[at->zone];
}

int zone_free_list(const struct place *at, FILE *to)
{
	const struct zone *z = zone_at(at);

	for (uint32_t rel = z->area[at->order].list[at->type].first; rel != LINK_NONE;
	     rel = pr_list_next(&rig.m, z, (unsigned)at->order, false, rel))
		fprintf(to, "%#llx\n", (ull)(z->start_pfn + rel));
	return 0;
}

int zone_free_area(const struct place *at, FILE *to)
{
	fprintf(to, "order %12s", "free");
	for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
		fprintf(to, " %12s", pr_migratetype_name[t]);
	fputc('\n', to);
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		const struct free_area *area = &zone_at(at)->area[o];

		fprintf(to, "%5u %12llu", o, (ull)area->nr_free);
		for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
			fprintf(to, " %12llu", (ull)area->list[t].nr);
		fputc('\n', to);
	}
	return 0;
}

static int print_number(FILE *to, uint64_t n)
{
	fprintf(to, "%llu\n", (ull)n);
	return 0;
}

#define ZONE_NUMBER(name, value)                                                                   \
	int name(const struct place *at, FILE *to)                                                 \
	{                                                                                          \
		const struct zone *z = zone_at(at);                                                \
		return print_number(to, (uint64_t)(value));                                        \
	}
ZONE_NUMBER(zone_wmark_min, z->watermark[WMARK_MIN] + z->watermark_boost)
ZONE_NUMBER(zone_wmark_low, z->watermark[WMARK_LOW] + z->watermark_boost)
ZONE_NUMBER(zone_wmark_high, z->watermark[WMARK_HIGH] + z->watermark_boost)
ZONE_NUMBER(zone_wmark_promo, z->watermark[WMARK_PROMO] + z->watermark_boost)
ZONE_NUMBER(zone_wmark_boost, z->watermark_boost)
ZONE_NUMBER(zone_managed, z->managed)
ZONE_NUMBER(zone_present, z->present)
ZONE_NUMBER(zone_spanned, z->spanned)
ZONE_NUMBER(zone_start_pfn, z->start_pfn)
ZONE_NUMBER(zone_nr_free, pr_zone_free_snapshot(&rig.m, z))

static int set_wmark(const struct place *at, const char *line, enum watermark w, char *why)
{
	struct zone *z = zone_at(at);
	char *end;
	ull n = strtoull(line, &end, 10);
	uint64_t below = w == WMARK_MIN ? 0 : z->watermark[w - 1];

	if (end == line || *end || *line < '0' || *line > '9') {
		snprintf(why, WHY_SIZE, "'%.64s' is not a number of pages", line);
		return -EINVAL;
	}
	if (n < below || n > z->watermark[w + 1]) {
		snprintf(why, WHY_SIZE, "%llu pages: this watermark lies between %llu and %llu", n,
			 (ull)below, (ull)z->watermark[w + 1]);
		return -ERANGE;
	}
	z->watermark[w] = n;
	return 0;
}

int zone_set_min(const struct place *at, char *line, FILE *reply, char *why)
{
	return set_wmark(at, line, WMARK_MIN, why);
}

int zone_set_low(const struct place *at, char *line, FILE *reply, char *why)
{
	return set_wmark(at, line, WMARK_LOW, why);
}

int zone_set_high(const struct place *at, char *line, FILE *reply, char *why)
{
	return set_wmark(at, line, WMARK_HIGH, why);
}

int zone_lowmem_reserve(const struct place *at, FILE *to)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		fprintf(to, "%s %llu\n", pr_zone_name[t], (ull)zone_at(at)->lowmem_reserve[t]);
	return 0;
}

int zone_pcp(const struct place *at, FILE *to)
{
	const struct pcp *p = pr_pcp(&rig.m, zone_at(at), (unsigned)at->cpu);

	fprintf(to, "count %d\nhigh %d\nhigh_min %d\nhigh_max %d\nbatch %d\nalloc_factor %d\n"
		    "free_count %d\nstat_threshold %d\nnr_free_diff %d\n",
		p->count, p->high, p->high_min, p->high_max, p->batch, p->alloc_factor,
		p->free_count, p->stat_threshold, p->free_diff);
	for (int i = 0; i < NR_PCP_LISTS; i++)
		if (p->list[i].nr)
			fprintf(to, "order%u.%s %llu\n", pr_pcp_order(i),
				i < NR_LOWORDER_PCP_LISTS ? pr_migratetype_name[i % NR_PCP_TYPES]
				: i > NR_LOWORDER_PCP_LISTS ? "Movable" : "other",
				(ull)p->list[i].nr);
	return 0;
}

int zone_pageblocks(const struct place *at, FILE *to)
{
	const struct zone *z = zone_at(at);
	pfn_t pfn = z->start_pfn & ~(pfn_t)(PAGEBLOCK_PAGES - 1);

	for (unsigned n = 1; pfn < z->start_pfn + z->spanned; pfn += PAGEBLOCK_PAGES, n++) {
		fputc(pr_block_absent(&rig.m, z, pfn)
			      ? '-'
			      : pr_migratetype_letter[pr_block_type(&rig.m, z, pfn)],
		      to);
		if (n % 64 == 0)
			fputc('\n', to);
	}
	fputc('\n', to);
	return 0;
}

/* Share of free memory that a request of each order can't use (mm/vmstat.c: unusable_free_index). */
int zone_unusable(const struct place *at, FILE *to)
{
	const struct zone *z = zone_at(at);
	uint64_t all = 0;

	for (unsigned o = 0; o < NR_ORDERS; o++)
		all += z->area[o].nr_free << o;
	for (unsigned order = 0; order < NR_ORDERS; order++) {
		uint64_t usable = 0, index;

		for (unsigned o = order; o < NR_ORDERS; o++)
			usable += z->area[o].nr_free << o;
		index = all ? (all - usable) * 1000 / all : 1000;
		fprintf(to, "%u %llu.%03llu\n", order, (ull)index / 1000, (ull)index % 1000);
	}
	return 0;
}

int zone_link_target(const struct place *at, FILE *to)
{
	fprintf(to, "../node%u/zones/%s", zone_at(at)->node, pr_zone_name[zone_at(at)->type]);
	return 0;
}
