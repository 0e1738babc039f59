/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compact_migrate.c: the migrate scanner: from the start of the zone up, what can be moved. */
#include "reclaim/compact_run.h"

#include <errno.h>
#include <pagerig/trace.h>

/* A scan of part of one pageblock. */
struct scan {
	struct compact_run *r;
	pfn_t pfn, end;
	uint64_t scanned, isolated;
	bool from_start; /* the scan began at the pageblock's start: its skip bit is ours to set */
	bool skip_updated;    /* that was done */
	bool skip_on_failure; /* an aligned block of the wanted order is of no use with one left in
				 it */
	pfn_t next_skip;      /* its end */
};

bool run_huge_block(const struct compact_run *r, pfn_t pfn)
{
	for (unsigned o = PAGEBLOCK_ORDER; o <= MAX_ORDER; o++) {
		pfn_t head = pfn & ~((1ull << o) - 1);
		uint32_t info;

		if (!zone_spans(r->op.z, head))
			break;
		info = load(&pr_page(r->op.m, r->op.z, head)->info);
		if (info_compound(info) && info_order(info) >= o)
			return true;
	}
	return false;
}

/* Where the scanners start next time; the pageblock that holds pfn is done. */
static void update_cached_migrate(const struct compact_run *r, pfn_t pfn)
{
	struct compact_memory *c = &r->op.z->compact;

	if (r->no_set_skip)
		return;
	pfn = pageblock_end(pfn);
	if (pfn > c->migrate_pfn[0])
		c->migrate_pfn[0] = pfn;
	if (r->mode != MIGRATE_ASYNC && pfn > c->migrate_pfn[1])
		c->migrate_pfn[1] = pfn;
}

static pfn_t order_end(pfn_t pfn, int order)
{
	return (pfn | ((1ull << order) - 1)) + 1;
}

/* Moving a block as large as the one that is wanted wins nothing. */
static bool too_large(const struct compact_run *r, unsigned order)
{
	return (r->order >= 0 && (int)order >= r->order) || order >= PAGEBLOCK_ORDER;
}

/* Something stays in this aligned block: what was isolated of it goes back, on to the next one. */
static void fail(struct scan *s)
{
	struct compact_run *r = s->r;

	if (!s->skip_on_failure)
		return;
	if (s->isolated) {
		putback_blocks(r->op.m, r->cpu, &r->isolated);
		r->nr_isolated = 0;
		s->isolated = 0;
	}
	if (s->pfn < s->next_skip) {
		s->pfn = s->next_skip - 1;
		s->next_skip += 1ull << r->order;
	}
}

/* The first that can be isolated: mark the pageblock, so that no other run comes here soon. */
static bool claimed_by_other(struct scan *s, pfn_t start)
{
	struct compact_run *r = s->r;
	bool was;

	if (s->skip_updated || !s->from_start)
		return false;
	s->skip_updated = true;
	if (r->ignore_skip)
		return false;
	was = run_skip(r, start);
	if (!was && !r->no_set_skip)
		run_set_skip(r, start);
	return was && !r->finish_pageblock;
}

/* User memory that this run leaves alone: locked, of a file system, or being written. */
static bool unsuited(const struct compact_run *r, uint32_t info)
{
	unsigned lru_flags = info >> 24;

	if ((lru_flags & PG_UNEVICTABLE) && !r->contig &&
	    !r->op.m->arena->sysctl.compact_unevictable_allowed)
		return true;
	if (!(r->gfp & __GFP_FS) && ((lru_flags & PG_FILE) || (info_flags(info) & PAGE_SWAPCACHE)))
		return true;
	return (lru_flags & PG_WRITEBACK) && r->mode != MIGRATE_SYNC;
}

enum step { STEP_ON, STEP_ENOUGH, STEP_ABORT };

static void skip_pages(struct scan *s, unsigned order)
{
	s->pfn += (1ull << order) - 1;
	s->scanned += (1ull << order) - 1;
}

/* One frame. */
static enum step scan_frame(struct scan *s, pfn_t start)
{
	struct compact_run *r = s->r;
	int free = pr_free_order(r->op.m, r->op.z, s->pfn);
	unsigned order;
	uint32_t info;

