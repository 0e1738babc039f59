/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * balance.c: one round over a node: how much of which list is scanned. Source of the behaviour:
 * mm/vmscan.c of 6.12 (prepare_scan_control, get_scan_count, shrink_lruvec, shrink_node).
 */
#include "reclaim/reclaim.h"

enum { MAX_SWAPPINESS = 200, ALL_ZONES = NR_ZONE_TYPES };
enum balance { BALANCE_EQUAL, BALANCE_FRACTION, BALANCE_ANON, BALANCE_FILE };

static uint64_t int_sqrt(uint64_t n)
{
	uint64_t r = 0;

	while ((r + 1) * (r + 1) <= n)
		r++;
	return r;
}

bool inactive_is_low(const struct node *n, enum lru_list inactive)
{
	uint64_t idle = lru_size(n, inactive, ALL_ZONES);
	uint64_t busy = lru_size(n, (enum lru_list)(inactive + LRU_ACTIVE), ALL_ZONES);
	uint64_t gb = (idle + busy) >> (30 - PR_PAGE_SHIFT);

	return idle * (gb ? int_sqrt(10 * gb) : 1) < busy;
}

/* Deactivate where refaults say that a new working set comes up, or where too few are inactive. */
static void set_deactivate(struct scan *sc, const struct node *n)
{
	static const enum lru_list inactive[2] = {LRU_INACTIVE_ANON, LRU_INACTIVE_FILE};

	sc->may_deactivate = 0;
	for (unsigned file = 0; file < 2; file++)
		if (sc->force_deactivate || n->lru.activated[file] != n->lru.refaults[file] ||
		    inactive_is_low(n, inactive[file]))
			sc->may_deactivate |= file ? DEACTIVATE_FILE : DEACTIVATE_ANON;
}

/* The node's free pages and the sum of its zones' high marks. */
static uint64_t node_free(const struct pr_machine *m, const struct node *n, uint64_t *high)
{
	uint64_t free = 0;

	*high = 0;
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++) {
		const struct zone *z = n->zone[t] >= 0 ? &m->zones[n->zone[t]] : NULL;

		if (!z || !z->managed)
			continue;
		free += z->free_pages > 0 ? (uint64_t)z->free_pages : 0;
		*high += zone_mark(z, WMARK_HIGH);
	}
	return free;
}

static void prepare(struct scan *sc, const struct node *n)
{
	uint64_t inactive_file = lru_size(n, LRU_INACTIVE_FILE, ALL_ZONES), high, free, file;

	sc->cost[0] = n->lru.cost[0];
	sc->cost[1] = n->lru.cost[1];
	set_deactivate(sc, n);
	sc->cache_trim_mode = inactive_file >> sc->priority &&
			      !(sc->may_deactivate & DEACTIVATE_FILE) && !sc->no_cache_trim_mode;
	/* so little cache that scanning it is vain: it would only be refaulted */
	free = node_free(sc->m, n, &high);
	file = inactive_file + lru_size(n, LRU_ACTIVE_FILE, ALL_ZONES);
	sc->file_is_tiny = file + free <= high && !(sc->may_deactivate & DEACTIVATE_ANON) &&
			   lru_size(n, LRU_INACTIVE_ANON, ALL_ZONES) >> sc->priority;
}

static enum balance choose_balance(const struct scan *sc, int swappiness)
{
	if (!sc->may_swap || !swap_left(sc->m) || (sc->proactive && !swappiness))
		return BALANCE_FILE;
	if (!sc->priority && swappiness)
		return BALANCE_EQUAL;
	if (sc->file_is_tiny)
		return BALANCE_ANON;
	return sc->cache_trim_mode ? BALANCE_FILE : BALANCE_FRACTION;
}

/* Pages to scan of each list. */
static void scan_counts(const struct scan *sc, const struct node *n, uint64_t nr[NR_LRU_LISTS])
{
	int swappiness = sc->swappiness >= 0 ? sc->swappiness : sc->m->arena->sysctl.swappiness;
	enum balance balance = choose_balance(sc, swappiness);
	uint64_t total = sc->cost[0] + sc->cost[1], part[2], cost[2];

	/* the dearer a list was lately, the less of it; at least a third of the other */
	cost[0] = total + sc->cost[0];
	cost[1] = total + sc->cost[1];
	total = cost[0] + cost[1];
	part[0] = (uint64_t)swappiness * (total + 1) / (cost[0] + 1);
	part[1] = (uint64_t)(MAX_SWAPPINESS - swappiness) * (total + 1) / (cost[1] + 1);
	for (unsigned l = LRU_INACTIVE_ANON; l < LRU_UNEVICTABLE; l++) {
		bool file = l >= LRU_INACTIVE_FILE;

		nr[l] = lru_size(n, (enum lru_list)l, sc->reclaim_idx) >> sc->priority;
		if (balance == BALANCE_FRACTION)
			nr[l] = nr[l] * part[file] / (part[0] + part[1]);
		else if (balance != BALANCE_EQUAL && (balance == BALANCE_FILE) != file)
			nr[l] = 0;
	}
}

