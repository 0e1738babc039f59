/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import.c: a machine as its /proc told: reads, judges, makes a spec, and fills the machine. */
#include "lab/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

static uint64_t free_pages(const struct import_zone *z, bool isolated)
{
	uint64_t n = 0;

	for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
		for (unsigned o = 0; o < NR_ORDERS && (isolated || t != MT_ISOLATE); o++)
			n += z->list[t][o] << o;
	return n;
}

static uint64_t pcp_pages(const struct import_zone *z)
{
	uint64_t n = 0;

	for (unsigned c = 0; c < PR_MAX_CPUS; c++)
		n += z->cpu[c].seen ? (uint64_t)z->cpu[c].count : 0;
	return n;
}

/* Frames that per-CPU lists may hold: in blocks partly in use of any type but Isolate. */
static uint64_t room_for_pcp(const struct import_zone *z)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < z->nr_slots; i++) {
		uint64_t piece[NR_SMALL];

		if ((z->slot[i] & SLOT_USE) != SLOT_OPEN || (z->slot[i] & SLOT_TYPE) == MT_ISOLATE)
			continue;
		if (!import_partial(z, i)) {
			n += PAGEBLOCK_PAGES;
			continue;
		}
		import_pieces(z, i, piece);
		for (unsigned o = 0; o < NR_SMALL; o++)
			n += piece[o] << o;
	}
	for (unsigned t = 0; t < MT_ISOLATE; t++)
		for (unsigned o = 0; o < NR_SMALL; o++)
			n -= z->list[t][o] << o;
	return n;
}

static int trim_pcp(struct pr_import *im, struct import_zone *z)
{
	uint64_t have = pcp_pages(z), room = room_for_pcp(z),
		 rest = z->managed - free_pages(z, true);
	uint64_t over;
	char w[48];

	room = rest < room ? rest : room;
	if (have <= room)
		return 0;
	over = have - room;
	for (unsigned c = 0; c < PR_MAX_CPUS && over; c++) {
		uint64_t n = z->cpu[c].seen ? (uint64_t)z->cpu[c].count : 0;

		n = n < over ? n : over;
		z->cpu[c].count -= (int)n;
		over -= n;
	}
	return import_warn(
		im,
		"%s:%u: %s: per-CPU lists hold %llu pages, but only %llu of %llu managed ones "
		"are not free by pagetypeinfo: %llu are left out",
		im->files.zoneinfo.name, z->line, import_where(z, w), (ull)have, (ull)room,
		(ull)z->managed, (ull)(have - room));
}

/* NR_FREE_PAGES leaves out what CPUs have not folded in yet; beyond that the files disagree. */
static int fit_free(struct pr_import *im, struct import_zone *z)
{
	int64_t lists = (int64_t)free_pages(z, false), d = lists - (int64_t)z->free, slack = 0;
	int64_t said = (int64_t)z->free;
	char w[48];

	for (unsigned c = 0; c < PR_MAX_CPUS; c++)
		slack += z->cpu[c].seen && z->cpu[c].threshold > 0 ? z->cpu[c].threshold : 0;
	if (d <= slack && d >= -slack)
		return 0;
	z->free = (uint64_t)lists;
	return import_warn(
		im,
		"%s:%u: %s: zoneinfo says %lld pages free, the blocks of pagetypeinfo are %lld "
		"(%+lld); pagetypeinfo is taken",
		im->files.zoneinfo.name, z->line, import_where(z, w), (long long)said,
		(long long)lists, (long long)d);
}

static int judge(struct pr_import *im)
{
	int err = 0;

	for (unsigned i = 0; !err && i < im->nr_nodes * NR_ZONE_TYPES; i++) {
		struct import_zone *z = &im->zone[i];

		if (!z->populated)
			continue;
		err = import_compare(im, z);
		if (!err)
			err = import_layout(im, z);
		if (!err)
			err = fit_free(im, z);
		if (!err)
			err = trim_pcp(im, z);
	}
	return err;
}

static int check_overlap(struct pr_import *im)
{
	for (unsigned i = 0; i < im->nr_nodes * NR_ZONE_TYPES; i++)
		for (unsigned k = 0; k < i; k++) {
			const struct import_zone *a = &im->zone[i], *b = &im->zone[k];
			char wa[48], wb[48];

			if (a->populated && b->populated && a->start < b->start + b->spanned &&
			    b->start < a->start + a->spanned)
				return import_bad(im, &im->files.zoneinfo, a->line,
						  "%s and %s (line %u) span "
						  "the same frames; pagerig's zones do not overlap",
						  import_where(a, wa), import_where(b, wb),
						  b->line);
		}
	return 0;
}

