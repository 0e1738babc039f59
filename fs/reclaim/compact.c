/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compact.c: the files that start compaction: of a node, a zone, all; and kcompactd's state. */
#include "reclaim/reclaim.h"

#include <errno.h>
#include <pagerig/compact.h>
#include <string.h>

/* Linux takes anything for a node; who writes something else than 1 meant something else. */
static int check_word(const char *line, char *why)
{
	if (!strcmp(line, "1"))
		return 0;
	snprintf(why, WHY_SIZE, "'%.64s' is not 1", line);
	return -EINVAL;
}

int node_compact_store(const struct place *at, char *line, FILE *, char *why)
{
	int err = check_word(line, why);

	return err ? err : pr_compact_node(&rig.m, (unsigned)at->node, 0);
}

int zone_compact_store(const struct place *at, char *line, FILE *, char *why)
{
	int err = check_word(line, why);

	return err ? err : pr_compact_zone(&rig.m, (unsigned)at->zone, 0);
}

int compact_memory_store(const struct place *, char *line, FILE *, char *why)
{
	int err = check_word(line, why);

	return err ? err : pr_compact_memory(&rig.m, 0);
}

int node_kcompactd(const struct place *at, FILE *to)
{
	const struct node *n = &rig.m.nodes[at->node];

	fprintf(to, "state %s\n", n->kcompactd_order ? "woken" : "asleep");
	if (n->kcompactd_order)
		fprintf(to, "wanted_order %d\nwanted_highest %s\n", n->kcompactd_order,
			pr_zone_name[n->kcompactd_highest]);
	return 0;
}

int zone_compaction(const struct place *at, FILE *to)
{
	const struct compact_memory *c = &rig.m.zones[at->zone].compact;

	fprintf(to,
		"migrate_pfn_async %#llx\nmigrate_pfn_sync %#llx\nfree_pfn %#llx\n"
		"considered %u\ndefer_shift %u\norder_failed %d\nskip_flush %d\n",
		(unsigned long long)c->migrate_pfn[0], (unsigned long long)c->migrate_pfn[1],
		(unsigned long long)c->free_pfn, c->considered, c->defer_shift, c->order_failed,
		c->blockskip_flush);
	return 0;
}
