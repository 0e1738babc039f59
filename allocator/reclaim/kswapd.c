/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kswapd.c: the node's own reclaimer as a machine of steps: it is woken below low and goes on until
 * a zone is above high, boost included. Its state lies in the node; a thread of the host, or a
 * test, calls the steps. Source of the behaviour: mm/vmscan.c of 6.12 (kswapd, balance_pgdat,
 * kswapd_try_to_sleep).
 *
 * Different on purpose: whether a wake-up is worth it is looked at when the step is made, too, and
 * a host hears of it even if kswapd has given up: it may have other memory to take away; the
 * threshold of the CPUs' counters stays as it is.
 */
#include "reclaim/compaction.h"
#include "reclaim/reclaim.h"

static struct zone *zone_at(const struct pr_machine *m, const struct node *n, int type)
{
	struct zone *z = n->zone[type] >= 0 ? &m->zones[n->zone[type]] : NULL;

	return z && z->managed ? z : NULL;
}

bool node_balanced(const struct pr_machine *m, const struct node *n, unsigned order, int highest)
{
	bool any = false;

	for (int t = 0; t <= highest && t < NR_ZONE_TYPES; t++) {
		const struct zone *z = zone_at(m, n, t);
		int64_t free;

		if (!z)
			continue;
		any = true;
		free = z->free_pages > 0 ? z->free_pages : 0;
		if (z->drift_mark && free < (int64_t)z->drift_mark)
			free = pr_zone_free_snapshot(m, z);
		if (zone_watermark_ok_free(z, order, zone_mark(z, WMARK_HIGH),
					   (enum zone_type)highest, 0, free))
			return true;
	}
	return !any;
}

static bool boosted(const struct pr_machine *m, const struct node *n, int highest)
{
	for (int t = 0; t <= highest && t < NR_ZONE_TYPES; t++)
		if (zone_at(m, n, t) && zone_at(m, n, t)->watermark_boost)
			return true;
	return false;
}

/* Per-CPU lists are kept shorter while reclaim is at work. */
static void set_reclaim_active(struct pr_machine *m, const struct node *n, int highest, bool yes)
{
	for (int t = 0; t <= highest && t < NR_ZONE_TYPES; t++) {
		struct zone *z = zone_at(m, n, t);

		if (z && yes)
			zone_flag_set(z, ZONE_RECLAIM_ACTIVE);
		else if (z)
			zone_flag_clear(z, ZONE_RECLAIM_ACTIVE);
	}
}

/* Is there a wake-up, and anything to do about it? */
static bool wanted(const struct pr_machine *m, const struct node *n)
{
	int highest = load(&n->kswapd_highest);

	if (highest == NR_ZONE_TYPES || load(&n->kswapd_failures) >= MAX_RECLAIM_FAILURES)
		return false;
	return !node_balanced(m, n, (unsigned)load(&n->kswapd_order), highest) ||
	       boosted(m, n, highest);
}

static void begin(struct pr_machine *m, struct node *n, unsigned cpu)
{
	struct kswapd *k = &n->kswapd;

	k->alloc_order = k->reclaim_order = load(&n->kswapd_order);
	if (load(&n->kswapd_highest) != NR_ZONE_TYPES)
		k->highest = load(&n->kswapd_highest);
	store(&n->kswapd_order, 0);
	store(&n->kswapd_highest, NR_ZONE_TYPES);
	pr_trace(m, cpu, mm_vmscan_kswapd_wake, .nid = (int)(n - m->nodes), .zid = k->highest,
		 .order = k->alloc_order);
	pr_count(m, cpu, EV_PAGEOUTRUN, 1);
	store(&k->state, KSWAPD_BALANCING);
	k->priority = DEF_PRIORITY;
	k->reclaimed = k->boost_left = 0;
	k->no_cache_trim = k->cache_trim_failed = false;
	for (int t = 0; t < NR_ZONE_TYPES; t++) {
		const struct zone *z = t <= k->highest ? zone_at(m, n, t) : NULL;

		k->boost[t] = z ? z->watermark_boost : 0;
		k->boost_left += k->boost[t];
	}
	k->boosted = k->boost_left;
	set_reclaim_active(m, n, k->highest, true);
}

