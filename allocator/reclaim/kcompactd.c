/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kcompactd.c: compaction in the background, one a node: for an order that kswapd made room for,
 * and proactively when a node is too fragmented for huge pages. Source of the behaviour:
 * mm/compaction.c of 6.12 (kcompactd, kcompactd_do_work, should_proactive_compact_node).
 */
#include "base/lru.h"
#include "reclaim/compact_run.h"

#include <errno.h>
#include <pagerig/compact.h>
#include <pagerig/trace.h>

static unsigned node_id(const struct pr_machine *m, const struct node *n)
{
	return (unsigned)(n - m->nodes);
}

static struct zone *node_zone(const struct pr_machine *m, const struct node *n, int type)
{
	return n->zone[type] >= 0 ? &m->zones[n->zone[type]] : NULL;
}

/* Would a run for that order do anything in some zone up to `highest`? */
static bool node_suitable(struct pr_machine *m, const struct node *n, int order, int highest,
			  unsigned cpu)
{
	for (int t = 0; t <= highest; t++) {
		struct zone *z = node_zone(m, n, t);

		if (z && compaction_worth(m, cpu, z, (unsigned)order, (enum zone_type)highest,
					  WMARK_MIN) == COMPACT_CONTINUE)
			return true;
	}
	return false;
}

void wake_kcompactd(struct pr_machine *m, struct node *n, int order, int highest, unsigned cpu)
{
	if (order <= 0)
		return;
	/* the first to ask says which zones; later ones can only make them fewer */
	if (!n->kcompactd_order || n->kcompactd_highest > highest)
		n->kcompactd_highest = highest;
	if (n->kcompactd_order < order)
		n->kcompactd_order = order;
	if (!node_suitable(m, n, n->kcompactd_order, n->kcompactd_highest, cpu))
		return;
	pr_trace(m, cpu, mm_compaction_wakeup_kcompactd, .nid = (int)node_id(m, n), .order = order,
		 .highest_zoneidx = highest);
	if (m->host.wake_kcompactd)
		m->host.wake_kcompactd(m->host.ctx, node_id(m, n));
}

static void compact_for_order(struct pr_machine *m, struct zone *z, int order, unsigned cpu,
			      enum zone_type highest)
{
	enum compact_result result;

	if (!compact_begin(z))
		return;
	if (compaction_deferred(m, z, order, cpu) ||
	    compaction_worth(m, cpu, z, (unsigned)order, z->type, WMARK_MIN) != COMPACT_CONTINUE)
		goto out;
	result = compact_background(m, z, order, cpu, highest);
	if (result == COMPACT_SUCCESS) {
		compaction_defer_reset(m, z, order, false, cpu);
	} else if (result == COMPACT_PARTIAL_SKIPPED || result == COMPACT_COMPLETE) {
		/* pieces on the CPUs' lists could have merged: let them, before it is tried again
		 */
		drain_zone_lists(m, z, cpu);
		compaction_defer(m, z, order, cpu);
	}
out:
	compact_end(z);
}

int pr_kcompactd_step(struct pr_machine *m, unsigned node, unsigned cpu)
{
	struct node *n;
	int order, highest;

	if (node >= m->arena->nr_nodes || cpu >= m->arena->nr_cpus)
		return -EINVAL;
	n = &m->nodes[node];
	order = n->kcompactd_order;
	highest = n->kcompactd_highest;
	if (order <= 0)
		return 0;
	pr_trace(m, cpu, mm_compaction_kcompactd_wake, .nid = (int)node, .order = order,
		 .highest_zoneidx = highest);
	pr_count(m, cpu, EV_COMPACT_DAEMON_WAKE, 1);
	for (int t = 0; t <= highest; t++) {
		struct zone *z = node_zone(m, n, t);

		if (z)
			compact_for_order(m, z, order, cpu, (enum zone_type)highest);
	}
	/* unless more was asked for meanwhile */
	if (n->kcompactd_order <= order)
		n->kcompactd_order = 0;
	pr_trace(m, cpu, mm_compaction_kcompactd_sleep, .nid = (int)node);
	return 1;
}

/* Fragmentation of a node's zones in per cent, by their sizes (fragmentation_score_node). */
static unsigned node_score(const struct pr_machine *m, const struct node *n)
{
	uint64_t score = 0;

	for (int t = 0; t < NR_ZONE_TYPES; t++) {
		const struct zone *z = node_zone(m, n, t);

		if (z)
			score += z->present * pr_extfrag_for_order(z, PAGEBLOCK_ORDER) /
				 (n->present + 1);
	}
	return (unsigned)score;
}

unsigned proactive_mark(const struct pr_machine *m, bool low)
{
	int mark = 100 - m->arena->sysctl.compaction_proactiveness;

	if (mark < 5) /* never all day long */
		mark = 5;
	return (unsigned)(low ? mark : mark < 90 ? mark + 10 : 100);
}

int pr_kcompactd_proactive(struct pr_machine *m, unsigned node, unsigned cpu)
{
	unsigned before;

	if (node >= m->arena->nr_nodes || cpu >= m->arena->nr_cpus)
		return -EINVAL;
	before = node_score(m, &m->nodes[node]);
	if (!m->arena->sysctl.compaction_proactiveness || before <= proactive_mark(m, false))
		return 0;
	compact_node(m, node, cpu, true);
	return node_score(m, &m->nodes[node]) < before ? 1 : -EAGAIN;
}
