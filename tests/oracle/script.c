/* SPDX-License-Identifier: GPL-2.0-or-later */
/* script.c: random scripts. A script is a row of phases; each phase is one habit of a user. */
#include "script.h"

#include "../unit/rng.h"

#include <string.h>

const struct script_shape script_shapes[NR_SCRIPT_SHAPES] = {
	{"n1_32", "", 2, 2, {{1, ZONE_DMA32, 32}}},
	{"n1_64", "", 2, 2, {{1, ZONE_DMA32, 64}}},
	{"n1_128", "", 2, 2, {{1, ZONE_DMA32, 128}}},
	{"n1_256", "", 2, 2, {{1, ZONE_DMA32, 256}}},
	{"n1_norm64", "", 2, 2, {{1, ZONE_NORMAL, 64}}},
	{"n1_norm", "", 2, 2, {{1, ZONE_NORMAL, 128}}},
	{"n1_split", "", 2, 2, {{1, ZONE_DMA32, 64}, {1, ZONE_NORMAL, 64}}},
	{"n1_split256", "", 2, 2, {{1, ZONE_DMA32, 128}, {1, ZONE_NORMAL, 128}}},
	{"n1_mov", "movablecore=128M", 2, 2, {{1, ZONE_NORMAL, 192}, {1, ZONE_MOVABLE, 64}}},
	{"n12_norm", "", 2, 3, {{1, ZONE_NORMAL, 128}, {2, ZONE_NORMAL, 128}}},
	{"n1_1cpu", "", 1, 2, {{1, ZONE_DMA32, 128}}},
	{"n1_128", "cma=32M@448M-480M", 2, 2, {{1, ZONE_DMA32, 128}}, .cma_mib = 32},
	{"n1_1g", "", 2, 2, {{1, ZONE_DMA32, 1024}}},
	{"n1_split256", "", 2, 2, {{1, ZONE_DMA32, 128}, {1, ZONE_NORMAL, 128}}, .sysctls = 1},
};

/* Ids that were asked for together: from..to-1 of one order. */
struct batch {
	unsigned from, to, order;
	bool whole; /* one block of order > 0 without __GFP_COMP: may be split */
};
enum { MAX_BATCHES = 256 };

struct script {
	FILE *out;
	const struct script_plan *plan;
	struct rng rng;
	unsigned next, cpu; /* next id */
	struct batch batch[MAX_BATCHES];
	unsigned nr;
	bool waits; /* requests that may wait take the place of those with reserves */
};

static unsigned below(struct script *s, unsigned n)
{
	return rng_below(&s->rng, n);
}

static bool chance(struct script *s, unsigned percent)
{
	return below(s, 100) < percent;
}

static const char *const plain[] = {"GFP_NOWAIT|__GFP_NOWARN",
				    "GFP_HIGHUSER_MOVABLE|~__GFP_DIRECT_RECLAIM|__GFP_NOWARN",
				    "GFP_NOWAIT|__GFP_NOWARN|__GFP_RECLAIMABLE"};
/* Less usual ones; what needs direct reclaim of more than a page is compaction's. */
static const char *const others[] = {
	"GFP_ATOMIC|__GFP_NOWARN",
	"GFP_NOWAIT|__GFP_NOWARN|__GFP_HIGH",
	"GFP_ATOMIC|__GFP_NOWARN|__GFP_RECLAIMABLE",
	"GFP_HIGHUSER_MOVABLE|~__GFP_RECLAIM|__GFP_HIGH|__GFP_NOWARN",
	"__GFP_NOWARN",
	"__GFP_NOWARN|__GFP_HIGH",
	"__GFP_NOWARN|__GFP_MOVABLE",
	"GFP_NOWAIT|__GFP_NOWARN|__GFP_NOMEMALLOC",
	"GFP_ATOMIC|__GFP_NOWARN|__GFP_NOMEMALLOC",
	"GFP_ATOMIC|__GFP_NOWARN|__GFP_MEMALLOC",
	"GFP_DMA32|GFP_NOWAIT|__GFP_NOWARN|~__GFP_DIRECT_RECLAIM",
	"GFP_DMA32|GFP_NOWAIT|__GFP_NOWARN|__GFP_RECLAIMABLE",
	"GFP_DMA|GFP_NOWAIT|__GFP_NOWARN",
	"GFP_HIGHUSER|~__GFP_DIRECT_RECLAIM|__GFP_NOWARN",
	"GFP_TRANSHUGE_LIGHT",
	"GFP_NOWAIT|__GFP_NOWARN|__GFP_ZERO|__GFP_HARDWALL",
};
/* Those that may wait: compaction and reclaim run, and find nothing that moves or can be reclaimed. */
static const char *const waiting[] = {
	"GFP_KERNEL|__GFP_NOWARN",
	"GFP_KERNEL|__GFP_NOWARN|__GFP_NORETRY",
	"GFP_KERNEL|__GFP_NOWARN|__GFP_RETRY_MAYFAIL",
	"GFP_KERNEL|__GFP_NOWARN|__GFP_RECLAIMABLE",
	"GFP_NOIO|__GFP_NOWARN",
	"GFP_NOFS|__GFP_NOWARN|__GFP_NORETRY",
	"GFP_USER|__GFP_NOWARN|__GFP_RETRY_MAYFAIL",
	"GFP_HIGHUSER_MOVABLE|__GFP_NOWARN",
	"GFP_HIGHUSER_MOVABLE|__GFP_NOWARN|__GFP_NORETRY",
	"GFP_TRANSHUGE",
};
static const unsigned all_orders[] = {0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 9, 10};

