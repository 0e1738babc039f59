/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_random.c: random scripts on small machines, the invariant checker after every operation,
 * and the same digest on a second run. SEEDS=N and SEED=first choose others than the default 1,000.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <stdlib.h>

static unsigned from_env(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void make(struct small_machine *s, unsigned seed)
{
	static const uint64_t pages[] = {4096, 4096 - 77, 8192, 2048};

	small_machine_make(s, 1 + seed % 2, pages[seed / 2 % 4], seed % 3 ? ZONE_NORMAL : ZONE_DMA32,
			   1 + seed % 3);
}

static void seeds_keep_the_invariants(void **state)
{
	unsigned first = from_env("SEED", 1), n = from_env("SEEDS", 1000);

	for (unsigned seed = first; seed < first + n; seed++) {
		struct small_machine a, b;

		make(&a, seed);
		make(&b, seed);
		random_script(&a, seed, 200, true);
		random_script(&b, seed, 200, false);
		assert_int_equal(pr_digest(&a.m), pr_digest(&b.m));
		small_machine_free(&a);
		small_machine_free(&b);
	}
}

/* A check that can't fail is none: each damage must be seen. */
static void checker_sees_damage(void **state)
{
	struct small_machine s;
	char why[256];
	struct zone *z;
	pfn_t pfn;

	small_machine_make(&s, 1, 4096, ZONE_NORMAL, 1);
	z = &s.m.zones[0];
	assert_int_equal(pr_alloc(&s.m, &PR_REQUEST(0, GFP_KERNEL), &pfn), 0);
	assert_int_equal(pr_check(&s.m, why, sizeof(why)), 0);
	z->free_pages++;
	assert_int_not_equal(pr_check(&s.m, why, sizeof(why)), 0);
	z->free_pages--;
	pr_page(&s.m, z, pfn)->order = 3;
	assert_int_not_equal(pr_check(&s.m, why, sizeof(why)), 0);
	pr_page(&s.m, z, pfn)->order = 0;
	pr_pcp(&s.m, z, 0)->count++;
	assert_int_not_equal(pr_check(&s.m, why, sizeof(why)), 0);
	pr_pcp(&s.m, z, 0)->count--;
	z->area[MAX_ORDER].nr_free--;
	assert_int_not_equal(pr_check(&s.m, why, sizeof(why)), 0);
	z->area[MAX_ORDER].nr_free++;
	pr_set_block_type(&s.m, z->start_pfn + 2048, MT_CMA);
	assert_int_not_equal(pr_check(&s.m, why, sizeof(why)), 0);
	pr_set_block_type(&s.m, z->start_pfn + 2048, MT_MOVABLE);
	assert_int_equal(pr_check(&s.m, why, sizeof(why)), 0);
	small_machine_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeds_keep_the_invariants),
		cmocka_unit_test(checker_sees_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
