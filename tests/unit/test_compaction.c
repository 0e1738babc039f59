/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_compaction.c: compaction, migration and contiguous ranges, with owners who are told of each
 * move: a name and its content stay together, whatever the frame; the checker after each step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <errno.h>
#include <pagerig/compact.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES = 16384, MAX_USERS = PAGES };

/* A page of user memory: where it is, and what is written in it (its own number). */
struct user {
	pfn_t pfn;
	unsigned order;
	bool live;
};

struct lab {
	struct small_machine s;
	struct user user[MAX_USERS + 1]; /* by owner mark */
	uint32_t content[PAGES];	 /* by frame */
	unsigned moves, busy_one_in, refuse_one_in;
	struct rng rng;
};

static pfn_t first_pfn(const struct lab *lab)
{
	return lab->s.m.zones[0].start_pfn;
}

static uint32_t *content(struct lab *lab, pfn_t pfn)
{
	return &lab->content[pfn - first_pfn(lab)];
}

static int migrate(void *ctx, uint32_t owner, pfn_t from, pfn_t to, unsigned order)
{
	struct lab *lab = ctx;
	struct user *u = &lab->user[owner];

	assert_true(u->live);
	assert_int_equal(u->pfn, from);
	assert_int_equal(u->order, order);
	if (lab->busy_one_in && !rng_below(&lab->rng, lab->busy_one_in))
		return -EAGAIN;
	if (lab->refuse_one_in && !rng_below(&lab->rng, lab->refuse_one_in))
		return -EBUSY;
	memcpy(content(lab, to), content(lab, from), sizeof(lab->content[0]) << order);
	memset(content(lab, from), 0xee, sizeof(lab->content[0]) << order);
	u->pfn = to;
	lab->moves++;
	return 0;
}

static struct lab *make(uint64_t pages, unsigned cpus)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	small_machine_make(&lab->s, 1, pages, ZONE_NORMAL, cpus);
	lab->s.m.host.ctx = lab;
	lab->s.m.host.migrate = migrate;
	lab->rng = (struct rng){1};
	return lab;
}

static void unmake(struct lab *lab)
{
	small_machine_free(&lab->s);
	free(lab);
}

static void check(struct lab *lab)
{
	char why[256];

	if (pr_check(&lab->s.m, why, sizeof(why)))
		fail_msg("%s", why);
	for (uint32_t i = 1; i <= MAX_USERS; i++)
		for (unsigned k = 0; lab->user[i].live && k < 1u << lab->user[i].order; k++)
			assert_int_equal(*content(lab, lab->user[i].pfn + k), i);
}

/* User i gets memory; false if there is none. */
static bool touch(struct lab *lab, uint32_t i, unsigned order, unsigned cpu)
{
	struct pr_request r = PR_REQUEST(order, GFP_HIGHUSER_MOVABLE | __GFP_NOWARN);
	struct user *u = &lab->user[i];

	r.gfp |= order ? __GFP_COMP | __GFP_NORETRY : 0;
	r.owner = i;
	r.cpu = cpu;
	if (pr_alloc(&lab->s.m, &r, &u->pfn))
		return false;
	u->order = order;
	u->live = true;
	for (unsigned k = 0; k < 1u << order; k++)
		*content(lab, u->pfn + k) = i;
	assert_int_equal(pr_lru_add(&lab->s.m, u->pfn, cpu), 0);
	return true;
}

static void drop(struct lab *lab, uint32_t i, unsigned cpu)
{
	struct user *u = &lab->user[i];

	pr_lru_drain(&lab->s.m, cpu);
	assert_int_equal(pr_free(&lab->s.m, u->pfn, u->order, cpu), 0);
	u->live = false;
}

/* Users in all of memory but `left` pages, then every step-th of them gone. */
static void fill_with_holes(struct lab *lab, unsigned left, unsigned step)
{
	uint32_t n = 0;

	while (n < MAX_USERS && pr_zone_free_snapshot(&lab->s.m, &lab->s.m.zones[0]) > left &&
	       touch(lab, n + 1, 0, 0))
		n++;
	for (uint32_t i = 1; i <= n; i += step)
		drop(lab, i, 0);
	pr_lru_drain_all(&lab->s.m);
	pr_drain_all(&lab->s.m, 0);
	check(lab);
}