/* Takes from the zones' boosts what this run was for. */
static void end_boost(struct pr_machine *m, struct node *n)
{
	struct kswapd *k = &n->kswapd;

	for (int t = 0; t <= k->highest; t++) {
		struct zone *z = zone_at(m, n, t);

		if (!z || !k->boost[t])
			continue;
		zone_lock(z);
		z->watermark_boost -= k->boost[t] < z->watermark_boost ? k->boost[t]
								       : z->watermark_boost;
		zone_unlock(z);
	}
}

static void clear_congested(struct node *n)
{
	n->lru.flags &= ~(uint32_t)(LRUVEC_CONGESTED | LRUVEC_DIRTY | LRUVEC_WRITEBACK);
}

static bool may_sleep(struct pr_machine *m, struct node *n)
{
	const struct kswapd *k = &n->kswapd;

	if (load(&n->kswapd_failures) >= MAX_RECLAIM_FAILURES)
		return true;
	if (!node_balanced(m, n, (unsigned)k->reclaim_order, k->highest))
		return false;
	clear_congested(n);
	return true;
}

void wake_kswapd(struct pr_machine *m, struct zone *z, unsigned order, enum zone_type highest,
		 gfp_t gfp, unsigned cpu)
{
	struct node *n = &m->nodes[z->node];

	if (!z->managed)
		return;
	if (load(&n->kswapd_highest) == NR_ZONE_TYPES || load(&n->kswapd_highest) < (int)highest)
		store(&n->kswapd_highest, (int)highest);
	if (load(&n->kswapd_order) < (int)order)
		store(&n->kswapd_order, (int)order);
	/* two at the same moment may count as one: a failing request comes here twice */
	store(&n->kswapd_wakeups, load(&n->kswapd_wakeups) + 1);
	if (load(&n->kswapd.state) == KSWAPD_BALANCING)
		return;
	if (node_balanced(m, n, order, (int)highest) && !boosted(m, n, (int)highest)) {
		/* no lack of memory, but maybe of blocks */
		if (!(gfp & __GFP_DIRECT_RECLAIM))
			wake_kcompactd(m, n, (int)order, (int)highest, cpu);
		return;
	}
	pr_trace(m, cpu, mm_vmscan_wakeup_kswapd, .nid = (int)z->node, .zid = highest,
		 .order = (int)order, .gfp_flags = gfp);
	if (m->host.wake_kswapd)
		m->host.wake_kswapd(m->host.ctx, z->node, order, highest);
}

/* A run is over: a nap if all is well, else the next run. */
static void finish(struct pr_machine *m, struct node *n, unsigned cpu)
{
	struct kswapd *k = &n->kswapd;

	set_reclaim_active(m, n, k->highest, false);
	if (k->boosted) {
		end_boost(m, n);
		wake_kcompactd(m, n, PAGEBLOCK_ORDER, k->highest, cpu);
	}
	snapshot_refaults(n);
	if (!may_sleep(m, n)) {
		pr_count(m, cpu, EV_KSWAPD_HIGH_WMARK_HIT_QUICKLY, 1);
		begin(m, n, cpu);
		return;
	}
	compaction_reset_suitable(m, (unsigned)(n - m->nodes));
	wake_kcompactd(m, n, k->alloc_order, k->highest, cpu);
	store(&k->state, KSWAPD_NAPPING);
}

/* As much as the zones' high marks, or as was scanned, is enough of an effort for one priority. */
static bool scan_once(struct scan *sc, struct node *n)
{
	uint64_t before = sc->nr_reclaimed, effort;

	for (int t = 0; t <= sc->reclaim_idx; t++) {
		const struct zone *z = zone_at(sc->m, n, t);
		uint64_t high = z ? zone_mark(z, WMARK_HIGH) : 0;

		if (z)
			sc->nr_to_reclaim += high > SWAP_CLUSTER_MAX ? high : SWAP_CLUSTER_MAX;
	}
	shrink_node(sc, n);
	/* fragmentation may keep a large order from ever being balanced: then order 0 must do */
	if (sc->order && sc->nr_reclaimed >= compact_gap(sc->order))
		n->kswapd.reclaim_order = 0;
	effort = sc->nr_reclaimed - before;
	return (sc->nr_scanned > effort ? sc->nr_scanned : effort) >= sc->nr_to_reclaim;
}