	s->scanned++;
	if (free >= 0) {
		skip_pages(s, (unsigned)free);
		return STEP_ON;
	}
	info = load(&pr_page(r->op.m, r->op.z, s->pfn)->info);
	order = info_order(info);
	if (info_compound(info) && !r->contig && too_large(r, order)) {
		skip_pages(s, order);
		fail(s);
		return STEP_ON;
	}
	if (!info_movable(r->op.m, pr_page(r->op.m, r->op.z, s->pfn)->owner, info) ||
	    unsuited(r, info)) {
		fail(s);
		return STEP_ON;
	}
	if (claimed_by_other(s, start))
		return STEP_ABORT;
	if (!isolate_block(r->op.m, r->op.z, &r->isolated, s->pfn, info)) {
		fail(s);
		return STEP_ON;
	}
	r->nr_isolated += 1ull << order;
	s->isolated += 1ull << order;
	skip_pages(s, order);
	if (r->nr_isolated >= COMPACT_CLUSTER && !r->finish_pageblock) {
		s->pfn++;
		return STEP_ENOUGH;
	}
	return STEP_ON;
}

/* Has the scan left an aligned block of the wanted order? Then stop if it gave something. */
static bool block_done(struct scan *s)
{
	if (!s->skip_on_failure || s->pfn < s->next_skip)
		return false;
	if (s->isolated)
		return true;
	s->next_skip = order_end(s->pfn, s->r->order);
	return false;
}

static void scan(struct scan *s)
{
	struct compact_run *r = s->r;
	pfn_t start = s->pfn;
	bool at_start = start == pageblock_start(start) || start == r->op.z->start_pfn;

	for (; s->pfn < s->end; s->pfn++) {
		enum step step;

		if (block_done(s))
			break;
		if (at_start && s->pfn == start) {
			/* only here: later rounds in this pageblock see the bit that they set */
			if (!r->ignore_skip && run_skip(r, start)) {
				s->scanned++;
				s->pfn = s->end;
				return;
			}
			s->from_start = true;
		}
		step = scan_frame(s, start);
		if (step == STEP_ABORT)
			s->pfn = s->end;
		if (step != STEP_ON)
			break;
	}
	if (s->pfn > s->end) /* a free block led out of the range */
		s->pfn = s->end;
}

/* Would that isolate more than is left on the node's LRU? Nobody else isolates: never. */
int isolate_migrate_block(struct compact_run *r, pfn_t pfn, pfn_t end)
{
	struct scan s = {.r = r, .pfn = pfn, .end = end};

	r->migrate_pfn = pfn;
	if (r->direct && r->mode == MIGRATE_ASYNC) {
		s.skip_on_failure = true;
		s.next_skip = order_end(pfn, r->order);
	}
	scan(&s);
	/* all of it seen, with nothing to move, or for the second time: leave it out for a while */
	if (s.pfn == end && (!s.isolated || r->finish_pageblock)) {
		if (!r->no_set_skip && s.from_start && !s.skip_updated)
			run_set_skip(r, pfn);
		update_cached_migrate(r, s.pfn);
	}
	pr_trace(r->op.m, r->cpu, mm_compaction_isolate_migratepages, .start_pfn = pfn,
		 .end_pfn = s.pfn, .nr_scanned = s.scanned, .nr_taken = s.isolated);
	r->migrate_scanned += s.scanned;
	if (s.isolated)
		pr_count(r->op.m, r->cpu, EV_COMPACT_ISOLATED, s.isolated);
	r->migrate_pfn = s.pfn;
	return 0;
}

/* Asynchronous direct compaction empties blocks of the request's own kind only. */
static bool source_ok(const struct compact_run *r, pfn_t pfn)
{
	enum migratetype mt;

	if (run_huge_block(r, pfn))
		return false;
	if (r->mode != MIGRATE_ASYNC || !r->direct)
		return true;
	mt = pr_block_type(r->op.m, r->op.z, pfn);
	if (r->type == MT_MOVABLE)
		return mt == MT_MOVABLE || mt == MT_CMA;
	return mt == r->type;
}

int isolate_migrate(struct compact_run *r)
{
	pfn_t pfn = fast_find_migrate_block(r);
	pfn_t start = max_pfn(pageblock_start(pfn), r->op.z->start_pfn), end = pageblock_end(pfn);
	/* a fast find is known not to be marked */
	bool fast = pfn != r->migrate_pfn && !r->fast_search_fail;

	for (; end <= r->free_pfn;
	     fast = false, r->migrate_pfn = pfn = end, start = end, end += PAGEBLOCK_PAGES) {
		if (!run_whole(r, start))
			continue;
		if ((pfn == pageblock_start(pfn) || pfn == r->op.z->start_pfn) && !fast &&
		    !r->ignore_skip && run_skip(r, start))
			continue;
		if (!source_ok(r, start)) {
			update_cached_migrate(r, end);
			continue;
		}
		return isolate_migrate_block(r, pfn, end);
	}
	return 0;
}
