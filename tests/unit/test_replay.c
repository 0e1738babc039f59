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
	"# tracer: nop\n" HEAD "mm_page_alloc: page=00000000c241b733 pfn=0x10 order=0 "
			       "migratetype=0 gfp_flags=GFP_KERNEL|__GFP_COMP\n" HEAD
	"mm_page_alloc: page=00000000c241b733 pfn=0x20 order=3 migratetype=1 "
	"gfp_flags=GFP_HIGHUSER_MOVABLE\n" HEAD
	"mm_page_alloc_zone_locked: page=00000000c241b733 pfn=0x30 order=0 migratetype=1 "
	"percpu_refill=1\n" HEAD "mm_page_free: page=00000000c241b733 pfn=0x10 order=0\n" HEAD
	"mm_page_free_batched: page=00000000c241b733 pfn=0x10\n" HEAD
	"mm_page_free: page=00000000c241b733 pfn=0x999 order=0\n" HEAD
	"sched_switch: prev_comm=cc next_comm=ld\n";

static void check_events(struct pr_replay *r)
{
	struct pr_replay_stats s;

	pr_replay_stats(r, &s);
	assert_int_equal(s.allocs, 2);
	assert_int_equal(s.frees, 2);
	assert_int_equal(s.batched, 1);
	assert_int_equal(s.start_frees, 1);
	assert_int_equal(s.in_use, 8);
	assert_int_equal(s.trace_in_use, 8);
	assert_int_equal(s.events, 7);
	assert_int_equal(s.others, 2);
}

static void check_stats(struct pr_replay *r)
{
	struct pr_replay_stats s;

	pr_replay_stats(r, &s);
	assert_int_equal(s.lines, 8);
	check_events(r);
}

static void pieces_of_any_size(void **)
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

static void broken_lines_are_named(void **)
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
		assert_int_equal(
			pr_replay_feed(r, bad[i].line, strlen(bad[i].line), why, sizeof(why)),
			-EINVAL);
		assert_string_equal(why, bad[i].why);
		pr_replay_free(r);
		small_machine_free(&s);
	}
}

/* Long lines and NULs, whole and in pieces; the events before them are done, later text is not
 * taken. */
static void what_is_no_text(void **)
{
	static const struct {
		char fill;
		size_t len;
		const char *why;
	} bad[] = {
		{'x', 1023, "line 9: this is no event of tracefs"},
		{'x', 1024, "line 9: longer than 1023 bytes"},
		{'x', 100000, "line 9: longer than 1023 bytes"},
		{0, 1, "line 9: a NUL byte"},
		{0, 200, "line 9: a NUL byte"},
	};
	char text[sizeof(good) + 100002], why[256];

	for (unsigned i = 0; i < 2 * sizeof(bad) / sizeof(bad[0]); i++) {
		size_t len = sizeof(good) - 1, at = 0, piece = i % 2 ? 100 : sizeof(text);
		struct small_machine s;
		struct pr_replay *r;
		int err = 0;

		memcpy(text, good, len);
		memset(text + len, bad[i / 2].fill, bad[i / 2].len);
		len += bad[i / 2].len;
		text[len++] = '\n';
		small_machine_make(&s, 1, 4096, ZONE_NORMAL, 2);
		r = pr_replay_new(&s.m);
		for (; !err && at < len; at += piece)
			err = pr_replay_feed(r, text + at, len - at < piece ? len - at : piece, why,
					     sizeof(why));
		assert_int_equal(err, -EINVAL);
		assert_string_equal(why, bad[i / 2].why);
		assert_int_equal(pr_replay_feed(r, good, sizeof(good) - 1, why, sizeof(why)),
				 -EINVAL);
		assert_string_equal(why, bad[i / 2].why);
		assert_int_equal(pr_replay_end(r, why, sizeof(why)), -EINVAL);
		assert_string_equal(why, bad[i / 2].why);
		check_events(r);
		pr_replay_free(r);
		small_machine_free(&s);
	}
}

static void half_a_line(void **)
{
	struct small_machine s;
	struct pr_replay *r;
	char why[256];

	small_machine_make(&s, 1, 4096, ZONE_NORMAL, 2);
	r = pr_replay_new(&s.m);
	assert_int_equal(pr_replay_feed(r, good, sizeof(good) - 10, why, sizeof(why)), 0);
	assert_int_equal(pr_replay_end(r, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "line 8: the text stops inside a line");
	/* a descriptor was closed, not the last one: the rest may still come */
	assert_int_equal(pr_replay_feed(r, good + sizeof(good) - 10, 9, why, sizeof(why)), 0);
	assert_int_equal(pr_replay_end(r, why, sizeof(why)), 0);
	check_stats(r);
	pr_replay_free(r);
	small_machine_free(&s);
}

static void reference(void **)
{
	static const char text[] =
		"Node 0, zone   Normal      1      2      3      4      5      6      7      8     "
		" 9     10     11 \n"
		"\n"
		"Node 1, zone   Normal      0 0 0 0 0 0 0 0 0 0 1099511627775\r\n";
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"hello\n", "line 1: not 'Node N, zone NAME' but 'hello'"},
		{"\nNode 0, zone\n", "line 2: not 'Node N, zone NAME' but ''"},
		{"Node 0, zone Movable 1 2 3 4 5 6 7 8 9 10 11\n",
		 "line 1: this machine's node has no zone 'Movable'"},
		{"Node 2, zone Normal 1 2 3 4 5 6 7 8 9 10 11\n",
		 "line 1: this machine's node has no zone 'Normal'"},
		{"Node 0, zone Normal 1 2 3 4 5 6 7 8 9 10\n",
		 "line 1: a count of blocks is missing at 'the end'"},
		{"Node 0, zone Normal 1 2 3 -4 5 6 7 8 9 10 11\n",
		 "line 1: a count of blocks is missing at '-4'"},
		{"Node 0, zone Normal 1 2 3 4 5 6 7 8 9 10 11 12\n",
		 "line 1: more than 11 orders of zone 'Normal'"},
	};
	struct pr_free_blocks to[2];
	struct small_machine s;
	char why[256];

	small_machine_make(&s, 2, 4096, ZONE_NORMAL, 2);
	memset(to, 0, sizeof(to));
	assert_int_equal(pr_buddyinfo_parse(&s.m, text, sizeof(text) - 1, to, why, sizeof(why)), 0);
	assert_true(to[0].known && to[1].known);
	for (unsigned o = 0; o < NR_ORDERS; o++)
		assert_int_equal(to[0].blocks[o], o + 1);
	assert_true(to[1].blocks[10] == 1099511627775);
	assert_int_equal(pr_buddyinfo_parse(&s.m, text, sizeof(text), to, why, sizeof(why)),
			 -EINVAL);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(pr_buddyinfo_parse(&s.m, bad[i].text, strlen(bad[i].text), to, why,
						    sizeof(why)),
				 -EINVAL);
		assert_string_equal(why, bad[i].why);
	}
	small_machine_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_any_size), cmocka_unit_test(broken_lines_are_named),
		cmocka_unit_test(what_is_no_text),    cmocka_unit_test(half_a_line),
		cmocka_unit_test(reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
