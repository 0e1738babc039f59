/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zonelist.c: the order in which a node's requests try the zones of all nodes. Source of the
 * behaviour: mm/page_alloc.c of 6.12 (build_zonelists, find_next_best_node).
 */
#include "page_alloc/page_alloc.h"

struct search {
	uint64_t used;			/* nodes already in this list */
	int load[PR_MAX_NODES];		/* how often a node was second best before */
};

/*
 * The nearest node not yet used; of equals, one after us, less loaded. -1: none. Linux would rather
 * have a node without CPUs, but no CPU is on any node's map yet when a boot makes the lists.
 */
static int next_best(const struct pr_machine *m, struct search *s, unsigned node)
{
	int best = -1;
	int64_t best_value = INT64_MAX;

	if (!(s->used >> node & 1)) {
		s->used |= 1ull << node;
		return (int)node;
	}
	for (unsigned n = 0; n < m->arena->nr_nodes; n++) {
		int64_t value = m->nodes[node].distance[n];

		if (s->used >> n & 1)
			continue;
		value += n < node;
		value = value * PR_MAX_NODES + s->load[n];
		if (value < best_value) {
			best_value = value;
			best = (int)n;
		}
	}
	if (best >= 0)
		s->used |= 1ull << best;
	return best;
}

/* A node's populated zones, high to low. */
static struct zoneref *add_zones(const struct pr_machine *m, unsigned node, struct zoneref *to)
{
	for (int t = NR_ZONE_TYPES - 1; t >= 0; t--)
		if (m->nodes[node].zone[t] >= 0)
			*to++ = (struct zoneref){(uint32_t)m->nodes[node].zone[t], (uint16_t)t,
						 (uint16_t)node};
	return to;
}

/* For the common path, which has none where grouping by mobility is off. */
static void set_preferred(struct pr_machine *m, unsigned node)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++) {
		const struct zoneref *e = m->nodes[node].fallback;

		while (e->zone != LINK_NONE && e->type > t)
			e++;
		m->arena->preferred[node][t] = 
			e->zone == LINK_NONE || m->arena->mobility_disabled ? UINT16_MAX
									    : (uint16_t)e->zone;
	}
}

void pr_zonelists_build(struct pr_machine *m)
{
	struct search s = {0};

	for (unsigned node = 0; node < m->arena->nr_nodes; node++) {
		struct node *of = &m->nodes[node];
		struct zoneref *to = of->fallback;
		unsigned prev = node;
		int n;

		s.used = 0;
		while ((n = next_best(m, &s, node)) >= 0) {
			/* nodes of one distance take turns at being second */
			if (of->distance[n] != of->distance[prev])
				s.load[n]++;
			to = add_zones(m, (unsigned)n, to);
			prev = (unsigned)n;
		}
		to->zone = LINK_NONE;
		set_preferred(m, node);
		add_zones(m, node, of->thisnode)->zone = LINK_NONE;
	}
}
