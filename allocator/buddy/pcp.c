/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcp.c: per-CPU lists: refill in batches, spill in batches, and how high and batch move with use.
 * Source of the behaviour: mm/page_alloc.c of 6.12 (nr_pcp_alloc, nr_pcp_high, nr_pcp_free,
 * free_unref_page_commit, decay_pcp_high).
 */
#include "buddy/buddy.h"

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

static int max_int(int a, int b)
{
	return a > b ? a : b;
}

/* How many blocks to fetch when a list is empty; moves high and alloc_factor. */
static int refill_blocks(struct op *op, unsigned order)
{
	struct pcp *p = op->pcp;
	int high = p->high = pcp_clamp_high(p), batch;

	if (high < p->batch)
		return 1;
	batch = order ? p->batch : p->batch << p->alloc_factor;
	if (p->high_min != p->high_max && !(load(&op->z->flags) & ZONE_BELOW_HIGH))
		high = p->high = min_int(high + batch, p->high_max);
	if (!order) {
		int max = max_int(high - p->count - p->batch, p->batch);

		if (batch <= max && p->alloc_factor < BATCH_SCALE_MAX)
			p->alloc_factor++;
		batch = min_int(batch, max);
	}
	if (batch > 1)
		batch = max_int(batch >> order, 2);
	return batch;
}

/* n blocks in a row, from rel on, to the tail of a list. */
static void append_row(struct op *op, struct list *list, uint32_t rel, unsigned order,
		       enum migratetype mt, unsigned n)
{
	struct page *frames = zone_frames(op->m, op->z);
	uint32_t step = 1u << order, last = rel + (n - 1) * step, old = list->last;

	for (uint32_t r = rel, prev = old; n--; prev = r, r += step) {
		store(&frames[r].info, page_info(PAGE_PCP, order, 0, mt));
		frames[r].next = r == last ? LINK_NONE : r + step;
		frames[r].prev = prev;
	}
	in_order();
	if (old == LINK_NONE)
		list->first = rel;
	else
		frames[old].next = rel;
	list->last = last;
	list->nr += (last - rel) / step + 1;
}

/*
 * Takes from the type's own blocks in rows, with the same result as one by one: a block that was the
 * smallest is used up before another is looked at. Returns blocks; the rest is not that simple.
 */
static int refill_rows(struct op *op, struct list *list, unsigned order, enum migratetype mt,
		       int n, unsigned alloc_flags)
{
	int left = n;

	if (load(&op->m->arena->trace_mask) || /* each block has its event */
	    ((alloc_flags & ALLOC_CMA) && op->z->free_cma > 0))
		return 0;
	while (left) {
		unsigned got;
		pfn_t pfn = buddy_take_row(op, order, mt, (unsigned)left, &got);

		if (pfn == PFN_NONE)
			break;
		append_row(op, list, rel_of(op->z, pfn), order, mt, got);
		left -= (int)got;
	}
	return n - left;
}

bool pcp_refill(struct op *op, struct list *list, unsigned order, enum migratetype mt,
		unsigned alloc_flags)
{
	enum take_mode mode = TAKE_NORMAL;
	int n = refill_blocks(op, order), i;

	zone_lock(op->z);
	for (i = 0; i < n; i++) {
		pfn_t pfn;

		if (mode == TAKE_NORMAL)
			i += refill_rows(op, list, order, mt, n - i, alloc_flags);
		pfn = i < n ? buddy_take(op, order, mt, alloc_flags, &mode) : PFN_NONE;
		if (pfn == PFN_NONE)
			break;
		append_row(op, list, rel_of(op->z, pfn), order, mt, 1);
	}
	zone_unlock(op->z);
	op->pcp->count += i << order;
	return i > 0;
}

