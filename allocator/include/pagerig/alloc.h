/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc.h: taking pages and giving them back; the limits that decide. */
#ifndef PAGERIG_ALLOC_H
#define PAGERIG_ALLOC_H

#include <pagerig/machine.h>

struct pr_request {
	unsigned order; /* 0..MAX_ORDER */
	gfp_t gfp;
	int node; /* preferred node; -1: the CPU's */
	unsigned cpu;
	int only_zone;	   /* index into zones[], or -1: the zonelist decides */
	uint64_t nodemask; /* 0: all nodes */
	uint32_t owner;	   /* mark kept in the frame */
	bool lru;	   /* user memory: counts as movable when its block is judged */
	bool memalloc;	   /* PF_MEMALLOC */
};
/* A request for node 0 and CPU 0 of any zone. */
#define PR_REQUEST(order_, gfp_)                                                                   \
	((struct pr_request){.order = (order_), .gfp = (gfp_), .node = 0, .only_zone = -1})

/*
 * Allocates; *pfn is the first frame. 0; -EINVAL (order, cpu, node, flags), -ENOMEM (the failure
 * was reported to the host unless __GFP_NOWARN). mm/page_alloc.c: __alloc_pages.
 */
int pr_alloc(struct pr_machine *m, const struct pr_request *r, pfn_t *pfn);
/* Frees the block that starts at pfn; -EINVAL if no allocated block of that order starts there. */
int pr_free(struct pr_machine *m, pfn_t pfn, unsigned order, unsigned cpu);
/* Frees one order-0 frame (or block) that was in use since the start; -EINVAL if it was not. */
int pr_free_boot(struct pr_machine *m, pfn_t pfn, unsigned order, unsigned cpu);
/* Order-0 pages, up to n into pfns; returns how many. mm/page_alloc.c: alloc_pages_bulk_noprof. */
unsigned pr_alloc_bulk(struct pr_machine *m, const struct pr_request *r, unsigned n, pfn_t *pfns);
/* Makes an allocated block into single frames (split_page). */
int pr_split(struct pr_machine *m, pfn_t pfn, unsigned order);

/*
 * An allocated block becomes user memory: it waits on the CPU's batch and counts as movable when
 * that is full or drained (mm/swap.c: folio_add_lru). -EINVAL if no allocated block starts there.
 */
int pr_lru_add(struct pr_machine *m, pfn_t pfn, unsigned cpu);
/* Puts what waits on a CPU's batch, or on all, on the LRU (lru_add_drain, lru_add_drain_all). */
void pr_lru_drain(struct pr_machine *m, unsigned cpu);
void pr_lru_drain_all(struct pr_machine *m);

/* Empties a CPU's lists of all zones (drain_local_pages). */
void pr_drain_cpu(struct pr_machine *m, unsigned cpu);
/* All CPUs' lists, by CPU runs_on, whose counters take the changes (drain_all_pages). */
void pr_drain_all(struct pr_machine *m, unsigned runs_on);
/* The vmstat tick of a CPU: decay of high, expiry of remote lists, folding. Returns changes. */
int pr_tick(struct pr_machine *m, unsigned cpu);
/* Adds the CPU's differences to the zones' counters; how many zones changed. */
int pr_fold(struct pr_machine *m, unsigned cpu);

/*
 * Recomputes what depends on sysctls and managed pages: watermarks, lowmem_reserve,
 * totalreserve, per-CPU high and batch, stat thresholds. At creation and when all changes.
 */
void pr_limits_setup(struct pr_machine *m);
/* Only the part that a write to that sysctl recalculates in Linux; see page_alloc/limits.c */
void pr_limits_watermarks(struct pr_machine *m);
void pr_limits_lowmem_reserve(struct pr_machine *m);
void pr_limits_pcp(struct pr_machine *m);
/*
 * Pages join a zone's managed ones, or leave (negative), after the limits were set up, as memory of
 * the kernel's start does: only lowmem_reserve follows (adjust_managed_page_count). Their frames are
 * the caller's to free. -EINVAL: no such zone, or more than it has.
 */
int pr_limits_managed(struct pr_machine *m, unsigned zone, int64_t pages);
/* Zonelists of all nodes in distance order (build_all_zonelists). */
void pr_zonelists_build(struct pr_machine *m);

/*
 * proc/sys/vm/<name>: reads print the value(s), tab-separated with a newline; a write does what
 * the kernel does. 0 or length; -ENOENT, -EINVAL, -ERANGE; nothing changes on error.
 */
int pr_sysctl_show(const struct pr_machine *m, const char *name, char *buf, size_t size);
int pr_sysctl_store(struct pr_machine *m, const char *name, const char *text);
/* i-th sysctl name, NULL behind the last. */
const char *pr_sysctl_name(unsigned i);

#endif
