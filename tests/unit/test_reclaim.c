/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reclaim.c: the LRU, kswapd, direct reclaim, refaults, writeback; the checker after each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <errno.h>
#include <pagerig/memory.h>
#include <stdlib.h>

enum { PAGES = 16384, SWAP = 65536 };

struct lab {
	struct small_machine s;
	struct pr_memory *mem;
	bool run_kswapd;   /* at once, when it is woken */
	bool in_kswapd;
	unsigned throttled[8];
};

static void run_kswapd(struct lab *lab, unsigned node)
{
	unsigned steps = 0;

	if (lab->in_kswapd)
		return;
	lab->in_kswapd = true;
	while (pr_kswapd_step(&lab->s.m, node, 0) == PR_KSWAPD_MORE) {
		pr_memory_complete(lab->mem, UINT64_MAX);
		assert_true(++steps < 10000);
	}
	lab->in_kswapd = false;
}

static void on_wake(void *ctx, unsigned node, unsigned, enum zone_type)
{
	struct lab *lab = ctx;

	if (lab->run_kswapd)
		run_kswapd(lab, node);
}

static void on_throttle(void *ctx, unsigned node, enum pr_throttle reason, unsigned)
{
	struct lab *lab = ctx;

	lab->throttled[reason]++;
	pr_memory_complete(lab->mem, UINT64_MAX);
	if (reason == THROTTLE_RESERVES && lab->run_kswapd)
		run_kswapd(lab, node);
}

static struct lab *make(unsigned nodes, uint64_t swap)
{
	static struct lab lab;

	lab = (struct lab){0};
	small_machine_make(&lab.s, nodes, PAGES, ZONE_NORMAL, 2);
	lab.mem = pr_memory_new(&lab.s.m);
	assert_non_null(lab.mem);
	lab.s.m.host.ctx = &lab;
	lab.s.m.host.wake_kswapd = on_wake;
	lab.s.m.host.throttle = on_throttle;
	assert_int_equal(pr_swap_resize(&lab.s.m, swap), 0);
	return &lab;
}

static void check(struct lab *lab)
{
	char why[256];

	if (pr_check(&lab->s.m, why, sizeof(why)))
		fail_msg("%s", why);
}

/* All is given back, nothing is left on a list. */
static void end(struct lab *lab)
{
	struct pr_machine *m = &lab->s.m;

	pr_memory_free(lab->mem);
	pr_drain_all(m, 0);
	check(lab);
	for (unsigned i = 0; i < m->arena->nr_zones; i++)
		assert_int_equal(pr_zone_free_snapshot(m, &m->zones[i]), m->zones[i].managed);
	for (unsigned l = 0; l < NR_LRU_LISTS; l++)
		assert_int_equal(pr_lru_pages(m, -1, (enum lru_list)l), 0);
	assert_int_equal(m->arena->swap_used, 0);
	for (unsigned n = 0; n < m->arena->nr_nodes; n++) {
		assert_int_equal(m->nodes[n].lru.dirty, 0);
		assert_int_equal(m->nodes[n].lru.writeback, 0);
		assert_int_equal(m->nodes[n].lru.mapped[0] + m->nodes[n].lru.mapped[1], 0);
		assert_int_equal(m->nodes[n].lru.isolated[0] + m->nodes[n].lru.isolated[1], 0);
	}
	small_machine_free(&lab->s);
}

static int new_row(struct lab *lab, uint64_t pages, unsigned flags)
{
	struct pr_row_spec spec = {.pages = pages, .flags = flags};
	int row = pr_row_new(lab->mem, &spec);

	assert_true(row >= 0);
	return row;
}

/* Touches pages from..to-1; how many could not be had. */
static uint64_t touch(struct lab *lab, int row, uint64_t from, uint64_t to, bool write)
{
	uint64_t failed = 0;

	for (uint64_t i = from; i < to; i++)
		failed += pr_row_touch(lab->mem, row, i, write, 0) < 0;
	return failed;
}

static uint64_t event(struct lab *lab, enum pr_event e)
{
	return pr_event(&lab->s.m, e);
}

