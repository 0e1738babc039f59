/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_import.c: machines from real /proc texts, exactly; what is impossible is refused with its
 * line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "import_helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY ((size_t)1 << 42)

static struct zone *zone_named(const struct pr_machine *m, unsigned node, const char *name)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (!strcmp(name, pr_zone_name[t]))
			return m->nodes[node].zone[t] < 0 ? NULL
							  : &m->zones[m->nodes[node].zone[t]];
	return NULL;
}

static int type_named(const char *name)
{
	for (int t = 0; t < NR_MIGRATETYPES; t++)
		if (!strcmp(name, pr_migratetype_name[t]))
			return t;
	return -1;
}

/* Calls line(m, line) for each line of a text; how many it said it knew. */
static unsigned each_line(const struct pr_machine *m, const char *text,
			  bool (*line)(const struct pr_machine *m, const char *l))
{
	char *copy = strdup(text), *rest = copy, *l;
	unsigned n = 0;

	while ((l = strsep(&rest, "\n")))
		n += line(m, l);
	free(copy);
	return n;
}

static bool same_free_line(const struct pr_machine *m, const char *l)
{
	char zone[16], type[16];
	unsigned node, o = 0;
	int at;

	if (sscanf(l, "Node %u, zone %15[^,], type %15s%n", &node, zone, type, &at) != 3)
		return false;
	for (const char *p = l + at; *p && *p != '\n' && o < NR_ORDERS; o++) {
		char *end;
		uint64_t n =
			strtoull(p + (p[strspn(p, " ")] == '>' ? strspn(p, " ") + 1 : 0), &end, 10);

		assert_int_equal(zone_named(m, node, zone)->area[o].list[type_named(type)].nr, n);
		p = end;
	}
	assert_int_equal(o, NR_ORDERS);
	return true;
}

/* "Node 0, zone DMA 1 7 0 …" of pagetypeinfo; the columns are those of the kernel that wrote it. */
static bool same_blocks_line(const struct pr_machine *m, const char *l)
{
	uint64_t n[NR_MIGRATETYPES] = {0};
	const struct zone *z;
	unsigned node;
	char zone[16];
	int at;

	if (sscanf(l, "Node %u, zone %15[^, ]%n", &node, zone, &at) != 2 || l[at] == ',')
		return false;
	z = zone_named(m, node, zone);
	for (pfn_t pfn = z->start_pfn; pfn < z->start_pfn + z->spanned;
	     pfn = (pfn | (PAGEBLOCK_PAGES - 1)) + 1)
		if (!pr_block_absent(m, z, pfn))
			n[pr_block_type(m, z, pfn)]++;
	l += at;
	for (unsigned t = 0; t < NR_MIGRATETYPES; t++) {
		char *end;

		if (m->arena->type_names & 1u << t) {
			assert_int_equal(n[t], strtoull(l, &end, 10));
			l = end;
		} else {
			assert_int_equal(n[t], 0);
		}
	}
	return true;
}

struct field {
	const char *key;
	uint64_t (*value)(const struct zone *z);
};
#define VALUE(name, expression)                                                                    \
	static uint64_t name(const struct zone *z)                                                 \
	{                                                                                          \
		return (uint64_t)(expression);                                                     \
	}
VALUE(v_free, z->free_pages)
VALUE(v_boost, z->watermark_boost)
VALUE(v_min, z->watermark[WMARK_MIN] + z->watermark_boost)
VALUE(v_low, z->watermark[WMARK_LOW] + z->watermark_boost)
VALUE(v_high, z->watermark[WMARK_HIGH] + z->watermark_boost)
VALUE(v_promo, z->watermark[WMARK_PROMO] + z->watermark_boost)
VALUE(v_spanned, z->spanned)
VALUE(v_present, z->present)
VALUE(v_managed, z->managed)
VALUE(v_cma, z->cma)
VALUE(v_start, z->start_pfn)
static const struct field zone_fields[] = {
	{"pages free", v_free},	 {"boost ", v_boost},	  {"min ", v_min},
	{"low ", v_low},	 {"high ", v_high},	  {"promo ", v_promo},
	{"spanned ", v_spanned}, {"present ", v_present}, {"managed ", v_managed},
	{"cma ", v_cma},	 {"start_pfn:", v_start},
};

static struct {
	const struct zone *z;
	int cpu;
} here; /* where same_zoneinfo_line is in its text */

