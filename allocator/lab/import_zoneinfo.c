/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_zoneinfo.c: spans, marks, protection and per-CPU counts of each zone. Counters are left
 * alone: which there are changes from kernel to kernel, and nothing here follows from them.
 */
#include "lab/import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NO_CPU = -1, DEVICE = -2, OTHER = -3 };

struct parse {
	struct reader r;
	struct import_zone *z; /* NULL before the first zone, and in one that is not ours */
	struct import_zone unused;
	int cpu, kind;	/* kind: enum zone_type, or DEVICE or OTHER */
	char name[20];	/* of the zone */
	unsigned node0; /* the first node: its zones give the columns */
};

enum field {
	F_FREE,
	F_BOOST,
	F_MIN,
	F_LOW,
	F_HIGH,
	F_PROMO,
	F_SPANNED,
	F_PRESENT,
	F_MANAGED,
	F_CMA,
	F_START,
	F_PROTECTION,
	NEEDED = 1 << F_FREE | 1 << F_MIN | 1 << F_LOW | 1 << F_HIGH | 1 << F_SPANNED |
		 1 << F_PRESENT | 1 << F_MANAGED | 1 << F_PROTECTION,
};

#define AT(f) offsetof(struct import_zone, f)
static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	[F_FREE] = {"pages free", AT(free)},	   [F_BOOST] = {"boost", AT(boost)},
	[F_MIN] = {"min", AT(mark[WMARK_MIN])},	   [F_LOW] = {"low", AT(mark[WMARK_LOW])},
	[F_HIGH] = {"high", AT(mark[WMARK_HIGH])}, [F_PROMO] = {"promo", AT(mark[WMARK_PROMO])},
	[F_SPANNED] = {"spanned", AT(spanned)},	   [F_PRESENT] = {"present", AT(present)},
	[F_MANAGED] = {"managed", AT(managed)},	   [F_CMA] = {"cma", AT(cma)},
	[F_START] = {"start_pfn:", AT(start)},	   [F_PROTECTION] = {"protection:", 0},
};
enum { NR_FIELDS = sizeof(fields) / sizeof(fields[0]) };

static const struct {
	const char *name;
	size_t offset;
} cpu_fields[] = {
	{"count:", offsetof(struct import_cpu, count)},
	{"high:", offsetof(struct import_cpu, high)},
	{"batch:", offsetof(struct import_cpu, batch)},
	{"high_min:", offsetof(struct import_cpu, high_min)},
	{"high_max:", offsetof(struct import_cpu, high_max)},
	{"vm stats threshold:", offsetof(struct import_cpu, threshold)},
};

static int missing(struct parse *p, enum field f)
{
	return import_bad(p->r.im, p->r.file, p->z->line,
			  "zone %s of node %u has no '%s'; is the file cut off?", p->name,
			  p->z->node, fields[f].name);
}

static int not_ours(struct parse *p)
{
	if (p->kind == OTHER)
		return import_bad(
			p->r.im, p->r.file, p->z->line,
			"zone %s holds pages; the zones of pagerig are DMA, DMA32, Normal "
			"and Movable",
			p->name);
	if (p->z->managed)
		return import_bad(p->r.im, p->r.file, p->z->line,
				  "zone Device has %llu managed pages; it never has any",
				  (unsigned long long)p->z->managed);
	return 0;
}

static int check_zone(struct parse *p)
{
	const struct import_zone *z = p->z;
	char w[48];

	if (z->present > z->spanned)
		return import_bad(p->r.im, p->r.file, z->line,
				  "%s: %llu pages present, but it spans %llu", import_where(z, w),
				  (unsigned long long)z->present, (unsigned long long)z->spanned);
	if (z->managed > z->present)
		return import_bad(p->r.im, p->r.file, z->line,
				  "%s: %llu pages managed, but %llu present", import_where(z, w),
				  (unsigned long long)z->managed, (unsigned long long)z->present);
	if (z->free > z->managed)
		return import_bad(p->r.im, p->r.file, z->line,
				  "%s: %llu pages free, but %llu managed", import_where(z, w),
				  (unsigned long long)z->free, (unsigned long long)z->managed);
	if (z->spanned >= LINK_NONE || z->start >= 1ull << 40)
		return import_bad(p->r.im, p->r.file, z->line,
				  "%s: frames %llu to %llu; a zone has less than 16T below 4P",
				  import_where(z, w), (unsigned long long)z->start,
				  (unsigned long long)(z->start + z->spanned));
	if (z->boost > z->mark[WMARK_MIN])
		return import_bad(p->r.im, p->r.file, z->line,
				  "%s: boost %llu is part of min, which is %llu",
				  import_where(z, w), (unsigned long long)z->boost,
				  (unsigned long long)z->mark[WMARK_MIN]);
	return 0;
}

