/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_threads.c: several threads on one machine, on CPUs of their own and on shared ones, as workers
 * and not, with another that drains and ticks. No frame is given out twice, nothing is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <linux/membarrier.h>
#include <pagerig/worker.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 4, OPS = 20000, HELD = 64, PAGES = 65536 };

static struct small_machine s;
static uint8_t in_use[PAGES]; /* by zone-relative frame; two holders of one frame would meet here */
static int collisions, failures;

struct player {
	pthread_t thread;
	unsigned cpu, seed;
	bool worker;
};

static void fence(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		abort();
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

static void mark(pfn_t pfn, unsigned order, bool take)
{
	uint64_t rel = pfn - s.m.zones[0].start_pfn;

	for (uint64_t i = rel; i < rel + (1ull << order); i++)
		if (__atomic_exchange_n(&in_use[i], take, __ATOMIC_RELAXED) == take)
			__atomic_fetch_add(&collisions, 1, __ATOMIC_RELAXED);
}

static void give_back(struct player *p, pfn_t pfn, unsigned order)
{
	mark(pfn, order, false);
	if (pr_free(&s.m, pfn, order, p->cpu))
		__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

static void *play(void *arg)
{
	static const unsigned orders[] = {0, 0, 0, 0, 1, 2, 3, 4, 6, 9, 10};
	struct player *p = arg;
	pfn_t pfn[HELD];
	uint8_t order[HELD];
	bool live[HELD] = {false};

	if (p->worker && pr_worker_begin(fence))
		__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < OPS; i++) {
		unsigned k = next(&p->seed) % HELD;

		if (live[k]) {
			give_back(p, pfn[k], order[k]);
			live[k] = false;
		} else {
			unsigned o = orders[next(&p->seed) % (sizeof(orders) / sizeof(orders[0]))];
			struct pr_request r = PR_REQUEST(o, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);

			if (next(&p->seed) % 2)
				r.gfp |= __GFP_MOVABLE;
			r.cpu = p->cpu;
			if (pr_alloc(&s.m, &r, &pfn[k]))
				continue;
			mark(pfn[k], o, true);
			order[k] = (uint8_t)o;
			live[k] = true;
		}
		if (i % 1000 == 0)
			pr_tick(&s.m, p->cpu);
	}
	for (unsigned k = 0; k < HELD; k++)
		if (live[k])
			give_back(p, pfn[k], order[k]);
	pr_worker_end();
	return NULL;
}

static void *drain(void *)
{
	for (unsigned i = 0; i < 300; i++) {
		pr_drain_all(&s.m, 0);
		pr_event(&s.m, EV_PGFREE);
		usleep(100);
	}
	return NULL;
}

static void run(unsigned cpus, bool workers)
{
	struct player p[THREADS];
	pthread_t drainer;
	char why[256];

	small_machine_make(&s, 1, PAGES, ZONE_NORMAL, cpus);
	memset(in_use, 0, sizeof(in_use));
	collisions = failures = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		p[i] = (struct player){.cpu = i % cpus, .seed = 7 * i + cpus, .worker = workers};
		assert_int_equal(pthread_create(&p[i].thread, NULL, play, &p[i]), 0);
	}
	assert_int_equal(pthread_create(&drainer, NULL, drain, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(p[i].thread, NULL);
	pthread_join(drainer, NULL);
	assert_int_equal(collisions, 0);
	assert_int_equal(failures, 0);
	pr_drain_all(&s.m, 0);
	if (pr_check(&s.m, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(pr_zone_free_snapshot(&s.m, &s.m.zones[0]), PAGES);
	assert_int_equal(pr_event(&s.m, EV_PGFREE), pr_event(&s.m, EV_PGALLOC_NORMAL));
	small_machine_free(&s);
}

static void own_cpus(void **)
{
	run(THREADS, false);
}

static void shared_cpu(void **)
{
	run(1, false);
}

static void workers_on_own_cpus(void **)
{
	run(THREADS, true);
}

static void workers_on_a_shared_cpu(void **)
{
	run(1, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_cpus),
		cmocka_unit_test(shared_cpu),
		cmocka_unit_test(workers_on_own_cpus),
		cmocka_unit_test(workers_on_a_shared_cpu),
	};

	/* not everywhere: then the fence fails, and so does the test */
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
