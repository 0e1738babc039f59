/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_random.c: random scripts (tests/oracle/script.c, which also drives the real kernel) on small
 * machines of the same shapes: two nodes, several zones, a CMA area, one or two CPUs. The invariant
 * checker looks after every operation, a second run gives the same lines and the same digest, and at
 * the end every frame comes back. SEEDS=N and SEED=first choose others than the default 1,000.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../golden/golden.h"
#include "../oracle/script.h"
#include "random.h"

#include <stdlib.h>
#include <string.h>

static unsigned from_env(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* One run of a script: a machine, and what became of it. */
struct run {
	struct golden g;
	unsigned seed, lines;
	uint64_t hash; /* of all lines */
	bool check;
};

static void check_now(struct run *t, const char *after)
{
	char why[256];

	if (pr_check(&t->g.m, why, sizeof(why)))
		fail_msg("SEED=%u SEEDS=1, line %u (%s): %s", t->seed, t->lines, after, why);
}

static void sink(struct golden *g, const char *ours)
{
	struct run *t = g->sink_ctx;

	t->lines++;
	for (const char *p = ours; *p; p++)
		t->hash = (t->hash ^ (uint8_t)*p) * 1099511628211ull;
	if (strstr(ours, "refused"))
		fail_msg("SEED=%u SEEDS=1, line %u: %s", t->seed, t->lines, ours);
	if (t->check)
		check_now(t, ours);
}

/* The shape at a sixteenth of its size, at most 8192 frames a zone; some end inside a pageblock. */
static unsigned make_zones(const struct script_shape *shape, unsigned seed, struct pr_zone_spec *to)
{
	pfn_t pfn = 0x1000;
	unsigned n = 0;

	to[n++] = (struct pr_zone_spec){.node = 0, .type = ZONE_DMA32, .start_pfn = pfn, .spanned = 1024};
	pfn += 1024;
	for (unsigned i = 0; i < 3 && shape->zone[i].mib; i++, n++) {
		uint64_t pages = shape->zone[i].mib * 16;

		pages = pages > 8192 ? 8192 : pages;
		to[n] = (struct pr_zone_spec){.node = shape->zone[i].node, .type = shape->zone[i].type,
					      .start_pfn = pfn, .spanned = pages};
		if (seed % 5 == 0 && !shape->cma_mib)
			to[n].spanned -= seed % 77;
		pfn += (pages + 1023) & ~1023ull;
	}
	for (unsigned i = 0; i < n; i++)
		to[i].present = to[i].managed = to[i].spanned;
	to[1].cma = shape->cma_mib * 16;
	return n;
}

/* Free memory as a boot leaves it; the CMA area lies in the middle of its zone. */
static void place(struct pr_machine *m, const struct pr_zone_spec *z)
{
	pfn_t end = z->start_pfn + z->spanned, cma = z->start_pfn + z->spanned / 2;

	for (pfn_t pfn = cma; pfn < cma + z->cma; pfn += PAGEBLOCK_PAGES)
		assert_int_equal(pr_set_block_type(m, pfn, MT_CMA), 0);
	for (pfn_t pfn = z->start_pfn; pfn < end;) {
		bool in_cma = pfn >= cma && pfn < cma + z->cma;
		pfn_t stop = pfn < cma ? cma : in_cma ? cma + z->cma : end;
		unsigned order = MAX_ORDER;

		while (pfn & ((1u << order) - 1) || pfn + (1u << order) > (z->cma ? stop : end))
			order--;
		assert_int_equal(pr_place_free(m, pfn, order, in_cma ? MT_CMA : MT_MOVABLE, true), 0);
		pfn += 1u << order;
	}
}

static void run_make(struct run *t, const struct script_plan *plan, bool check)
{
	struct pr_zone_spec zone[4];
	struct pr_spec spec = {.nr_nodes = plan->shape->nodes, .nr_cpus = plan->shape->cpus,
			       .zone = zone, .pages_by_hand = true, .sysctl = PR_SYSCTL_DEFAULTS};

	*t = (struct run){.seed = (unsigned)plan->seed, .check = check, .hash = 14695981039346656037ull};
	spec.nr_zones = make_zones(plan->shape, t->seed, zone);
	t->g.size = pr_machine_size(&spec);
	t->g.arena = calloc(1, t->g.size);
	t->g.id = calloc(MAX_IDS, sizeof(*t->g.id));
	assert_non_null(t->g.arena);
	assert_int_equal(pr_machine_create(&t->g.m, t->g.arena, t->g.size, &spec), 0);
	t->g.m.arena->mobility_disabled = 0; /* as on a larger machine */
	pr_zonelists_build(&t->g.m);
	for (unsigned i = 0; i < spec.nr_zones; i++)
		place(&t->g.m, &zone[i]);
	t->g.sink = sink;
	t->g.sink_ctx = t;
	golden_user_init(&t->g);
}

static void run_script(struct run *t, const struct script_plan *plan)
{
	char *text = NULL, *rest, *line;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	script_prologue(f, plan);
	script_operations(f, plan);
	fclose(f);
	check_now(t, "start");
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (*line) {
			golden_command(&t->g, line);
			if (t->check)
				check_now(t, line);
		}
	free(text);
}

static void run_end(struct run *t)
{
	struct pr_machine *m = &t->g.m;

	for (unsigned i = 0; i < MAX_IDS; i++)
		if (t->g.id[i].live)
			assert_int_equal(pr_free(m, t->g.id[i].pfn, t->g.id[i].order, 0), 0);
	pr_drain_all(m, 0);
	for (unsigned c = 0; c < m->arena->nr_cpus; c++)
		pr_fold(m, c);
	check_now(t, "end");
	for (unsigned i = 0; i < m->arena->nr_zones; i++)
		assert_int_equal(m->zones[i].free_pages, m->zones[i].managed);
	golden_user_free(&t->g);
	free(t->g.id);
	free(t->g.arena);
}

static void seeds_keep_the_invariants(void **)
{
	unsigned first = from_env("SEED", 1), n = from_env("SEEDS", 1000);

	for (unsigned seed = first; seed < first + n; seed++) {
		struct script_plan plan = {.seed = seed, .ids = 120,
					   .shape = &script_shapes[seed % NR_SCRIPT_SHAPES]};
		static struct run a, b;

		run_make(&a, &plan, true);
		run_make(&b, &plan, false);
		run_script(&a, &plan);
		run_script(&b, &plan);
		if (a.hash != b.hash || pr_digest(&a.g.m) != pr_digest(&b.g.m))
			fail_msg("SEED=%u SEEDS=1: the second run differs", seed);
		run_end(&a);
		run_end(&b);
	}
}

/* A check that can't fail is none: each damage must be seen. */
static void checker_sees_damage(void **)
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
