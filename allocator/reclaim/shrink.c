/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shrink.c: pages off the end of a list: each is freed, kept, or made active. Source of the
 * behaviour: mm/vmscan.c of 6.12 (isolate_lru_folios, shrink_folio_list, shrink_inactive_list,
 * shrink_active_list).
 */
#include "reclaim/reclaim.h"

#include <errno.h>

enum { FREE_BATCH = 31 };
enum { WB_ANON = 1, WB_FILE = 2, WB_ASYNC = 8 }; /* flags of the trace events */

/* What came of a row of pages (struct reclaim_stat). */
struct outcome {
	uint64_t dirty, unqueued_dirty, congested, writeback, immediate, pageout;
	uint64_t activate[2], ref_keep, unmap_fail;
};

struct row {
	struct scan *sc;
	struct node *n;
	struct outcome out;
	bool ignore_references;
	pfn_t free[FREE_BATCH];
	unsigned free_order[FREE_BATCH], nr_free;
	uint64_t reclaimed;
};

enum fate { FATE_KEEP, FATE_ACTIVATE, FATE_FREE };
enum verdict { VERDICT_ACTIVATE, VERDICT_KEEP, VERDICT_RECLAIM, VERDICT_RECLAIM_CLEAN };

static int node_id(const struct scan *sc, const struct node *n)
{
	return (int)(n - sc->m->nodes);
}

/* Up to nr pages from the end of a list to `to`; those of higher zones go to its beginning. */
static uint64_t isolate(struct scan *sc, struct node *n, enum lru_list lru, uint64_t nr,
			struct list *to, uint64_t *scanned)
{
	struct list *from = &n->lru.list[lru], skipped;
	uint64_t taken = 0, nr_skipped = 0, scan = 0;

	list_init(to);
	list_init(&skipped);
	lru_lock(n);
	for (*scanned = 0; scan < nr && from->nr;) {
		struct user_page p = user_page_at(sc->m, n->start_pfn + from->last);
		unsigned pages = page_nr(p.page);

		*scanned += pages;
		lru_unlink(sc->m, &p);
		if ((int)p.z->type > sc->reclaim_idx) {
			pr_count(sc->m, sc->cpu, EV_PGSCAN_SKIP_DMA + p.z->type, pages);
			nr_skipped += pages;
			lru_list_push(sc->m, n, &skipped, p.pfn, false);
			continue;
		}
		scan += pages;
		taken += pages;
		lru_list_push(sc->m, n, to, p.pfn, false);
	}
	while (skipped.nr) {
		struct user_page p = lru_list_pop(sc->m, n, &skipped);

		lru_link(sc->m, &p, false);
	}
	n->lru.isolated[lru >= LRU_INACTIVE_FILE] += taken;
	lru_unlock(n);
	pr_trace(sc->m, sc->cpu, mm_vmscan_lru_isolate, .highest_zoneidx = sc->reclaim_idx,
		 .order = (int)sc->order, .nr_requested = nr, .nr_scanned = *scanned,
		 .nr_skipped = nr_skipped, .nr_taken = taken, .lru = lru);
	return taken;
}

static enum verdict check_references(const struct row *r, const struct user_page *p)
{
	unsigned what, refs = owner_referenced(r->sc->m, p, &what);
	bool marked = page_has(p->page, PG_REFERENCED);

	page_clear(p->page, PG_REFERENCED);
	if (what & PR_REF_LOCKED)
		return VERDICT_ACTIVATE;
	if (refs) {
		/* every mapped page has one reference from its first fault: look for a second one */
		page_set(p->page, PG_REFERENCED);
		if (marked || refs > 1 || ((what & PR_REF_EXEC) && page_file(p->page)))
			return VERDICT_ACTIVATE;
		return VERDICT_KEEP;
	}
	return marked && page_file(p->page) ? VERDICT_RECLAIM_CLEAN : VERDICT_RECLAIM;
}

/* Counts what tells kswapd that writeback is behind; anonymous pages are no flusher's business. */
static void note_dirty(struct row *r, const struct user_page *p)
{
	bool dirty = page_has(p->page, PG_DIRTY), writeback = page_has(p->page, PG_WRITEBACK);
	unsigned nr = page_nr(p->page);

	if (!page_file(p->page))
		return;
	if (dirty || writeback)
		r->out.dirty += nr;
	if (dirty && !writeback)
		r->out.unqueued_dirty += nr;
	if (writeback && page_flag(p->page, PAGE_RECLAIM))
		r->out.congested += nr;
}

