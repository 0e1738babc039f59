/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compact_fast.c: short looks into the free lists that save scanning pageblock by pageblock. */
#include "reclaim/compact_run.h"

#include <pagerig/trace.h>

/* The first entries of a free list, up to `last`, go to its end: the next look begins behind them.
 */
static void first_to_end(struct op *op, unsigned order, enum migratetype mt, uint32_t last)
{
	const struct list *l = &op->z->area[order].list[mt];
	uint32_t rel;

	if (last == l->last)
		return;
	do {
		rel = l->first;
		intent_set(op->z, rel, order);
		area_remove(op, rel, order, mt);
		area_push(op, rel, order, mt, true);
	} while (rel != last);
}

/* The last entries, from `first` on, go to the front: a look from the end begins before them. */
static void last_to_front(struct op *op, unsigned order, enum migratetype mt, uint32_t first)
{
	const struct list *l = &op->z->area[order].list[mt];
	uint32_t rel;

	if (first == LINK_NONE || first == l->first)
		return;
	do {
		rel = l->last;
		intent_set(op->z, rel, order);
		area_remove(op, rel, order, mt);
		area_push(op, rel, order, mt, false);
	} while (rel != first);
}

static uint32_t before(const struct op *op, unsigned order, const struct list *l, uint32_t rel)
{
	return rel == l->first ? LINK_NONE : link_prev(op->m, op->z, rel, order, false);
}

/* A search for frames to move to (fast_isolate_freepages). */
struct search {
	struct compact_run *r;
	unsigned limit; /* entries of one order that are looked at */
	uint64_t scanned;
	pfn_t low, min; /* preferred: at or above low; good enough: at or above min */
	pfn_t highest;	/* start of the highest pageblock seen, 0: none */
};

/* Orders in turn, beginning with the one that gave something last; -1 when all had their turn. */
static int next_order(struct compact_run *r, int order)
{
	if (--order < 0)
		order = r->order - 1;
	if (order == r->search_order) {
		if (--r->search_order < 0)
			r->search_order = r->order - 1;
		return -1;
	}
	return order;
}

/*
 * From the tail of an order's movable list: a block high enough, or the best one seen. Where the
 * look ended becomes the head, so that the next one begins with what was not seen.
 */
static pfn_t search_list(struct search *s, int order, unsigned *seen)
{
	struct compact_run *r = s->r;
	const struct zone *z = r->op.z;
	struct list *l = &r->op.z->area[order].list[MT_MOVABLE];
	pfn_t found = PFN_NONE, high = 0;
	uint32_t rel = l->last;

	for (*seen = 0; rel != LINK_NONE; rel = before(&r->op, (unsigned)order, l, rel)) {
		pfn_t pfn = z->start_pfn + rel;

		++*seen;
		s->scanned++;
		if (pfn >= s->highest)
			s->highest = max_pfn(pageblock_start(pfn), z->start_pfn);
		if (pfn >= s->low) {
			r->fast_search_fail = 0;
			r->search_order = order;
			found = pfn;
			break;
		}
		if (pfn >= s->min && pfn > high) {
			high = pfn;
			s->limit >>= 1;
		}
		if (*seen >= s->limit)
			break;
	}
	if (found == PFN_NONE && high) {
		found = high;
		rel = rel_of(z, high);
	}
	last_to_front(&r->op, (unsigned)order, MT_MOVABLE, rel);
	return found;
}

static bool take_found(struct search *s, pfn_t pfn, unsigned order)
{
	struct compact_run *r = s->r;

	if (!isolate_free(&r->op, pfn, order))
		return false;
	s->scanned += (1ull << order) - 1;
	r->nr_free += 1ull << order;
	list_push(r->op.m, r->op.z, &r->free[order], rel_of(r->op.z, pfn), order, true, true);
	pr_count(r->op.m, r->cpu, EV_COMPACT_ISOLATED, 1ull << order);
	return true;
}

static pfn_t search_orders(struct search *s)
{
	struct compact_run *r = s->r;
	pfn_t found = PFN_NONE;

	if (r->search_order > r->order - 1 || r->search_order < 0)
		r->search_order = r->order - 1;
	for (int order = r->search_order; found == PFN_NONE && order >= 0;
	     order = next_order(r, order)) {
		unsigned seen;

		if (!r->op.z->area[order].nr_free)
			continue;
		zone_lock(r->op.z);
		found = search_list(s, order, &seen);
		if (found != PFN_NONE && !take_found(s, found, (unsigned)order)) {
			order = r->search_order + 1; /* below the watermark: no order will do */
			found = PFN_NONE;
		}
		zone_unlock(r->op.z);
		if (r->nr_free >= r->nr_isolated)
			break;
		if (seen >= s->limit)
			s->limit = s->limit > 1 ? s->limit >> 1 : 1;
	}
	return found;
}

/* Is there any memory in the section (128 MiB) that holds pfn? Linux has frames for all of it then.
 */
static bool section_present(const struct pr_machine *m, pfn_t pfn)
{
	enum { SECTION_PAGES = 1 << 15 };
	pfn_t start = pfn & ~(pfn_t)(SECTION_PAGES - 1);

	for (pfn = start; pfn < start + SECTION_PAGES; pfn += PAGEBLOCK_PAGES) {
		const struct zone *z = zone_of(m, pfn);

		if (z && !pr_block_absent(m, z, pfn))
			return true;
	}
	return false;
}

