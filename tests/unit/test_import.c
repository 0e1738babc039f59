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
#include <time.h>

enum { LARGE = 1 << 30 }; /* bytes of arena: enough for every fixture */
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
    {"pages free", v_free},  {"boost ", v_boost}, {"min ", v_min},	   {"low ", v_low},
    {"high ", v_high},	     {"promo ", v_promo}, {"spanned ", v_spanned}, {"present ", v_present},
    {"managed ", v_managed}, {"cma ", v_cma},	  {"start_pfn:", v_start},
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

static void imports(struct imported *i, const struct description *d)
{
	char why[512];

	if (import_make(i, d, LARGE, why, sizeof(why)))
		fail_msg("refused: %s", why);
	assert_non_null(i->arena);
	if (pr_check(&i->m, why, sizeof(why)))
		fail_msg("after the import: %s", why);
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

/* clang-format off */
static const struct {
	const char *fixture;
	unsigned text, nth;
	const char *from, *to, *says;
} refused[] = {
	/* impossible */
	{"uma_4096M_thp", PAGETYPEINFO, 0, "     1    234 \n", "     1    999 \n",
	 "pagetypeinfo:18: node 0 zone Normal: 1024747 pages are free, but 243931 managed (zoneinfo:128)"},
	{"uma_4096M_thp", BUDDYINFO, 0, "    234 \n", "    999 \n",
	 "buddyinfo:3: node 0 zone Normal: 1024747 pages are free, but 243931 managed (zoneinfo:128)"},
	{"uma_4096M_thp", ZONEINFO, 0, "pages free     3840", "pages free     3841",
	 "zoneinfo:1: node 0 zone DMA: 3841 pages free, but 3840 managed"},
	{"uma_4096M_thp", ZONEINFO, 0, "managed  3840", "managed  3999",
	 "zoneinfo:1: node 0 zone DMA: 3999 pages managed, but 3998 present"},
	{"uma_4096M_thp", ZONEINFO, 0, "spanned  4095", "spanned  3997",
	 "zoneinfo:1: node 0 zone DMA: 3998 pages present, but it spans 3997"},
	{"uma_4096M_thp", ZONEINFO, 0, "start_pfn:           1\n", "start_pfn:           513\n",
	 "zoneinfo:87: node 0 zone DMA32 and node 0 zone DMA (line 1) span the same frames"},
	{"uma_4096M_thp", ZONEINFO, 0, "start_pfn:           1\n", "start_pfn:           9999999999999\n",
	 "zoneinfo:1: node 0 zone DMA: frames 9999999999999 to"},
	{"uma_4096M_thp", ZONEINFO, 0, "boost    0", "boost    9999",
	 "zoneinfo:1: node 0 zone DMA: boost 9999 is part of min, which is"},
	/* the last block of order 10 needs frames beyond the end */
	{"uma_4096M_thp", PAGETYPEINFO, 0, "      1      3 \n", "      0      4 \n",
	 "pagetypeinfo:6: node 0 zone DMA: 4352 pages are free, but 3840 managed"},
	{"uma_4096M_thp", PAGETYPEINFO, 0, "0      1      0      0 \n", "0      0      0      1 \n",
	 "pagetypeinfo:6: node 0 zone DMA: 4608 pages are free"},
	{"uma_4096M_thp", ZONEINFO, 0, "start_pfn:           1\n", "start_pfn:           0\n", NULL},
	{"uma_4096M_thp", PAGETYPEINFO, 0, "zone      DMA            1            7",
	 "zone      DMA            2            7", "pagetypeinfo:25: node 0 zone DMA: 9 pageblocks, but frames 1 to 4096 are 8"},
	{"uma_4096M_thp", PAGETYPEINFO, 0, "zone      DMA            1            7",
	 "zone      DMA            1            6", "pagetypeinfo:25: node 0 zone DMA: 7 pageblocks hold at most 3584 pages, but 3840 are managed"},
	/* unreadable */
	{"uma_4096M_thp", ZONEINFO, 0, "min      ", "min      -", "zoneinfo:49: '-"},
	{"uma_4096M_thp", ZONEINFO, 0, "managed  3840", "managed  3840x", "'3840x' of 'managed' is not a number"},
	{"uma_4096M_thp", ZONEINFO, 0, "managed  3840", "managed  38400000000000000000", "is not a number, or too large"},
	{"uma_4096M_thp", ZONEINFO, 0, "        managed  3840\n", "", "zoneinfo:1: zone DMA of node 0 has no 'managed'"},
	{"uma_4096M_thp", ZONEINFO, 0, "        managed  3840\n", "        managed  3840\n        managed  3840\n",
	 "managed for the second time in one zone"},
	{"uma_4096M_thp", ZONEINFO, 0, "protection: (", "protection: ", NULL},
	{"uma_4096M_thp", ZONEINFO, 0, "protection: (0, ", "protection: (", "zone DMA of node 0 has protection for 3 zones, but there are 4"},
	{"uma_4096M_thp", ZONEINFO, 0, "protection: (0,", "protection: (x,", "protection: 'x' is not a number of pages"},
	{"uma_4096M_thp", ZONEINFO, 0, "cpu: 1", "cpu: 0", "cpu 0 for the second time in one zone"},
	{"uma_4096M_thp", ZONEINFO, 0, "cpu: 1", "cpu: 256", "cpu 256: at most 256 CPUs"},
	{"uma_4096M_thp", ZONEINFO, 0, "batch: 1", "batch: 0", "has batch 0; it is at least 1"},
	{"uma_4096M_thp", ZONEINFO, 0, "              batch: 1\n", "", "cpu 0 of zone DMA of node 0 lacks count, high or batch"},
	{"uma_4096M_thp", ZONEINFO, 0, "Node 0, zone    DMA32", "Node 0, zone      DMA", "zone DMA of node 0 was in line 1 already"},
	{"uma_4096M_thp", ZONEINFO, 0, "Node 0, zone    DMA32", "Node 64, zone    DMA32", "node 64: at most 64 nodes"},
	{"uma_4096M_thp", ZONEINFO, 0, "Node 0, zone    DMA32", "Node 0, zone  HighMem", "zone HighMem holds pages; the zones of pagerig are"},
	{"live_6.18", ZONEINFO, 0, "Device", "Normal", "zone Normal of node 0 was in line"},
	{"uma_4096M_thp", BUDDYINFO, 0, "Node 0, zone    DMA32", "Node 0, zone  Movable", "buddyinfo:2: node 0 zone Movable counts '1', but zoneinfo has no memory there"},
	{"uma_4096M_thp", BUDDYINFO, 0, "    234 \n", "\n", "buddyinfo:3: 10 counts; pagerig's orders are 0 to 10"},
	{"uma_4096M_thp", BUDDYINFO, 0, "    234 \n", "    2.4 \n", "buddyinfo:3: '2.4' is not a number of blocks"},
	{"uma_4096M_thp", BUDDYINFO, 0, "Node 0, zone    DMA32", "Node 0, zone      DMA", "buddyinfo:2: this zone was in line 1 already"},
	{"uma_4096M_thp", PAGETYPEINFO, 0, "order: 9", "order: 10", "pagetypeinfo:1: the page block order is '10'; pagerig's is 9"},
	{"uma_4096M_thp", PAGETYPEINFO, 0, "block:  512", "block:  1024", "pagetypeinfo:2: pages per block is '1024'"},
	{"uma_4096M_thp", PAGETYPEINFO, 0, "Number of blocks", "Number of chickens", "expected 'Node N, zone NAME', found 'Number'"},
	{"uma_4096M_thp", PAGETYPEINFO, 1, "type      Movable", "type      Chicken", "counts '1', but zoneinfo has no memory"},
	{"numa4_uneven", PAGETYPEINFO, 0, "Node 3, zone   Normal            0", "Node 3, zone   Norm            0", "counts '2048', but zoneinfo has no memory"},
};
/* clang-format on */

static void what_is_wrong_is_refused_with_its_line(void **)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct description d;
		struct imported got;
		char why[512] = "";
		int err;

		fixture_load(&d, refused[i].fixture);
		description_edit(&d, refused[i].text, refused[i].nth, refused[i].from,
				 refused[i].to);
		err = import_make(&got, &d, LARGE, why, sizeof(why));
		if (!refused[i].says) { /* odd, but possible */
			if (err || pr_check(&got.m, why, sizeof(why)))
				fail_msg("'%s' for '%s': %s", refused[i].to, refused[i].from, why);
			import_drop(&got);
		} else if (err != -EINVAL || !strstr(why, refused[i].says)) {
			wrong++;
			print_error("'%s' for '%s': expected '%s', got %d '%s'\n", refused[i].to,
				    refused[i].from, refused[i].says, err, why);
		}
		description_free(&d);
	}
	assert_int_equal(wrong, 0);
}

