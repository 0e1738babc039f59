/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_replay.c: traces in pieces of any size, and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <errno.h>
#include <pagerig/lab.h>
#include <string.h>

#define HEAD "            cc-1    [001] .....  1.000001: "
static const char good[] =
	"# tracer: nop\n"
	HEAD "mm_page_alloc: page=00000000c241b733 pfn=0x10 order=0 migratetype=0 gfp_flags=GFP_KERNEL|__GFP_COMP\n"
	HEAD "mm_page_alloc: page=00000000c241b733 pfn=0x20 order=3 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE\n"
	HEAD "mm_page_alloc_zone_locked: page=00000000c241b733 pfn=0x30 order=0 migratetype=1 percpu_refill=1\n"
	HEAD "mm_page_free: page=00000000c241b733 pfn=0x10 order=0\n"
	HEAD "mm_page_free_batched: page=00000000c241b733 pfn=0x10\n"
	HEAD "mm_page_free: page=00000000c241b733 pfn=0x999 order=0\n"
	HEAD "sched_switch: prev_comm=cc next_comm=ld\n";

static void check_stats(struct pr_replay *r)
{
	struct pr_replay_stats s;

	pr_replay_stats(r, &s);
	assert_int_equal(s.lines, 8);
	assert_int_equal(s.allocs, 2);
	assert_int_equal(s.frees, 2);
	assert_int_equal(s.batched, 1);
	assert_int_equal(s.unknown_frees, 1);
	assert_int_equal(s.in_use, 8);
	assert_int_equal(s.trace_in_use, 8);
}

static void pieces_of_any_size(void **state)
{
	char why[256];

	for (size_t piece = 1; piece < sizeof(good); piece += piece < 20 ? 1 : 37) {
		struct small_machine s;
		struct pr_replay *r;

		small_machine_make(&s, 1, 4096, ZONE_NORMAL, 2);
		r = pr_replay_new(&s.m);
		for (size_t at = 0; at < sizeof(good) - 1; at += piece) {
			size_t n = sizeof(good) - 1 - at < piece ? sizeof(good) - 1 - at : piece;

			assert_int_equal(pr_replay_feed(r, good + at, n, why, sizeof(why)), 0);
		}
		assert_int_equal(pr_replay_end(r, why, sizeof(why)), 0);
		check_stats(r);
		pr_replay_free(r);
		pr_drain_all(&s.m, 0);
		assert_int_equal(pr_zone_free_snapshot(&s.m, &s.m.zones[0]), 4096);
		assert_int_equal(pr_check(&s.m, why, sizeof(why)), 0);
		small_machine_free(&s);
	}
}

static void broken_lines_are_named(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{"hello\n", "line 2: this is no event of tracefs"},
		{HEAD "mm_page_free: page=1 order=0\n", "line 2: no pfn="},
		{HEAD "mm_page_free: page=1 pfn=0x1 order=11\n", "line 2: no order= from 0 to 10"},
		{HEAD "mm_page_alloc: page=1 pfn=0x1 order=0 migratetype=0 gfp_flags=GFP_X\n",
		 "line 2: gfp_flags= with unknown names"},
		{"mm_page_free\n", "line 2: this is no event of tracefs"},
	};
	char why[256];

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct small_machine s;
		struct pr_replay *r;

		small_machine_make(&s, 1, 4096, ZONE_NORMAL, 2);
		r = pr_replay_new(&s.m);
		assert_int_equal(pr_replay_feed(r, "#\n", 2, why, sizeof(why)), 0);
		assert_int_equal(pr_replay_feed(r, bad[i].line, strlen(bad[i].line), why, sizeof(why)),
				 -EINVAL);
		assert_string_equal(why, bad[i].why);
		pr_replay_free(r);
		small_machine_free(&s);
	}
}

static void half_a_line(void **state)
{
	struct small_machine s;
	struct pr_replay *r;
	char why[256];

	small_machine_make(&s, 1, 4096, ZONE_NORMAL, 2);
	r = pr_replay_new(&s.m);
	assert_int_equal(pr_replay_feed(r, good, sizeof(good) - 10, why, sizeof(why)), 0);
	assert_int_equal(pr_replay_end(r, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "line 8: the text stops inside a line");
	pr_replay_free(r);
	small_machine_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_any_size),
		cmocka_unit_test(broken_lines_are_named),
		cmocka_unit_test(half_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
