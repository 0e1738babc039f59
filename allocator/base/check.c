/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.c: the invariant checker. It walks every list once and every frame once, and says in a
 * sentence what does not fit.
 */
#include "base/check.h"
#include "base/lists.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct check {
	const struct pr_machine *m;
	const struct zone *z;
	char *why;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int bad(const struct check *k, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(k->why, k->size, "node %u zone %s: ", k->z->node, pr_zone_name[k->z->type]);

	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < k->size)
		vsnprintf(k->why + n, k->size - (size_t)n, fmt, ap);
	va_end(ap);
	return -EUCLEAN;
}

static bool is_head(const struct check *k, uint32_t rel, unsigned order)
{
	pfn_t pfn = k->z->start_pfn + rel;

	if (order >= PAGEBLOCK_ORDER)
		return block_free_order(k->m, k->z, pfn) == (int)order;
	return page_info_is(page_rel(k->m, k->z, rel)->info, PAGE_FREE, order);
}

static bool pair_mergeable(const struct check *k, pfn_t pfn, pfn_t buddy, unsigned order)
{
	enum migratetype a = pr_block_type(k->m, k->z, pfn), b = pr_block_type(k->m, k->z, buddy);

	return order < PAGEBLOCK_ORDER || a == b || (type_mergeable(a) && type_mergeable(b));
}

/* One block of a free list. */
static int check_free(const struct check *k, uint32_t rel, unsigned order, unsigned mt)
{
	pfn_t pfn = k->z->start_pfn + rel, buddy = pfn ^ (1ull << order);

	if (rel >= k->z->spanned || rel + (1ull << order) > k->z->spanned)
		return bad(k, "block %llx of order %u leaves the zone", (unsigned long long)pfn, order);
	if (pfn & ((1ull << order) - 1))
		return bad(k, "block %llx is not aligned to order %u", (unsigned long long)pfn, order);
	if (!is_head(k, rel, order))
		return bad(k, "block %llx is on list %u/%s, its frame says otherwise",
			   (unsigned long long)pfn, order, pr_migratetype_name[mt]);
	if (pr_block_type(k->m, k->z, pfn) != mt)
		return bad(k, "block %llx of type %s is on list %u/%s", (unsigned long long)pfn,
			   pr_migratetype_name[pr_block_type(k->m, k->z, pfn)], order,
			   pr_migratetype_name[mt]);
	if (order < MAX_ORDER && zone_spans(k->z, buddy) && is_head(k, rel_of(k->z, buddy), order) &&
	    pair_mergeable(k, pfn, buddy, order))
		return bad(k, "buddies %llx and %llx of order %u are not merged",
			   (unsigned long long)pfn, (unsigned long long)buddy, order);
	return 0;
}

static int check_list(const struct check *k, const struct list *l, unsigned order, unsigned mt,
		      bool pcp, uint64_t *heads)
{
	uint32_t prev = LINK_NONE, rel = l->first;
	uint64_t nr = 0;

	for (; rel != LINK_NONE; prev = rel, rel = link_next(k->m, k->z, rel, order, pcp)) {
		const struct page *page;
		int err = 0;

		if (rel >= k->z->spanned)
			return bad(k, "a link of list %u/%u leads out of the zone", order, mt);
		page = page_rel(k->m, k->z, (uint32_t)rel);
		if (!pcp)
			err = check_free(k, rel, order, mt);
		else if (page->state != PAGE_PCP || page->order != order)
			err = bad(k, "frame %llx is on a per-CPU list, but says otherwise",
				  (unsigned long long)(k->z->start_pfn + rel));
		if (err)
			return err;
		if (rel != l->first && link_prev(k->m, k->z, rel, order, pcp) != prev)
			return bad(k, "list %u/%u: the way back differs", order, mt);
		if (++nr > l->nr)
			break;
	}
	if (nr != l->nr || (rel == LINK_NONE && l->last != prev))
		return bad(k, "list %u/%s has another length than its count %llu", order,
			   pr_migratetype_name[mt], (unsigned long long)l->nr);
	*heads += nr;
	return 0;
}