static void large_blocks_are_made(void **)
{
	struct lab *lab = make(PAGES, 2);
	pfn_t pfn[8];

	fill_with_holes(lab, 600, 2);
	assert_int_equal(lab->moves, 0);
	for (unsigned i = 0; i < 8; i++) {
		struct pr_request r =
			PR_REQUEST(9, i % 2 ? GFP_TRANSHUGE : GFP_KERNEL | __GFP_COMP);

		r.cpu = i % 2;
		assert_int_equal(pr_alloc(&lab->s.m, &r, &pfn[i]), 0);
		check(lab);
	}
	assert_true(lab->moves > 4 * 128);
	assert_int_equal(pr_event(&lab->s.m, EV_PGMIGRATE_SUCCESS), lab->moves);
	assert_true(pr_event(&lab->s.m, EV_COMPACT_SUCCESS) > 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(pr_free(&lab->s.m, pfn[i], 9, 0), 0);
	check(lab);
	unmake(lab);
}

/* Nobody can be told: nothing moves, and the request fails as before. */
static void without_owners_nothing_moves(void **)
{
	struct lab *lab = make(PAGES, 1);
	pfn_t pfn;

	fill_with_holes(lab, 300, 2);
	lab->s.m.host.migrate = NULL;
	assert_int_equal(pr_alloc(&lab->s.m, &PR_REQUEST(9, GFP_TRANSHUGE), &pfn), -ENOMEM);
	assert_int_equal(pr_compact_node(&lab->s.m, 0, 0), 0);
	assert_int_equal(lab->moves, 0);
	assert_true(pr_event(&lab->s.m, EV_COMPACT_FAIL) > 0);
	check(lab);
	unmake(lab);
}

/* Failures in a row make it wait longer each time. */
static void failure_defers(void **)
{
	struct lab *lab = make(PAGES, 1);
	struct compact_memory *c = &lab->s.m.zones[0].compact;
	uint64_t stalls;
	pfn_t pfn;

	fill_with_holes(lab, 300, 3);
	lab->refuse_one_in = 1;
	for (unsigned i = 0; i < 30; i++) {
		assert_int_equal(pr_alloc(&lab->s.m, &PR_REQUEST(9, GFP_TRANSHUGE), &pfn), -ENOMEM);
		check(lab);
	}
	assert_in_range(c->defer_shift, 3, 6);
	assert_true(c->order_failed <= 9);
	stalls = pr_event(&lab->s.m, EV_COMPACT_MIGRATE_SCANNED);
	assert_int_equal(pr_alloc(&lab->s.m, &PR_REQUEST(9, GFP_TRANSHUGE | __GFP_NORETRY), &pfn),
			 -ENOMEM);
	assert_int_equal(pr_event(&lab->s.m, EV_COMPACT_MIGRATE_SCANNED), stalls);
	lab->refuse_one_in = 0;
	for (unsigned i = 0; i < 200 && pr_alloc(&lab->s.m, &PR_REQUEST(9, GFP_TRANSHUGE), &pfn);
	     i++)
		check(lab);
	assert_int_equal(c->defer_shift, 0); /* it succeeded in the end */
	check(lab);
	unmake(lab);
}

static unsigned free_blocks(const struct lab *lab, unsigned order)
{
	unsigned n = 0;

	for (unsigned o = order; o < NR_ORDERS; o++)
		n += (unsigned)lab->s.m.zones[0].area[o].nr_free << (o - order);
	return n;
}

static void a_node_is_compacted(void **)
{
	struct lab *lab = make(PAGES, 1);

	fill_with_holes(lab, 100, 2);
	assert_true(free_blocks(lab, 9) < 2);
	assert_true(pr_extfrag_for_order(&lab->s.m.zones[0], 9) > 90);
	assert_int_equal(pr_compact_node(&lab->s.m, 0, 0), 0);
	pr_drain_all(&lab->s.m, 0);
	check(lab);
	assert_true(free_blocks(lab, 9) > 8);
	assert_int_equal(pr_compact_node(&lab->s.m, 1, 0), -EINVAL);
	assert_int_equal(pr_compact_zone(&lab->s.m, 1, 0), -EINVAL);
	assert_int_equal(pr_compact_memory(&lab->s.m, 7), -EINVAL);
	assert_int_equal(pr_compact_memory(&lab->s.m, 0), 0);
	check(lab);
	unmake(lab);
}

static void proactive_compaction_stops_when_tidy(void **)
{
	struct lab *lab = make(PAGES, 1);

	fill_with_holes(lab, 100, 2);
	assert_int_equal(pr_kcompactd_step(&lab->s.m, 0, 0), 0); /* nobody woke it */
	assert_int_equal(pr_sysctl_store(&lab->s.m, "compaction_proactiveness", "0"), 0);
	assert_int_equal(pr_kcompactd_proactive(&lab->s.m, 0, 0), 0);
	assert_int_equal(lab->moves, 0);
	assert_int_equal(pr_sysctl_store(&lab->s.m, "compaction_proactiveness", "60"), 0);
	assert_int_equal(pr_kcompactd_proactive(&lab->s.m, 0, 0), 1);
	check(lab);
	assert_true(pr_extfrag_for_order(&lab->s.m.zones[0], 9) <= 50);
	assert_int_equal(pr_kcompactd_proactive(&lab->s.m, 0, 0), 0);
	assert_true(pr_event(&lab->s.m, EV_COMPACT_DAEMON_MIGRATE_SCANNED) > 0);
	unmake(lab);
}

static void a_range_is_emptied(void **)
{
	struct lab *lab = make(PAGES, 2);
	struct pr_machine *m = &lab->s.m;
	pfn_t start = first_pfn(lab) + 3 * PAGEBLOCK_PAGES + 77;
	int64_t free;

	fill_with_holes(lab, 6000, 3);
	free = pr_zone_free_snapshot(m, &m->zones[0]);
	assert_int_equal(pr_alloc_contig(m, start, 1500, MT_MOVABLE, GFP_KERNEL, 0, 0), 0);
	check(lab);
	assert_true(lab->moves > 500);
	for (unsigned i = 0; i < 1500; i++)
		assert_int_equal(pr_page(m, &m->zones[0], start + i)->state, PAGE_USED);
	/* a second time it is taken */
	assert_int_equal(pr_alloc_contig(m, start, 10, MT_MOVABLE, GFP_KERNEL, 0, 0), -EBUSY);
	check(lab);
	for (pfn_t p = first_pfn(lab); p < first_pfn(lab) + PAGES; p += PAGEBLOCK_PAGES)
		assert_int_not_equal(pr_block_type(m, &m->zones[0], p), MT_ISOLATE);
	assert_int_equal(pr_free_contig(m, start, 1500, 1), 0);
	assert_int_equal(pr_free_contig(m, start, 1, 1), -EINVAL);
	pr_drain_all(m, 0);
	check(lab);
	assert_int_equal(pr_zone_free_snapshot(m, &m->zones[0]), free);
	unmake(lab);
}

static void bad_ranges_change_nothing(void **)
{
	struct lab *lab = make(PAGES, 1);
	struct pr_machine *m = &lab->s.m;
	pfn_t start = first_pfn(lab) + 4096;
	uint64_t digest = pr_digest(m);

	assert_int_equal(pr_alloc_contig(m, 1, 10, MT_MOVABLE, GFP_KERNEL, 0, 0), -EINVAL);
	assert_int_equal(pr_alloc_contig(m, start, 0, MT_MOVABLE, GFP_KERNEL, 0, 0), -EINVAL);
	assert_int_equal(pr_alloc_contig(m, start, PAGES, MT_MOVABLE, GFP_KERNEL, 0, 0), -EINVAL);
	assert_int_equal(pr_alloc_contig(m, start, 10, MT_UNMOVABLE, GFP_KERNEL, 0, 0), -EINVAL);
	assert_int_equal(pr_alloc_contig(m, start, 10, MT_MOVABLE, GFP_KERNEL, 1, 0), -EINVAL);
	assert_int_equal(pr_alloc_contig(m, start, 10, MT_MOVABLE, GFP_KERNEL | __GFP_NOFAIL, 0, 0),
			 -EINVAL);
	assert_int_equal(pr_alloc_contig(m, start, 12, MT_MOVABLE, GFP_KERNEL | __GFP_COMP, 0, 0),
			 -EINVAL);
	assert_int_equal(pr_digest(m), digest);
	unmake(lab);
}

static void unmovable_memory_stops_a_range(void **)
{
	struct lab *lab = make(PAGES, 1);
	struct pr_machine *m = &lab->s.m;
	uint64_t digest;
	pfn_t pfn;

	assert_int_equal(pr_alloc(m, &PR_REQUEST(0, GFP_KERNEL), &pfn), 0);
	pr_drain_all(m, 0);
	digest = pr_digest(m);
	assert_int_equal(pr_alloc_contig(m, pfn & ~511ull, 512, MT_MOVABLE, GFP_KERNEL, 0, 0),
			 -EBUSY);
	check(lab);
	assert_int_equal(pr_digest(m), digest);
	/* one compound block of a free range */
	pfn = first_pfn(lab) + 4096;
	assert_int_equal(pr_alloc_contig(m, pfn, 64, MT_MOVABLE, GFP_KERNEL | __GFP_COMP, 0, 0), 0);
	check(lab);
	assert_int_equal(pr_free(m, pfn, 6, 0), 0);
	check(lab);
	unmake(lab);
}

/* A CMA area: movable memory may live in it, and has to leave when a range is wanted. */
static void cma_area_gives_ranges(void **)
{
	struct lab *lab = make(PAGES, 1);
	struct pr_machine *m = &lab->s.m;
	pfn_t area = first_pfn(lab) + 8192, pfn[8];

	/* pageblocks that were allocated as CMA are CMA when they come back */
	assert_int_equal(pr_alloc_contig(m, area, 4096, MT_CMA, GFP_KERNEL, 0, 0), 0);
	assert_int_equal(pr_free_contig(m, area, 4096, 0), 0);
	pr_drain_all(m, 0);
	check(lab);
	assert_int_equal(m->zones[0].area[MAX_ORDER].list[MT_CMA].nr, 4);
	fill_with_holes(lab, 500, 2);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(pr_cma_alloc(m, 0, 256, 8, GFP_KERNEL, 0, 0, &pfn[i]), 0);
		assert_in_range(pfn[i], area, area + 4096 - 256);
		assert_int_equal(pfn[i] & 255, 0);
		check(lab);
	}
	assert_true(lab->moves > 500);
	assert_int_equal(pr_cma_alloc(m, 0, 4096, 0, GFP_KERNEL, 0, 0, &pfn[0]), -ENOMEM);
	assert_int_equal(pr_event(m, EV_CMA_ALLOC_SUCCESS), 8);
	assert_int_equal(pr_event(m, EV_CMA_ALLOC_FAIL), 1);
	assert_int_equal(pr_free_contig(m, pfn[3], 256, 0), 0);
	assert_int_equal(pr_cma_alloc(m, 0, 256, 0, GFP_KERNEL, 0, 0, &pfn[0]), 0);
	assert_int_equal(pfn[0], pfn[3]);
	check(lab);
	unmake(lab);
}