/*
 * Which node, and whether others may help: " nid=1 thisnode", " nid=2 nodes=12". A request with
 * reserves of its own is above a mask of nodes (ALLOC_CPUSET): it must name its node, or node 0 helps.
 */
static void put_place(struct script *s, bool usual)
{
	unsigned nodes = s->plan->shape->nodes, nid = 1 + below(s, nodes - 1);

	fprintf(s->out, " nid=%u", nid);
	if (nodes == 2 || !usual || chance(s, 40))
		fprintf(s->out, chance(s, 80) ? " thisnode" : " thisnode nodes=%u", nid);
	else
		fprintf(s->out, chance(s, 80) ? " nodes=12" : " nodes=%u", 1 + below(s, 2));
}

struct kind {
	const char *gfp;
	unsigned order;
	bool comp, lru, usual;
};

static struct kind some_kind(struct script *s, unsigned order, unsigned percent_usual)
{
	struct kind k = {.order = order, .usual = chance(s, percent_usual)};
	unsigned t = below(s, 10);

	if (k.usual)
		k.gfp = plain[t < 4 ? 0 : t < 8 ? 1 : 2];
	else if (s->waits)
		k.gfp = waiting[below(s, sizeof(waiting) / sizeof(waiting[0]))];
	else
		k.gfp = others[below(s, sizeof(others) / sizeof(others[0]))];
	k.comp = order && chance(s, 85);
	/* the recorder's user pages belong to nobody, so compaction had better not meet them */
	k.lru = !s->waits && strstr(k.gfp, "MOVABLE") && (!order || k.comp) && chance(s, 75);
	return k;
}

static void put_kind(struct script *s, const struct kind *k)
{
	fprintf(s->out, " order=%u gfp=%s%s", k->order, k->gfp, k->comp ? "|__GFP_COMP" : "");
	put_place(s, k->usual);
	if (k->lru)
		fprintf(s->out, " lru");
	if (!k->usual && !s->waits && chance(s, 6))
		fprintf(s->out, " memalloc");
	if (!s->waits && chance(s, 3))
		fprintf(s->out, " irqoff");
}

static void note(struct script *s, unsigned n, unsigned order, bool whole)
{
	struct batch b = {s->next, s->next + n, order, whole};

	s->next += n;
	if (s->nr < MAX_BATCHES)
		s->batch[s->nr++] = b;
	else
		s->batch[below(s, MAX_BATCHES)] = b;
}

static void alloc(struct script *s, struct kind k)
{
	fprintf(s->out, "alloc %u", s->next);
	put_kind(s, &k);
	fprintf(s->out, "\n");
	note(s, 1, k.order, k.order && !k.comp && strncmp(k.gfp, "GFP_TRANSHUGE", 13));
}

/* Until it fails, or max. */
static void fill(struct script *s, struct kind k, unsigned max)
{
	fprintf(s->out, "afill %u", s->next);
	put_kind(s, &k);
	fprintf(s->out, " max=%u\n", max);
	note(s, max, k.order, false);
}

static struct batch *some_batch(struct script *s)
{
	return s->nr ? &s->batch[below(s, s->nr)] : NULL;
}

/* A part of a batch: one, all, every n-th, from the end, … */
static void release(struct script *s, struct batch *b)
{
	unsigned n = b->to - b->from, from = b->from + below(s, n), to = from + 1 + below(s, b->to - from);

	switch (below(s, 6)) {
	case 0:
		fprintf(s->out, "free %u\n", from);
		break;
	case 1:
		fprintf(s->out, "freer %u %u\n", b->from, b->to);
		*b = s->batch[--s->nr];
		break;
	case 2:
		fprintf(s->out, "freerev %u %u\n", b->from, b->to);
		*b = s->batch[--s->nr];
		break;
	case 3:
		fprintf(s->out, "freer %u %u %u\n", b->from + below(s, 2), b->to, 2 + below(s, 15));
		break;
	case 4:
		fprintf(s->out, "freer %u %u\n", from, to);
		break;
	default:
		fprintf(s->out, "freerev %u %u\n", from, to);
	}
}