/* One zone of so many frames, all managed, and free movable blocks of orders 8 to 10. */
static void one_zone(struct description *d, uint64_t start, uint64_t pages, unsigned o8,
		     unsigned o9, unsigned o10)
{
	unsigned free = o8 * 256 + o9 * 512 + o10 * 1024, cpu = 0;
	unsigned blocks = (unsigned)(((start + pages - 1) >> 9) - (start >> 9) + 1);

	memset(d, 0, sizeof(*d));
	assert_int_not_equal(
	    asprintf(&d->text[ZONEINFO],
		     "Node 0, zone Normal\n pages free %u\n min 1\n low 2\n high 3\n"
		     " spanned %u\n present %u\n managed %u\n protection: (0)\n pagesets\n cpu: "
		     "%u\n count: 0\n"
		     " high: 4\n batch: 1\n vm stats threshold: 4\n start_pfn: %u\n",
		     free, (unsigned)pages, (unsigned)pages, (unsigned)pages, cpu, (unsigned)start),
	    -1);
	assert_int_not_equal(asprintf(&d->text[BUDDYINFO],
				      "Node 0, zone Normal 0 0 0 0 0 0 0 0 %u %u %u\n", o8, o9,
				      o10),
			     -1);
	assert_int_not_equal(
	    asprintf(&d->text[PAGETYPEINFO],
		     "Free pages count per migrate type at order 0 1 2 3 4 5 6 7 8 9 10\n"
		     "Node 0, zone Normal, type Movable 0 0 0 0 0 0 0 0 %u %u %u\n"
		     "Number of blocks type Movable\nNode 0, zone Normal %u\n",
		     o8, o9, o10, blocks),
	    -1);
}