static bool kill_one(void *ctx, unsigned, gfp_t, uint64_t)
{
	struct lab *lab = ctx;
	bool any = false;

	for (uint32_t i = 1, n = 0; i <= MAX_USERS && n < 1000; i++)
		if (lab->user[i].live) {
			drop(lab, i, 0);
			any = true;
			n++;
		}
	return any;
}

static void the_oom_killer_is_called(void **)
{
	struct lab *lab = make(4096, 1);
	struct pr_request r = PR_REQUEST(0, GFP_KERNEL | __GFP_NOWARN);
	pfn_t pfn;
	uint32_t i;

	for (i = 1; touch(lab, i, 0, 0); i++)
		;
	r.gfp |= __GFP_RETRY_MAYFAIL;
	lab->s.m.host.oom = kill_one;
	assert_int_equal(pr_alloc(&lab->s.m, &r, &pfn), -ENOMEM); /* it does not kill for that */
	r.gfp &= ~__GFP_RETRY_MAYFAIL;
	assert_int_equal(pr_alloc(&lab->s.m, &r, &pfn), 0);
	check(lab);
	unmake(lab);
}

static void one_op(struct lab *lab)
{
	unsigned dice = rng_below(&lab->rng, 1000), cpu = rng_below(&lab->rng, 2);
	uint32_t i = 1 + rng_below(&lab->rng, 6000);
	pfn_t pfn;

	if (dice < 500) {
		if (!lab->user[i].live)
			touch(lab, i, dice < 460 ? 0 : rng_below(&lab->rng, 5), cpu);
	} else if (dice < 960) {
		if (lab->user[i].live)
			drop(lab, i, cpu);
	} else if (dice < 975) {
		struct pr_request r = PR_REQUEST(3 + rng_below(&lab->rng, 7),
						 GFP_KERNEL | __GFP_COMP | __GFP_NOWARN);

		r.cpu = cpu;
		if (!pr_alloc(&lab->s.m, &r, &pfn))
			assert_int_equal(pr_free(&lab->s.m, pfn, r.order, cpu), 0);
	} else if (dice < 985) {
		uint64_t n = 1 + rng_below(&lab->rng, 900);

		pfn = first_pfn(lab) + rng_below(&lab->rng, 8192 - 900);
		if (!pr_alloc_contig(&lab->s.m, pfn, n, MT_MOVABLE, GFP_KERNEL | __GFP_NOWARN, cpu,
				     0))
			assert_int_equal(pr_free_contig(&lab->s.m, pfn, n, cpu), 0);
	} else if (dice < 990) {
		assert_int_equal(pr_compact_node(&lab->s.m, 0, cpu), 0);
	} else if (dice < 995) {
		pr_tick(&lab->s.m, cpu);
	} else {
		pr_drain_all(&lab->s.m, cpu);
	}
}

