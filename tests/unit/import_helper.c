/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "import_helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef unsigned long long ull;

const char *const text_name[NR_TEXTS] = {"zoneinfo", "buddyinfo", "pagetypeinfo"};
const char *const fixture_name[4] = {"uma_4096M_thp", "numa4_uneven", "movable_numa2_4096",
				     "live_6.18"};
static const char *const sysctls[] = {"min_free_kbytes", "watermark_scale_factor",
				      "watermark_boost_factor", "lowmem_reserve_ratio",
				      "percpu_pagelist_high_fraction"};

static char *member(const char *name, const char *file)
{
	char command[512], *text = NULL;
	size_t size = 0;
	FILE *in;
	ssize_t n;

	snprintf(command, sizeof(command), "tar -xJOf '%s/machines.tar.xz' '%s/%s'", FIXTURES, name,
		 file);
	in = popen(command, "r");
	assert_non_null(in);
	n = getdelim(&text, &size, 0, in);
	assert_int_equal(pclose(in), 0);
	assert_true(n > 0);
	return text;
}

static void add_sysctl(struct description *d, const char *key, char *text)
{
	d->extra[d->nr_extra++] = (struct pr_import_extra){
		.kind = PR_EXTRA_SYSCTL, .key = key, .file = {key, text, strlen(text)}};
}

void fixture_load(struct description *d, const char *name)
{
	memset(d, 0, sizeof(*d));
	for (unsigned i = 0; i < NR_TEXTS; i++)
		d->text[i] = member(name, text_name[i]);
	for (unsigned i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
		char file[64];

		snprintf(file, sizeof(file), "sys_vm/%s", sysctls[i]);
		add_sysctl(d, sysctls[i], member(name, file));
	}
}

static void print_zone(FILE *to, const struct pr_machine *m, const struct zone *z)
{
	fprintf(to, "Node %u, zone %8s\n  pages free     %lld\n        boost    %llu\n", z->node,
		pr_zone_name[z->type], (long long)z->free_pages, (ull)z->watermark_boost);
	fprintf(to,
		"        min      %llu\n        low      %llu\n        high     %llu\n"
		"        promo    %llu\n        spanned  %llu\n        present  %llu\n"
		"        managed  %llu\n        cma      %llu\n        protection: (%llu, %llu, "
		"%llu, %llu)\n",
		(ull)(z->watermark[0] + z->watermark_boost),
		(ull)(z->watermark[1] + z->watermark_boost),
		(ull)(z->watermark[2] + z->watermark_boost),
		(ull)(z->watermark[3] + z->watermark_boost), (ull)z->spanned, (ull)z->present,
		(ull)z->managed, (ull)z->cma, (ull)z->lowmem_reserve[0], (ull)z->lowmem_reserve[1],
		(ull)z->lowmem_reserve[2], (ull)z->lowmem_reserve[3]);
	fprintf(to, "      nr_free_pages %lld\n  pagesets\n", (long long)z->free_pages);
	for (unsigned c = 0; c < m->arena->nr_cpus; c++) {
		const struct pcp *p = pr_pcp(m, z, c);

		fprintf(to,
			"    cpu: %u\n              count: %d\n              high:  %d\n"
			"              batch: %d\n  vm stats threshold: %d\n",
			c, p->count, p->high, p->batch, p->stat_threshold);
	}
	fprintf(to, "  node_unreclaimable:  0\n  start_pfn:           %llu\n", (ull)z->start_pfn);
}

/* Zones without memory are in zoneinfo too: they give protection its columns. */
static void print_zoneinfo(FILE *to, const struct pr_machine *m)
{
	for (unsigned n = 0; n < m->arena->nr_nodes; n++)
		for (unsigned t = 0; t < NR_ZONE_TYPES; t++) {
			int32_t i = m->nodes[n].zone[t];

			if (i >= 0)
				print_zone(to, m, &m->zones[i]);
			else
				fprintf(to,
					"Node %u, zone %8s\n  pages free     0\n        boost    "
					"0\n"
					"        min      0\n        low      0\n        high     "
					"0\n"
					"        promo    0\n        spanned  0\n        present  "
					"0\n"
					"        managed  0\n        cma      0\n"
					"        protection: (0, 0, 0, 0)\n",
					n, pr_zone_name[t]);
		}
}

static void print_buddyinfo(FILE *to, const struct pr_machine *m)
{
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		const struct zone *z = &m->zones[i];

		fprintf(to, "Node %u, zone %8s ", z->node, pr_zone_name[z->type]);
		for (unsigned o = 0; o < NR_ORDERS; o++)
			fprintf(to, "%6llu ", (ull)z->area[o].nr_free);
		fputc('\n', to);
	}
}

