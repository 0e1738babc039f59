/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.c: recorded events drive the allocator. The trace's frames are only names here: a table
 * says which block of the engine stands for each. Lines are parsed a batch ahead of what they do,
 * so that the table's memory is on its way when it is wanted.
 */
#include <pagerig/lab.h>

#include "lab/boot.h"
#include "lab/frames.h"
#include "lab/trace_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 1024, BATCH = 64, WHY = 160 };

struct pr_replay {
	struct pr_machine *m;
	struct pr_replay_stats stats;
	struct frames frames;
	struct boot boot;
	struct trace_event batch[BATCH];
	unsigned nr_batch;
	uint64_t (*start)[NR_ORDERS]; /* free blocks of each zone when it began */
	int failed;		      /* the errno that ended it */
	char why[WHY];
	char carry[MAX_LINE];
	size_t carried;
	struct trace_parser parser;
};

struct pr_replay *pr_replay_new(struct pr_machine *m)
{
	struct pr_replay *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->m = m;
	r->start = calloc(m->arena->nr_zones, sizeof(*r->start));
	if (!r->start || frames_init(&r->frames) || boot_init(&r->boot, m)) {
		pr_replay_free(r);
		return NULL;
	}
	for (unsigned z = 0; z < m->arena->nr_zones; z++)
		for (unsigned o = 0; o < NR_ORDERS; o++)
			r->start[z][o] = m->zones[z].area[o].nr_free;
	return r;
}

void pr_replay_free(struct pr_replay *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i < r->frames.nr_groups; i++)
		for (unsigned n = 0; n < GROUP_FRAMES; n++) {
			block_t b = r->frames.group[i].head[n];

			if (b && block_pfn(b) != PFN_NONE)
				(void)pr_free(r->m, block_pfn(b), block_order(b), 0);
		}
	frames_exit(&r->frames);
	boot_exit(&r->boot);
	free(r->start);
	free(r);
}

void pr_replay_stats(const struct pr_replay *r, struct pr_replay_stats *s)
{
	*s = r->stats;
}

const char *pr_replay_count(const struct pr_replay_stats *s, unsigned i, uint64_t *n)
{
#define X(name) {#name, offsetof(struct pr_replay_stats, name)},
	static const struct {
		const char *name;
		size_t offset;
	} counts[] = {PR_REPLAY_COUNTS(X)};
#undef X

	if (i >= sizeof(counts) / sizeof(counts[0]))
		return NULL;
	memcpy(n, (const char *)s + counts[i].offset, sizeof(*n));
	return counts[i].name;
}

uint64_t pr_replay_start_blocks(const struct pr_replay *r, unsigned zone, unsigned order)
{
	return r->start[zone][order];
}

static int refuse(struct pr_replay *r, int err, uint64_t line, const char *reason)
{
	snprintf(r->why, sizeof(r->why), "line %llu: %s", (unsigned long long)line, reason);
	r->failed = err;
	return err;
}

static void free_block(struct pr_replay *r, block_t b, unsigned cpu)
{
	unsigned order = block_order(b);

	if (block_pfn(b) != PFN_NONE && !pr_free(r->m, block_pfn(b), order, cpu))
		r->stats.in_use -= 1ll << order;
	r->stats.trace_in_use -= 1ll << order;
}

/* The block that stands for a live head is freed and forgotten. */
static void give_back(struct pr_replay *r, uint64_t frame, block_t b, unsigned cpu)
{
	free_block(r, b, cpu);
	frames_remove(&r->frames, frame, block_order(b));
}

/* Blocks in the way of a new one: their frees are not in the trace. */
static void give_back_lost(struct pr_replay *r, const struct trace_event *e)
{
	for (uint64_t i = 0; i < 1ull << e->order; i++) {
		uint64_t head;
		block_t b;

		if (!frames_head(&r->frames, e->frame + i, &head, &b))
			continue;
		r->stats.lost_frees++;
		give_back(r, head, b, e->cpu);
	}
}