static void phase_mixed(struct script *s)
{
	unsigned n = 30 + below(s, 300), orders = below(s, 3), usual = 60 + below(s, 41);
	unsigned grow = 40 + below(s, 30);

	for (unsigned i = 0; i < n; i++) {
		struct batch *b = some_batch(s);
		unsigned order = orders == 0 ? 0 : orders == 1 ? below(s, 4)
				: all_orders[below(s, sizeof(all_orders) / sizeof(all_orders[0]))];

		if (!b || chance(s, grow)) {
			alloc(s, some_kind(s, order, usual));
		} else if (b->to - b->from == 1) {
			fprintf(s->out, "free %u\n", b->from);
			*b = s->batch[--s->nr];
		} else {
			fprintf(s->out, "free %u\n", b->from + below(s, b->to - b->from));
		}
	}
}

/* Most of the memory is taken, in blocks of one size, and holes are made. */
static void phase_fill(struct script *s)
{
	struct kind k = some_kind(s, all_orders[below(s, 18)], 90);
	unsigned max = s->plan->ids / (4 + below(s, 12)) + 1;

	fill(s, k, max);
	if (chance(s, 50))
		fill(s, some_kind(s, 0, 90), max);
	if (s->nr && chance(s, 70))
		release(s, some_batch(s));
}

/* As deep as each right goes. */
static void phase_deep(struct script *s)
{
	static const unsigned order[] = {0, 0, 0, 1, 2, 3, 4, 9};
	unsigned o = order[below(s, 8)], max = s->plan->ids / 16 + 1;

	for (unsigned i = 2 + below(s, 4); i; i--)
		fill(s, some_kind(s, o, 30), max);
}

static void phase_burst(struct script *s)
{
	unsigned order = below(s, 4);

	for (unsigned i = 1 + below(s, 5); i; i--) {
		fill(s, some_kind(s, order, 95), s->plan->ids / 100 + below(s, s->plan->ids / 50 + 1) + 1);
		if (chance(s, 75))
			release(s, &s->batch[s->nr - 1]);
	}
}

static void phase_huge(struct script *s)
{
	for (unsigned i = 2 + below(s, 12); i; i--) {
		struct kind k = some_kind(s, 9, 50);

		if (chance(s, 50))
			k = (struct kind){"GFP_TRANSHUGE_LIGHT", 9, .usual = true};
		alloc(s, k);
		if (chance(s, 40))
			fprintf(s->out, "free %u\n", s->next - 1 - below(s, i < s->next ? i : 1));
	}
}

/* Interrupts that want a few pages at once, near the end of memory. */
static void phase_atomic(struct script *s)
{
	for (unsigned i = s->waits ? 0 : 4 + below(s, 40); i; i--) {
		struct kind k = {"GFP_ATOMIC|__GFP_NOWARN", below(s, 4), .usual = false};

		k.comp = k.order > 0;
		alloc(s, k);
		if (chance(s, 15))
			fprintf(s->out, "drain\n");
	}
}

static void phase_bulk(struct script *s)
{
	for (unsigned i = 1 + below(s, 4); i; i--) {
		unsigned n = 1 + below(s, s->plan->ids / 40 + 2);
		struct kind k = some_kind(s, 0, 85);

		fprintf(s->out, "bulk %u n=%u gfp=%s", s->next, n, k.gfp);
		put_place(s, k.usual);
		fprintf(s->out, "\n");
		note(s, n, 0, false);
	}
}

static void phase_split(struct script *s)
{
	for (unsigned i = 0; i < s->nr; i++) {
		struct batch *b = &s->batch[i], was = *b;

		if (!was.whole || chance(s, 40) || (1u << was.order) > s->plan->ids / 8)
			continue;
		fprintf(s->out, "split %u %u\n", was.from, s->next);
		*b = s->batch[--s->nr];
		note(s, 1u << was.order, 0, false);
		if (chance(s, 50))
			release(s, &s->batch[s->nr - 1]);
	}
}

static void phase_ticks(struct script *s)
{
	for (unsigned i = 1 + below(s, 8); i; i--) {
		fprintf(s->out, chance(s, 80) ? "tick\n" : "fold\n");
		if (s->plan->dumps && chance(s, 30))
			fprintf(s->out, "sum nid=%u\n", 1 + below(s, s->plan->shape->nodes - 1));
	}
}