/* Already on its way out: it is made active to be out of the way until it is there. */
static enum fate under_writeback(struct row *r, const struct user_page *p)
{
	if (r->sc->kswapd && page_flag(p->page, PAGE_RECLAIM) && (r->n->lru.flags & LRUVEC_WRITEBACK)) {
		r->out.immediate += page_nr(p->page);
		return FATE_ACTIVATE;
	}
	page_flag_set(p->page, PAGE_RECLAIM);
	r->out.writeback += page_nr(p->page);
	return FATE_ACTIVATE;
}

static bool may_enter_fs(const struct scan *sc, const struct page *page)
{
	return (sc->gfp & __GFP_FS) || ((page_flag(page, PAGE_SWAPCACHE)) && (sc->gfp & __GFP_IO));
}

static void set_writeback(const struct user_page *p, bool writeback, bool dirty)
{
	lru_lock(p->n);
	page_set_counted(p, PG_DIRTY, dirty);
	page_set_counted(p, PG_WRITEBACK, writeback);
	if (writeback)
		page_flag_set(p->page, PAGE_RECLAIM);
	else
		page_flag_clear(p->page, PAGE_RECLAIM);
	lru_unlock(p->n);
}

/* A dirty page: FATE_FREE if it was written at once. */
static enum fate write_out(struct row *r, const struct user_page *p, enum verdict verdict)
{
	struct scan *sc = r->sc;
	bool file = page_file(p->page);
	int err;

	if (file && (!sc->kswapd || !page_flag(p->page, PAGE_RECLAIM) ||
		     !(r->n->lru.flags & LRUVEC_DIRTY))) {
		/* flushers write in better order; when they did, it is freed at once */
		pr_count(sc->m, sc->cpu, EV_NR_VMSCAN_IMMEDIATE, page_nr(p->page));
		page_flag_set(p->page, PAGE_RECLAIM);
		return FATE_ACTIVATE;
	}
	if (verdict == VERDICT_RECLAIM_CLEAN || !may_enter_fs(sc, p->page) || !sc->may_writepage)
		return FATE_KEEP;
	pr_trace(sc->m, sc->cpu, mm_vmscan_write_folio, .pfn = p->pfn,
		 .reclaim_flags = (file ? WB_FILE : WB_ANON) | WB_ASYNC);
	set_writeback(p, true, false);
	err = owner_write(sc->m, p);
	if (err && err != -EINPROGRESS) {
		set_writeback(p, false, true);
		return FATE_ACTIVATE;
	}
	pr_count(sc->m, sc->cpu, EV_NR_VMSCAN_WRITE, page_nr(p->page));
	if (!file)
		pr_count(sc->m, sc->cpu, EV_PSWPOUT, page_nr(p->page));
	r->out.pageout += page_nr(p->page);
	if (err)
		return FATE_KEEP; /* until pr_writeback_end() */
	set_writeback(p, false, false);
	return FATE_FREE;
}

/* A place in swap for an anonymous page that has none: false if there is none. */
static bool has_swap(struct row *r, const struct user_page *p)
{
	if (page_file(p->page) || page_flag(p->page, PAGE_SWAPCACHE))
		return true;
	if (owner_swap_add(r->sc->m, p))
		return false;
	page_flag_set(p->page, PAGE_SWAPCACHE);
	pr_page_dirty(r->sc->m, p->pfn);
	return true;
}

static enum fate judge(struct row *r, const struct user_page *p)
{
	struct scan *sc = r->sc;
	enum verdict verdict = VERDICT_RECLAIM;
	enum fate fate;