static uint64_t random_run(uint64_t seed, bool checked)
{
	struct lab *lab = make(8192, 2);
	uint64_t digest;

	lab->rng = (struct rng){seed * 2654435761u + 1};
	lab->busy_one_in = seed % 3 ? 5 : 0;
	lab->refuse_one_in = seed % 2 ? 7 : 0;
	for (uint32_t i = 1; i <= 6000; i++)
		touch(lab, i, 0, i % 2);
	for (unsigned i = 0; i < 3000; i++) {
		one_op(lab);
		if (checked && !(i % 8))
			check(lab);
	}
	check(lab);
	digest = pr_digest(&lab->s.m) + lab->moves;
	for (uint32_t i = 1; i <= MAX_USERS; i++)
		if (lab->user[i].live)
			drop(lab, i, 0);
	pr_drain_all(&lab->s.m, 0);
	check(lab);
	assert_int_equal(pr_zone_free_snapshot(&lab->s.m, &lab->s.m.zones[0]), 8192);
	unmake(lab);
	return digest;
}

static void random_scripts(void **)
{
	const char *seeds = getenv("SEEDS");
	unsigned n = seeds ? (unsigned)atoi(seeds) / 20 + 1 : 6;

	for (unsigned seed = 1; seed <= n; seed++)
		assert_int_equal(random_run(seed, true), random_run(seed, false));
}