static void same_cpu_field(const struct pr_machine *m, const char *l)
{
	const struct pcp *p = pr_pcp(m, here.z, (unsigned)here.cpu);
	int n;

	if (sscanf(l, " count: %d", &n) == 1)
		assert_int_equal(p->count, n);
	if (sscanf(l, " high: %d", &n) == 1)
		assert_int_equal(p->high, n);
	if (sscanf(l, " batch: %d", &n) == 1)
		assert_int_equal(p->batch, n);
	if (sscanf(l, " high_min: %d", &n) == 1)
		assert_int_equal(p->high_min, n);
	if (sscanf(l, " high_max: %d", &n) == 1)
		assert_int_equal(p->high_max, n);
	if (sscanf(l, " vm stats threshold: %d", &n) == 1)
		assert_int_equal(p->stat_threshold, n);
}

static bool same_zoneinfo_line(const struct pr_machine *m, const char *l)
{
	unsigned long long n[NR_ZONE_TYPES];
	unsigned node;
	char zone[16];

	if (sscanf(l, "Node %u, zone %15s", &node, zone) == 2) {
		here.z = zone_named(m, node, zone);
		here.cpu = -1;
		return here.z;
	}
	if (!here.z || sscanf(l, "    cpu: %d", &here.cpu) == 1)
		return false;
	if (here.cpu >= 0)
		same_cpu_field(m, l);
	for (unsigned i = 0; i < sizeof(zone_fields) / sizeof(zone_fields[0]); i++) {
		size_t len = strlen(zone_fields[i].key), in = strspn(l, " ");

		if (!strncmp(l + in, zone_fields[i].key, len) && l[in + len - 1] != '_')
			assert_int_equal(zone_fields[i].value(here.z),
					 strtoull(l + in + len, NULL, 10));
	}
	if (sscanf(l, " protection: (%llu, %llu, %llu, %llu", &n[0], &n[1], &n[2], &n[3]) == 4)
		for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
			assert_int_equal(here.z->lowmem_reserve[t], n[t]);
	return false;
}

static void fixtures_come_up_as_they_were(void **)
{
	for (unsigned f = 0; f < 4; f++) {
		struct description d;
		struct imported a, b;

		fixture_load(&d, fixture_name[f]);
		imports(&a, &d);
		imports(&b, &d);
		assert_int_equal(pr_digest(&a.m), pr_digest(&b.m));
		assert_true(a.m.arena->clock_stopped);
		assert_true(each_line(&a.m, d.text[PAGETYPEINFO], same_free_line) >=
			    5 * a.m.arena->nr_zones);
		assert_int_equal(each_line(&a.m, d.text[PAGETYPEINFO], same_blocks_line),
				 a.m.arena->nr_zones);
		assert_int_equal(each_line(&a.m, d.text[ZONEINFO], same_zoneinfo_line),
				 a.m.arena->nr_zones);
		/* only the live host's files differ */
		assert_int_equal(pr_import_warning(a.im, 0) != NULL, f == 3);
		import_drop(&a);
		import_drop(&b);
		description_free(&d);
	}
}

static void the_live_host_says_by_how_much_it_differs(void **)
{
	struct description d;
	struct imported i;

	fixture_load(&d, "live_6.18");
	imports(&i, &d);
	assert_string_equal(
		pr_import_warning(i.im, 0),
		"node 0 zone Normal: buddyinfo and pagetypeinfo differ by 3 blocks (+48 pages): "
		"order 4: 113 against 110; pagetypeinfo is taken");
	assert_null(pr_import_warning(i.im, 1));
	assert_int_equal(i.m.arena->zone_names, PR_ALL_ZONES | PR_NAMES_DEVICE);
	assert_int_equal(i.m.arena->type_names, PR_ALL_TYPES & ~(1 << MT_CMA));
	/* 32 pages freed that its CPUs had not told the zone yet */
	assert_int_equal(i.m.zones[2].free_pages, 330309);
	assert_int_equal(pr_zone_free_snapshot(&i.m, &i.m.zones[2]), 330341);
	assert_int_equal(i.m.arena->sysctl.lowmem_reserve_ratio[ZONE_NORMAL], 32);
	import_drop(&i);
	description_free(&d);
}

/* What was brought in can be used: everything free goes out, comes back, and the marks hold. */
static void an_imported_machine_works(void **)
{
	struct description d;
	struct imported i;
	pfn_t pfn[64];
	unsigned n = 0;
	char why[256];

	fixture_load(&d, "numa4_uneven");
	imports(&i, &d);
	for (unsigned k = 0; k < 64; k++) {
		struct pr_request r =
			PR_REQUEST(k % NR_ORDERS, k & 1 ? GFP_KERNEL : GFP_HIGHUSER_MOVABLE);

		r.node = (int)(k % 4);
		r.cpu = k % 2;
		assert_int_equal(pr_alloc(&i.m, &r, &pfn[n++]), 0);
		assert_int_equal(pr_check(&i.m, why, sizeof(why)), 0);
	}
	for (unsigned k = 0; k < n; k++)
		assert_int_equal(pr_free(&i.m, pfn[k], k % NR_ORDERS, k % 2), 0);
	pr_drain_all(&i.m, 0);
	assert_int_equal(pr_check(&i.m, why, sizeof(why)), 0);
	/* a sysctl that is written recalculates, as on that machine */
	assert_int_equal(pr_sysctl_store(&i.m, "min_free_kbytes", "22102"), 0);
	assert_in_range(i.m.zones[1].watermark[WMARK_MIN], 348, 352);
	import_drop(&i);
	description_free(&d);
}