static void pages_come_by_batches_and_kinds(void **)
{
	struct lab *lab = make(1, SWAP);
	struct pr_machine *m = &lab->s.m;
	int anon = new_row(lab, 100, 0), file = new_row(lab, 100, PR_ROW_FILE);
	int locked = new_row(lab, 50, PR_ROW_LOCKED);

	assert_int_equal(touch(lab, anon, 0, 100, true), 0);
	assert_int_equal(pr_lru_pages(m, 0, LRU_INACTIVE_ANON), 93);
	pr_lru_drain(m, 0);
	assert_int_equal(pr_lru_pages(m, 0, LRU_INACTIVE_ANON), 100);
	assert_int_equal(touch(lab, file, 0, 100, false), 0);
	assert_int_equal(touch(lab, locked, 0, 50, false), 0);
	pr_lru_drain_all(m);
	check(lab);
	assert_int_equal(pr_lru_pages(m, 0, LRU_INACTIVE_FILE), 100);
	assert_int_equal(pr_lru_pages(m, 0, LRU_UNEVICTABLE), 50);
	/* used twice other than through page tables: active */
	pr_mark_accessed(m, pr_row_pfn(lab->mem, file, 7, NULL));
	assert_int_equal(pr_lru_pages(m, 0, LRU_ACTIVE_FILE), 0);
	pr_mark_accessed(m, pr_row_pfn(lab->mem, file, 7, NULL));
	assert_int_equal(pr_lru_pages(m, 0, LRU_ACTIVE_FILE), 1);
	check(lab);
	assert_int_equal(pr_row_mlock(lab->mem, locked, false, 0), 0);
	assert_int_equal(pr_lru_pages(m, 0, LRU_UNEVICTABLE), 0);
	assert_int_equal(pr_row_mlock(lab->mem, file, true, 0), 0);
	assert_int_equal(pr_lru_pages(m, 0, LRU_UNEVICTABLE), 100);
	assert_int_equal(pr_lru_pages(m, 0, LRU_ACTIVE_FILE), 0);
	assert_int_equal(event(lab, EV_UNEVICTABLE_PGRESCUED), 50);
	check(lab);
	end(lab);
}

/* A frame's owner can be found back, and the row finds its frame. */
static void owners_are_found(void **)
{
	struct lab *lab = make(1, 0);
	int a = new_row(lab, 10, 0), b = new_row(lab, 20, PR_ROW_FILE), row = -1;
	uint64_t page = 0;

	assert_int_equal(touch(lab, a, 0, 10, true) + touch(lab, b, 0, 20, false), 0);
	assert_true(pr_memory_find(lab->mem, pr_row_pfn(lab->mem, b, 13, NULL), &row, &page));
	assert_int_equal(row, b);
	assert_int_equal(page, 13);
	assert_int_equal(pr_row_free(lab->mem, a, 0), 0);
	assert_int_equal(pr_row_free(lab->mem, a, 0), -ENOENT);
	assert_int_equal(pr_row_touch(lab->mem, b, 20, false, 0), -EFAULT);
	assert_int_equal(pr_row_touch(lab->mem, 99, 0, false, 0), -ENOENT);
	end(lab);
}

/* More is used than there is: kswapd keeps up, the high mark is reached, swap holds the rest. */
static void kswapd_balances(void **)
{
	struct lab *lab = make(1, SWAP);
	struct pr_machine *m = &lab->s.m;
	int row = new_row(lab, PAGES * 3 / 2, 0);

	lab->run_kswapd = true;
	for (uint64_t i = 0; i < PAGES * 3 / 2; i += 512) {
		assert_int_equal(touch(lab, row, i, i + 512, true), 0);
		check(lab);
	}
	assert_true(event(lab, EV_PGSTEAL_KSWAPD) >= PAGES / 2);
	assert_true(event(lab, EV_PGSTEAL_KSWAPD) <= event(lab, EV_PGSCAN_KSWAPD));
	assert_int_equal(event(lab, EV_PGSTEAL_ANON),
			 event(lab, EV_PGSTEAL_KSWAPD) + event(lab, EV_PGSTEAL_DIRECT));
	assert_int_equal(event(lab, EV_PSWPOUT), m->arena->swap_used);
	assert_true(event(lab, EV_PGROTATED) > 0);
	assert_true(event(lab, EV_PAGEOUTRUN) > 0);
	/* a stranger's frames are not taken */
	assert_int_equal(m->nodes[0].kswapd.state, KSWAPD_NAPPING);
	assert_int_equal(pr_kswapd_step(m, 0, 0), PR_KSWAPD_ASLEEP);
	end(lab);
}

