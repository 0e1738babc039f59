/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_import_errors.c: what is impossible in /proc texts is refused with its line; what disagrees
 * is said. */
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
		err = import_make(&got, &d, IMPORT_LARGE, why, sizeof(why));
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
		asprintf(
			&d->text[ZONEINFO],
			"Node 0, zone Normal\n pages free %u\n min 1\n low 2\n high 3\n"
			" spanned %u\n present %u\n managed %u\n protection: (0)\n pagesets\n cpu: "
			"%u\n count: 0\n"
			" high: 4\n batch: 1\n vm stats threshold: 4\n start_pfn: %u\n",
			free, (unsigned)pages, (unsigned)pages, (unsigned)pages, cpu,
			(unsigned)start),
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
		err = import_make(&i, &d, IMPORT_LARGE, why, sizeof(why));
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
	 "count: 0\n              high:  0\n              batch: 1\n  vm stats threshold: 4\n    "
	 "cpu: "
	 "1",
	 "count: 1\n              high:  0\n              batch: 1\n  vm stats threshold: 4\n    "
	 "cpu: "
	 "1",
	 "zoneinfo:1: node 0 zone DMA: per-CPU lists hold 1 pages, but only 0 of 3840 managed ones "
	 "are "
	 "not free"},
	/* 6.1 keeps free pages on lists of other types than their pageblock's */
	{PAGETYPEINFO, "Normal            4          506            2",
	 "Normal            0          510            2",
	 "the free blocks of type Unmovable need 1 pageblocks, but it counts 0: 1 of other types "
	 "are "
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

static void offline_cpus_are_said(void **)
{
	struct description d;
	struct imported i;

	fixture_load(&d, "uma_4096M_thp");
	for (unsigned z = 0; z < 3; z++)
		description_edit(&d, ZONEINFO, 0, "    cpu: 1\n", "    cpu: 2\n");
	imports(&i, &d);
	assert_int_equal(i.m.arena->nr_cpus, 3);
	assert_string_equal(pr_import_warning(i.im, 0),
			    "zoneinfo: no CPU 1 among 3: it is online here, with empty lists");
	assert_int_equal(pr_pcp(&i.m, &i.m.zones[1], 1)->count, 0);
	import_drop(&i);
	description_free(&d);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
		cmocka_unit_test(blocks_over_the_end_are_refused),
		cmocka_unit_test(what_disagrees_is_said),
		cmocka_unit_test(offline_cpus_are_said),
		cmocka_unit_test(unfolded_differences_are_no_disagreement),
		cmocka_unit_test(older_kernels_and_other_columns_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