static void blocks_over_the_end_are_refused(void **)
{
	static const struct {
		uint64_t start, pages;
		unsigned o8, o9, o10;
		const char *says; /* NULL: it fits */
	} zones[] = {
	    {4096, 2048, 0, 0, 2, NULL},
	    {4608, 2048, 0, 2, 1, NULL}, /* odd halves at both ends */
	    {4608, 2048, 0, 0, 2,
	     "2 free blocks of order 10, but only 1 lie whole between frames 4608 and 6656"},
	    {4096, 1500, 0, 0, 1, NULL},
	    {4608, 1024, 0, 0, 1, "1 free blocks of order 10, but only 0 lie whole"},
	    {4608, 1024, 0, 2, 0, NULL},
	    {4096, 1024, 0, 2, 0,
	     "pagetypeinfo:2: node 0 zone Normal: 2 free blocks of order 9 do not fit"},
	    {4096, 1280, 1, 0, 1, NULL}, /* the last quarter is free */
	    {4096, 1400, 1, 0, 1, NULL},
	    {4096, 1536, 1, 0, 1, NULL},
	    {4096, 1536, 2, 0, 1,
	     "the free blocks of type Movable need 4 pageblocks, line 4 counts 3"},
	    {4096, 255, 0, 0, 0, NULL},
	    {4097, 256, 1, 0, 0, "the free blocks do not fit into frames 4097 to 4353"},
	};

	for (unsigned k = 0; k < sizeof(zones) / sizeof(zones[0]); k++) {
		struct description d;
		struct imported i;
		char why[512] = "";
		int err;

		one_zone(&d, zones[k].start, zones[k].pages, zones[k].o8, zones[k].o9,
			 zones[k].o10);
		err = import_make(&i, &d, LARGE, why, sizeof(why));
		if (!zones[k].says ? err || pr_check(&i.m, why, sizeof(why))
				   : err != -EINVAL || !strstr(why, zones[k].says))
			fail_msg("zone %u: %d '%s'", k, err, why);
		if (!err)
			import_drop(&i);
		description_free(&d);
	}
}

static const struct {
	unsigned text;
	const char *from, *to, *says;
} warned[] = {
    {BUDDYINFO, "    234 \n", "    233 \n",
     "differ by 1 blocks (-1024 pages): order 10: 233 against 234"},
    {ZONEINFO, "pages free     241387", "pages free     241000",
     "zoneinfo:128: node 0 zone Normal: zoneinfo says 241000 pages free, the blocks of "
     "pagetypeinfo are 241387 (+387)"},
    {ZONEINFO,
     "count: 0\n              high:  0\n              batch: 1\n  vm stats threshold: 4\n    cpu: "
     "1",
     "count: 1\n              high:  0\n              batch: 1\n  vm stats threshold: 4\n    cpu: "
     "1",
     "zoneinfo:1: node 0 zone DMA: per-CPU lists hold 1 pages, but only 0 of 3840 managed ones are "
     "not free"},
    /* 6.1 keeps free pages on lists of other types than their pageblock's */
    {PAGETYPEINFO, "Normal            4          506            2",
     "Normal            0          510            2",
     "the free blocks of type Unmovable need 1 pageblocks, but it counts 0: 1 of other types are "
     "taken"},
};