static int check_cpus(struct parse *p)
{
	for (unsigned c = 0; c < PR_MAX_CPUS; c++) {
		struct import_cpu *cpu = &p->z->cpu[c];

		if (!cpu->seen)
			continue;
		if (cpu->count < 0 || cpu->high < 0 || cpu->batch < 0)
			return import_bad(
				p->r.im, p->r.file, p->z->line,
				"cpu %u of zone %s of node %u lacks count, high or batch; is the "
				"file cut off?",
				c, p->name, p->z->node);
		if (!cpu->batch)
			return import_bad(
				p->r.im, p->r.file, p->z->line,
				"cpu %u of zone %s of node %u has batch 0; it is at least 1", c,
				p->name, p->z->node);
	}
	return 0;
}

/* The zone is complete: is it? */
static int end_zone(struct parse *p)
{
	struct import_zone *z = p->z;
	int err;

	if (!z)
		return 0;
	for (unsigned f = 0; f < NR_FIELDS; f++)
		if ((NEEDED & 1u << f) && !(z->seen & 1u << f))
			return missing(p, f);
	if (!z->present && !z->managed && p->kind != OTHER)
		return 0;
	if (p->kind < 0)
		return z->present ? not_ours(p) : 0;
	if (!(z->seen & 1u << F_START))
		return missing(p, F_START);
	if (!z->managed)
		return import_warn(p->r.im,
				   "%s:%u: zone %s of node %u has %llu pages present, but "
				   "none managed: it is left out",
				   p->r.file->name, z->line, p->name, z->node,
				   (unsigned long long)z->present);
	if (!(z->seen & 1u << F_PROMO)) /* older kernels do not print it */
		z->mark[WMARK_PROMO] = 2 * z->mark[WMARK_HIGH] - z->mark[WMARK_LOW];
	z->populated = true;
	err = check_zone(p);
	return err ? err : check_cpus(p);
}

static int start_zone(struct parse *p)
{
	struct pr_import *im = p->r.im;
	unsigned node;
	char *name;
	int err = end_zone(p);

	if (!err)
		err = reader_zone(&p->r, &node, &name);
	if (err)
		return err;
	if (p->r.nr_words != 4)
		return reader_bad(&p->r, "'%.40s' behind the name of a zone", p->r.word[4]);
	p->kind = import_zone_type(name);
	if (p->kind == ZONE_NONE)
		p->kind = strcmp(name, "Device") ? OTHER : DEVICE;
	if (!p->z)
		p->node0 = node;
	if (node == p->node0) {
		if (im->nr_columns == MAX_COLUMNS)
			return reader_bad(&p->r, "more than %d zones in a node", MAX_COLUMNS);
		im->column[im->nr_columns++] = p->kind < 0 ? ZONE_NONE : p->kind;
		im->spec.zone_names |= (uint8_t)(p->kind >= 0	     ? 1 << p->kind
						 : p->kind == DEVICE ? PR_NAMES_DEVICE
								     : 0);
	}
	memset(&p->unused, 0, sizeof(p->unused));
	p->z = p->kind < 0 ? &p->unused : import_zone(im, node, p->kind);
	if (p->z->line)
		return reader_bad(&p->r, "zone %s of node %u was in line %u already", name, node,
				  p->z->line);
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->z->line = p->r.line;
	p->z->node = node;
	p->z->type = p->kind < 0 ? 0 : (enum zone_type)p->kind;
	p->cpu = NO_CPU;
	im->online |= 1ull << node;
	if (node >= im->nr_nodes)
		im->nr_nodes = node + 1;
	return 0;
}

static int protection(struct parse *p)
{
	struct import_zone *z = p->z;

	if (z->seen & 1u << F_PROTECTION)
		return reader_bad(&p->r, "protection for the second time in one zone");
	z->seen |= 1u << F_PROTECTION;
	for (unsigned i = 1; i < p->r.nr_words; i++) {
		char *word = p->r.word[i] + (i == 1 && *p->r.word[i] == '(');
		size_t len = strlen(word);
		char end = i + 1 == p->r.nr_words ? ')' : ',';

		if (!len || word[len - 1] != end)
			return reader_bad(&p->r, "protection is '(N, N, …)', not '%.40s'", word);
		word[len - 1] = 0;
		if (z->nr_protection == MAX_COLUMNS ||
		    !import_number(word, &z->protection[z->nr_protection++]))
			return reader_bad(&p->r, "protection: '%.40s' is not a number of pages",
					  word);
	}
	return z->nr_protection ? 0 : reader_bad(&p->r, "protection without a number");
}

