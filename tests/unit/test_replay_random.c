/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_replay_random.c: random traces, checker after every event, beside a model that knows for
 * each frame of the trace whether it is in use; machines with pages in use since the start; traces
 * in which bytes were changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/frames.h"
#include "random.h"

#include <errno.h>
#include <pagerig/lab.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "            cc-1    [00%u] .....     1.000001: "
enum { PAGES = 8192, START = 0x1000, TRACE_FRAMES = 4096 };

static void make_free(struct small_machine *s)
{
	small_machine_make(s, 1, PAGES, ZONE_NORMAL, 2);
}

/* Every other block of `order` is free, the rest in use since the start; types by pageblock. */
static void make_in_use(struct small_machine *s, unsigned order)
{
	struct pr_zone_spec zone = {.type = ZONE_NORMAL,
				    .start_pfn = START,
				    .spanned = PAGES,
				    .present = PAGES,
				    .managed = PAGES};
	struct pr_spec spec = {
		.nr_nodes = 1, .nr_cpus = 2, .nr_zones = 1, .zone = &zone, .pages_by_hand = true};

	spec.sysctl = (struct sysctl_vm){.user_min_free_kbytes = -1,
					 .watermark_scale_factor = 10,
					 .watermark_boost_factor = 15000,
					 .lowmem_reserve_ratio = {256, 256, 32, 0}};
	s->size = pr_machine_size(&spec);
	s->arena = aligned_alloc(4096, s->size);
	assert_non_null(s->arena);
	memset(s->arena, 0, s->size);
	assert_int_equal(pr_machine_create(&s->m, s->arena, s->size, &spec), 0);
	for (pfn_t p = START; p < START + PAGES; p += PAGEBLOCK_PAGES)
		assert_int_equal(
			pr_set_block_type(&s->m, p,
					  (enum migratetype)((p >> MAX_ORDER) % NR_PCP_TYPES)),
			0);
	for (pfn_t p = START; p < START + PAGES; p += 2ull << order)
		assert_int_equal(pr_place_free(&s->m, p, order,
					       pr_block_type(&s->m, &s->m.zones[0], p), true),
				 0);
}

static int64_t pages_taken(struct pr_machine *m)
{
	int64_t free = pr_zone_free_snapshot(m, &m->zones[0]);

	for (unsigned cpu = 0; cpu < m->arena->nr_cpus; cpu++)
		free += pr_pcp(m, &m->zones[0], cpu)->count;
	return (int64_t)m->zones[0].managed - free;
}

static void check_machine(struct pr_machine *m)
{
	char why[256] = "";

	if (pr_check(m, why, sizeof(why)))
		fail_msg("%s", why);
}

static struct pr_replay_stats stats_of(struct pr_replay *r)
{
	struct pr_replay_stats s;

	pr_replay_stats(r, &s);
	return s;
}