static int do_alloc(struct pr_replay *r, const struct trace_event *e)
{
	struct pr_request req = PR_REQUEST(e->order, e->gfp | __GFP_NOWARN);
	struct group *g = frames_group_make(&r->frames, e->frame);
	pfn_t pfn = PFN_NONE;

	if (!g)
		return -ENOMEM;
	if (e->order > GROUP_ORDER ? frames_live(&r->frames, e->frame, e->order)
				   : g->live & group_bits(e->frame, e->order))
		give_back_lost(r, e);
	req.node = -1;
	req.cpu = e->cpu;
	req.lru = (e->gfp & __GFP_MOVABLE) != 0;
	boot_learn(&r->boot, e->frame, e->type);
	r->stats.allocs++;
	if (pr_alloc(r->m, &req, &pfn)) {
		pfn = PFN_NONE;
		r->stats.failures++;
	}
	if (e->order <= GROUP_ORDER) {
		g->live |= group_bits(e->frame, e->order);
		g->head[e->frame & (GROUP_FRAMES - 1)] = block_make(pfn, e->order);
	} else if (frames_add(&r->frames, e->frame, block_make(pfn, e->order))) {
		if (pfn != PFN_NONE)
			(void)pr_free(r->m, pfn, e->order, e->cpu);
		return -ENOMEM;
	}
	r->stats.trace_in_use += 1ll << e->order;
	if (pfn != PFN_NONE)
		r->stats.in_use += 1ll << e->order;
	return 0;
}

/* Makes a live block into live single frames, here and in the engine. */
static int split(struct pr_replay *r, uint64_t head, block_t b)
{
	pfn_t pfn = block_pfn(b);
	unsigned order = block_order(b);

	if (!order)
		return 0;
	if (pfn != PFN_NONE && pr_split(r->m, pfn, order))
		return -EINVAL;
	frames_remove(&r->frames, head, order);
	for (uint64_t i = 0; i < 1ull << order; i++)
		if (frames_add(&r->frames, head + i,
			       block_make(pfn == PFN_NONE ? pfn : pfn + i, 0)))
			return -ENOMEM;
	return 0;
}

/* Of what was in use at the start. */
static void free_unknown(struct pr_replay *r, uint64_t frame, unsigned order, unsigned cpu)
{
	uint64_t pages = boot_free(&r->boot, frame, order, cpu);

	r->stats.start_pages += pages;
	r->stats.unmatched_pages += (1ull << order) - pages;
}

/*
 * What was freed is no block that the trace allocated: a part of one, several, frames of unknown
 * origin, or a mixture. Larger blocks are split, and what is known is freed as it is known.
 */
static int free_range(struct pr_replay *r, const struct trace_event *e)
{
	uint64_t size = 1ull << e->order, head, i = 0;
	block_t b;
	int err;

	if (!frames_live(&r->frames, e->frame, e->order)) {
		r->stats.start_frees++;
		free_unknown(r, e->frame, e->order, e->cpu);
		return 0;
	}
	while (i < size) {
		if (!frames_head(&r->frames, e->frame + i, &head, &b)) {
			free_unknown(r, e->frame + i++, 0, e->cpu);
			continue;
		}
		if (head != e->frame + i || (1ull << block_order(b)) > size) {
			r->stats.split_frees++;
			err = split(r, head, b);
			if (err)
				return err;
			continue;
		}
		give_back(r, head, b, e->cpu);
		i += 1ull << block_order(b);
	}
	return 0;
}

static int do_free(struct pr_replay *r, const struct trace_event *e)
{
	struct group *g = frames_group(&r->frames, e->frame);
	block_t *b = g ? &g->head[e->frame & (GROUP_FRAMES - 1)] : NULL;

	r->stats.frees++;
	if (!b || !*b || block_order(*b) != e->order)
		return free_range(r, e);
	if (e->order > GROUP_ORDER) {
		give_back(r, e->frame, *b, e->cpu);
		return 0;
	}
	free_block(r, *b, e->cpu);
	*b = 0;
	g->live &= ~group_bits(e->frame, e->order);
	return 0;
}