static void without_sys_vm_min_free_kbytes_is_worked_out(void **)
{
	for (unsigned f = 0; f < 4; f++) {
		struct description d;
		struct imported with, without;
		char why[256];

		fixture_load(&d, fixture_name[f]);
		imports(&with, &d);
		for (unsigned k = d.nr_extra; k--;)
			free((char *)d.extra[k].file.text);
		d.nr_extra = 0;
		assert_int_equal(import_make(&without, &d, IMPORT_LARGE, why, sizeof(why)), 0);
		/* but for what is lost in whole pages */
		assert_in_range(without.m.arena->sysctl.min_free_kbytes,
				with.m.arena->sysctl.min_free_kbytes - 16,
				with.m.arena->sysctl.min_free_kbytes + 16);
		import_drop(&with);
		import_drop(&without);
		description_free(&d);
	}
}

static void nodes_have_the_cpus_and_distances_that_are_given(void **)
{
	struct description d;
	struct imported i;
	char why[256];

	fixture_load(&d, "numa4_uneven");
	imports(&i, &d);
	import_drop(&i);
	d.extra[d.nr_extra++] = (struct pr_import_extra){
		PR_EXTRA_CPULIST, "cpulist", 1, {"c1", strdup("1-3\n"), 4}};
	d.extra[d.nr_extra++] = (struct pr_import_extra){
		PR_EXTRA_DISTANCE, "distance", 2, {"d2", strdup("21 22 10 23\n"), 12}};
	imports(&i, &d);
	assert_int_equal(i.m.arena->cpu_node[0], 0);
	assert_int_equal(i.m.arena->cpu_node[1], 1);
	assert_int_equal(i.m.nodes[2].distance[3], 23);
	assert_int_equal(i.m.nodes[0].distance[3], 20);
	import_drop(&i);
	((char *)d.extra[d.nr_extra - 1].file.text)[1] = 'x';
	assert_int_equal(import_make(&i, &d, IMPORT_LARGE, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "d2:1: '2x' is not a distance from 10 to 255");
	description_free(&d);
}

/* 1 TiB, most of it free, and a type whose count is capped. */
static void large_machines_come_out_right(void **)
{
	struct description d;
	struct imported i;
	char why[256];

	fixture_load(&d, "uma_4096M_thp");
	description_edit(&d, ZONEINFO, 0, "spanned  262144", "spanned  268435456");
	description_edit(&d, ZONEINFO, 0, "present  262144", "present  268435456");
	description_edit(&d, ZONEINFO, 0, "managed  243931", "managed  268000000");
	description_edit(&d, ZONEINFO, 0, "pages free     241387", "pages free     205363819");
	description_edit(&d, BUDDYINFO, 0, "0      1      3      0      2      2    234 \n",
			 "0      1      3      0      2      2 200002 \n");
	description_edit(&d, BUDDYINFO, 0, "Normal      1 ", "Normal 560001 ");
	description_edit(&d, PAGETYPEINFO, 0, "    234 \n", " >100000 \n");
	description_edit(&d, PAGETYPEINFO, 0, "Normal, type      Movable      1",
			 "Normal, type      Movable >100000");
	description_edit(&d, PAGETYPEINFO, 0, "          506            2",
			 "       524282            2");
	if (import_make(&i, &d, ANY, why, sizeof(why)))
		fail_msg("refused: %s", why);
	assert_int_equal(i.m.zones[2].area[MAX_ORDER].list[MT_MOVABLE].nr, 200002);
	assert_int_equal(i.m.zones[2].area[0].list[MT_MOVABLE].nr, 560001);
	assert_null(pr_import_warning(i.im, 0));
	import_drop(&i);
	description_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixtures_come_up_as_they_were),
		cmocka_unit_test(the_live_host_says_by_how_much_it_differs),
		cmocka_unit_test(an_imported_machine_works),
		cmocka_unit_test(without_sys_vm_min_free_kbytes_is_worked_out),
		cmocka_unit_test(nodes_have_the_cpus_and_distances_that_are_given),
		cmocka_unit_test(large_machines_come_out_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
