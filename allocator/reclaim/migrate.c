/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migrate.c: see migrate.h. */
#include "reclaim/migrate.h"

#include "base/lru.h"

#include <errno.h>
#include <pagerig/alloc.h>
#include <pagerig/trace.h>

enum {
	MAX_BATCH = PAGEBLOCK_PAGES, /* pages that have a target before any is moved */
	ASYNC_PASSES = 3,
	SYNC_PASSES = 7,
	ALL_PASSES = ASYNC_PASSES + SYNC_PASSES,
};

struct totals {
	uint64_t moved, failed; /* pages */
};

static void append(struct block_list *l, pfn_t pfn)
{
	l->pfn[l->nr++] = pfn;
}

static unsigned order_of(const struct migration *g, pfn_t pfn)
{
	return info_order(load(&pr_page(g->m, g->z, pfn)->info));
}

/* Exchanges flags of a block in use; false if it is not what it was. */
static bool change_info(struct page *page, uint32_t info, unsigned clear, unsigned set)
{
	uint32_t to = (info & ~(clear << 16)) | set << 16;

	return __atomic_compare_exchange_n(&page->info, &info, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

bool isolate_block(struct pr_machine *m, const struct zone *, struct block_list *to, pfn_t pfn,
		   uint32_t info)
{
	struct user_page p = user_page_at(m, pfn);
	bool ok;

	lru_lock(p.n);
	ok = change_info(p.page, info, 0, PAGE_ISOLATED);
	if (ok) {
		lru_unlink(m, &p);
		page_flag_clear(p.page, PAGE_LRU);
	}
	lru_unlock(p.n);
	if (ok)
		append(to, pfn);
	return ok;
}

/* Has the block's owner kept it? */
static bool still_isolated(uint32_t info)
{
	return info_state(info) == PAGE_USED && (info_flags(info) & PAGE_ISOLATED);
}

void putback_blocks(struct pr_machine *m, unsigned cpu, struct block_list *from)
{
	while (from->nr)
		if (!lru_add_isolated(m, from->pfn[--from->nr], cpu))
			continue; /* its owner gave it back meanwhile */
}

/* Moves one block: its owner first, then the marks, then the old frames are free. */
static int move_block(const struct migration *g, pfn_t src, pfn_t dst, enum migrate_mode mode)
{
	struct page *from = pr_page(g->m, g->z, src);
	struct page *to = pr_page(g->m, zone_of(g->m, dst), dst);
	uint32_t info = load(&from->info);
	unsigned order = info_order(info);
	int err;

	if (!still_isolated(info))
		return -ENOENT;
	if (page_has(from, PG_WRITEBACK)) /* only a synchronous run would wait for that */
		return mode == MIGRATE_SYNC ? -EAGAIN : -EBUSY;
	to->owner = from->owner;
	store(&to->info, page_info(PAGE_USED, order, info_flags(info), info >> 24));
	err = pr_owner_migrate(g->m, to->owner, src, dst, order);
	if (err)
		return err;
	page_clear(from, ~0u); /* what the LRU counts of it went along */
	/* unless its owner has given that back already */
	if (lru_add_isolated(g->m, dst, g->cpu) && g->no_batch)
		pr_lru_drain(g->m, g->cpu);
	return pr_free(g->m, src, order, g->cpu);
}

struct pair {
	pfn_t src, dst;
	unsigned order;
};

static void give_up(const struct migration *g, const struct pair *p, struct block_list *failed,
		    struct totals *t)
{
	t->failed += 1ull << p->order;
	append(failed, p->src);
	g->put_new(g->ctx, p->dst, p->order);
}

/* Goes over the pairs once; keeps those whose owners were busy, at the front. How many. */
static unsigned move_pass(const struct migration *g, enum migrate_mode mode, struct pair *pair,
			  unsigned n, struct block_list *failed, struct totals *t)
{
	unsigned busy = 0;

	for (unsigned i = 0; i < n; i++) {
		int err = move_block(g, pair[i].src, pair[i].dst, mode);

		if (err == -EAGAIN)
			pair[busy++] = pair[i];
		else if (err)
			give_up(g, &pair[i], failed, t);
		else
			t->moved += 1ull << pair[i].order;
	}
	return busy;
}

/*
 * One batch, from the list's end: first a new frame for each block, then all are moved. What failed
 * goes to `failed`, what was not tried stays. As migrate_pages_batch.
 */
static int migrate_batch(const struct migration *g, enum migrate_mode mode, struct block_list *from,
			 unsigned passes, struct block_list *failed, struct totals *t)
{
	unsigned failed_before = failed->nr, n = 0, pages = 0;
	struct pair pair[MAX_BATCH];
	int err = 0;

	while (from->nr && pages < MAX_BATCH) {
		pfn_t src = from->pfn[from->nr - 1];
		unsigned order = order_of(g, src);
		pfn_t dst = g->get_new(g->ctx, order);

		if (dst == PFN_NONE) {
			t->failed += 1ull << order;
			err = -ENOMEM;
			break;
		}
		pair[n++] = (struct pair){src, dst, order};
		pages += 1u << order;
		from->nr--;
	}
	for (unsigned pass = 0; pass < passes && n; pass++)
		n = move_pass(g, mode, pair, n, failed, t);
	for (unsigned i = 0; i < n; i++)
		give_up(g, &pair[i], failed, t);
	return err ? err : (int)(failed->nr - failed_before);
}

/* All at once and without waiting first; those that failed then one by one (migrate_pages_sync). */
static int migrate_sync(const struct migration *g, struct block_list *from,
			struct block_list *failed, struct totals *t)
{
	struct block_list again = {.nr = 0};
	struct totals first = {0};
	int rc = migrate_batch(g, MIGRATE_ASYNC, from, ASYNC_PASSES, &again, &first), nr_failed = 0;
	unsigned i = 0;

	t->moved += first.moved;
	if (rc < 0)
		t->failed += first.failed;
	for (; i < again.nr && rc >= 0; i++) {
		struct block_list one = {.nr = 1, .pfn = {again.pfn[i]}};

		rc = migrate_batch(g, g->mode, &one, SYNC_PASSES, failed, t);
		if (rc < 0)
			break; /* it was not tried */
		nr_failed += rc;
	}
	for (; i < again.nr; i++)
		append(failed, again.pfn[i]);
	return rc < 0 ? rc : nr_failed;
}

/* Numbers are those of the record's names. */
enum { MR_COMPACTION = 0, MR_CONTIG_RANGE = 6 };

int migrate_blocks(const struct migration *g, struct block_list *from, uint64_t *moved)
{
	int reason = g->contig ? MR_CONTIG_RANGE : MR_COMPACTION, mode = (int)g->mode;
	struct block_list failed = {.nr = 0};
	struct totals t = {0};
	int total = 0;

	pr_trace(g->m, g->cpu, mm_migrate_pages_start, .mode = mode, .reason = reason);
	while (from->nr && total >= 0) {
		int rc;

		if (g->mode == MIGRATE_ASYNC)
			rc = migrate_batch(g, MIGRATE_ASYNC, from, ALL_PASSES, &failed, &t);
		else
			rc = migrate_sync(g, from, &failed, &t);
		total = rc < 0 ? rc : total + rc;
	}
	/* what failed is put back before what was not tried: it stands behind it */
	while (failed.nr)
		append(from, failed.pfn[--failed.nr]);
	pr_count(g->m, g->cpu, EV_PGMIGRATE_SUCCESS, t.moved);
	pr_count(g->m, g->cpu, EV_PGMIGRATE_FAIL, t.failed);
	pr_trace(g->m, g->cpu, mm_migrate_pages, .succeeded = t.moved, .failed = t.failed,
		 .mode = mode, .reason = reason);
	if (moved)
		*moved = t.moved;
	return from->nr ? total : 0;
}