/* --- two threads, each with a CPU and users of its own, moving each other's pages --- */
enum { THREAD_USERS = 2500, THREAD_OPS = 4000 };
static pthread_mutex_t owners = PTHREAD_MUTEX_INITIALIZER;

static int migrate_locked(void *ctx, uint32_t owner, pfn_t from, pfn_t to, unsigned order)
{
	struct lab *lab = ctx;
	struct user *u = &lab->user[owner];
	int err = -EBUSY;

	pthread_mutex_lock(&owners);
	if (u->live && u->pfn == from && u->order == order) { /* else it was given back meanwhile */
		memcpy(content(lab, to), content(lab, from), sizeof(lab->content[0]) << order);
		u->pfn = to;
		lab->moves++;
		err = 0;
	}
	pthread_mutex_unlock(&owners);
	return err;
}

struct player {
	struct lab *lab;
	pthread_t thread;
	unsigned cpu;
	unsigned lost;
	struct rng rng;
};

static void player_touch(struct player *p, uint32_t i)
{
	struct pr_request r = PR_REQUEST(0, GFP_HIGHUSER_MOVABLE | __GFP_NOWARN);
	struct user *u = &p->lab->user[i];
	pfn_t pfn;

	r.owner = i;
	r.cpu = p->cpu;
	if (pr_alloc(&p->lab->s.m, &r, &pfn))
		return;
	pthread_mutex_lock(&owners);
	*u = (struct user){pfn, 0, true};
	*content(p->lab, pfn) = i;
	p->lost += pr_lru_add(&p->lab->s.m, pfn, p->cpu) != 0;
	pthread_mutex_unlock(&owners);
}

