/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * throttle.c: where Linux waits: for writeback, or for kswapd. Nobody sleeps in the engine; the host
 * is told and may let time pass. Source of the behaviour: mm/vmscan.c of 6.12 (reclaim_throttle,
 * allow_direct_reclaim).
 */
#include "reclaim/reclaim.h"

enum { USEC_TICK = 1000, USEC_WRITEBACK = 100000, USEC_ISOLATED = 20000, USEC_RESERVES = 1000000 };

/* Waiting is no use: kswapd has given up, or little of what could be had is being written. */
static bool vain(const struct pr_machine *m, const struct node *n)
{
	uint64_t reclaimable = 0;

	if (load(&n->kswapd_failures) >= MAX_RECLAIM_FAILURES)
		return true;
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (n->zone[t] >= 0)
			reclaimable += zone_reclaimable_pages(m, &m->zones[n->zone[t]]);
	return 2 * (n->lru.dirty + n->lru.writeback) <= reclaimable;
}

void reclaim_throttle(struct scan *sc, struct node *n, enum pr_throttle reason)
{
	static const unsigned usec[] = {[THROTTLE_WRITEBACK] = USEC_WRITEBACK,
					[THROTTLE_ISOLATED] = USEC_ISOLATED,
					[THROTTLE_NOPROGRESS] = USEC_TICK,
					[THROTTLE_CONGESTED] = USEC_TICK,
					[THROTTLE_RESERVES] = USEC_RESERVES};
	const struct pr_host *h = &sc->m->host;

	if ((reason == THROTTLE_NOPROGRESS || reason == THROTTLE_CONGESTED) && vain(sc->m, n))
		return;
	if (h->throttle)
		h->throttle(h->ctx, (unsigned)(n - sc->m->nodes), reason, usec[reason]);
	if (reason != THROTTLE_RESERVES)
		pr_trace(sc->m, sc->cpu, mm_vmscan_throttled, .nid = (int)(n - sc->m->nodes),
			 .usec_timeout = (int)usec[reason], .usec_delayed = (int)usec[reason],
			 .reason = 1 << reason);
}

bool reserves_ok(const struct pr_machine *m, const struct node *n)
{
	uint64_t reserve = 0, free = 0;

	if (load(&n->kswapd_failures) >= MAX_RECLAIM_FAILURES)
		return true;
	for (int t = 0; t <= ZONE_NORMAL; t++) {
		const struct zone *z = n->zone[t] >= 0 ? &m->zones[n->zone[t]] : NULL;

		if (!z || !z->managed || !zone_reclaimable_pages(m, z))
			continue;
		reserve += zone_mark(z, WMARK_MIN);
		free += (uint64_t)pr_zone_free_snapshot(m, z);
	}
	return !reserve || free > reserve / 2;
}
