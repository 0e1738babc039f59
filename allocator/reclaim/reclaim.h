/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reclaim: taking user memory away until there is enough free: which lists are scanned how far
 * (balance.c), what becomes of each page (shrink.c), who asks for it (direct.c, kswapd.c, node.c).
 *
 * Different on purpose: no MGLRU, no memory cgroups, no demotion; a block of a larger order is
 * taken away whole; nobody sleeps here: where Linux waits, the host is told (pr_host.throttle) and
 * reclaim goes on.
 */
#ifndef RECLAIM_H
#define RECLAIM_H

#include "base/lru.h"
#include "page_alloc/page_alloc.h"

#include "reclaim/direct.h"

#include <pagerig/reclaim.h>
#include <pagerig/trace.h>

enum { SWAP_CLUSTER_MAX = 32, DEF_PRIORITY = 12, MAX_RECLAIM_FAILURES = 16 };
enum { DEACTIVATE_ANON = 1, DEACTIVATE_FILE = 2 };
enum { PROACTIVE_SWAPPINESS = -1 }; /* the sysctl's */

/* What the lists of one node gave (struct scan_control's nr). */
struct scan_stat {
	uint64_t dirty, unqueued_dirty, congested, writeback, immediate, taken, file_taken;
};

/* One attempt (struct scan_control). */
struct scan {
	struct pr_machine *m;
	unsigned cpu, order;
	uint64_t nr_to_reclaim, nr_reclaimed, nr_scanned;
	gfp_t gfp;
	int reclaim_idx, priority, swappiness;
	bool kswapd, proactive, may_writepage, may_unmap, may_swap;
	bool force_deactivate, skipped_deactivate;
	bool cache_trim_mode, no_cache_trim_mode, cache_trim_mode_failed, file_is_tiny;
	bool compaction_ready;
	unsigned may_deactivate;
	uint64_t cost[2];
	struct scan_stat nr;
};

/* shrink.c: up to nr pages off the end of a list; pages freed. */
uint64_t shrink_inactive(struct scan *sc, struct node *n, enum lru_list lru, uint64_t nr);
void shrink_active(struct scan *sc, struct node *n, enum lru_list lru, uint64_t nr);
/* Frees isolated pages that can be freed now; the rest stays on the list. Pages freed. */
uint64_t shrink_list_now(struct scan *sc, struct node *n, struct list *l);

/* balance.c: one round over a node at sc->priority (shrink_node). */
void shrink_node(struct scan *sc, struct node *n);
/* direct.c: a large block is wanted, and compaction still lacks room: go on with this node? */
bool reclaim_for_compaction(const struct scan *sc, const struct node *n);
/* Are there so few inactive pages that active ones should come over? */
bool inactive_is_low(const struct node *n, enum lru_list inactive);
void snapshot_refaults(struct node *n);
static inline bool swap_left(const struct pr_machine *m)
{
	return m->arena->swap_used < m->arena->swap_total;
}

/* throttle.c: the host shall let time pass. */
void reclaim_throttle(struct scan *sc, struct node *n, enum pr_throttle reason);
/* Is there a reserve left for those who make memory free? (allow_direct_reclaim) */
bool reserves_ok(const struct pr_machine *m, const struct node *n);


/* kswapd.c: is one of the zones up to `highest` above high? (pgdat_balanced) */
bool node_balanced(const struct pr_machine *m, const struct node *n, unsigned order, int highest);

/* lru_ops.c: PG_DIRTY or PG_WRITEBACK, and the node's count of them; under its lock. */
void page_set_counted(const struct user_page *p, unsigned flag, bool on);
/* workingset.c: what a later refault is judged by; and the time of a node goes on. */
uint64_t workingset_evict(const struct pr_machine *m, const struct user_page *p);
/* shrinker.c: presses on other caches as hard as on the LRU (shrink_slab). Objects freed. */
uint64_t shrink_slab(struct scan *sc, unsigned node);

/* owner.c: operations of the owner */
unsigned owner_referenced(const struct pr_machine *m, const struct user_page *p, unsigned *what);
bool owner_mapped(const struct pr_machine *m, const struct user_page *p);
int owner_swap_add(const struct pr_machine *m, const struct user_page *p);
void owner_swap_free(const struct pr_machine *m, const struct user_page *p);
int owner_unmap(const struct pr_machine *m, const struct user_page *p);
int owner_write(const struct pr_machine *m, const struct user_page *p);
int owner_evict(const struct pr_machine *m, const struct user_page *p, uint64_t shadow);

#endif
