/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_alloc.c: reserves, failures and bad requests, one property each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <errno.h>
#include <string.h>

static char report[20000];

static void keep_report(void *, const struct pr_request *, const char *text)
{
	strncpy(report, text, sizeof(report) - 1);
}

static int64_t fill(struct small_machine *s, gfp_t gfp)
{
	struct pr_request r = PR_REQUEST(0, gfp | __GFP_NOWARN);
	pfn_t pfn;

	while (!pr_alloc(&s->m, &r, &pfn))
		;
	return pr_zone_free_snapshot(&s->m, &s->m.zones[0]);
}

/* Each kind of request stops deeper in the reserves than the one before. */
static void reserves_open_in_steps(void **)
{
	struct small_machine s;
	int64_t kernel, nowait, atomic, memalloc;
	uint64_t min;

	small_machine_make(&s, 1, 16384, ZONE_NORMAL, 1);
	min = s.m.zones[0].watermark[WMARK_MIN];
	kernel = fill(&s, GFP_KERNEL | __GFP_NORETRY);
	nowait = fill(&s, GFP_NOWAIT);
	atomic = fill(&s, GFP_ATOMIC);
	memalloc = fill(&s, GFP_KERNEL | __GFP_MEMALLOC);
	assert_in_range(kernel, 1, min + 512 * 4);
	assert_true(nowait <= kernel);
	assert_true(atomic < kernel);
	assert_true(memalloc < atomic);
	assert_int_equal(memalloc, 0);
	small_machine_free(&s);
}

static void failure_is_reported(void **)
{
	struct small_machine s;
	pfn_t pfn;

	small_machine_make(&s, 1, 4096, ZONE_NORMAL, 1);
	s.m.host.report = keep_report;
	fill(&s, GFP_KERNEL | __GFP_NORETRY);
	report[0] = 0;
	assert_int_equal(pr_alloc(&s.m, &PR_REQUEST(5, GFP_KERNEL), &pfn), -ENOMEM);
	assert_non_null(strstr(report, "page allocation failure: order:5, mode:0xcc0(GFP_KERNEL)"));
	assert_non_null(strstr(report, "Node 0 Normal free:"));
	assert_true(s.m.nodes[0].kswapd_order == 5);
	report[0] = 0;
	assert_int_equal(pr_alloc(&s.m, &PR_REQUEST(5, GFP_KERNEL | __GFP_NOWARN), &pfn), -ENOMEM);
	assert_string_equal(report, "");
	small_machine_free(&s);
}

static void bad_requests_change_nothing(void **)
{
	struct small_machine s;
	struct pr_request r = PR_REQUEST(0, GFP_KERNEL);
	uint64_t digest;
	pfn_t pfn;

	small_machine_make(&s, 1, 4096, ZONE_NORMAL, 2);
	assert_int_equal(pr_alloc(&s.m, &r, &pfn), 0);
	digest = pr_digest(&s.m);
	assert_int_equal(pr_alloc(&s.m, &PR_REQUEST(MAX_ORDER + 1, GFP_KERNEL), &pfn), -EINVAL);
	assert_int_equal(pr_alloc(&s.m, &PR_REQUEST(0, __GFP_MOVABLE | __GFP_RECLAIMABLE), &pfn),
			 -EINVAL);
	assert_int_equal(pr_alloc(&s.m, &PR_REQUEST(0, __GFP_DMA | __GFP_DMA32), &pfn), -EINVAL);
	r.cpu = 2;
	assert_int_equal(pr_alloc(&s.m, &r, &pfn), -EINVAL);
	r.cpu = 0;
	r.node = 1;
	assert_int_equal(pr_alloc(&s.m, &r, &pfn), -EINVAL);
	assert_int_equal(pr_free(&s.m, 1, 0, 0), -EINVAL);
	assert_int_equal(pr_free(&s.m, s.m.zones[0].start_pfn + 99, 3, 0), -EINVAL);
	assert_int_equal(pr_free_boot(&s.m, s.m.zones[0].start_pfn + 99, 0, 0), -EINVAL);
	assert_int_equal(pr_digest(&s.m), digest);
	small_machine_free(&s);
}

static void split_frames_are_freed_one_by_one(void **)
{
	struct small_machine s;
	char why[256];
	pfn_t pfn;

	small_machine_make(&s, 1, 4096, ZONE_NORMAL, 1);
	assert_int_equal(pr_alloc(&s.m, &PR_REQUEST(4, GFP_KERNEL), &pfn), 0);
	assert_int_equal(pr_split(&s.m, pfn, 3), -EINVAL);
	assert_int_equal(pr_split(&s.m, pfn, 4), 0);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(pr_free(&s.m, pfn + i, 0, 0), 0);
	pr_drain_all(&s.m, 0);
	assert_int_equal(pr_check(&s.m, why, sizeof(why)), 0);
	assert_int_equal(pr_zone_free_snapshot(&s.m, &s.m.zones[0]), 4096);
	small_machine_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserves_open_in_steps),
		cmocka_unit_test(failure_is_reported),
		cmocka_unit_test(bad_requests_change_nothing),
		cmocka_unit_test(split_frames_are_freed_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
