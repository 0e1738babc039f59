/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace.c: the ring, the text of events, filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <errno.h>
#include <pagerig/lab.h>
#include <pagerig/trace.h>
#include <string.h>

enum { RING = 8 };
struct rig {
	struct small_machine s;
	struct pr_trace t;
	struct pr_trace_record ring[RING];
	unsigned woken;
};

static void woken(void *ctx)
{
	((struct rig *)ctx)->woken++;
}

static uint64_t clock_of(void *)
{
	return 5000;
}

static struct rig *make(void)
{
	static struct rig r;

	memset(&r, 0, sizeof(r));
	small_machine_make(&r.s, 1, 4096, ZONE_NORMAL, 2);
	pr_trace_init(&r.t, r.ring, sizeof(r.ring));
	pr_trace_attach(&r.s.m, &r.t);
	r.s.m.host.ctx = &r;
	r.s.m.host.traced = woken;
	return &r;
}

static void put_free(struct rig *r, pfn_t pfn)
{
	pr_trace(&r->s.m, 1, mm_page_free, .pfn = pfn, .order = 3);
}

static void switches(void **)
{
	struct rig *r = make();

	put_free(r, 1);
	assert_int_equal(r->t.head, 0);
	pr_trace_switch(&r->s.m, true, 1ull << TRACE_mm_page_alloc);
	put_free(r, 1);
	assert_int_equal(r->t.head, 0);
	pr_trace_switch(&r->s.m, true, 1ull << TRACE_mm_page_free);
	put_free(r, 1);
	assert_int_equal(r->t.head, 1);
	pr_trace_switch(&r->s.m, false, 1ull << TRACE_mm_page_free);
	put_free(r, 1);
	assert_int_equal(r->t.head, 1);
	small_machine_free(&r->s);
}

static void the_oldest_is_lost_and_counted(void **)
{
	struct rig *r = make();
	struct pr_trace_record got[RING * 2];
	struct pr_trace_record bigger[RING * 2];
	uint64_t pos = 0, lost;

	pr_trace_switch(&r->s.m, true, ~0ull);
	for (pfn_t pfn = 0; pfn < RING + 3; pfn++)
		put_free(r, pfn);
	assert_int_equal(pr_trace_read(&r->t, &pos, got, RING * 2, false, false, &lost), RING);
	assert_int_equal(lost, 3);
	assert_int_equal(r->t.overrun, 3);
	assert_int_equal(((struct trace_mm_page_free *)got[0].data)->pfn, 3);
	pos = 0;
	assert_int_equal(pr_trace_read(&r->t, &pos, got, 2, true, false, &lost), 2);
	assert_ptr_equal(pr_trace_resize(&r->t, bigger, sizeof(bigger)), r->ring);
	put_free(r, 99);
	assert_int_equal(pr_trace_read(&r->t, &pos, got, RING * 2, true, true, &lost), RING - 1);
	assert_int_equal(lost, 0);
	assert_int_equal(((struct trace_mm_page_free *)got[0].data)->pfn, 5);
	assert_int_equal(((struct trace_mm_page_free *)got[RING - 2].data)->pfn, 99);
	assert_int_equal(r->woken, 0);
	assert_int_equal(pr_trace_read(&r->t, &pos, got, RING, true, true, &lost), 0);
	put_free(r, 100);
	put_free(r, 101);
	assert_int_equal(r->woken, 1);
	pr_trace_clear(&r->t);
	assert_int_equal(pr_trace_read(&r->t, &pos, got, RING, true, true, &lost), 0);
	small_machine_free(&r->s);
}

