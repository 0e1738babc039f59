/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_shape.c: machine shapes, sysctls and gfp names: what is taken, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <errno.h>
#include <pagerig/lab.h>
#include <string.h>

static void shapes_have_the_zones_of_a_pc(void **)
{
	struct pr_spec s;
	char why[256];

	assert_int_equal(pr_spec_parse("2x4G,cpus=3,movable=25%,distance=10:21:21:10", &s, why,
				       sizeof(why)), 0);
	assert_int_equal(s.nr_nodes, 2);
	assert_int_equal(s.nr_cpus, 3);
	assert_int_equal(s.nr_zones, 5); /* DMA, DMA32, Movable; Normal, Movable */
	assert_int_equal(s.zone[0].managed, 4095);
	assert_int_equal(s.zone[1].start_pfn, 4096);
	assert_int_equal(s.zone[2].type, ZONE_MOVABLE);
	assert_int_equal(s.zone[2].managed, (1 << 20) / 4);
	assert_int_equal(s.zone[3].type, ZONE_NORMAL);
	assert_int_equal(s.distance[0][1], 21);
	assert_int_equal(s.cpu_node[2], 1);
	pr_spec_free(&s);
}

static void wrong_shapes_are_refused(void **)
{
	static const struct {
		const char *shape;
		int err;
	} bad[] = {{"", -EINVAL},	      {"G", -EINVAL},	       {"1", -EINVAL},
		   {"1Q", -EINVAL},	      {"1Gx", -EINVAL},	       {"0x1G", -EINVAL},
		   {"-1G", -EINVAL},	      {"65x1G", -ERANGE},      {"17T", -ERANGE},
		   {"64x1T", -ERANGE},	      {"1K", -ERANGE},	       {"1G,cpu=1", -EINVAL},
		   {"1G,cpus=", -EINVAL},     {"1G,cpus=999", -ERANGE}, {"1G,movable=91%", -EINVAL},
		   {"1G,movable=5", -EINVAL}, {"1G,distance=11", -EINVAL}, {"1G,,", -EINVAL},
		   {"18446744073709551615T", -ERANGE}};
	struct pr_spec s;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char why[256] = "";

		assert_int_equal(pr_spec_parse(bad[i].shape, &s, why, sizeof(why)), bad[i].err);
		assert_string_not_equal(why, "");
	}
}

static void gfp_names_go_both_ways(void **)
{
	const char *bad, *near;
	char text[256];
	gfp_t gfp;

	assert_int_equal(pr_gfp_parse("GFP_KERNEL|__GFP_NORETRY,~__GFP_FS", &gfp, NULL, NULL), 0);
	assert_int_equal(gfp, (GFP_KERNEL | __GFP_NORETRY) & ~__GFP_FS);
	assert_int_equal(pr_gfp_parse("0xcc0", &gfp, NULL, NULL), 0);
	pr_gfp_print(gfp, text, sizeof(text));
	assert_string_equal(text, "GFP_KERNEL");
	assert_int_equal(pr_gfp_parse("GFP_KERNEL|__GFP_SKIP_KASAN", &gfp, NULL, NULL), 0);
	assert_int_equal(gfp, GFP_KERNEL);
	for (unsigned bit = 0; bit < 25; bit++) {
		gfp_t again;

		if (bit == 9)
			continue; /* nobody's */
		pr_gfp_print(1u << bit, text, sizeof(text));
		assert_int_equal(pr_gfp_parse(text, &again, NULL, NULL), 0);
		assert_int_equal(again, 1u << bit);
	}
	assert_int_equal(pr_gfp_parse("GFP_KERNEL|GFP_ATOMC", &gfp, &bad, &near), -EINVAL);
	assert_string_equal(bad, "GFP_ATOMC");
	assert_string_equal(near, "GFP_ATOMIC");
	assert_int_equal(pr_gfp_parse("", &gfp, NULL, NULL), -EINVAL);
	assert_int_equal(pr_gfp_parse("GFP_KERNEL|", &gfp, NULL, NULL), -EINVAL);
	assert_int_equal(pr_gfp_parse("0x80000000", &gfp, NULL, NULL), -EINVAL);
}

static void sysctls_recalculate(void **)
{
	struct small_machine s;
	char text[100];
	uint64_t low;

	small_machine_make(&s, 1, 65536, ZONE_NORMAL, 1);
	low = s.m.zones[0].watermark[WMARK_LOW];
	assert_int_equal(pr_sysctl_store(&s.m, "watermark_scale_factor", "1000\n"), 0);
	assert_int_equal(s.m.zones[0].watermark[WMARK_LOW],
			 s.m.zones[0].watermark[WMARK_MIN] + 6553);
	assert_true(s.m.zones[0].watermark[WMARK_LOW] > low);
	assert_int_equal(pr_sysctl_store(&s.m, "watermark_scale_factor", "3001"), -EINVAL);
	assert_int_equal(pr_sysctl_store(&s.m, "watermark_scale_factor", "1 2"), -EINVAL);
	assert_int_equal(pr_sysctl_store(&s.m, "watermark_scale_factor", "x"), -EINVAL);
	assert_int_equal(pr_sysctl_store(&s.m, "nothing", "1"), -ENOENT);
	assert_int_equal(pr_sysctl_store(&s.m, "percpu_pagelist_high_fraction", "8"), 0);
	assert_int_equal(pr_pcp(&s.m, &s.m.zones[0], 0)->high_max, 65536 / 8);
	assert_int_equal(pr_sysctl_store(&s.m, "lowmem_reserve_ratio", "1 2 3 4"), 0);
	assert_int_equal(pr_sysctl_show(&s.m, "lowmem_reserve_ratio", text, sizeof(text)), 8);
	assert_string_equal(text, "1\t2\t3\t4\n");
	small_machine_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_have_the_zones_of_a_pc),
		cmocka_unit_test(wrong_shapes_are_refused),
		cmocka_unit_test(gfp_names_go_both_ways),
		cmocka_unit_test(sysctls_recalculate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
