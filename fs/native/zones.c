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

/* A copy of a list, so that what is read piece by piece is one moment's. */
struct snapshot {
	uint64_t nr, printed;
	uint32_t rel[];
};

static struct snapshot *snapshot(const struct zone *z, unsigned order, unsigned type)
{
	const struct list *l = &z->area[order].list[type];
	struct snapshot *s = malloc(sizeof(*s) + l->nr * sizeof(s->rel[0]));

	if (!s)
		return NULL;
	s->nr = s->printed = 0;
	for (uint32_t rel = l->first; rel != LINK_NONE && s->nr < l->nr;
	     rel = pr_list_next(&rig.m, z, order, false, rel))
		s->rel[s->nr++] = rel;
	return s;
}

int zone_free_list(const struct place *at, void **state, FILE *to)
{
	const struct zone *z = zone_at(at);
	struct snapshot *s = *state;

	if (!s)
		*state = s = snapshot(z, (unsigned)at->order, (unsigned)at->type);
	if (!s)
		return -ENOMEM;
	for (unsigned n = 0; n < 8192 && s->printed < s->nr; n++)
		fprintf(to, "%#llx\n", (ull)(z->start_pfn + s->rel[s->printed++]));
	return s->printed < s->nr;
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

/* A number of pages; -EINVAL with a sentence. */
static int parse_pages(const char *line, ull *n, char *why)
{
	char *end;

	errno = 0;
	*n = strtoull(line, &end, 10);
	if (*line >= '0' && *line <= '9' && !*end && !errno)
		return 0;
	snprintf(why, WHY_SIZE, "'%.64s' is not a number of pages", line);
	return -EINVAL;
}

static int out_of_range(ull n, ull low, ull high, char *why)
{
	snprintf(why, WHY_SIZE, "%llu pages: this one lies between %llu and %llu", n, low, high);
	return -ERANGE;
}

/*
 * What is printed has the boost in it, so what is written has it too. A watermark that is raised takes
 * those above it along, as their order is what kswapd goes by; below the one under it, it can't go.
 */
static int set_wmark(const struct place *at, const char *line, enum watermark w, char *why)
{
	struct zone *z = zone_at(at);
	ull n, boost = z->watermark_boost;
	ull low = boost + (w == WMARK_MIN ? 0 : z->watermark[w - 1]);
	int err = parse_pages(line, &n, why);

	if (err)
		return err;
	if (n < low || n > z->managed + boost)
		return out_of_range(n, low, z->managed + boost, why);
	z->watermark[w] = n - boost;
	for (unsigned above = w + 1; above < NR_WMARK; above++)
		if (z->watermark[above] < z->watermark[w])
			z->watermark[above] = z->watermark[w];
	return 0;
}

int zone_set_boost(const struct place *at, char *line, FILE *, char *why)
{
	struct zone *z = zone_at(at);
	ull n;
	int err = parse_pages(line, &n, why);

	if (err)
		return err;
	if (n > z->managed)
		return out_of_range(n, 0, z->managed, why);
	z->watermark_boost = n;
	return 0;
}

int zone_set_promo(const struct place *at, char *line, FILE *, char *why)
{
	return set_wmark(at, line, WMARK_PROMO, why);
}

int zone_set_min(const struct place *at, char *line, FILE *, char *why)
{
	return set_wmark(at, line, WMARK_MIN, why);
}

int zone_set_low(const struct place *at, char *line, FILE *, char *why)
{
	return set_wmark(at, line, WMARK_LOW, why);
}

int zone_set_high(const struct place *at, char *line, FILE *, char *why)
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

	fprintf(to,
		"count %d\nhigh %d\nhigh_min %d\nhigh_max %d\nbatch %d\nalloc_factor %d\n"
		"free_count %d\nstat_threshold %d\nnr_free_diff %d\n",
		p->count, p->high, p->high_min, p->high_max, p->batch, p->alloc_factor,
		p->free_count, p->stat_threshold, p->free_diff);
	for (int i = 0; i < NR_PCP_LISTS; i++)
		if (p->list[i].nr)
			fprintf(to, "order%u.%s %llu\n", pr_pcp_order(i),
				i < NR_LOWORDER_PCP_LISTS   ? pr_migratetype_name[i % NR_PCP_TYPES]
				: i > NR_LOWORDER_PCP_LISTS ? "Movable"
							    : "other",
				(ull)p->list[i].nr);
	return 0;
}

static char block_letter(const struct zone *z, pfn_t pfn)
{
	if (pr_block_absent(&rig.m, z, pfn))
		return '-';
	return pr_migratetype_letter[pr_block_type(&rig.m, z, pfn)];
}

int zone_pageblocks(const struct place *at, void **state, FILE *to)
{
	enum { LINE = 64, LINES = 1024 };
	const struct zone *z = zone_at(at);
	pfn_t end = z->start_pfn + z->spanned, *pfn = *state;
	char line[LINE + 2];

	if (!pfn) {
		*state = pfn = malloc(sizeof(*pfn));
		if (!pfn)
			return -ENOMEM;
		*pfn = z->start_pfn & ~(pfn_t)(PAGEBLOCK_PAGES - 1);
	}
	for (unsigned i = 0; i < LINES && *pfn < end; i++) {
		unsigned n = 0;

		for (; n < LINE && *pfn < end; *pfn += PAGEBLOCK_PAGES)
			line[n++] = block_letter(z, *pfn);
		line[n++] = '\n';
		fwrite(line, 1, n, to);
	}
	return *pfn < end;
}

struct supply {
	uint64_t pages, blocks, suitable; /* suitable: blocks of the order that larger ones hold */
};

static struct supply supply_for(const struct zone *z, unsigned order)
{
	struct supply s = {0, 0, 0};

	for (unsigned o = 0; o < NR_ORDERS; o++) {
		s.blocks += z->area[o].nr_free;
		s.pages += z->area[o].nr_free << o;
		if (o >= order)
			s.suitable += z->area[o].nr_free << (o - order);
	}
	return s;
}

/* Share of free memory that a request of each order can't use (mm/vmstat.c: unusable_free_index).
 */
int zone_unusable(const struct place *at, FILE *to)
{
	for (unsigned order = 0; order < NR_ORDERS; order++) {
		struct supply s = supply_for(zone_at(at), order);
		ull index = s.pages ? (s.pages - (s.suitable << order)) * 1000 / s.pages : 1000;

		fprintf(to, "%u %llu.%03llu\n", order, index / 1000, index % 1000);
	}
	return 0;
}

/*
 * Why a request of each order would fail: near 0 for lack of memory, near 1 because it lies in
 * pieces, -1 if it would not (mm/vmstat.c: __fragmentation_index).
 */
int zone_extfrag(const struct place *at, FILE *to)
{
	for (unsigned order = 0; order < NR_ORDERS; order++) {
		struct supply s = supply_for(zone_at(at), order);
		int64_t index = 0;

		if (s.suitable)
			index = -1000;
		else if (s.blocks)
			index = 1000 - (int64_t)((1000 + (s.pages * 1000 >> order)) / s.blocks);
		fprintf(to, "%u %s%lld.%03lld\n", order, index < 0 ? "-" : "",
			(long long)llabs(index) / 1000, (long long)llabs(index) % 1000);
	}
	return 0;
}

int zone_link_target(const struct place *at, FILE *to)
{
	fprintf(to, "../node%u/zones/%s", zone_at(at)->node, pr_zone_name[zone_at(at)->type]);
	return 0;
}