static int start_cpu(struct parse *p, uint64_t cpu)
{
	struct import_cpu *c;

	if (cpu >= PR_MAX_CPUS)
		return reader_bad(&p->r, "cpu %llu: at most %d CPUs, from 0",
				  (unsigned long long)cpu, PR_MAX_CPUS);
	c = &p->z->cpu[cpu];
	if (c->seen)
		return reader_bad(&p->r, "cpu %llu for the second time in one zone",
				  (unsigned long long)cpu);
	*c = (struct import_cpu){true, -1, -1, -1, -1, -1, -1};
	p->cpu = (int)cpu;
	if (p->kind >= 0 && cpu >= p->r.im->nr_cpus)
		p->r.im->nr_cpus = (unsigned)cpu + 1;
	return 0;
}

static int cpu_field(struct parse *p, unsigned i, uint64_t n)
{
	int *to;

	if (p->cpu == NO_CPU)
		return reader_bad(&p->r, "%s before the first 'cpu:'", cpu_fields[i].name);
	to = (int *)((char *)&p->z->cpu[p->cpu] + cpu_fields[i].offset);
	if (*to >= 0)
		return reader_bad(&p->r, "%s for the second time for cpu %d", cpu_fields[i].name,
				  p->cpu);
	if (n > INT32_MAX / 4)
		return reader_bad(&p->r, "%s %llu is out of range", cpu_fields[i].name,
				  (unsigned long long)n);
	*to = (int)n;
	return 0;
}

static int zone_field(struct parse *p, unsigned f, uint64_t n)
{
	if (p->z->seen & 1u << f)
		return reader_bad(&p->r, "%s for the second time in one zone", fields[f].name);
	p->z->seen |= 1u << f;
	*(uint64_t *)((char *)p->z + fields[f].offset) = n;
	return 0;
}

/* "key words N" */
static int value_line(struct parse *p)
{
	const char *value = p->r.word[p->r.nr_words - 1];
	char key[MAX_LINE] = ""; /* shorter than the line */
	size_t len = 0;
	uint64_t n;

	for (unsigned i = 0; i + 1 < p->r.nr_words; i++)
		len += (size_t)snprintf(key + len, sizeof(key) - len, "%s%s", i ? " " : "",
					p->r.word[i]);
	if (!import_number(value, &n))
		return reader_bad(&p->r, "'%.40s' of '%.40s' is not a number, or too large", value,
				  key);
	if (!strcmp(key, "cpu:"))
		return start_cpu(p, n);
	for (unsigned f = 0; f < NR_FIELDS; f++)
		if (!strcmp(key, fields[f].name))
			return zone_field(p, f, n);
	for (unsigned i = 0; i < sizeof(cpu_fields) / sizeof(cpu_fields[0]); i++)
		if (!strcmp(key, cpu_fields[i].name))
			return cpu_field(p, i, n);
	if (p->r.nr_words == 2) /* some counter */
		return 0;
	return reader_bad(&p->r, "'%.40s' is no line of zoneinfo", key);
}

static int one_line(struct parse *p)
{
	struct reader *r = &p->r;

	if (!strcmp(r->word[0], "Node"))
		return start_zone(p);
	if (!p->z)
		return reader_bad(r, "'%.40s' before the first 'Node N, zone NAME'", r->word[0]);
	if (!strcmp(r->word[0], "protection:"))
		return protection(p);
	if ((r->nr_words == 1 && !strcmp(r->word[0], "pagesets")) ||
	    (r->nr_words == 2 && !strcmp(r->word[0], "per-node")))
		return 0;
	if (r->nr_words < 2)
		return reader_bad(r, "'%.40s' has no value", r->word[0]);
	return value_line(p);
}

int import_zoneinfo(struct pr_import *im)
{
	struct parse p = {.r = {.im = im, .file = &im->files.zoneinfo}, .cpu = NO_CPU};
	unsigned populated = 0;
	int err = 0;

	while (!err && reader_next(&p.r, &err))
		err = one_line(&p);
	if (!err)
		err = end_zone(&p);
	for (unsigned i = 0; !err && i < im->nr_nodes * NR_ZONE_TYPES; i++) {
		struct import_zone *z = &im->zone[i];

		populated += z->populated;
		if (z->populated && z->nr_protection != im->nr_columns)
			err = import_bad(im, p.r.file, z->line,
					 "zone %s of node %u has protection for "
					 "%u zones, but there are %u",
					 pr_zone_name[z->type], z->node, z->nr_protection,
					 im->nr_columns);
	}
	if (!err && !populated)
		err = import_bad(im, p.r.file, 0, "no zone with memory");
	if (!err && !im->nr_cpus)
		err = import_bad(im, p.r.file, 0, "no zone has a 'cpu:'");
	return err;
}