static uint64_t column_value(const struct pr_import *im, const struct import_zone *z, unsigned t)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < im->nr_columns; i++) {
		if (im->column[i] == ZONE_NONE || (unsigned)im->column[i] > t)
			break;
		last = z->protection[i];
	}
	return last;
}

/* --- what else is known: CPUs and distances of nodes, sysctls --- */

/* "0-3,8" */
static int read_cpulist(struct pr_import *im, const struct pr_import_extra *e)
{
	struct reader r = {.im = im, .file = &e->file};
	int err;

	if (!reader_next(&r, &err))
		return err; /* a node without CPUs */
	for (char *rest = r.word[0], *range; (range = strsep(&rest, ","));) {
		char *dash = strchr(range, '-');
		uint64_t from, to;

		if (dash)
			*dash++ = 0;
		if (!import_number(range, &from) || !import_number(dash ? dash : range, &to) ||
		    to < from)
			return reader_bad(&r, "'%.40s' is not a CPU or a range of CPUs", range);
		for (uint64_t c = from; c <= to && c < im->nr_cpus; c++)
			im->spec.cpu_node[c] = e->node;
	}
	return 0;
}

/* One number for each node that is online. */
static int read_distance(struct pr_import *im, const struct pr_import_extra *e)
{
	struct reader r = {.im = im, .file = &e->file};
	unsigned to = 0;
	uint64_t n;
	int err;

	if (!reader_next(&r, &err))
		return err ? err : reader_bad(&r, "no distances");
	for (unsigned i = 0; i < r.nr_words; i++, to++) {
		while (to < PR_MAX_NODES && !(im->online & 1ull << to))
			to++;
		if (to >= PR_MAX_NODES)
			return reader_bad(&r, "more distances than nodes");
		if (!import_number(r.word[i], &n) || n < 10 || n > 255)
			return reader_bad(&r, "'%.40s' is not a distance from 10 to 255",
					  r.word[i]);
		im->spec.distance[e->node][to] = (uint8_t)n;
	}
	return 0;
}

/* CPU numbers may have gaps, where a CPU was offline; a machine of ours has none. */
static int check_gaps(struct pr_import *im)
{
	for (unsigned c = 0; c < im->nr_cpus; c++) {
		bool seen = false;

		for (unsigned i = 0; i < im->nr_nodes * NR_ZONE_TYPES; i++)
			seen = seen || (im->zone[i].populated && im->zone[i].cpu[c].seen);
		if (!seen)
			return import_warn(
				im, "%s: no CPU %u among %u: it is online here, with empty lists",
				im->files.zoneinfo.name, c, im->nr_cpus);
	}
	return 0;
}

static int read_nodes(struct pr_import *im)
{
	unsigned with_memory[PR_MAX_NODES] = {0}, n = 0;
	int err = check_gaps(im);

	for (unsigned i = 0; i < im->nr_nodes; i++)
		for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
			if (import_zone(im, i, (int)t)->populated) {
				with_memory[n++] = i;
				break;
			}
	/* not told, CPUs are spread as over the nodes of a shape */
	for (unsigned c = 0; c < im->nr_cpus; c++)
		im->spec.cpu_node[c] = with_memory[c * n / im->nr_cpus];
	for (unsigned i = 0; i < im->files.nr_extra && !err; i++) {
		const struct pr_import_extra *e = &im->files.extra[i];

		if (e->kind == PR_EXTRA_SYSCTL || e->node >= im->nr_nodes)
			continue;
		err = e->kind == PR_EXTRA_CPULIST ? read_cpulist(im, e) : read_distance(im, e);
	}
	return err;
}

/* lowmem_reserve_ratio has a number for each zone of that kernel; ours are four. */
static void ratio_text(const struct pr_import *im, struct reader *r, char *out, size_t size)
{
	int len = 0;

	for (int t = 0; t < NR_ZONE_TYPES; t++) {
		const char *value = "0";

		for (unsigned i = 0; i < im->nr_columns && i < r->nr_words; i++)
			if (im->column[i] == t)
				value = r->word[i];
		len += snprintf(out + len, size - (size_t)len, "%.20s ", value);
	}
}