static void print_pagetypeinfo(FILE *to, const struct pr_machine *m)
{
	fprintf(to, "Page block order: 9\nPages per block:  512\n\n"
		    "Free pages count per migrate type at order 0 1 2 3 4 5 6 7 8 9 10\n");
	for (unsigned i = 0; i < m->arena->nr_zones; i++)
		for (unsigned t = 0; t < NR_MIGRATETYPES; t++) {
			const struct zone *z = &m->zones[i];

			fprintf(to, "Node %4u, zone %8s, type %12s ", z->node,
				pr_zone_name[z->type], pr_migratetype_name[t]);
			for (unsigned o = 0; o < NR_ORDERS; o++) {
				ull n = z->area[o].list[t].nr;

				fprintf(to, "%s%6llu ", n >= 100000 ? ">" : "",
					n >= 100000 ? 100000 : n);
			}
			fputc('\n', to);
		}
	fprintf(to, "\nNumber of blocks type  ");
	for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
		fprintf(to, "%12s ", pr_migratetype_name[t]);
	fputc('\n', to);
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		const struct zone *z = &m->zones[i];
		ull n[NR_MIGRATETYPES] = {0};

		for (pfn_t pfn = z->start_pfn; pfn < z->start_pfn + z->spanned;
		     pfn = (pfn | (PAGEBLOCK_PAGES - 1)) + 1)
			if (!pr_block_absent(m, z, pfn))
				n[pr_block_type(m, z, pfn)]++;
		fprintf(to, "Node %u, zone %8s ", z->node, pr_zone_name[z->type]);
		for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
			fprintf(to, "%12llu ", n[t]);
		fputc('\n', to);
	}
}

void description_of(struct description *d, const struct pr_machine *m)
{
	static void (*const print[NR_TEXTS])(FILE * to, const struct pr_machine *m) = {
		print_zoneinfo, print_buddyinfo, print_pagetypeinfo};

	memset(d, 0, sizeof(*d));
	for (unsigned i = 0; i < NR_TEXTS; i++) {
		size_t size;
		FILE *to = open_memstream(&d->text[i], &size);

		assert_non_null(to);
		print[i](to, m);
		fclose(to);
	}
}

void description_copy(struct description *to, const struct description *from)
{
	memset(to, 0, sizeof(*to));
	for (unsigned i = 0; i < NR_TEXTS; i++)
		to->text[i] = strdup(from->text[i]);
	for (unsigned i = 0; i < from->nr_extra; i++)
		add_sysctl(to, from->extra[i].key, strdup(from->extra[i].file.text));
}

void description_free(struct description *d)
{
	for (unsigned i = 0; i < NR_TEXTS; i++)
		free(d->text[i]);
	for (unsigned i = 0; i < d->nr_extra; i++)
		free((char *)d->extra[i].file.text);
}

void description_edit(struct description *d, unsigned text, unsigned n, const char *from,
		      const char *to)
{
	char *at = strstr(d->text[text], from), *out;

	while (n-- && at)
		at = strstr(at + 1, from);
	if (!at)
		fail_msg("%s has no '%s' to edit", text_name[text], from);
	assert_int_not_equal(asprintf(&out, "%.*s%s%s", (int)(at - d->text[text]), d->text[text],
				      to, at + strlen(from)),
			     -1);
	free(d->text[text]);
	d->text[text] = out;
}

int import_make(struct imported *i, const struct description *d, size_t max_size, char *why,
		size_t size)
{
	struct pr_text text[NR_TEXTS];
	struct pr_import_files files = {
		.extra = d->extra, .nr_extra = d->nr_extra, .clock_stopped = true};
	int err;

	memset(i, 0, sizeof(*i));
	for (unsigned t = 0; t < NR_TEXTS; t++)
		text[t] = (struct pr_text){text_name[t], d->text[t], strlen(d->text[t])};
	files.zoneinfo = text[ZONEINFO];
	files.buddyinfo = text[BUDDYINFO];
	files.pagetypeinfo = text[PAGETYPEINFO];
	err = pr_import_new(&files, &i->im, why, size);
	if (err)
		return err;
	i->size = pr_machine_size(pr_import_spec(i->im));
	assert_int_not_equal(i->size, 0);
	if (i->size > max_size)
		return 0;
	i->arena = mmap(NULL, i->size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(i->arena != MAP_FAILED);
	assert_int_equal(pr_machine_create(&i->m, i->arena, i->size, pr_import_spec(i->im)), 0);
	err = pr_import_fill(i->im, &i->m, why, size);
	if (err)
		import_drop(i);
	return err;
}

void import_drop(struct imported *i)
{
	pr_import_free(i->im);
	if (i->arena)
		munmap(i->arena, i->size);
	memset(i, 0, sizeof(*i));
}

void imports(struct imported *i, const struct description *d)
{
	char why[512];

	if (import_make(i, d, IMPORT_LARGE, why, sizeof(why)))
		fail_msg("refused: %s", why);
	assert_non_null(i->arena);
	if (pr_check(&i->m, why, sizeof(why)))
		fail_msg("after the import: %s", why);
}