static void feed(struct pr_replay *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void feed(struct pr_replay *r, const char *fmt, ...)
{
	char line[512], why[256] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (pr_replay_feed(r, line, strlen(line), why, sizeof(why)))
		fail_msg("%s: %s", line, why);
}

static void feed_alloc(struct pr_replay *r, unsigned cpu, uint64_t frame, unsigned order,
		       const char *gfp)
{
	feed(r,
	     HEAD "mm_page_alloc: page=00000000c241b733 pfn=0x%llx order=%u migratetype=1 "
		  "gfp_flags=%s\n",
	     cpu, (unsigned long long)frame, order, gfp);
}

static void feed_free(struct pr_replay *r, unsigned cpu, uint64_t frame, unsigned order)
{
	feed(r, HEAD "mm_page_free: page=00000000c241b733 pfn=0x%llx order=%u\n", cpu,
	     (unsigned long long)frame, order);
}

/* What the trace says is in use, frame by frame; blocks by their head. */
struct model {
	bool used[TRACE_FRAMES];
	int head[TRACE_FRAMES]; /* of the block that a frame belongs to */
	unsigned order[TRACE_FRAMES];
	int64_t in_use;
};

static void model_drop(struct model *m, int frame)
{
	int head = m->head[frame];

	for (int i = head; i < head + (1 << m->order[head]); i++)
		m->used[i] = false;
	m->in_use -= 1 << m->order[head];
}

static void model_alloc(struct model *m, int frame, unsigned order)
{
	for (int i = frame; i < frame + (1 << order); i++)
		if (m->used[i])
			model_drop(m, i);
	for (int i = frame; i < frame + (1 << order); i++) {
		m->used[i] = true;
		m->head[i] = frame;
	}
	m->order[frame] = order;
	m->in_use += 1 << order;
}

static void model_free(struct model *m, int frame, unsigned order)
{
	for (int i = frame; i < frame + (1 << order); i++) {
		int head = m->head[i];

		if (!m->used[i])
			continue;
		if (head < frame || (1u << m->order[head]) > 1u << order)
			for (int j = head + (1 << m->order[head]); j-- > head;) {
				m->head[j] = j;
				m->order[j] = 0;
			}
		model_drop(m, i);
	}
}

static const char *const gfps[] = {
	"GFP_KERNEL", "GFP_HIGHUSER_MOVABLE|__GFP_COMP", "GFP_ATOMIC", "GFP_NOWAIT",
	"GFP_KERNEL|__GFP_RECLAIMABLE|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP"};

static void random_trace(struct small_machine *s, uint64_t seed, unsigned events)
{
	struct rng rng = {seed * 2 + 1};
	struct model *model = calloc(1, sizeof(*model));
	struct pr_replay *r = pr_replay_new(&s->m);
	int64_t start = pages_taken(&s->m);

	assert_non_null(r);
	for (unsigned i = 0; i < events; i++) {
		unsigned order =
			rng_below(&rng, 4) ? rng_below(&rng, 4) : rng_below(&rng, NR_ORDERS);
		int frame = (int)(rng_below(&rng, TRACE_FRAMES) & ~((1u << order) - 1));
		struct pr_replay_stats st;

		if (rng_below(&rng, 5) < 3) {
			feed_alloc(r, rng_below(&rng, 3), START + (uint64_t)frame, order,
				   gfps[rng_below(&rng, 5)]);
			model_alloc(model, frame, order);
		} else {
			/* mostly a block that is there, as it is or a part of it */
			if (model->used[frame] && rng_below(&rng, 4)) {
				frame = model->head[frame];
				order = rng_below(&rng, 3)
						? model->order[frame]
						: rng_below(&rng, model->order[frame] + 1);
			}
			feed_free(r, rng_below(&rng, 3), START + (uint64_t)frame, order);
			model_free(model, frame, order);
		}
		check_machine(&s->m);
		st = stats_of(r);
		assert_int_equal(st.trace_in_use, model->in_use);
		assert_int_equal(st.in_use - (int64_t)st.start_pages, pages_taken(&s->m) - start);
		if (!st.failures)
			assert_int_equal(st.in_use, st.trace_in_use);
	}
	assert_int_equal(stats_of(r).allocs + stats_of(r).frees, events);
	start -= (int64_t)stats_of(r).start_pages;
	pr_replay_free(r);
	check_machine(&s->m);
	assert_int_equal(pages_taken(&s->m), start);
	free(model);
}

static void random_traces(void **)
{
	const char *seeds = getenv("SEEDS");
	unsigned n = seeds ? (unsigned)atoi(seeds) / 10 : 20;

	for (unsigned seed = 1; seed <= (n < 5 ? 5 : n > 40 ? 40 : n); seed++) {
		struct small_machine s;

		if (seed % 2)
			make_free(&s);
		else
			make_in_use(&s, seed % NR_ORDERS);
		random_trace(&s, seed, 300);
		small_machine_free(&s);
	}
}

/* A trace that its machine can't hold: failures, and no page that is lost by them. */
static void more_than_there_is(void **)
{
	struct pr_replay_stats st;
	struct small_machine s;
	struct pr_replay *r;

	make_free(&s);
	r = pr_replay_new(&s.m);
	for (unsigned i = 0; i < 10; i++) {
		feed_alloc(r, 0, (i + 1) << 10, 10, "GFP_KERNEL|__GFP_NORETRY");
		check_machine(&s.m);
	}
	st = stats_of(r);
	assert_true(st.failures >= 2);
	assert_int_equal(st.trace_in_use, 10 << 10);
	assert_int_equal(st.in_use, (int64_t)(10 - st.failures) << 10);
	feed_free(r, 0, 10 << 10, 3); /* a part of one that failed: only the trace has it */
	assert_int_equal(stats_of(r).trace_in_use, (10 << 10) - 8);
	assert_int_equal(stats_of(r).in_use, st.in_use);
	assert_int_equal(stats_of(r).start_frees, 0);
	pr_replay_free(r);
	assert_int_equal(pages_taken(&s.m), 0);
	small_machine_free(&s);
}

/* Frames in use since the start: the very frame, then a neighbour of its type, then any, then none.
 */
static void in_use_since_the_start(void **)
{
	struct small_machine s;
	struct pr_replay *r;
	struct zone *z;

	make_in_use(&s, 3);
	z = &s.m.zones[0];
	r = pr_replay_new(&s.m);
	feed_free(r, 0, START + 8,
		  3); /* free blocks on both sides: they become one of order 4 or 5 */
	pr_drain_all(&s.m, 0);
	assert_true(pr_free_order(&s.m, z, START) >= 4);
	check_machine(&s.m);
	feed_free(r, 0, START, 3); /* free already: the next in use of this type's pageblocks */
	pr_drain_all(&s.m, 0);
	assert_true(pr_free_order(&s.m, z, START) >= 5);
	check_machine(&s.m);
	feed_free(r, 1, 1ull << 40,
		  4); /* no such frame here, and no block of that size in use: two halves */
	check_machine(&s.m);
	assert_int_equal(stats_of(r).start_frees, 3);
	assert_int_equal(stats_of(r).start_pages, 32);
	for (unsigned i = 0; i < PAGES / 2; i += 32)
		feed_free(r, 0, (1ull << 30) + i, 5);
	check_machine(&s.m);
	assert_int_equal(pages_taken(&s.m), 0);
	assert_int_equal(stats_of(r).start_pages, PAGES / 2);
	assert_int_equal(stats_of(r).unmatched_pages, 32);
	assert_int_equal(stats_of(r).in_use, 0);
	pr_replay_free(r);
	small_machine_free(&s);
}

/* A pageblock of the trace stands for one of ours: the same, or one of the type that it showed. */
static void neighbours_stay_neighbours(void **)
{
	const uint64_t elsewhere = 1ull << 30;
	struct small_machine s;
	struct pr_replay *r;
	struct zone *z;

	make_in_use(&s, 4); /* 16 free, 16 in use; types change every 1024 frames: M R U … */
	z = &s.m.zones[0];
	r = pr_replay_new(&s.m);
	feed_free(r, 0, START + 0xc10, 4);
	assert_int_equal(pr_free_order(&s.m, z, START + 0xc00), 5);
	feed(r, HEAD "mm_page_pcpu_drain: page=00000000c241b733 pfn=0x%llx order=0 migratetype=2\n",
	     0, (unsigned long long)elsewhere + 7);
	feed_free(r, 0, elsewhere + 0x10, 4);
	assert_int_equal(pr_free_order(&s.m, z, START + 0x400), 5);
	feed_free(r, 0, elsewhere + 0x30, 4);
	assert_int_equal(pr_free_order(&s.m, z, START + 0x400), 6);
	feed_alloc(r, 0, elsewhere + 0x200, 0,
		   "GFP_KERNEL"); /* says Movable, as all of feed_alloc's */
	feed_free(r, 0, elsewhere + 0x310, 4);
	assert_int_equal(pr_free_order(&s.m, z, START + 0x100), 5);
	assert_int_equal(stats_of(r).start_pages, 64);
	check_machine(&s.m);
	pr_replay_free(r);
	small_machine_free(&s);
}

/* Frees of parts, and of more than was allocated. */
static void blocks_that_were_split(void **)
{
	struct small_machine s;
	struct pr_replay *r;

	make_in_use(&s, 4);
	r = pr_replay_new(&s.m);
	feed_alloc(r, 0, 0x40, 3, "GFP_KERNEL");
	feed_free(r, 0, 0x43, 0);
	assert_int_equal(stats_of(r).split_frees, 1);
	assert_int_equal(stats_of(r).in_use, 7);
	feed_free(r, 0, 0x44, 2);
	assert_int_equal(stats_of(r).in_use, 3);
	feed_free(r, 0, 0x40, 2); /* one of them is free by now: of unknown origin */
	check_machine(&s.m);
	assert_int_equal(stats_of(r).in_use, 0);
	assert_int_equal(stats_of(r).start_pages, 1);
	assert_int_equal(stats_of(r).split_frees, 1);
	feed_alloc(r, 0, 0x40, 10 - 4, "GFP_KERNEL");
	feed_alloc(r, 0, 0x44, 0, "GFP_KERNEL"); /* the free between is missing */
	assert_int_equal(stats_of(r).lost_frees, 1);
	assert_int_equal(stats_of(r).in_use, 1);
	assert_int_equal(stats_of(r).trace_in_use, 1);
	check_machine(&s.m);
	pr_replay_free(r);
	small_machine_free(&s);
}

static char *some_trace(uint64_t seed, unsigned lines, size_t *len)
{
	struct rng rng = {seed * 2 + 1};
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	fprintf(f, "# tracer: nop\n#\n");
	for (unsigned i = 0; i < lines; i++) {
		unsigned order = rng_below(&rng, 5),
			 frame = START + (rng_below(&rng, 512) & ~((1u << order) - 1));

		fprintf(f, HEAD, rng_below(&rng, 2));
		switch (rng_below(&rng, 6)) {
		case 0:
			fprintf(f,
				"mm_page_pcpu_drain: page=00000000c241b733 pfn=0x%x order=0 "
				"migratetype=1\n",
				frame);
			break;
		case 1:
			fprintf(f, "mm_page_free_batched: page=00000000c241b733 pfn=0x%x order=0\n",
				frame);
			break;
		case 2:
		case 3:
			fprintf(f, "mm_page_free: page=00000000c241b733 pfn=0x%x order=%u\n", frame,
				order);
			break;
		default:
			fprintf(f,
				"mm_page_alloc: page=00000000c241b733 pfn=0x%x order=%u "
				"migratetype=0 gfp_flags=%s\n",
				frame, order, gfps[rng_below(&rng, 5)]);
		}
	}
	fclose(f);
	return text;
}

/* The same state however the text is cut into pieces. */
static void pieces_make_no_difference(void **)
{
	uint64_t digest[4];
	size_t len, n;
	char *text = some_trace(7, 400, &len), why[256];

	for (unsigned i = 0; i < 4; i++) {
		static const size_t piece[] = {1, 63, 4096, 1 << 20};
		struct small_machine s;
		struct pr_replay *r;

		make_in_use(&s, 2);
		r = pr_replay_new(&s.m);
		for (size_t at = 0; at < len; at += n) {
			n = len - at < piece[i] ? len - at : piece[i];
			assert_int_equal(pr_replay_feed(r, text + at, n, why, sizeof(why)), 0);
		}
		assert_int_equal(pr_replay_end(r, why, sizeof(why)), 0);
		assert_int_equal(stats_of(r).lines, 402);
		assert_int_equal(stats_of(r).events, 400);
		digest[i] = pr_digest(&s.m);
		assert_int_equal(digest[i], digest[0]);
		pr_replay_free(r);
		small_machine_free(&s);
	}
	free(text);
}

/*
 * Bytes changed, dropped, doubled: the text is taken or its first bad line is named, and the
 * machine is whole in both cases. tests/fuzz does the same without end.
 */
static void changed_bytes(void **)
{
	unsigned refused = 0;

	for (unsigned seed = 1; seed <= 300; seed++) {
		struct rng rng = {seed * 2 + 1};
		struct small_machine s;
		struct pr_replay *r;
		char why[256] = "", *text;
		size_t len;
		int err;

		make_in_use(&s, seed % 6);
		text = some_trace(seed, 40, &len);
		for (unsigned i = rng_below(&rng, 4) + 1; i--;) {
			size_t at = rng_below(&rng, (unsigned)len), n = rng_below(&rng, 40);

			if (rng_below(&rng, 3))
				text[at] = (char)rng_next(&rng);
			else if (at + n < len && rng_below(&rng, 2))
				memmove(text + at, text + at + n, (len -= n) - at);
			else if (at + n < len)
				memmove(text + at, text + rng_below(&rng, (unsigned)(len - n)), n);
		}
		r = pr_replay_new(&s.m);
		err = pr_replay_feed(r, text, len, why, sizeof(why));
		if (!err)
			err = pr_replay_end(r, why, sizeof(why));
		check_machine(&s.m);
		if (err) {
			unsigned long long line = 0;

			assert_int_equal(err, -EINVAL);
			assert_int_equal(sscanf(why, "line %llu: ", &line), 1);
			assert_true(line == stats_of(r).lines || line == stats_of(r).lines + 1);
			refused++;
		}
		assert_true(stats_of(r).failures || stats_of(r).in_use == stats_of(r).trace_in_use);
		pr_replay_free(r);
		check_machine(&s.m);
		free(text);
		small_machine_free(&s);
	}
	assert_in_range(refused, 50, 299);
}

/* The table alone, beside an array. */
static void table_of_frames(void **)
{
	enum { N = 1 << 14 };
	static block_t model[N];
	static int owner[N]; /* head + 1 */
	struct rng rng = {99};
	struct frames f;

	assert_int_equal(frames_init(&f), 0);
	for (unsigned i = 0; i < 100000; i++) {
		unsigned order = rng_below(&rng, 3) ? 0 : rng_below(&rng, NR_ORDERS);
		unsigned frame = rng_below(&rng, N) & ~((1u << order) - 1);
		uint64_t far = (uint64_t)frame << 30, head; /* groups all over the number space */
		bool any = false;
		block_t b;

		for (unsigned j = frame; j < frame + (1u << order); j++)
			any |= owner[j] != 0;
		assert_int_equal(frames_live(&f, frame, order), any);
		assert_int_equal(frames_head(&f, frame, &head, &b), owner[frame] != 0);
		if (owner[frame]) {
			assert_int_equal(head, owner[frame] - 1);
			assert_int_equal(b, model[head]);
			frames_remove(&f, head, block_order(b));
			for (uint64_t j = head; j < head + (1u << block_order(b)); j++)
				owner[j] = 0;
		} else if (!any) {
			model[frame] = block_make(i % 7 ? i : PFN_NONE, order);
			assert_int_equal(block_pfn(model[frame]), i % 7 ? i : PFN_NONE);
			assert_int_equal(frames_add(&f, frame, model[frame]), 0);
			for (unsigned j = frame; j < frame + (1u << order); j++)
				owner[j] = (int)frame + 1;
		}
		if (i % 64 == 0 && far >= N && !frames_live(&f, far, 0))
			assert_int_equal(frames_add(&f, far, block_make(frame, 0)), 0);
	}
	frames_exit(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_of_frames),
		cmocka_unit_test(random_traces),
		cmocka_unit_test(more_than_there_is),
		cmocka_unit_test(in_use_since_the_start),
		cmocka_unit_test(neighbours_stay_neighbours),
		cmocka_unit_test(blocks_that_were_split),
		cmocka_unit_test(pieces_make_no_difference),
		cmocka_unit_test(changed_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
