/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * counters.h: the counters of Linux 6.12, by name and in its order. Those that nothing here changes
 * are there all the same, and 0: tools look for their names.
 */
#ifndef KERNEL_VIEW_COUNTERS_H
#define KERNEL_VIEW_COUNTERS_H

#include "rig.h"

#include <stdio.h>

/* One line each: "      nr_free_pages 3840", as zoneinfo indents them. With rig.lock. */
void counters_of_zone(FILE *to, const struct zone *z);
void counters_of_node(FILE *to, unsigned node);
/* "nr_free_pages 3840": sums over a node's zones, or (-1) over all, without and with events. */
void counters_node_vmstat(FILE *to, int node);
void counters_vmstat(FILE *to);

/* One of them by name, of a node or (-1) of all; 0 if there is none. */
unsigned long long counters_value(const char *name, int node);

#endif