	sc->nr_scanned += page_nr(p->page);
	if (!page_evictable(p->page))
		return FATE_ACTIVATE;
	if (!sc->may_unmap && owner_mapped(sc->m, p))
		return FATE_KEEP;
	note_dirty(r, p);
	if (page_has(p->page, PG_WRITEBACK))
		return under_writeback(r, p);
	if (!r->ignore_references)
		verdict = check_references(r, p);
	if (verdict == VERDICT_ACTIVATE)
		return FATE_ACTIVATE;
	if (verdict == VERDICT_KEEP) {
		r->out.ref_keep += page_nr(p->page);
		return FATE_KEEP;
	}
	if (!page_file(p->page) && !page_flag(p->page, PAGE_SWAPCACHE) && !(sc->gfp & __GFP_IO))
		return FATE_KEEP;
	if (!has_swap(r, p))
		return FATE_ACTIVATE;
	if (owner_mapped(sc->m, p) && owner_unmap(sc->m, p)) {
		r->out.unmap_fail += page_nr(p->page);
		return FATE_ACTIVATE;
	}
	if (page_has(p->page, PG_DIRTY)) {
		fate = write_out(r, p, verdict);
		if (fate != FATE_FREE)
			return fate;
	}
	return owner_evict(sc->m, p, workingset_evict(sc->m, p)) ? FATE_KEEP : FATE_FREE;
}

static void free_row(struct row *r)
{
	for (unsigned i = 0; i < r->nr_free; i++) {
		pr_trace(r->sc->m, r->sc->cpu, mm_page_free_batched, .pfn = r->free[i]);
		/* it is ours alone, isolated and evicted */
		if (pr_free(r->sc->m, r->free[i], r->free_order[i], r->sc->cpu))
			__builtin_trap();
	}
	r->nr_free = 0;
}

static void carry_out(struct row *r, const struct user_page *p, enum fate fate, struct list *kept)
{
	if (fate == FATE_FREE) {
		r->reclaimed += page_nr(p->page);
		r->free_order[r->nr_free] = page_order(p->page);
		r->free[r->nr_free++] = p->pfn;
		if (r->nr_free == FREE_BATCH)
			free_row(r);
		return;
	}
	if (fate == FATE_ACTIVATE && page_evictable(p->page)) {
		page_set(p->page, PG_ACTIVE);
		r->out.activate[page_file(p->page)] += page_nr(p->page);
	}
	lru_list_push(r->sc->m, r->n, kept, p->pfn, false);
}

/* All pages of a list; those that stay are on it afterwards. */
static void shrink_row(struct row *r, struct list *l)
{
	struct list kept;

	list_init(&kept);
	while (l->nr) {
		struct user_page p = lru_list_pop(r->sc->m, r->n, l);

		carry_out(r, &p, judge(r, &p), &kept);
	}
	free_row(r);
	pr_count(r->sc->m, r->sc->cpu, EV_PGACTIVATE, r->out.activate[0] + r->out.activate[1]);
	*l = kept;
}

uint64_t shrink_list_now(struct scan *sc, struct node *n, struct list *l)
{
	struct row r = {.sc = sc, .n = n, .ignore_references = true};

	shrink_row(&r, l);
	return r.reclaimed;
}

/* More pages are isolated than are left: others reclaim here, wait for them. */
static bool too_many_isolated(const struct scan *sc, const struct node *n, bool file)
{
	uint64_t inactive = lru_size(n, file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON, NR_ZONE_TYPES);

	if (sc->kswapd)
		return false;
	if ((sc->gfp & (__GFP_IO | __GFP_FS)) == (__GFP_IO | __GFP_FS))
		inactive >>= 3;
	return n->lru.isolated[file] > inactive;
}

static void add_stat(struct scan *sc, const struct outcome *o, uint64_t taken, bool file)
{
	sc->nr.dirty += o->dirty;
	sc->nr.congested += o->congested;
	sc->nr.unqueued_dirty += o->unqueued_dirty;
	sc->nr.writeback += o->writeback;
	sc->nr.immediate += o->immediate;
	sc->nr.taken += taken;
	if (file)
		sc->nr.file_taken += taken;
}

