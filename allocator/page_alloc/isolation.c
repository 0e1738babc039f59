/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isolation.c: see isolation.h. */
#include "page_alloc/isolation.h"

#include <errno.h>

static pfn_t block_of(pfn_t pfn)
{
	return pfn & ~(pfn_t)(PAGEBLOCK_PAGES - 1);
}

static pfn_t max_block_of(pfn_t pfn)
{
	return pfn & ~(pfn_t)((1u << MAX_ORDER) - 1);
}

static bool present(const struct op *op, pfn_t pfn)
{
	return zone_spans(op->z, pfn) && !pr_block_absent(op->m, op->z, pfn);
}

pfn_t free_block_head(const struct op *op, pfn_t pfn)
{
	for (unsigned o = 0; o <= MAX_ORDER; o++) {
		pfn_t head = pfn & ~((1ull << o) - 1);
		int order = zone_spans(op->z, head) ? pr_free_order(op->m, op->z, head) : -1;

		if (order >= 0) /* the nearest one; does it reach so far? */
			return head + (1ull << order) > pfn ? head : pfn;
	}
	return pfn;
}

void take_isolated(struct op *op, pfn_t pfn, unsigned order)
{
	enum migratetype mt = block_type(op, pfn);

	intent_set(op->z, rel_of(op->z, pfn), order);
	buddy_del(op, pfn, order, mt);
	store(&pr_page(op->m, op->z, pfn)->info, page_info(PAGE_USED, order, PAGE_ISOLATED, 0));
	account_free(op, -(1ll << order), mt);
}

static void set_type(struct op *op, pfn_t block, enum migratetype mt)
{
	block_set_type(pr_block(op->m, op->z, block), mt);
}

/* Frees anew what is off the lists: each pageblock's part goes to its own type's lists. */
static void refree(struct op *op, pfn_t pfn, unsigned order)
{
	store(&pr_page(op->m, op->z, pfn)->info, 0);
	buddy_free(op, pfn, order);
}

/*
 * The free blocks of a pageblock go to another type's lists. A block that is larger than the
 * pageblock is cut. false if the zone does not have all of it (move_freepages_block_isolate).
 */
static bool move_to_type(struct op *op, pfn_t block, enum migratetype to)
{
	enum migratetype from = block_type(op, block);
	pfn_t head;
	int order;

	if (!zone_spans(op->z, block) || !zone_spans(op->z, block + PAGEBLOCK_PAGES - 1))
		return false;
	head = free_block_head(op, block);
	order = pr_free_order(op->m, op->z, head);
	if (order > PAGEBLOCK_ORDER) {
		take_isolated(op, head, (unsigned)order);
		set_type(op, block, to);
		refree(op, head, (unsigned)order);
	} else if (order == PAGEBLOCK_ORDER) {
		intent_set(op->z, rel_of(op->z, block), PAGEBLOCK_ORDER);
		area_remove(op, rel_of(op->z, block), PAGEBLOCK_ORDER, from);
		set_type(op, block, to);
		area_push(op, rel_of(op->z, block), PAGEBLOCK_ORDER, to, true);
		account_free(op, -PAGEBLOCK_PAGES, from);
		account_free(op, PAGEBLOCK_PAGES, to);
	} else {
		block_move_free(op, block, from, to);
	}
	return true;
}

/* Word of the block in use that covers pfn, *head its first frame; 0 if there is none. */
static uint32_t used_block(const struct op *op, pfn_t pfn, pfn_t *head)
{
	for (unsigned o = 0; o <= MAX_ORDER; o++) {
		uint32_t info;

		*head = pfn & ~((1ull << o) - 1);
		if (!zone_spans(op->z, *head))
			break;
		info = load(&pr_page(op->m, op->z, *head)->info);
		if (((info & 0xff) == PAGE_USED || (info & 0xff) == PAGE_PCP) &&
		    (info >> 8 & 0xff) >= o)
			return info;
	}
	return 0;
}

/* Something that can't be moved away, in a pageblock (has_unmovable_pages)? */
static bool has_unmovable(const struct op *op, pfn_t block, enum migratetype mt)
{
	pfn_t end = block + PAGEBLOCK_PAGES;

	/* CMA pageblocks are only for those who ask for them, and those take them as they are */
	if (block_type(op, block) == MT_CMA)
		return mt != MT_CMA;
	for (pfn_t pfn = block; pfn < end;) {
		pfn_t head = free_block_head(op, pfn);
		int order = pr_free_order(op->m, op->z, head);
		uint32_t info;

		if (order >= 0) {
			pfn = head + (1ull << order);
			continue;
		}
		info = used_block(op, pfn, &head);
		if (!info)
			return true; /* in use since the start */
		if ((info & 0xff) == PAGE_USED && !(info >> 16 & PAGE_LRU) &&
		    op->z->type != ZONE_MOVABLE)
			return true;
		pfn = head + (1ull << (info >> 8 & 0xff));
	}
	return false;
}