static int check_areas(const struct check *k, uint64_t *heads)
{
	int64_t free = 0, diff = 0;
	uint64_t highatomic = 0;

	for (unsigned o = 0; o < NR_ORDERS; o++) {
		const struct free_area *area = &k->z->area[o];
		uint64_t nr = 0;

		for (unsigned t = 0; t < NR_MIGRATETYPES; t++) {
			int err = check_list(k, &area->list[t], o, t, false, heads);

			if (err)
				return err;
			nr += area->list[t].nr;
			if ((k->z->mask[t] >> o & 1) != (area->list[t].nr > 0))
				return bad(k, "the mask of %s is wrong at order %u",
					   pr_migratetype_name[t], o);
			if (t != MT_ISOLATE)
				free += (int64_t)((uint64_t)area->list[t].nr << o);
			if (t == MT_HIGHATOMIC)
				highatomic += (uint64_t)area->list[t].nr << o;
		}
		if (nr != area->nr_free)
			return bad(k, "order %u counts %llu blocks, its lists hold %llu", o,
				   (unsigned long long)area->nr_free, (unsigned long long)nr);
	}
	for (unsigned c = 0; c < k->m->arena->nr_cpus; c++)
		diff += pr_pcp(k->m, k->z, c)->free_diff;
	if (k->z->free_pages + diff != free)
		return bad(k, "free pages %lld with differences %lld, but the lists hold %lld",
			   (long long)k->z->free_pages, (long long)diff, (long long)free);
	if (highatomic != k->z->free_highatomic)
		return bad(k, "free_highatomic is %llu, the lists hold %llu",
			   (unsigned long long)k->z->free_highatomic,
			   (unsigned long long)highatomic);
	return 0;
}

static int check_pcps(const struct check *k, uint64_t *heads)
{
	for (unsigned c = 0; c < k->m->arena->nr_cpus; c++) {
		const struct pcp *p = pr_pcp(k->m, k->z, c);
		int64_t count = 0;

		for (int i = 0; i < NR_PCP_LISTS; i++) {
			unsigned mt = i < NR_LOWORDER_PCP_LISTS ? (unsigned)i % NR_PCP_TYPES : 0;
			int err = check_list(k, &p->list[i], pr_pcp_order(i), mt, true, heads);

			if (err)
				return err;
			count += (int64_t)p->list[i].nr << pr_pcp_order(i);
		}
		if (count != p->count)
			return bad(k, "cpu %u counts %d pages, its lists hold %lld", c, p->count,
				   (long long)count);
	}
	return 0;
}

/* Each head on exactly one list, and no head inside another's block. */
static int check_frames(const struct check *k, uint64_t heads)
{
	uint64_t seen = 0;

	for (uint64_t rel = 0; rel < k->z->spanned;) {
		pfn_t pfn = k->z->start_pfn + rel;
		const struct page *page = page_rel(k->m, k->z, (uint32_t)rel);
		int free = pfn & (PAGEBLOCK_PAGES - 1) ? -1 : block_free_order(k->m, k->z, pfn);
		uint64_t n = 1;

		if (free >= 0) {
			if (page->state != PAGE_BOOT)
				return bad(k, "frame %llx is in two places", (unsigned long long)pfn);
			n = 1ull << free;
			seen++;
		} else if (page->state != PAGE_BOOT) {
			n = 1ull << page->order;
			seen += page->state != PAGE_USED;
			for (uint64_t i = 1; i < n && rel + i < k->z->spanned; i++)
				if (page[i].state != PAGE_BOOT)
					return bad(k, "frame %llx lies inside the block at %llx",
						   (unsigned long long)(pfn + i),
						   (unsigned long long)pfn);
		}
		rel += n;
	}
	if (seen != heads)
		return bad(k, "%llu blocks say that they are free, the lists hold %llu",
			   (unsigned long long)seen, (unsigned long long)heads);
	return 0;
}

int pr_check(const struct pr_machine *m, char *why, size_t size)
{
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		struct check k = {m, &m->zones[i], why, size};
		uint64_t heads = 0;
		int err = check_areas(&k, &heads);

		if (!err)
			err = check_pcps(&k, &heads);
		if (!err)
			err = check_frames(&k, heads);
		if (err)
			return err;
	}
	return check_lru(m, why, size);
}