static void trace_inactive(const struct row *r, uint64_t scanned, bool file)
{
	pr_trace(r->sc->m, r->sc->cpu, mm_vmscan_lru_shrink_inactive, .nid = node_id(r->sc, r->n),
		 .nr_scanned = (uint32_t)scanned, .nr_reclaimed = (uint32_t)r->reclaimed,
		 .nr_dirty = (uint32_t)r->out.dirty, .nr_writeback = (uint32_t)r->out.writeback,
		 .nr_congested = (uint32_t)r->out.congested,
		 .nr_immediate = (uint32_t)r->out.immediate,
		 .nr_activate0 = (uint32_t)r->out.activate[0],
		 .nr_activate1 = (uint32_t)r->out.activate[1],
		 .nr_ref_keep = (uint32_t)r->out.ref_keep,
		 .nr_unmap_fail = (uint32_t)r->out.unmap_fail, .priority = r->sc->priority,
		 .reclaim_flags = (file ? WB_FILE : WB_ANON) | WB_ASYNC);
}

uint64_t shrink_inactive(struct scan *sc, struct node *n, enum lru_list lru, uint64_t nr)
{
	struct row r = {.sc = sc, .n = n};
	bool file = lru >= LRU_INACTIVE_FILE;
	uint64_t scanned, taken;
	struct list l;

	if (too_many_isolated(sc, n, file)) {
		reclaim_throttle(sc, n, THROTTLE_ISOLATED);
		if (too_many_isolated(sc, n, file))
			return 0;
	}
	pr_lru_drain(sc->m, sc->cpu);
	taken = isolate(sc, n, lru, nr, &l, &scanned);
	pr_count(sc->m, sc->cpu, sc->kswapd ? EV_PGSCAN_KSWAPD : EV_PGSCAN_DIRECT, scanned);
	pr_count(sc->m, sc->cpu, file ? EV_PGSCAN_FILE : EV_PGSCAN_ANON, scanned);
	if (!taken)
		return 0;
	shrink_row(&r, &l);
	lru_lock(n);
	lru_putback(sc->m, n, &l);
	n->lru.isolated[file] -= taken;
	lru_unlock(n);
	pr_count(sc->m, sc->cpu, sc->kswapd ? EV_PGSTEAL_KSWAPD : EV_PGSTEAL_DIRECT, r.reclaimed);
	pr_count(sc->m, sc->cpu, file ? EV_PGSTEAL_FILE : EV_PGSTEAL_ANON, r.reclaimed);
	lru_note_cost(n, file, r.out.pageout, scanned - r.reclaimed);
	add_stat(sc, &r.out, taken, file);
	trace_inactive(&r, scanned, file);
	return r.reclaimed;
}

void shrink_active(struct scan *sc, struct node *n, enum lru_list lru, uint64_t nr)
{
	bool file = lru >= LRU_INACTIVE_FILE;
	uint64_t scanned, taken, rotated = 0, active, inactive;
	struct list hold, stay, leave;

	pr_lru_drain(sc->m, sc->cpu);
	taken = isolate(sc, n, lru, nr, &hold, &scanned);
	pr_count(sc->m, sc->cpu, EV_PGREFILL, scanned);
	list_init(&stay);
	list_init(&leave);
	while (hold.nr) {
		struct user_page p = lru_list_pop(sc->m, n, &hold);
		unsigned what;

		/* programs' code gets another round; other references do not count here */
		if (page_evictable(p.page) && owner_referenced(sc->m, &p, &what) &&
		    (what & PR_REF_EXEC) && page_file(p.page)) {
			rotated += page_nr(p.page);
			lru_list_push(sc->m, n, &stay, p.pfn, false);
			continue;
		}
		page_clear(p.page, PG_ACTIVE);
		page_set(p.page, PG_WORKINGSET);
		lru_list_push(sc->m, n, &leave, p.pfn, false);
	}
	lru_lock(n);
	active = lru_putback(sc->m, n, &stay);
	inactive = lru_putback(sc->m, n, &leave);
	n->lru.isolated[file] -= taken;
	lru_unlock(n);
	pr_count(sc->m, sc->cpu, EV_PGDEACTIVATE, inactive);
	if (rotated)
		lru_note_cost(n, file, 0, rotated);
	pr_trace(sc->m, sc->cpu, mm_vmscan_lru_shrink_active, .nid = node_id(sc, n), .nr_taken = taken,
		 .nr_active = active, .nr_deactivated = inactive, .nr_referenced = rotated,
		 .priority = sc->priority, .reclaim_flags = (file ? WB_FILE : WB_ANON) | WB_ASYNC);
}