static void text_is_the_kernels(void **)
{
	struct rig *r = make();
	char text[512];

	r->s.m.host.now = clock_of;
	pr_trace_switch(&r->s.m, true, ~0ull);
	pr_trace(&r->s.m, 1, mm_page_alloc, .pfn = 0x10, .order = 2, .gfp_flags = GFP_ATOMIC,
		 .migratetype = 1);
	pr_trace_print(&r->ring[0], text, sizeof(text));
	assert_string_equal(text, "mm_page_alloc: page=ffffea0000000400 pfn=0x10 order=2 "
				  "migratetype=1 gfp_flags=GFP_ATOMIC");
	assert_int_equal(r->ring[0].time, 5000);
	assert_int_equal(r->ring[0].cpu, 1);
	pr_trace(&r->s.m, 0, mm_page_alloc, .pfn = PFN_NONE);
	pr_trace_print(&r->ring[1], text, sizeof(text));
	assert_string_equal(text, "mm_page_alloc: page=0000000000000000 pfn=0x0 order=0 "
				  "migratetype=0 gfp_flags=none");
	pr_trace(&r->s.m, 0, mm_vmscan_lru_shrink_inactive, .nr_scanned = 32, .priority = 12,
		 .reclaim_flags = 9);
	pr_trace_print(&r->ring[2], text, sizeof(text));
	assert_string_equal(text, "mm_vmscan_lru_shrink_inactive: nid=0 nr_scanned=32 nr_reclaimed=0 "
				  "nr_dirty=0 nr_writeback=0 nr_congested=0 nr_immediate=0 "
				  "nr_activate_anon=0 nr_activate_file=0 nr_ref_keep=0 nr_unmap_fail=0 "
				  "priority=12 flags=RECLAIM_WB_ANON|RECLAIM_WB_ASYNC");
	pr_trace(&r->s.m, 0, mm_compaction_finished, .idx = ZONE_NORMAL, .order = 9, .ret = 7);
	pr_trace_print(&r->ring[3], text, sizeof(text));
	assert_string_equal(text, "mm_compaction_finished: node=0 zone=Normal   order=9 ret=success");
	small_machine_free(&r->s);
}

/* Each {conversion:field} of the table exists: no text or format has one left. */
static void every_event_prints(void **)
{
	for (unsigned e = 0; e < NR_TRACE_EVENTS; e++) {
		struct pr_trace_record r = {.event = (uint16_t)e};
		char text[4096];

		assert_in_range(pr_trace_print(&r, text, sizeof(text)), 1, sizeof(text) - 1);
		assert_null(strstr(text, "= "));
		assert_null(strchr(text, '{'));
		assert_in_range(pr_trace_format(e, text, sizeof(text)), 1, sizeof(text) - 1);
		assert_non_null(strstr(text, "\nprint fmt: \""));
		assert_null(strstr(text, ", ,"));
		assert_int_equal(pr_trace_find(pr_trace_system(e), pr_trace_name(e)), e);
	}
	assert_int_equal(pr_trace_find(NULL, "mm_page"), -1);
}

static bool passes(struct rig *r, const char *filter, pfn_t pfn)
{
	uint64_t head = r->t.head;
	char why[256];

	assert_int_equal(pr_trace_filter_set(&r->t, TRACE_mm_page_free, filter, why, sizeof(why)), 0);
	put_free(r, pfn);
	return r->t.head != head;
}

static void filters(void **)
{
	static const struct {
		const char *filter, *why;
	} bad[] = {
		{"ordr == 3", "mm_page_free has no field 'ordr'"},
		{"order = 3", "after 'order' comes one of == != < <= > >= &"},
		{"order == x3", "'x3' is not a number"},
		{"order == 3 &&", "a field's name is missing at ''"},
		{"(order == 3", "a ')' is missing"},
		{"order == 3 pfn", "'pfn' is left over"},
	};
	struct rig *r = make();
	char why[256];

	pr_trace_switch(&r->s.m, true, ~0ull);
	assert_true(passes(r, "order == 3", 1));
	assert_false(passes(r, "order != 3", 1));
	assert_true(passes(r, "order >= 3 && pfn & 0x10", 0x30));
	assert_false(passes(r, "order >= 3 && pfn & 0x10", 0x20));
	assert_true(passes(r, "pfn == 1 || pfn == 2 && order == 0", 1));
	assert_false(passes(r, "(pfn == 1 || pfn == 2) && order == 0", 1));
	assert_true(passes(r, "!(pfn < 5)", 5));
	assert_true(passes(r, "cpu == 1", 5));
	assert_false(passes(r, "common_pid > 0", 5));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(pr_trace_filter_set(&r->t, TRACE_mm_page_free, bad[i].filter, why,
						     sizeof(why)), -EINVAL);
		assert_string_equal(why, bad[i].why);
	}
	assert_string_equal(r->t.filter[TRACE_mm_page_free].text, "common_pid > 0");
	assert_true(passes(r, "0", 5));
	small_machine_free(&r->s);
}

