/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void small_machine_make(struct small_machine *s, unsigned nodes, uint64_t pages, enum zone_type type,
			unsigned cpus)
{
	struct pr_zone_spec zone[PR_MAX_NODES];
	struct pr_spec spec = {.nr_nodes = nodes, .nr_cpus = cpus, .nr_zones = nodes, .zone = zone};

	for (unsigned n = 0; n < nodes; n++)
		zone[n] = (struct pr_zone_spec){.node = n, .type = type,
						.start_pfn = 0x1000 + n * pages, .spanned = pages,
						.present = pages, .managed = pages};
	for (unsigned c = 0; c < cpus; c++)
		spec.cpu_node[c] = c % nodes;
	spec.sysctl = (struct sysctl_vm){.user_min_free_kbytes = -1, .watermark_scale_factor = 10,
					 .watermark_boost_factor = 15000,
					 .lowmem_reserve_ratio = {256, 256, 32, 0}};
	s->size = pr_machine_size(&spec);
	assert_int_not_equal(s->size, 0);
	s->arena = aligned_alloc(4096, s->size);
	assert_non_null(s->arena);
	memset(s->arena, 0, s->size);
	assert_int_equal(pr_machine_create(&s->m, s->arena, s->size, &spec), 0);
}

void small_machine_free(struct small_machine *s)
{
	free(s->arena);
}

enum { MAX_LIVE = 4096 };
struct live {
	pfn_t pfn;
	unsigned order;
};

static const gfp_t gfps[] = {GFP_KERNEL,  GFP_ATOMIC, GFP_NOWAIT, GFP_HIGHUSER_MOVABLE,
			     GFP_KERNEL | __GFP_RECLAIMABLE, GFP_KERNEL | __GFP_NORETRY,
			     GFP_KERNEL | __GFP_MEMALLOC, __GFP_MOVABLE | GFP_NOWAIT, 0};

struct script {
	struct small_machine *s;
	struct rng rng;
	struct live live[MAX_LIVE];
	unsigned nr;
};

static unsigned some_cpu(struct script *t)
{
	return rng_below(&t->rng, t->s->m.arena->nr_cpus);
}

static void one_alloc(struct script *t)
{
	struct pr_request r = PR_REQUEST(0, gfps[rng_below(&t->rng, sizeof(gfps) / sizeof(*gfps))]);
	unsigned dice = rng_below(&t->rng, 100);
	pfn_t pfn;

	r.order = dice < 60 ? 0 : dice < 85 ? rng_below(&t->rng, 4) : rng_below(&t->rng, NR_ORDERS);
	r.gfp |= __GFP_NOWARN;
	r.node = (int)rng_below(&t->rng, t->s->m.arena->nr_nodes);
	r.cpu = some_cpu(t);
	r.lru = !rng_below(&t->rng, 2);
	if (t->nr < MAX_LIVE && !pr_alloc(&t->s->m, &r, &pfn))
		t->live[t->nr++] = (struct live){pfn, r.order};
}

static void one_free(struct script *t)
{
	unsigned i;

	if (!t->nr)
		return;
	i = rng_below(&t->rng, t->nr);
	assert_int_equal(pr_free(&t->s->m, t->live[i].pfn, t->live[i].order, some_cpu(t)), 0);
	/* a second time it is nobody's */
	assert_int_not_equal(pr_free(&t->s->m, t->live[i].pfn, t->live[i].order, 0), 0);
	t->live[i] = t->live[--t->nr];
}

static void one_bulk(struct script *t)
{
	pfn_t pfns[40];
	struct pr_request r = PR_REQUEST(0, GFP_NOWAIT);
	unsigned got;

	if (t->nr + 40 > MAX_LIVE)
		return;
	got = pr_alloc_bulk(&t->s->m, &r, 1 + rng_below(&t->rng, 40), pfns);
	for (unsigned i = 0; i < got; i++)
		t->live[t->nr++] = (struct live){pfns[i], 0};
}

static void one_op(struct script *t)
{
	unsigned dice = rng_below(&t->rng, 1000);

	if (dice < 520)
		one_alloc(t);
	else if (dice < 960)
		one_free(t);
	else if (dice < 970)
		one_bulk(t);
	else if (dice < 985)
		pr_tick(&t->s->m, some_cpu(t));
	else if (dice < 990)
		pr_drain_cpu(&t->s->m, some_cpu(t));
	else if (dice < 995)
		pr_drain_all(&t->s->m, some_cpu(t));
	else
		pr_fold(&t->s->m, some_cpu(t));
}

void random_script(struct small_machine *s, uint64_t seed, unsigned ops, bool check)
{
	static struct script t;
	char why[256];

	t = (struct script){.s = s, .rng = {seed * 2654435761u + 1}};
	for (unsigned i = 0; i < ops; i++) {
		one_op(&t);
		if (check && pr_check(&s->m, why, sizeof(why)))
			fail_msg("seed %llu, operation %u: %s", (unsigned long long)seed, i, why);
	}
	while (t.nr) { /* all of it comes back */
		t.nr--;
		assert_int_equal(pr_free(&s->m, t.live[t.nr].pfn, t.live[t.nr].order, 0), 0);
	}
	pr_drain_all(&s->m, 0);
	for (unsigned c = 0; c < s->m.arena->nr_cpus; c++)
		pr_fold(&s->m, c);
	if (pr_check(&s->m, why, sizeof(why)))
		fail_msg("seed %llu, at the end: %s", (unsigned long long)seed, why);
	for (unsigned i = 0; i < s->m.arena->nr_zones; i++)
		assert_int_equal(s->m.zones[i].free_pages, s->m.zones[i].managed);
}