/* Nobody runs kswapd: requests make room themselves. */
static void requests_reclaim_for_themselves(void **)
{
	struct lab *lab = make(1, SWAP);
	int row = new_row(lab, PAGES * 3 / 2, 0);

	for (uint64_t i = 0; i < PAGES * 3 / 2; i += 512) {
		assert_int_equal(touch(lab, row, i, i + 512, true), 0);
		check(lab);
	}
	assert_int_equal(event(lab, EV_PGSTEAL_KSWAPD), 0);
	assert_true(event(lab, EV_PGSTEAL_DIRECT) >= PAGES / 2);
	assert_true(event(lab, EV_ALLOCSTALL_NORMAL) + event(lab, EV_ALLOCSTALL_MOVABLE) >= PAGES / 2 / 64);
	assert_true(lab->throttled[THROTTLE_RESERVES] == event(lab, EV_PGSCAN_DIRECT_THROTTLE));
	end(lab);
}

/* Without swap anonymous memory stays, and the request fails in the end. */
static void without_swap_it_ends(void **)
{
	struct lab *lab = make(1, 0);
	int row = new_row(lab, PAGES * 2, 0);

	lab->run_kswapd = true;
	assert_true(touch(lab, row, 0, PAGES * 2, true) > 0);
	assert_int_equal(event(lab, EV_PGSTEAL_ANON), 0);
	assert_int_equal(event(lab, EV_PSWPOUT), 0);
	check(lab);
	end(lab);
}

/* Nothing can be reclaimed: kswapd tries 16 times, then waits for a direct reclaimer's success. */
static void kswapd_gives_up(void **)
{
	struct lab *lab = make(1, 0);
	struct pr_machine *m = &lab->s.m;
	struct pr_request r = PR_REQUEST(0, GFP_NOWAIT);
	int file;
	pfn_t pfn;

	lab->run_kswapd = true;
	file = new_row(lab, 500, PR_ROW_FILE | PR_ROW_LOCKED);
	assert_int_equal(touch(lab, file, 0, 500, false), 0);
	while (!pr_alloc(m, &r, &pfn))
		;
	assert_int_equal(m->nodes[0].kswapd_failures, 16);
	assert_int_equal(event(lab, EV_PGSTEAL_KSWAPD), 0);
	/* file pages that may go give it a reason again */
	assert_int_equal(pr_row_mlock(lab->mem, file, false, 0), 0);
	{
		uint64_t done;

		assert_int_equal(pr_reclaim_node(m, 0, 0, 100, -1, &done), 0);
		assert_true(done >= 100);
	}
	assert_int_equal(m->nodes[0].kswapd_failures, 0);
	check(lab);
	pr_memory_free(lab->mem);
	check(lab);
	small_machine_free(&lab->s);
}

/* Pages used once go before pages used often; what comes back too soon comes back active. */
static void the_working_set_stays(void **)
{
	struct lab *lab = make(1, 0);
	struct pr_machine *m = &lab->s.m;
	int hot = new_row(lab, PAGES / 4, PR_ROW_FILE), stream = new_row(lab, PAGES * 4, PR_ROW_FILE);
	struct pr_row_stat s;
	uint64_t major;

	lab->run_kswapd = true;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(touch(lab, hot, 0, PAGES / 4, false), 0);
		for (uint64_t p = 0; p < PAGES / 4; p++)
			pr_mark_accessed(m, pr_row_pfn(lab->mem, hot, p, NULL));
	}
	for (uint64_t i = 0; i < PAGES * 4; i += PAGES / 8) {
		assert_int_equal(touch(lab, stream, i, i + PAGES / 8, false), 0);
		assert_int_equal(touch(lab, hot, 0, PAGES / 4, false), 0);
		check(lab);
	}
	assert_int_equal(pr_row_stat(lab->mem, hot, &s), 0);
	major = s.major;
	assert_true(major < PAGES / 4 * 2); /* hardly any came more than once */
	assert_true(event(lab, EV_PGSTEAL_FILE) >= PAGES * 2);
	assert_int_equal(event(lab, EV_PGSTEAL_ANON), 0);
	end(lab);
}