/* Nothing high enough at the first look: where linear scanning shall start; its block or none. */
static pfn_t start_lower(struct search *s)
{
	struct compact_run *r = s->r;
	pfn_t pfn = PFN_NONE;

	if (s->highest >= s->min) {
		r->free_pfn = s->highest;
		return s->highest;
	}
	if (r->direct && section_present(r->op.m, s->min)) {
		if (run_whole(r, s->min) && run_target_ok(r, s->min))
			pfn = s->min;
		r->free_pfn = s->min;
	}
	return pfn;
}

/* Where one block was found there may be more. */
static void isolate_around(struct compact_run *r, pfn_t pfn)
{
	pfn_t start, first, end;

	if (r->nr_free >= r->nr_isolated || (r->direct && r->mode == MIGRATE_ASYNC))
		return;
	start = first = max_pfn(pageblock_start(pfn), r->op.z->start_pfn);
	end = min_pfn(pageblock_end(pfn), zone_end(r->op.z));
	if (!run_whole(r, start))
		return;
	isolate_free_block(r, &start, end, 1, false);
	if (start == end && !r->no_set_skip)
		run_set_skip(r, first);
}

void fast_isolate_free(struct compact_run *r)
{
	struct compact_memory *c = &r->op.z->compact;
	struct search s = {.r = r, .limit = run_scan_limit(r) >> 1};
	bool first_look = r->free_pfn >= c->init_free_pfn;
	uint64_t distance = r->free_pfn - r->migrate_pfn;
	uint64_t before = r->nr_free;
	pfn_t found;

	if (r->order <= 0)
		return;
	if (!s.limit)
		s.limit = 1;
	if (first_look)
		s.limit = PAGEBLOCK_PAGES / 2;
	s.low = pageblock_start(r->free_pfn - (distance >> 2));
	s.min = pageblock_start(r->free_pfn - (distance >> 1));
	if (s.min > s.low) /* the scanners have passed each other */
		s.low = s.min;
	found = search_orders(&s);
	pr_trace(r->op.m, r->cpu, mm_compaction_fast_isolate_freepages, .start_pfn = s.min,
		 .end_pfn = r->free_pfn, .nr_scanned = s.scanned, .nr_taken = r->nr_free - before);
	if (found == PFN_NONE) {
		r->fast_search_fail++;
		if (first_look)
			found = start_lower(&s);
	}
	if (s.highest && s.highest >= c->free_pfn)
		c->free_pfn = s.highest - PAGEBLOCK_PAGES;
	r->free_scanned += s.scanned;
	if (found != PFN_NONE)
		isolate_around(r, found);
}

/* --- a pageblock to empty that is partly free already --- */

static void note_fast_start(struct compact_run *r, pfn_t pfn)
{
	if (r->fast_start_pfn == PFN_NONE)
		return;
	if (!r->fast_start_pfn || pfn < r->fast_start_pfn)
		r->fast_start_pfn = pfn;
}

/* Linear scanning begins at the lowest of the fast finds, once. */
static pfn_t linear_start(struct compact_run *r)
{
	if (r->fast_start_pfn && r->fast_start_pfn != PFN_NONE) {
		r->migrate_pfn = r->fast_start_pfn;
		r->fast_start_pfn = PFN_NONE;
	}
	return r->migrate_pfn;
}

/* Small orders need little: for them the next pageblock will do; so it will in mid-block. */
static bool fast_find_useful(const struct compact_run *r)
{
	if (r->ignore_skip || r->finish_pageblock || r->order <= COSTLY_ORDER)
		return false;
	if (r->migrate_pfn != r->op.z->start_pfn &&
	    r->migrate_pfn != pageblock_start(r->migrate_pfn))
		return false;
	return !r->direct || r->type == MT_MOVABLE;
}

/* The head of an order's movable list; a block low enough and not marked, or PFN_NONE. */
static pfn_t find_in_list(struct compact_run *r, unsigned order, pfn_t high, unsigned limit,
			  unsigned *scanned)
{
	struct list *l = &r->op.z->area[order].list[MT_MOVABLE];

	for (uint32_t rel = l->first; rel != LINK_NONE;
	     rel = link_next(r->op.m, r->op.z, rel, order, false)) {
		pfn_t pfn = r->op.z->start_pfn + rel;

		if ((*scanned)++ >= limit) {
			first_to_end(&r->op, order, MT_MOVABLE, rel);
			return PFN_NONE;
		}
		if (pfn >= high || run_skip(r, pfn))
			continue;
		first_to_end(&r->op, order, MT_MOVABLE, rel);
		return pfn;
	}
	return PFN_NONE;
}

pfn_t fast_find_migrate_block(struct compact_run *r)
{
	unsigned limit = run_scan_limit(r), scanned = 0;
	pfn_t found = PFN_NONE, high;
	uint64_t distance;

	if (!fast_find_useful(r))
		return r->migrate_pfn;
	distance = (r->free_pfn - r->migrate_pfn) >> 1;
	if (r->migrate_pfn != r->op.z->start_pfn)
		distance >>= 2;
	high = pageblock_start(r->migrate_pfn + distance);
	for (int order = r->order - 1;
	     order >= COSTLY_ORDER && found == PFN_NONE && scanned < limit; order--) {
		if (!r->op.z->area[order].nr_free)
			continue;
		zone_lock(r->op.z);
		found = find_in_list(r, (unsigned)order, high, limit, &scanned);
		zone_unlock(r->op.z);
	}
	r->migrate_scanned += scanned;
	if (found == PFN_NONE) {
		r->fast_search_fail++;
		return linear_start(r);
	}
	note_fast_start(r, found);
	r->fast_search_fail = 0;
	return max_pfn(pageblock_start(found), r->op.z->start_pfn);
}