static uint64_t shrink_one(struct scan *sc, struct node *n, enum lru_list lru, uint64_t nr)
{
	bool file = lru >= LRU_INACTIVE_FILE;

	if (lru == LRU_INACTIVE_ANON || lru == LRU_INACTIVE_FILE)
		return shrink_inactive(sc, n, lru, nr);
	if (sc->may_deactivate & (file ? DEACTIVATE_FILE : DEACTIVATE_ANON))
		shrink_active(sc, n, lru, nr);
	else
		sc->skipped_deactivate = true;
	return 0;
}

/*
 * The goal is reached in the middle of it: of the kind with less left nothing more is scanned, of
 * the other as much of its target as of the first. False: stop altogether.
 */
static bool keep_proportion(uint64_t nr[NR_LRU_LISTS], const uint64_t target[NR_LRU_LISTS])
{
	uint64_t file = nr[LRU_INACTIVE_FILE] + nr[LRU_ACTIVE_FILE];
	uint64_t anon = nr[LRU_INACTIVE_ANON] + nr[LRU_ACTIVE_ANON], percent;
	unsigned less, more;

	if (!file || !anon)
		return false;
	less = file > anon ? LRU_INACTIVE_ANON : LRU_INACTIVE_FILE;
	more = less ^ LRU_FILE;
	percent = (file > anon ? anon : file) * 100 / (target[less] + target[less + LRU_ACTIVE] + 1);
	nr[less] = nr[less + LRU_ACTIVE] = 0;
	for (unsigned l = more; l <= more + LRU_ACTIVE; l++) {
		uint64_t done = target[l] - nr[l], goal = target[l] * (100 - percent) / 100;

		nr[l] = goal > done ? goal - done : 0;
	}
	return true;
}

static void shrink_lruvec(struct scan *sc, struct node *n)
{
	/* a direct reclaimer's first round is not cut short: kswapd is behind, so do a batch at once */
	bool whole = !sc->kswapd && sc->priority == DEF_PRIORITY;
	uint64_t nr[NR_LRU_LISTS], target[NR_LRU_LISTS], reclaimed = 0;

	scan_counts(sc, n, nr);
	for (unsigned l = 0; l < LRU_UNEVICTABLE; l++)
		target[l] = nr[l];
	while (nr[LRU_INACTIVE_ANON] || nr[LRU_ACTIVE_FILE] || nr[LRU_INACTIVE_FILE]) {
		for (unsigned l = LRU_INACTIVE_ANON; l < LRU_UNEVICTABLE; l++) {
			uint64_t now = nr[l] < SWAP_CLUSTER_MAX ? nr[l] : SWAP_CLUSTER_MAX;

			if (!now)
				continue;
			nr[l] -= now;
			reclaimed += shrink_one(sc, n, (enum lru_list)l, now);
		}
		if (reclaimed < sc->nr_to_reclaim || whole)
			continue;
		if (!keep_proportion(nr, target))
			break;
	}
	sc->nr_reclaimed += reclaimed;
	/* whatever was scanned: keep enough anonymous pages inactive, to see which are used */
	if (sc->m->arena->swap_total && inactive_is_low(n, LRU_INACTIVE_ANON))
		shrink_active(sc, n, LRU_ACTIVE_ANON, SWAP_CLUSTER_MAX);
}

/* kswapd learns from what it met that writing is behind. */
static void note_kswapd(struct scan *sc, struct node *n)
{
	if (sc->nr.writeback && sc->nr.writeback == sc->nr.taken)
		n->lru.flags |= LRUVEC_WRITEBACK;
	if (sc->nr.unqueued_dirty == sc->nr.file_taken)
		n->lru.flags |= LRUVEC_DIRTY;
	if (sc->nr.immediate)
		reclaim_throttle(sc, n, THROTTLE_WRITEBACK);
}

static bool round_over(struct scan *sc, struct node *n)
{
	uint64_t before = sc->nr_reclaimed, got;

	sc->nr = (struct scan_stat){0};
	prepare(sc, n);
	shrink_lruvec(sc, n);
	sc->nr_reclaimed += shrink_slab(sc, (unsigned)(n - sc->m->nodes));
	got = sc->nr_reclaimed - before;
	if (sc->kswapd)
		note_kswapd(sc, n);
	if (sc->kswapd && sc->nr.dirty && sc->nr.dirty == sc->nr.congested)
		n->lru.flags |= LRUVEC_CONGESTED;
	if (!sc->kswapd && (n->lru.flags & LRUVEC_CONGESTED))
		reclaim_throttle(sc, n, THROTTLE_CONGESTED);
	return got;
}

void shrink_node(struct scan *sc, struct node *n)
{
	uint64_t before = sc->nr_reclaimed;

	while (round_over(sc, n) && reclaim_for_compaction(sc, n))
		;
	if (sc->nr_reclaimed != before)
		n->kswapd_failures = 0; /* and a kswapd that gave up has a reason again */
	else if (sc->cache_trim_mode)
		sc->cache_trim_mode_failed = true;
}