/* A loop over a little more than memory: refaults are seen and activate. */
static void thrashing_is_seen(void **)
{
	struct lab *lab = make(1, 0);
	struct pr_machine *m = &lab->s.m;
	int row = new_row(lab, PAGES + PAGES / 4, PR_ROW_FILE);

	lab->run_kswapd = true;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(touch(lab, row, 0, PAGES + PAGES / 4, false), 0);
	assert_true(m->nodes[0].lru.refaulted[1] > PAGES / 2);
	assert_true(m->nodes[0].lru.activated[1] <= m->nodes[0].lru.refaulted[1]);
	check(lab);
	end(lab);
}

/* Dirty file pages are left to flushers at first; a boost does not make kswapd write. */
static void dirty_pages_wait(void **)
{
	struct lab *lab = make(1, SWAP);
	struct pr_machine *m = &lab->s.m;
	int row = new_row(lab, 2000, PR_ROW_FILE);
	uint64_t done;

	assert_int_equal(touch(lab, row, 0, 2000, true), 0);
	pr_lru_drain_all(m);
	assert_int_equal(pr_reclaim_node(m, 0, 0, 100, -1, &done), -EAGAIN);
	assert_int_equal(done, 0);
	assert_true(event(lab, EV_NR_VMSCAN_IMMEDIATE) > 0);
	assert_int_equal(m->nodes[0].lru.dirty > 0, true);
	check(lab);
	/* dropped caches: neither dirty nor mapped ones */
	assert_int_equal(pr_drop_caches(m, 1, 0), 0);
	end(lab);
}

static void drop_caches_takes_what_is_clean(void **)
{
	struct lab *lab = make(2, SWAP);
	struct pr_machine *m = &lab->s.m;
	int row = new_row(lab, 1000, PR_ROW_FILE), anon = new_row(lab, 100, 0);
	uint64_t done;

	assert_int_equal(touch(lab, row, 0, 1000, false) + touch(lab, anon, 0, 100, true), 0);
	assert_int_equal(pr_drop_caches(m, 3, 0), 0); /* all are mapped */
	assert_int_equal(pr_reclaim_node(m, 0, 0, 64, 0, &done), 0); /* unmaps some first */
	check(lab);
	assert_int_equal(event(lab, EV_PGSTEAL_ANON), 0); /* with swappiness 0 */
	assert_int_equal(event(lab, EV_DROP_PAGECACHE), 1);
	assert_int_equal(event(lab, EV_DROP_SLAB), 1);
	end(lab);
}

/* --- shrinkers --- */
static uint64_t cache_objects;

static uint64_t cache_count(void *, unsigned)
{
	return cache_objects;
}

static uint64_t cache_scan(void *, unsigned, uint64_t nr)
{
	uint64_t n = nr < cache_objects ? nr : cache_objects;

	cache_objects -= n;
	return n;
}

static void shrinkers_are_pressed(void **)
{
	static const struct pr_shrinker cache = {"test", cache_count, cache_scan, NULL, 2};
	struct lab *lab = make(1, SWAP);
	uint64_t done;

	cache_objects = 100000;
	assert_int_equal(pr_shrinker_register(&lab->s.m, &cache), 0);
	assert_int_equal(pr_reclaim_node(&lab->s.m, 0, 0, 10, -1, &done), 0);
	assert_true(cache_objects < 100000);
	assert_int_equal(event(lab, EV_SLABS_SCANNED), 100000 - cache_objects);
	pr_drop_caches(&lab->s.m, 2, 0);
	assert_true(cache_objects < 1000);
	end(lab);
}