static void what_disagrees_is_said(void **)
{
	for (unsigned i = 0; i < sizeof(warned) / sizeof(warned[0]); i++) {
		struct description d;
		struct imported got;
		char all[4096] = "";

		fixture_load(&d, "uma_4096M_thp");
		description_edit(&d, warned[i].text, 0, warned[i].from, warned[i].to);
		imports(&got, &d);
		for (unsigned k = 0; pr_import_warning(got.im, k); k++)
			strncat(all, pr_import_warning(got.im, k), sizeof(all) - strlen(all) - 1);
		if (!strstr(all, warned[i].says))
			fail_msg("expected '%s', got '%s'", warned[i].says, all);
		import_drop(&got);
		description_free(&d);
	}
}

/* Differences of the CPUs explain a little of a zone's free pages; no warning then. */
static void unfolded_differences_are_no_disagreement(void **)
{
	struct description d;
	struct imported i;

	fixture_load(&d, "uma_4096M_thp");
	description_edit(&d, ZONEINFO, 0, "pages free     241387", "pages free     241410");
	imports(&i, &d);
	assert_null(pr_import_warning(i.im, 0));
	assert_int_equal(i.m.zones[2].free_pages, 241410);
	assert_int_equal(pr_zone_free_snapshot(&i.m, &i.m.zones[2]), 241387);
	import_drop(&i);
	description_free(&d);
}

static void older_kernels_and_other_columns_are_read(void **)
{
	struct description d;
	struct imported i;

	fixture_load(&d, "uma_4096M_thp");
	description_edit(&d, ZONEINFO, 2, "        promo    ", "        nr_new_thing ");
	description_edit(&d, ZONEINFO, 0, "        boost    0\n", "");
	description_edit(&d, PAGETYPEINFO, 0, "\nNumber of blocks",
			 "\nNumber of mixed blocks  Unmovable Movable\n"
			 "Node 0, zone DMA 0 0\n\nNumber of blocks");
	imports(&i, &d);
	assert_int_equal(i.m.zones[2].watermark[WMARK_PROMO] - i.m.zones[2].watermark[WMARK_HIGH],
			 i.m.zones[2].watermark[WMARK_HIGH] - i.m.zones[2].watermark[WMARK_LOW]);
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
		assert_int_equal(import_make(&without, &d, LARGE, why, sizeof(why)), 0);
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
	d.extra[d.nr_extra++] =
	    (struct pr_import_extra){PR_EXTRA_CPULIST, "cpulist", 1, {"c1", strdup("1-3\n"), 4}};
	d.extra[d.nr_extra++] = (struct pr_import_extra){
	    PR_EXTRA_DISTANCE, "distance", 2, {"d2", strdup("21 22 10 23\n"), 12}};
	imports(&i, &d);
	assert_int_equal(i.m.arena->cpu_node[0], 0);
	assert_int_equal(i.m.arena->cpu_node[1], 1);
	assert_int_equal(i.m.nodes[2].distance[3], 23);
	assert_int_equal(i.m.nodes[0].distance[3], 20);
	import_drop(&i);
	((char *)d.extra[d.nr_extra - 1].file.text)[1] = 'x';
	assert_int_equal(import_make(&i, &d, LARGE, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "d2:1: '2x' is not a distance from 10 to 255");
	description_free(&d);
}

/* 1 TiB, most of it free, and a type whose count is capped. */
static void large_machines_are_quick(void **)
{
	struct description d;
	struct imported i;
	struct timespec a, b;
	char why[256];
	double seconds;

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
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (import_make(&i, &d, ANY, why, sizeof(why)))
		fail_msg("refused: %s", why);
	clock_gettime(CLOCK_MONOTONIC, &b);
	seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	assert_int_equal(i.m.zones[2].area[MAX_ORDER].list[MT_MOVABLE].nr, 200002);
	assert_int_equal(i.m.zones[2].area[0].list[MT_MOVABLE].nr, 560001);
	assert_null(pr_import_warning(i.im, 0));
	if (getenv("VERBOSE"))
		print_message("1 TiB: %.3f s\n", seconds);
	if (seconds > 2) /* a tenth of that on its own, without sanitizers */
		fail_msg("a machine of 1 TiB took %.2f s", seconds);
	import_drop(&i);
	description_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fixtures_come_up_as_they_were),
	    cmocka_unit_test(the_live_host_says_by_how_much_it_differs),
	    cmocka_unit_test(an_imported_machine_works),
	    cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
	    cmocka_unit_test(blocks_over_the_end_are_refused),
	    cmocka_unit_test(what_disagrees_is_said),
	    cmocka_unit_test(unfolded_differences_are_no_disagreement),
	    cmocka_unit_test(older_kernels_and_other_columns_are_read),
	    cmocka_unit_test(without_sys_vm_min_free_kbytes_is_worked_out),
	    cmocka_unit_test(nodes_have_the_cpus_and_distances_that_are_given),
	    cmocka_unit_test(large_machines_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