static int store_sysctl(struct pr_import *im, struct pr_machine *m, const struct pr_import_extra *e)
{
	struct reader r = {.im = im, .file = &e->file};
	char text[128];
	int err;

	if (!reader_next(&r, &err))
		return err; /* an empty one, as stat_refresh */
	if (!strcmp(e->key, "lowmem_reserve_ratio"))
		ratio_text(im, &r, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "%.100s", r.word[0]);
	err = pr_sysctl_store(m, e->key, text);
	return err ? reader_bad(&r, "%s does not take '%.40s'", e->key, r.word[0]) : 0;
}

bool pr_import_sysctl(const char *name)
{
	/* they make something happen once, and hold nothing */
	static const char *const triggers[] = {"drop_caches", "compact_memory", "stat_refresh"};

	for (unsigned i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++)
		if (!strcmp(triggers[i], name))
			return false;
	for (unsigned i = 0; pr_sysctl_name(i); i++)
		if (!strcmp(pr_sysctl_name(i), name))
			return true;
	return false;
}

static int store_sysctls(struct pr_import *im, struct pr_machine *m)
{
	int err = 0;

	for (unsigned i = 0; i < im->files.nr_extra && !err; i++) {
		const struct pr_import_extra *e = &im->files.extra[i];

		if (e->kind == PR_EXTRA_SYSCTL && pr_import_sysctl(e->key))
			err = store_sysctl(im, m, e);
	}
	m->arena->sysctl.user_min_free_kbytes = -1; /* nobody wrote to it here */
	return err;
}

/* Without sys_vm: min_free_kbytes is what the zones' min marks add up to, but for rounding. */
static int guess_min_free(const struct pr_import *im)
{
	uint64_t pages = 0, lowmem = 0, zones = 0;

	for (unsigned i = 0; i < im->nr_nodes * NR_ZONE_TYPES; i++) {
		const struct import_zone *z = &im->zone[i];

		if (z->populated && z->type != ZONE_MOVABLE) {
			pages += z->mark[WMARK_MIN] - z->boost;
			lowmem += z->managed;
			zones++;
		}
	}
	for (uint64_t p = pages; p <= pages + zones; p++) {
		bool all = true;

		for (unsigned i = 0; i < im->nr_nodes * NR_ZONE_TYPES; i++) {
			const struct import_zone *z = &im->zone[i];

			if (z->populated && z->type != ZONE_MOVABLE)
				all = all &&
				      p * z->managed / lowmem == z->mark[WMARK_MIN] - z->boost;
		}
		if (all) {
			pages = p;
			break;
		}
	}
	pages *= PR_PAGE_SIZE / 1024;
	return pages < 1 ? 1 : pages > INT32_MAX ? INT32_MAX : (int)pages;
}

static int make_spec(struct pr_import *im)
{
	struct pr_spec *s = &im->spec;

	s->zone = calloc((size_t)im->nr_nodes * NR_ZONE_TYPES, sizeof(*s->zone));
	if (!s->zone)
		return -ENOMEM;
	for (unsigned i = 0; i < im->nr_nodes * NR_ZONE_TYPES; i++) {
		const struct import_zone *z = &im->zone[i];

		if (z->populated)
			s->zone[s->nr_zones++] = (struct pr_zone_spec){.node = z->node,
								       .type = z->type,
								       .start_pfn = z->start,
								       .spanned = z->spanned,
								       .present = z->present,
								       .managed = z->managed,
								       .cma = z->cma};
	}
	s->nr_nodes = im->nr_nodes;
	s->nr_cpus = im->nr_cpus;
	s->clock_stopped = im->files.clock_stopped;
	s->pages_by_hand = true;
	s->sysctl = PR_SYSCTL_DEFAULTS;
	s->sysctl.min_free_kbytes = guess_min_free(im);
	if (!pr_machine_size(s))
		return import_bad(im, &im->files.zoneinfo, 0,
				  "no machine of pagerig can have these zones");
	return 0;
}

int pr_import_new(const struct pr_import_files *files, struct pr_import **out, char *why,
		  size_t size)
{
	struct pr_import *im = calloc(1, sizeof(*im));
	int err;

	*out = NULL;
	if (!im)
		return -ENOMEM;
	im->files = *files;
	im->why = why;
	im->size = size;
	snprintf(why, size, "out of memory");
	im->zone = calloc(PR_MAX_NODES * NR_ZONE_TYPES, sizeof(*im->zone));
	err = im->zone ? import_zoneinfo(im) : -ENOMEM;
	if (!err)
		err = check_overlap(im);
	if (!err)
		err = import_buddyinfo(im);
	if (!err)
		err = import_pagetypeinfo(im);
	if (!err)
		err = judge(im);
	if (!err)
		err = read_nodes(im);
	if (!err)
		err = make_spec(im);
	if (err)
		pr_import_free(im);
	else
		*out = im;
	return err;
}