/* One priority's scan; true if the run goes on. */
static bool balance_once(struct pr_machine *m, struct node *n, unsigned cpu)
{
	struct kswapd *k = &n->kswapd;
	bool raise = !(k->boost_left && k->priority == DEF_PRIORITY - 2);
	struct scan sc = {.m = m, .cpu = cpu, .order = (unsigned)k->reclaim_order, .gfp = GFP_KERNEL,
			  .reclaim_idx = k->highest, .priority = k->priority, .kswapd = true,
			  .may_unmap = true, .may_swap = !k->boost_left, .swappiness = -1,
			  .nr_reclaimed = k->reclaimed, .no_cache_trim_mode = k->no_cache_trim};
	uint64_t got;

	sc.may_writepage = (!m->arena->sysctl.laptop_mode && !k->boost_left) ||
			   k->priority < DEF_PRIORITY - 2;
	if (m->arena->swap_total && inactive_is_low(n, LRU_INACTIVE_ANON))
		shrink_active(&sc, n, LRU_ACTIVE_ANON, SWAP_CLUSTER_MAX);
	if (scan_once(&sc, n))
		raise = false;
	got = sc.nr_reclaimed - k->reclaimed;
	k->reclaimed = sc.nr_reclaimed;
	k->cache_trim_failed |= sc.cache_trim_mode_failed;
	k->boost_left -= got < k->boost_left ? got : k->boost_left;
	if (k->boost_left && !got) /* a boost is not worth writing for */
		return false;
	if (raise || !got)
		k->priority--;
	return k->priority >= 1;
}

static void balance(struct pr_machine *m, struct node *n, unsigned cpu)
{
	struct kswapd *k = &n->kswapd;
	bool balanced = node_balanced(m, n, (unsigned)k->reclaim_order, k->highest);

	if (!balanced && k->boost_left) { /* short of memory: the boost can wait */
		k->boost_left = 0;
		k->priority = DEF_PRIORITY;
	}
	if (balanced && !k->boost_left) {
		finish(m, n, cpu);
		return;
	}
	if (balance_once(m, n, cpu))
		return;
	if (!k->reclaimed && k->priority < 1 && !k->no_cache_trim && k->cache_trim_failed) {
		k->no_cache_trim = true;
		k->priority = DEF_PRIORITY;
		return;
	}
	if (!k->reclaimed)
		store(&n->kswapd_failures, load(&n->kswapd_failures) + 1);
	finish(m, n, cpu);
}

enum pr_kswapd pr_kswapd_step(struct pr_machine *m, unsigned node, unsigned cpu)
{
	struct node *n = &m->nodes[node];
	struct kswapd *k = &n->kswapd;

	switch (k->state) {
	case KSWAPD_ASLEEP:
		if (!wanted(m, n))
			return PR_KSWAPD_ASLEEP;
		begin(m, n, cpu);
		break;
	case KSWAPD_NAPPING:
		if (wanted(m, n)) { /* woken before the nap was over */
			pr_count(m, cpu, EV_KSWAPD_LOW_WMARK_HIT_QUICKLY, 1);
			if (load(&n->kswapd_order) < k->reclaim_order)
				store(&n->kswapd_order, k->reclaim_order);
			begin(m, n, cpu);
		} else if (may_sleep(m, n)) {
			pr_trace(m, cpu, mm_vmscan_kswapd_sleep, .nid = (int)node);
			store(&k->state, KSWAPD_ASLEEP);
			return PR_KSWAPD_ASLEEP;
		} else {
			pr_count(m, cpu, EV_KSWAPD_HIGH_WMARK_HIT_QUICKLY, 1);
			begin(m, n, cpu);
		}
		break;
	default:
		balance(m, n, cpu);
		break;
	}
	return k->state == KSWAPD_NAPPING ? PR_KSWAPD_NAP : PR_KSWAPD_MORE;
}
