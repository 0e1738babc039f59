/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcp.c: per-CPU lists: refill in batches, spill in batches, and how high and batch move with use.
 * Source of the behaviour: mm/page_alloc.c of 6.12 (nr_pcp_alloc, nr_pcp_high, nr_pcp_free,
 * free_unref_page_commit, decay_pcp_high).
 */
#include "buddy/buddy.h"

#include "page_alloc/page_alloc.h"

enum { BATCH_SCALE_MAX = 5 }; /* CONFIG_PCP_BATCH_SCALE_MAX */

/* As the kernel's: the upper limit wins where limits are the wrong way round. */
static int clamp_int(int v, int lo, int hi)
{
	if (v >= hi)
		return hi;
	return v < lo ? lo : v;
}

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

static int max_int(int a, int b)
{
	return a > b ? a : b;
}

static int clamp_high(const struct pcp *p)
{
	return clamp_int(p->high, p->high_min, p->high_max);
}

/* How many blocks to fetch when a list is empty; moves high and alloc_factor. */
static int refill_blocks(struct op *op, unsigned order)
{
	struct pcp *p = op->pcp;
	int high = p->high = clamp_high(p), batch;

	if (high < p->batch)
		return 1;
	batch = order ? p->batch : p->batch << p->alloc_factor;
	if (p->high_min != p->high_max && !(op->z->flags & ZONE_BELOW_HIGH))
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

static void refill(struct op *op, struct list *list, unsigned order, enum migratetype mt,
		   unsigned alloc_flags)
{
	enum take_mode mode = TAKE_NORMAL;
	int n = refill_blocks(op, order), i;

	for (i = 0; i < n; i++) {
		pfn_t pfn = buddy_take(op, order, mt, alloc_flags, &mode);
		struct page *page;

		if (pfn == PFN_NONE)
			break;
		page = pr_page(op->m, op->z, pfn);
		page->state = PAGE_PCP;
		page->order = (uint8_t)order;
		page->pcp_mt = (uint8_t)mt;
		list_push(op->m, op->z, list, rel_of(op->z, pfn), order, true, true);
	}
	op->pcp->count += i << order;
}

static pfn_t take_from_list(struct op *op, unsigned order, enum migratetype mt,
			    unsigned alloc_flags)
{
	struct list *list = &op->pcp->list[pr_pcp_index(order, mt)];
	uint32_t rel;

	if (!list->nr)
		refill(op, list, order, mt, alloc_flags);
	if (!list->nr)
		return PFN_NONE;
	rel = list->first;
	list_remove(op->m, op->z, list, rel, order, true);
	op->pcp->count -= 1 << order;
	return op->z->start_pfn + rel;
}

pfn_t pcp_take(struct op *op, unsigned order, enum migratetype mt, unsigned alloc_flags)
{
	op->pcp->free_count >>= 1;
	return take_from_list(op, order, mt, alloc_flags);
}

pfn_t pcp_take_bulk(struct op *op, enum migratetype mt, unsigned alloc_flags)
{
	return take_from_list(op, 0, mt, alloc_flags);
}

void pcp_flush(struct op *op, int count, int first)
{
	struct pcp *p = op->pcp;
	int i = first - 1;

	count = min_int(p->count, count);
	while (count > 0) {
		struct list *list;
		unsigned order;

		do {
			i = i + 1 < NR_PCP_LISTS ? i + 1 : 0;
			list = &p->list[i];
		} while (!list->nr);
		order = pr_pcp_order(i);
		do {
			uint32_t rel = list->last;
			pfn_t pfn = op->z->start_pfn + rel;
			struct page *page = pr_page(op->m, op->z, pfn);

			list_remove(op->m, op->z, list, rel, order, true);
			page->state = page->order = page->pcp_mt = 0;
			count -= 1 << order;
			p->count -= 1 << order;
			buddy_free_one(op, pfn, order, block_type(op, pfn));
		} while (count > 0 && list->nr);
	}
}

/* How many pages to give back when count reached high. */
static int spill_pages(const struct pcp *p, int high, bool free_high)
{
	if (free_high)
		return min_int(p->count, p->batch << BATCH_SCALE_MAX);
	if (high < p->batch)
		return 1;
	return clamp_int(p->free_count, p->batch, high - p->batch);
}

/* The count at which to spill; moves high with the rows of frees and the zone's need. */
static int spill_high(struct op *op, bool free_high)
{
	struct pcp *p = op->pcp;
	int high = p->high = clamp_high(p);

	if (!high)
		return 0;
	if (free_high) {
		p->high = max_int(high - (p->batch << BATCH_SCALE_MAX), p->high_min);
		return 0;
	}
	if (op->z->flags & ZONE_RECLAIM_ACTIVE) {
		p->high = max_int(high - max_int(p->free_count, p->batch), p->high_min);
		return min_int(p->batch << 2, p->high);
	}
	if (p->high_min == p->high_max)
		return high;
	if (op->z->flags & ZONE_BELOW_HIGH) {
		p->high = max_int(high - max_int(p->free_count, p->batch), p->high_min);
		high = max_int(p->count, p->high_min);
	} else if (p->count >= high) {
		int need = p->free_count + p->batch;

		if (p->high < need)
			p->high = clamp_int(need, p->high_min, p->high_max);
	}
	return high;
}

/* A consumer that frees large blocks in a row on another CPU than the producer's: cut it short. */
static bool frees_high_orders(struct pcp *p, unsigned order)
{
	bool yes = false;

	if (order && order <= COSTLY_ORDER) {
		yes = p->free_count >= p->batch && (p->flags & PCPF_PREV_FREE_HIGH_ORDER) &&
		      (!(p->flags & PCPF_FREE_HIGH_BATCH) || p->count >= p->batch);
		p->flags |= PCPF_PREV_FREE_HIGH_ORDER;
	} else {
		p->flags &= (uint8_t)~PCPF_PREV_FREE_HIGH_ORDER;
	}
	return yes;
}

void pcp_free(struct op *op, pfn_t pfn, unsigned order)
{
	enum migratetype mt = block_type(op, pfn);
	struct page *page = pr_page(op->m, op->z, pfn);
	struct pcp *p = op->pcp;
	bool free_high;
	int i, high;

	if (mt == MT_ISOLATE) {
		buddy_free_one(op, pfn, order, mt);
		return;
	}
	if (mt >= NR_PCP_TYPES)
		mt = MT_MOVABLE; /* CMA and high-atomic pages may be used by movable requests */
	p->alloc_factor >>= 1;
	i = pr_pcp_index(order, mt);
	page->state = PAGE_PCP;
	page->order = (uint8_t)order;
	page->pcp_mt = (uint8_t)mt;
	list_push(op->m, op->z, &p->list[i], rel_of(op->z, pfn), order, true, false);
	p->count += 1 << order;
	free_high = frees_high_orders(p, order);
	if (p->free_count < (p->batch << BATCH_SCALE_MAX))
		p->free_count = (int16_t)(p->free_count + (1 << order));
	high = spill_high(op, free_high);
	if (p->count < high)
		return;
	pcp_flush(op, spill_pages(p, high, free_high), i);
	if ((op->z->flags & ZONE_BELOW_HIGH) &&
	    zone_watermark_ok(op->z, 0, zone_mark(op->z, WMARK_HIGH), ZONE_MOVABLE, 0))
		op->z->flags &= ~(uint32_t)ZONE_BELOW_HIGH;
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