static int do_drained(struct pr_replay *r, const struct trace_event *e)
{
	boot_learn(&r->boot, e->frame, e->type);
	return 0;
}

/* Carries out what was parsed. */
static int run_batch(struct pr_replay *r)
{
	int err = 0;

	for (unsigned i = 0; i < r->nr_batch && !err; i++) {
		const struct trace_event *e = &r->batch[i];

		err = e->kind == TRACE_ALLOC  ? do_alloc(r, e)
		      : e->kind == TRACE_FREE ? do_free(r, e)
					      : do_drained(r, e);
		if (err)
			refuse(r, err, e->line, "the host has no memory for the table of frames");
	}
	r->nr_batch = 0;
	return err;
}

static int add_event(struct pr_replay *r, struct trace_event *e)
{
	struct pr_replay_stats *s = &r->stats;

	switch ((enum trace_kind)e->kind) {
	case TRACE_NOTHING:
		return 0;
	case TRACE_LOST:
		s->lost_events += e->frame ? e->frame : 1;
		return 0;
	case TRACE_OTHER:
		s->others++;
		break;
	case TRACE_BATCHED:
		s->batched++;
		break;
	case TRACE_ALLOC:
		if (!e->frame) {
			s->recorded_failures++;
			break;
		}
		/* fallthrough */
	case TRACE_FREE:
	case TRACE_DRAINED:
		s->others += e->kind == TRACE_DRAINED;
		e->cpu %= r->m->arena->nr_cpus;
		e->line = s->lines;
		frames_prefetch(&r->frames, e->frame);
		s->events++;
		return ++r->nr_batch == BATCH ? run_batch(r) : 0;
	}
	s->events++;
	return 0;
}

/* [line, line + len) is a line without its newline. */
static int one_line(struct pr_replay *r, const char *line, size_t len)
{
	struct trace_event *e = &r->batch[r->nr_batch];
	const char *bad;
	int err;

	r->stats.lines++;
	if (len >= MAX_LINE)
		bad = "longer than 1023 bytes";
	else if (memchr(line, 0, len))
		bad = "a NUL byte";
	else
		bad = trace_line_parse(&r->parser, line, line + len, e);
	if (!bad)
		return add_event(r, e);
	err = run_batch(r);
	return err ? err : refuse(r, -EINVAL, r->stats.lines, bad);
}

/* The rest of a text that has no newline waits for the next piece. */
static int carry(struct pr_replay *r, const char *text, size_t len)
{
	if (r->carried + len >= MAX_LINE)
		return one_line(r, text, MAX_LINE);
	memcpy(r->carry + r->carried, text, len);
	r->carried += len;
	return 0;
}

static int feed(struct pr_replay *r, const char *text, size_t len)
{
	const char *end = text + len, *newline;
	int err = r->failed;

	while (!err && text < end) {
		newline = memchr(text, '\n', (size_t)(end - text));
		if (!newline || r->carried) {
			size_t n = (size_t)((newline ? newline : end) - text);

			err = carry(r, text, n);
			if (!err && newline) {
				n = r->carried;
				r->carried = 0;
				err = one_line(r, r->carry, n);
			}
		} else {
			err = one_line(r, text, (size_t)(newline - text));
		}
		text = newline ? newline + 1 : end;
	}
	if (!err)
		err = run_batch(r);
	return err;
}

int pr_replay_feed(struct pr_replay *r, const char *text, size_t len, char *why, size_t size)
{
	int err = feed(r, text, len);

	if (err)
		snprintf(why, size, "%s", r->why);
	return err;
}

int pr_replay_end(struct pr_replay *r, char *why, size_t size)
{
	if (r->failed) {
		snprintf(why, size, "%s", r->why);
		return r->failed;
	}
	if (!r->carried)
		return 0;
	snprintf(why, size, "line %llu: the text stops inside a line",
		 (unsigned long long)r->stats.lines + 1);
	return -EINVAL;
}