/* Writes that recompute limits from all nodes: the recording must then know node 0. */
static void phase_sysctl(struct script *s)
{
	switch (s->plan->shape->sysctls && !s->waits ? below(s, 6) : 5) {
	case 0:
		fprintf(s->out, "!sysctl min_free_kbytes %u\n", 1024 << below(s, 4));
		break;
	case 1:
		fprintf(s->out, "!sysctl watermark_scale_factor %u\n", 10 + below(s, 300));
		break;
	case 2:
		fprintf(s->out, "!sysctl lowmem_reserve_ratio %u %u %u 0\n", 16 + below(s, 240),
			1 + below(s, 255), below(s, 64));
		break;
	case 3:
		fprintf(s->out, "!sysctl percpu_pagelist_high_fraction %u\n",
			chance(s, 40) ? 0 : 8 + below(s, 100));
		break;
	default:
		fprintf(s->out, "!sysctl watermark_boost_factor %u\n", below(s, 3) * 7500);
	}
}

static void phase_small(struct script *s)
{
	switch (below(s, 11)) {
	case 10:
		if (s->plan->dumps)
			fprintf(s->out, "ev\n");
		break;
	case 0:
	case 1:
		fprintf(s->out, "drain\n");
		break;
	case 2:
		fprintf(s->out, "drainall\n");
		break;
	case 3:
		fprintf(s->out, "noboost nid=%u\n", 1 + below(s, s->plan->shape->nodes - 1));
		break;
	case 4:
	case 5:
	case 6:
		s->cpu = (s->cpu + 1) % s->plan->shape->cpus;
		fprintf(s->out, "cpu %u\n", s->cpu);
		break;
	case 7:
		phase_sysctl(s);
		break;
	default:
		if (s->nr)
			release(s, some_batch(s));
	}
}

static bool script_waits(const struct script_plan *plan)
{
	return plan->seed / NR_SCRIPT_SHAPES % 3 == 2;
}

static void dump(struct script *s, const char *how)
{
	for (unsigned n = 1; n < s->plan->shape->nodes; n++)
		fprintf(s->out, "%s nid=%u\n", how, n);
}

static const struct {
	void (*run)(struct script *s);
	unsigned weight;
} phases[] = {{phase_mixed, 20}, {phase_fill, 10}, {phase_deep, 6},  {phase_burst, 10},
	      {phase_huge, 5},	 {phase_atomic, 6}, {phase_bulk, 6}, {phase_split, 4},
	      {phase_ticks, 8},	 {phase_small, 45}};

void script_operations(FILE *out, const struct script_plan *plan)
{
	struct script s = {.out = out, .plan = plan, .rng = {plan->seed * 2654435761u + 88172645463325252ull}};
	unsigned all = 0;

	if (plan->dumps)
		fprintf(out, "ev0\n");
	s.waits = script_waits(plan);
	for (unsigned i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		all += phases[i].weight;
	/* the last phase may go a quarter beyond */
	for (unsigned row = 0; s.next < plan->ids && row < 400; row++) {
		unsigned dice = below(&s, all), i = 0;

		while (dice >= phases[i].weight)
			dice -= phases[i++].weight;
		phases[i].run(&s);
		if (plan->dumps && chance(&s, 12))
			dump(&s, chance(&s, 70) ? "sum" : "dump");
	}
}

void script_prologue(FILE *out, const struct script_plan *plan)
{
	struct rng rng = {plan->seed * 40503u + 7};

	fprintf(out, "!sysctl stat_interval 1000000\n");
	fprintf(out, "!sysctl watermark_boost_factor %u\n", rng_below(&rng, 2) ? 15000 : 0);
	if (!rng_below(&rng, 6))
		fprintf(out, "!sysctl percpu_pagelist_high_fraction %u\n", 8 + rng_below(&rng, 40));
	/*
	 * Who waits for memory where kswapd is stopped waits for ever once half of min is gone
	 * (throttle_direct_reclaim); a refill may take more than half of a small one.
	 */
	if (script_waits(plan) && plan->dumps)
		fprintf(out, "!sysctl min_free_kbytes 16384\n");
	else if (plan->shape->sysctls || !rng_below(&rng, 5))
		fprintf(out, "!sysctl min_free_kbytes %u\n", 512 << rng_below(&rng, 5));
	if (!rng_below(&rng, 5))
		fprintf(out, "!sysctl watermark_scale_factor %u\n", 10 + rng_below(&rng, 200));
	if (!rng_below(&rng, 5))
		fprintf(out, "!sysctl lowmem_reserve_ratio 256 %u %u 0\n", 4 + rng_below(&rng, 250),
			4 + rng_below(&rng, 60));
}