/* The last block of list i to the zone. */
static void flush_one(struct op *op, struct list *list, unsigned order)
{
	struct page *frames = zone_frames(op->m, op->z);
	uint32_t rel = list->last;
	pfn_t pfn = op->z->start_pfn + rel;
	enum migratetype mt = block_type(op, pfn);

	intent_set(op->z, rel, order);
	frame_list_pop_tail(list, frames);
	store(&frames[rel].info, 0);
	op->pcp->count -= 1 << order;
	pr_trace(op->m, op_cpu(op), mm_page_pcpu_drain, .pfn = pfn, .order = order,
		 .migratetype = mt);
	buddy_free_one(op, pfn, order, mt);
}

void pcp_flush(struct op *op, int count, int first)
{
	struct pcp *p = op->pcp;
	int i = first - 1, left = p->count - min_int(p->count, count);

	if (p->count <= left)
		return;
	zone_lock(op->z);
	while (p->count > left) {
		struct list *list;
		unsigned order;

		do {
			i = i + 1 < NR_PCP_LISTS ? i + 1 : 0;
			list = &p->list[i];
		} while (!list->nr);
		order = pr_pcp_order(i);
		do
			flush_one(op, list, order);
		while (p->count > left && list->nr);
	}
	zone_unlock(op->z);
}

/* How many pages to give back when count reached high. */
static int spill_pages(const struct pcp *p, int high, bool free_high)
{
	if (free_high)
		return min_int(p->count, p->batch << BATCH_SCALE_MAX);
	if (high < p->batch)
		return 1;
	return pcp_clamp(p->free_count, p->batch, high - p->batch);
}

/* The count at which to spill; moves high with the rows of frees and the zone's need. */
static int spill_high(struct op *op, bool free_high)
{
	struct pcp *p = op->pcp;
	int high = p->high = pcp_clamp_high(p);

	if (!high)
		return 0;
	if (free_high) {
		p->high = max_int(high - (p->batch << BATCH_SCALE_MAX), p->high_min);
		return 0;
	}
	if (load(&op->z->flags) & ZONE_RECLAIM_ACTIVE) {
		p->high = max_int(high - max_int(p->free_count, p->batch), p->high_min);
		return min_int(p->batch << 2, p->high);
	}
	if (p->high_min == p->high_max)
		return high;
	if (load(&op->z->flags) & ZONE_BELOW_HIGH) {
		p->high = max_int(high - max_int(p->free_count, p->batch), p->high_min);
		high = max_int(p->count, p->high_min);
	} else if (p->count >= high) {
		int need = p->free_count + p->batch;

		if (p->high < need)
			p->high = pcp_clamp(need, p->high_min, p->high_max);
	}
	return high;
}

void pcp_spill_and_unlock(struct pr_machine *m, struct zone *z, struct pcp *p, int list,
			  bool free_high)
{
	struct op op = {m, z, p, p};
	int high = spill_high(&op, free_high);

	if (p->count >= high) {
		pcp_flush(&op, spill_pages(p, high, free_high), list);
		if ((load(&z->flags) & ZONE_BELOW_HIGH) &&
		    zone_watermark_ok(z, 0, zone_mark(z, WMARK_HIGH), ZONE_MOVABLE, 0))
			zone_flag_clear(z, ZONE_BELOW_HIGH);
	}
	pcp_unlock(p);
}

void pcp_drain(struct op *op)
{
	while (op->pcp->count)
		pcp_flush(op, min_int(op->pcp->count, op->pcp->batch << BATCH_SCALE_MAX), 0);
}

bool pcp_decay_high(struct op *op)
{
	struct pcp *p = op->pcp;
	bool todo = false;
	int drain;

	if (p->high > p->high_min) {
		p->high = max_int(max_int(p->count - (p->batch << BATCH_SCALE_MAX),
					  p->high - (p->high >> 3)),
				  p->high_min);
		todo = p->high > p->high_min;
	}
	for (drain = p->count - p->high; drain > 0; drain -= p->batch) {
		pcp_flush(op, min_int(drain, p->batch), 0);
		todo = true;
	}
	return todo;
}