static void player_drop(struct player *p, uint32_t i)
{
	struct user *u = &p->lab->user[i];

	pthread_mutex_lock(&owners);
	p->lost += *content(p->lab, u->pfn) != i;
	p->lost += pr_free(&p->lab->s.m, u->pfn, 0, p->cpu) != 0;
	u->live = false;
	pthread_mutex_unlock(&owners);
}

static void *play(void *arg)
{
	struct player *p = arg;

	for (unsigned k = 0; k < THREAD_OPS; k++) {
		uint32_t i = 1 + p->cpu * THREAD_USERS + rng_below(&p->rng, THREAD_USERS);
		unsigned dice = rng_below(&p->rng, 100);
		struct pr_request r = PR_REQUEST(4 + dice % 6, GFP_KERNEL | __GFP_NOWARN);
		pfn_t pfn;

		r.cpu = p->cpu;
		if (dice < 90 && !p->lab->user[i].live)
			player_touch(p, i);
		else if (dice < 90)
			player_drop(p, i);
		else if (!pr_alloc(&p->lab->s.m, &r, &pfn))
			p->lost += pr_free(&p->lab->s.m, pfn, r.order, p->cpu) != 0;
	}
	return NULL;
}

static void two_threads_lose_nothing(void **)
{
	struct lab *lab = make(4096, 2);
	struct player p[2];

	lab->s.m.host.migrate = migrate_locked;
	for (unsigned t = 0; t < 2; t++) {
		p[t] = (struct player){.lab = lab, .cpu = t, .rng = {t + 1}};
		for (uint32_t i = 1; i <= THREAD_USERS; i++)
			player_touch(&p[t], t * THREAD_USERS + i);
	}
	for (unsigned t = 0; t < 2; t++)
		assert_int_equal(pthread_create(&p[t].thread, NULL, play, &p[t]), 0);
	for (unsigned t = 0; t < 2; t++) {
		pthread_join(p[t].thread, NULL);
		assert_int_equal(p[t].lost, 0);
	}
	pr_lru_drain_all(&lab->s.m);
	check(lab);
	assert_true(lab->moves > 100);
	for (uint32_t i = 1; i <= MAX_USERS; i++)
		if (lab->user[i].live)
			drop(lab, i, 0);
	pr_drain_all(&lab->s.m, 0);
	check(lab);
	assert_int_equal(pr_zone_free_snapshot(&lab->s.m, &lab->s.m.zones[0]), 4096);
	unmake(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_blocks_are_made),
		cmocka_unit_test(without_owners_nothing_moves),
		cmocka_unit_test(failure_defers),
		cmocka_unit_test(a_node_is_compacted),
		cmocka_unit_test(proactive_compaction_stops_when_tidy),
		cmocka_unit_test(a_range_is_emptied),
		cmocka_unit_test(bad_ranges_change_nothing),
		cmocka_unit_test(unmovable_memory_stops_a_range),
		cmocka_unit_test(cma_area_gives_ranges),
		cmocka_unit_test(the_oom_killer_is_called),
		cmocka_unit_test(random_scripts),
		cmocka_unit_test(two_threads_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