/* --- our own trace, replayed --- */
enum { BIG_RING = 1 << 16, LIVE = 3000, MOST_PAGES = 3000 };
struct live {
	pfn_t pfn;
	unsigned order;
};

/* Allocations and frees by two CPUs. Few enough pages that none fails: a replay leaves those out. */
static void random_requests(struct pr_machine *m, uint64_t seed)
{
	static const gfp_t gfps[] = {GFP_KERNEL | __GFP_NOWARN, GFP_HIGHUSER_MOVABLE | __GFP_NOWARN,
				     GFP_ATOMIC | __GFP_NOWARN, __GFP_NOWARN,
				     GFP_KERNEL | __GFP_RECLAIMABLE | __GFP_NOWARN};
	struct rng rng = {seed * 2654435761u + 1};
	static struct live live[LIVE];
	unsigned nr = 0, pages = 0;

	for (unsigned i = 0; i < 12000; i++) {
		struct pr_request r = PR_REQUEST(0, gfps[rng_below(&rng, 5)]);
		unsigned dice = rng_below(&rng, 100), n = nr ? rng_below(&rng, nr) : 0;

		r.order = dice < 60 ? 0 : dice < 95 ? rng_below(&rng, 4) : rng_below(&rng, 7);
		r.node = -1;
		r.cpu = rng_below(&rng, 2);
		r.lru = (r.gfp & __GFP_MOVABLE) != 0;
		if (nr < LIVE && pages + (1u << r.order) < MOST_PAGES && rng_below(&rng, 100) < 60) {
			assert_int_equal(pr_alloc(m, &r, &live[nr].pfn), 0);
			live[nr++].order = r.order;
			pages += 1u << r.order;
		} else if (nr) {
			pages -= 1u << live[n].order;
			assert_int_equal(pr_free(m, live[n].pfn, live[n].order, r.cpu), 0);
			live[n] = live[--nr];
		}
	}
}

static void our_own_trace_replays(void **)
{
	static struct pr_trace_record ring[BIG_RING], got[64];
	uint64_t pos = 0, lost, digest, events = 0, recorded;
	struct rig *r = make();
	struct pr_replay_stats s;
	struct small_machine again;
	struct pr_replay *replay;
	char line[512], why[256];
	unsigned n;

	pr_trace_resize(&r->t, ring, sizeof(ring));
	pr_trace_switch(&r->s.m, true, 1ull << TRACE_mm_page_alloc | 1ull << TRACE_mm_page_free);
	random_requests(&r->s.m, 7);
	digest = pr_digest(&r->s.m);
	recorded = r->t.head;
	assert_int_equal(r->t.overrun, 0);
	small_machine_make(&again, 1, 4096, ZONE_NORMAL, 2);
	replay = pr_replay_new(&again.m);
	while ((n = pr_trace_read(&r->t, &pos, got, 64, true, false, &lost)))
		for (unsigned i = 0; i < n; i++, events++) {
			int len = pr_trace_line(&got[i], "test", line, sizeof(line));

			if (pr_replay_feed(replay, line, (size_t)len, why, sizeof(why)))
				fail_msg("%s: %s", line, why);
		}
	assert_int_equal(pr_replay_end(replay, why, sizeof(why)), 0);
	assert_int_equal(events, recorded);
	pr_replay_stats(replay, &s);
	assert_true(s.allocs > 5000 && s.frees > 3000);
	assert_int_equal(s.failures, 0);
	if (pr_digest(&again.m) != digest)
		fail_msg("the digest differs after %llu events", (unsigned long long)events);
	pr_replay_free(replay);
	small_machine_free(&again);
	small_machine_free(&r->s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switches), cmocka_unit_test(the_oldest_is_lost_and_counted),
		cmocka_unit_test(text_is_the_kernels), cmocka_unit_test(every_event_prints),
		cmocka_unit_test(filters), cmocka_unit_test(our_own_trace_replays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