/* --- random scripts --- */
enum { ROWS = 6 };
struct script {
	struct lab *lab;
	struct rng rng;
	int row[ROWS];
	uint64_t size[ROWS];
};

static void new_random_row(struct script *t, unsigned i)
{
	static const unsigned flags[] = {0, 0, PR_ROW_FILE, PR_ROW_FILE | PR_ROW_EXEC};
	struct pr_row_spec spec = {.pages = 500 + rng_below(&t->rng, 4000),
				   .flags = flags[rng_below(&t->rng, 4)],
				   .node = (int)rng_below(&t->rng, 3) - 1};

	t->size[i] = spec.pages;
	t->row[i] = pr_row_new(t->lab->mem, &spec);
	assert_true(t->row[i] >= 0);
}

static void random_op(struct script *t)
{
	struct pr_machine *m = &t->lab->s.m;
	unsigned i = rng_below(&t->rng, ROWS), dice = rng_below(&t->rng, 100);
	unsigned cpu = rng_below(&t->rng, 2);
	uint64_t page = rng_below(&t->rng, (unsigned)t->size[i]), done;

	if (dice < 70) {
		bool write = rng_below(&t->rng, 2);

		for (unsigned n = 0; n < 200 && page + n < t->size[i]; n++)
			pr_row_touch(t->lab->mem, t->row[i], page + n, write, cpu);
	} else if (dice < 76) {
		assert_int_equal(pr_row_punch(t->lab->mem, t->row[i], page, cpu), 0);
	} else if (dice < 80) {
		assert_int_equal(pr_row_free(t->lab->mem, t->row[i], cpu), 0);
		new_random_row(t, i);
	} else if (dice < 84) {
		pr_row_mlock(t->lab->mem, t->row[i], rng_below(&t->rng, 4) == 0, cpu);
	} else if (dice < 88) {
		pr_reclaim_node(m, rng_below(&t->rng, 2), cpu, rng_below(&t->rng, 500), -1, &done);
	} else if (dice < 90) {
		pr_drop_caches(m, 1 + rng_below(&t->rng, 3), cpu);
	} else if (dice < 96) {
		pr_memory_complete(t->lab->mem, rng_below(&t->rng, 200));
	} else {
		pr_tick(m, cpu);
	}
}

static uint64_t random_reclaim(uint64_t seed, unsigned ops, bool checked)
{
	struct script t = {.lab = make(2, 20000), .rng = {seed * 2654435761u + 1}};
	uint64_t digest;

	t.lab->run_kswapd = seed & 1;
	for (unsigned i = 0; i < ROWS; i++)
		new_random_row(&t, i);
	for (unsigned i = 0; i < ops; i++) {
		random_op(&t);
		if (checked)
			check(t.lab);
	}
	digest = pr_digest(&t.lab->s.m);
	end(t.lab);
	return digest;
}

static void random_rows(void **)
{
	const char *seeds = getenv("SEEDS");
	unsigned n = seeds ? (unsigned)atoi(seeds) / 25 + 1 : 5;

	for (uint64_t seed = 1; seed <= n; seed++)
		random_reclaim(seed, 150, true);
}

static void the_same_again(void **)
{
	for (uint64_t seed = 1; seed <= 4; seed++)
		assert_int_equal(random_reclaim(seed, 300, false), random_reclaim(seed, 300, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_come_by_batches_and_kinds),
		cmocka_unit_test(owners_are_found),
		cmocka_unit_test(kswapd_balances),
		cmocka_unit_test(requests_reclaim_for_themselves),
		cmocka_unit_test(without_swap_it_ends),
		cmocka_unit_test(kswapd_gives_up),
		cmocka_unit_test(the_working_set_stays),
		cmocka_unit_test(thrashing_is_seen),
		cmocka_unit_test(dirty_pages_wait),
		cmocka_unit_test(drop_caches_takes_what_is_clean),
		cmocka_unit_test(shrinkers_are_pressed),
		cmocka_unit_test(random_rows),
		cmocka_unit_test(the_same_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