const struct pr_spec *pr_import_spec(const struct pr_import *im)
{
	return &im->spec;
}

const char *pr_import_warning(const struct pr_import *im, unsigned i)
{
	return i < im->nr_warnings ? im->warning[i] : NULL;
}

void pr_import_free(struct pr_import *im)
{
	if (!im)
		return;
	for (unsigned i = 0; im->zone && i < PR_MAX_NODES * NR_ZONE_TYPES; i++)
		free(im->zone[i].slot);
	for (unsigned i = 0; i < im->nr_warnings; i++)
		free(im->warning[i]);
	free(im->warning);
	free(im->zone);
	pr_spec_free(&im->spec);
	free(im);
}

/* --- into a machine --- */

static void fill_cpu(const struct import_cpu *from, struct pcp *p)
{
	p->high = from->high;
	p->batch = from->batch;
	if (from->high_min >= 0)
		p->high_min = from->high_min;
	if (from->high_max >= 0)
		p->high_max = from->high_max;
	if (from->threshold > 0)
		p->stat_threshold = from->threshold;
}

/* The pages that zoneinfo does not count are in the differences of the CPUs. */
static void fill_differences(struct pr_machine *m, struct zone *z, int64_t free)
{
	int64_t rest = pr_zone_free_snapshot(m, z) - free;

	z->free_pages = free;
	for (unsigned c = 0; c < m->arena->nr_cpus && rest; c++) {
		struct pcp *p = pr_pcp(m, z, c);
		int64_t n = rest > p->stat_threshold	? p->stat_threshold
			    : rest < -p->stat_threshold ? -p->stat_threshold
							: rest;

		p->free_diff = (int)n;
		rest -= n;
	}
	z->free_pages += rest;
}

static void fill_zone(const struct pr_import *im, const struct import_zone *from,
		      struct pr_machine *m, struct zone *z)
{
	z->watermark_boost = from->boost;
	for (unsigned w = 0; w < NR_WMARK; w++)
		z->watermark[w] = from->mark[w] > from->boost ? from->mark[w] - from->boost : 0;
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		z->lowmem_reserve[t] = column_value(im, from, t);
	z->reserved_highatomic = from->blocks[MT_HIGHATOMIC] * PAGEBLOCK_PAGES;
	for (unsigned c = 0; c < im->nr_cpus; c++) {
		struct pcp *p = pr_pcp(m, z, c);

		if (!from->cpu[c].seen)
			continue;
		fill_cpu(&from->cpu[c], p);
		z->pcp_batch = p->batch;
		z->pcp_high_min = p->high_min;
		z->pcp_high_max = p->high_max;
	}
	fill_differences(m, z, (int64_t)from->free);
}

/* As the engine does after each change of marks or protection. */
static void fill_reserves(struct pr_machine *m)
{
	for (unsigned n = 0; n < m->arena->nr_nodes; n++)
		m->nodes[n].totalreserve_pages = 0;
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		const struct zone *z = &m->zones[i];
		uint64_t max = 0;

		for (unsigned t = z->type; t < NR_ZONE_TYPES; t++)
			max = z->lowmem_reserve[t] > max ? z->lowmem_reserve[t] : max;
		max += z->watermark[WMARK_HIGH] + z->watermark_boost;
		m->nodes[z->node].totalreserve_pages += max < z->managed ? max : z->managed;
	}
}

int pr_import_fill(const struct pr_import *from, struct pr_machine *m, char *why, size_t size)
{
	struct pr_import im = *from; /* sentences go to this caller */
	int err;

	im.why = why;
	im.size = size;
	snprintf(why, size, "out of memory");
	err = store_sysctls(&im, m);
	for (unsigned i = 0; i < im.nr_nodes * NR_ZONE_TYPES && !err; i++) {
		const struct import_zone *z = &im.zone[i];

		if (!z->populated)
			continue;
		err = import_place(&im, z, m);
		if (!err)
			fill_zone(&im, z, m, &m->zones[m->nodes[z->node].zone[z->type]]);
	}
	if (!err)
		fill_reserves(m);
	return err;
}