static int isolate_block_type(struct op *op, pfn_t block, enum migratetype mt)
{
	int err = -EBUSY;

	if (!zone_spans(op->z, block))
		return -EBUSY;
	zone_lock(op->z);
	if (block_type(op, block) != MT_ISOLATE && !has_unmovable(op, block, mt) &&
	    move_to_type(op, block, MT_ISOLATE))
		err = 0;
	zone_unlock(op->z);
	return err;
}

/* Frees a pageblock that was isolated together with its buddy: they merge, at the list's tail. */
static void putback_to_tail(struct op *op, pfn_t block, enum migratetype mt)
{
	pfn_t head = max_block_of(block);
	unsigned order = MAX_ORDER;

	take_isolated(op, block, PAGEBLOCK_ORDER);
	set_type(op, block, mt);
	store(&pr_page(op->m, op->z, block)->info, 0);
	buddy_free_one(op, block, PAGEBLOCK_ORDER, mt);
	if (!zone_spans(op->z, head) || pr_free_order(op->m, op->z, head) != MAX_ORDER) {
		head = block;
		order = PAGEBLOCK_ORDER;
	}
	intent_set(op->z, rel_of(op->z, head), order);
	area_remove(op, rel_of(op->z, head), order, block_type(op, head));
	area_push(op, rel_of(op->z, head), order, block_type(op, head), true);
}

static void unisolate_block(struct op *op, pfn_t block, enum migratetype mt)
{
	pfn_t buddy = block ^ PAGEBLOCK_PAGES;

	zone_lock(op->z);
	if (block_type(op, block) == MT_ISOLATE) {
		if (pr_free_order(op->m, op->z, block) == PAGEBLOCK_ORDER &&
		    buddy_is_free(op->m, op->z, buddy, PAGEBLOCK_ORDER) &&
		    block_type(op, buddy) != MT_ISOLATE)
			putback_to_tail(op, block, mt);
		else
			move_to_type(op, block, mt);
	}
	zone_unlock(op->z);
}

/* A block in use that lies across the boundary can't be cut. */
static bool straddled(const struct op *op, pfn_t boundary)
{
	pfn_t head;
	uint32_t info;

	if (!present(op, boundary) || !present(op, boundary - 1))
		return false;
	info = used_block(op, boundary - 1, &head);
	return (info & 0xff) == PAGE_USED && (info >> 16 & PAGE_COMP) &&
	       head + (1ull << (info >> 8 & 0xff)) > boundary;
}

void unisolate_range(struct op *op, pfn_t start, pfn_t end, enum migratetype mt)
{
	for (pfn_t block = block_of(start); block < end; block += PAGEBLOCK_PAGES)
		if (present(op, block))
			unisolate_block(op, block, mt);
}

/* An outer pageblock; done: it is isolated already, only its outer boundary is looked at. */
static int isolate_outer(struct op *op, pfn_t block, pfn_t boundary, enum migratetype mt, bool done)
{
	int err = done ? 0 : isolate_block_type(op, block, mt);

	if (err || !straddled(op, boundary))
		return err;
	if (!done)
		unisolate_block(op, block, mt);
	return -EBUSY;
}

int isolate_range(struct op *op, pfn_t start, pfn_t end, enum migratetype mt)
{
	pfn_t first = block_of(start), last = block_of(end - 1);
	int err = isolate_outer(op, first, first, mt, false);

	if (err)
		return err;
	err = isolate_outer(op, last, last + PAGEBLOCK_PAGES, mt, first == last);
	if (err) {
		unisolate_block(op, first, mt);
		return err;
	}
	for (pfn_t block = first + PAGEBLOCK_PAGES; block < last; block += PAGEBLOCK_PAGES) {
		if (!present(op, block) || !isolate_block_type(op, block, mt))
			continue;
		unisolate_range(op, first, block, mt);
		unisolate_block(op, last, mt);
		return -EBUSY;
	}
	return 0;
}

bool range_isolated(const struct op *op, pfn_t start, pfn_t end)
{
	pfn_t pfn;

	for (pfn = start; pfn < end; pfn += PAGEBLOCK_PAGES)
		if (present(op, pfn) && block_type(op, pfn) != MT_ISOLATE)
			return false;
	for (pfn = start; pfn < end;) {
		int order = pr_free_order(op->m, op->z, pfn);

		if (order < 0)
			return false;
		pfn += 1ull << order;
	}
	return true;
}
