/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compact.h: compaction on demand and contiguous ranges. Blocks move only if pr_host.migrate is set. */
#ifndef PAGERIG_COMPACT_H
#define PAGERIG_COMPACT_H

#include <pagerig/machine.h>

/*
 * Compacts all of a zone (by index), a node or the machine, run by a CPU, as a write to
 * node<N>/compact or proc/sys/vm/compact_memory does. 0 or -EINVAL. mm/compaction.c: compact_node.
 */
int pr_compact_zone(struct pr_machine *m, unsigned zone, unsigned cpu);
int pr_compact_node(struct pr_machine *m, unsigned node, unsigned cpu);
int pr_compact_memory(struct pr_machine *m, unsigned cpu);

/* Per mille of how much fragmentation, not shortage, is why an order is missing; -1000: it is not. */
int pr_fragmentation_index(const struct zone *z, unsigned order);
/* Per cent of the free memory that lies in blocks below an order. */
unsigned pr_extfrag_for_order(const struct zone *z, unsigned order);

#endif
