/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine.h: one machine. All its state lies in one arena that the host supplies (zeroed,
 * page-aligned, may be a sparse mapping); inside are only indices, so a copy of the arena is a
 * copy of the machine. struct pr_machine is a handle: pointers into the arena, made anew by
 * whoever maps it.
 *
 * Readers (the daemon's files, tests) look at these structures directly; only the engine
 * changes them. Locking: the host serialises all calls on one machine.
 */
#ifndef PAGERIG_MACHINE_H
#define PAGERIG_MACHINE_H

#include <pagerig/types.h>

#define LINK_NONE 0xffffffffu
#define PR_ARENA_MAGIC 0x3167697265676170ull
#define PR_ARENA_VERSION 1

enum page_state {
	PAGE_BOOT = 0, /* in use since the start, a hole, or the inside of a block */
	PAGE_FREE,     /* head of a block on a buddy free list */
	PAGE_PCP,      /* head of a block on a per-CPU list */
	PAGE_USED,     /* head of a block that was allocated */
};

enum page_flag {
	PAGE_LRU = 1,  /* user memory: counts as movable when a block is judged, and can be migrated */
	PAGE_COMP = 2, /* head of a block of order > 0 that was allocated with __GFP_COMP */
	PAGE_LRU_ADD = 4, /* on a CPU's batch, soon to be PAGE_LRU */
};

/*
 * One frame: 16 bytes. next and prev are zone-relative frame numbers (pfn - zone start) or
 * LINK_NONE; the head of a list lives in struct list. Free blocks of pageblock order and above
 * do not use it: their state and links are in struct pageblock, so untouched memory costs nothing.
 */
struct page {
	uint32_t next, prev;
	uint32_t owner; /* the host's mark on an allocated head, 0 for none */
	uint8_t state, order, flags;
	uint8_t pcp_mt; /* PAGE_PCP: the list it is on */
};
_Static_assert(sizeof(struct page) == 16, "page is budgeted");

/* One pageblock (512 frames). state is PAGE_FREE if a free block of order >= 9 starts here. */
struct pageblock {
	uint32_t next, prev; /* zone-relative frame numbers of other heads */
	uint8_t type;	     /* enum migratetype */
	uint8_t state, order;
	uint8_t absent : 1; /* no memory here: a hole in the zone */
	uint8_t skip : 1;   /* compaction found nothing to do here lately (PB_migrate_skip) */
};
_Static_assert(sizeof(struct pageblock) == 12, "pageblock is budgeted");

/* Doubly linked, zone-relative; nr counts blocks. */
struct list {
	uint32_t first, last;
	uint64_t nr;
};

struct free_area {
	struct list list[NR_MIGRATETYPES];
	uint64_t nr_free;
};

/* Per-CPU lists: order 0..3 by type, then two of order 9 (movable or not), as NR_PCP_LISTS */
enum { NR_LOWORDER_PCP_LISTS = NR_PCP_TYPES * (COSTLY_ORDER + 1), NR_PCP_LISTS = NR_LOWORDER_PCP_LISTS + 2 };
enum pcp_flag { PCPF_PREV_FREE_HIGH_ORDER = 1, PCPF_FREE_HIGH_BATCH = 2 };

struct pcp {
	int count, high, high_min, high_max, batch;
	uint8_t flags, alloc_factor;
	uint8_t expire;
	int16_t free_count;
	int stat_threshold;
	int free_diff; /* unfolded NR_FREE_PAGES difference of this CPU */
	int cma_diff;  /* the same of NR_FREE_CMA_PAGES */
	struct list list[NR_PCP_LISTS];
};

/* User memory that a CPU saw first waits here until it is put on the LRU in one go (lru_add). */
enum { LRU_BATCH_SIZE = 31 };
struct lru_batch {
	uint64_t nr;
	pfn_t pfn[LRU_BATCH_SIZE];
};

enum watermark { WMARK_MIN, WMARK_LOW, WMARK_HIGH, WMARK_PROMO, NR_WMARK };
enum zone_flag { ZONE_BOOSTED_WATERMARK = 1 << 0, ZONE_RECLAIM_ACTIVE = 1 << 1, ZONE_BELOW_HIGH = 1 << 2 };

/* What compaction remembers of a zone between its runs (struct zone's compact_*). */
struct compact_memory {
	pfn_t free_pfn;	      /* where the free scanner goes on; 0 before the first run */
	pfn_t migrate_pfn[2]; /* the same of the migrate scanner: asynchronous, synchronous */
	pfn_t init_migrate_pfn, init_free_pfn; /* first useful blocks when the skip bits were cleared */
	uint32_t considered, defer_shift;      /* runs left out since the last failure, of 1 << shift */
	int order_failed;		       /* smallest order that failed */
	bool blockskip_flush;		       /* a whole run failed: the skip bits are due to be cleared */
};

struct zone {
	uint32_t node;
	enum zone_type type;
	pfn_t start_pfn;
	uint64_t spanned, present, managed, cma;
	uint64_t page_base;  /* index of start_pfn in pages[] */
	uint64_t block_base; /* index of the pageblock that holds start_pfn */
	int64_t free_pages;  /* NR_FREE_PAGES, folded part */
	int64_t free_cma;
	uint64_t watermark[NR_WMARK], watermark_boost;
	uint64_t lowmem_reserve[NR_ZONE_TYPES];
	uint64_t drift_mark; /* percpu_drift_mark */
	uint64_t reserved_highatomic, free_highatomic;
	uint32_t flags;
	struct compact_memory compact;
	int pcp_high_min, pcp_high_max, pcp_batch;
	struct free_area area[NR_ORDERS];
	/* numa_hit and so on; the kernel's vm_numa_event */
	uint64_t numa_hit, numa_miss, numa_foreign, numa_local, numa_other, numa_interleave;
};

/* A zonelist entry: index into zones[]; lists end with zone LINK_NONE. */
struct zoneref {
	uint32_t zone;
};
enum { MAX_ZONEREFS = PR_MAX_NODES * NR_ZONE_TYPES + 1 };

struct node {
	bool online;
	pfn_t start_pfn;
	uint64_t spanned, present;
	int32_t zone[NR_ZONE_TYPES]; /* index into zones[], -1 if not populated */
	struct zoneref fallback[MAX_ZONEREFS], thisnode[MAX_ZONEREFS];
	uint64_t totalreserve_pages;
	int kswapd_order, kswapd_highest, kswapd_failures;
	uint64_t kswapd_wakeups;
	uint8_t distance[PR_MAX_NODES];
};

/* The counters of /proc/vmstat that the engine keeps; X-macro: enum suffix, printed name. */
#define PR_EVENTS(X)                                                                               \
	X(PGALLOC_DMA, "pgalloc_dma")                                                              \
	X(PGALLOC_DMA32, "pgalloc_dma32")                                                          \
	X(PGALLOC_NORMAL, "pgalloc_normal")                                                        \
	X(PGALLOC_MOVABLE, "pgalloc_movable")                                                      \
	X(ALLOCSTALL_DMA, "allocstall_dma")                                                        \
	X(ALLOCSTALL_DMA32, "allocstall_dma32")                                                    \
	X(ALLOCSTALL_NORMAL, "allocstall_normal")                                                  \
	X(ALLOCSTALL_MOVABLE, "allocstall_movable")                                                \
	X(PGFREE, "pgfree")                                                                        \
	X(KSWAPD_WAKE, "kswapd_wake")                                                              \
	X(ALLOC_FAIL, "alloc_fail")                                                                \
	X(PGFAULT, "pgfault")                                                                      \
	X(PGMIGRATE_SUCCESS, "pgmigrate_success")                                                  \
	X(PGMIGRATE_FAIL, "pgmigrate_fail")                                                        \
	X(COMPACT_MIGRATE_SCANNED, "compact_migrate_scanned")                                      \
	X(COMPACT_FREE_SCANNED, "compact_free_scanned")                                            \
	X(COMPACT_ISOLATED, "compact_isolated")                                                    \
	X(COMPACT_STALL, "compact_stall")                                                          \
	X(COMPACT_FAIL, "compact_fail")                                                            \
	X(COMPACT_SUCCESS, "compact_success")                                                      \
	X(COMPACT_DAEMON_WAKE, "compact_daemon_wake")                                              \
	X(COMPACT_DAEMON_MIGRATE_SCANNED, "compact_daemon_migrate_scanned")                        \
	X(COMPACT_DAEMON_FREE_SCANNED, "compact_daemon_free_scanned")                              \
	X(CMA_ALLOC_SUCCESS, "cma_alloc_success")                                                  \
	X(CMA_ALLOC_FAIL, "cma_alloc_fail")
enum pr_event {
#define X(e, n) EV_##e,
	PR_EVENTS(X)
#undef X
		NR_EVENTS
};
extern const char *const pr_event_name[NR_EVENTS];

/* proc/sys/vm, units as in Linux */
struct sysctl_vm {
	int min_free_kbytes, user_min_free_kbytes; /* user: -1 until written */
	int watermark_scale_factor;		   /* 1..3000, tenths of a per mille */
	int watermark_boost_factor;		   /* of 10,000 */
	int lowmem_reserve_ratio[NR_ZONE_TYPES];
	int percpu_pagelist_high_fraction; /* 0 or >= 8 */
	/* at creation Linux's defaults, whatever a spec says */
	int extfrag_threshold, compact_unevictable_allowed, compaction_proactiveness;
	int thp; /* 0: khugepaged never raised min_free_kbytes; 1: it did (boot with THP) */
};

/* Head of the arena. */
struct arena {
	uint64_t magic, version, size;
	uint32_t nr_nodes, nr_zones, nr_cpus;
	uint32_t clock_stopped;
	uint64_t nodes, zones, pcps, lru_batches, blocks, pages; /* offsets from the head */
	uint64_t nr_pages, nr_blocks;
	uint64_t event[NR_EVENTS];
	struct sysctl_vm sysctl;
	int mobility_disabled; /* page_group_by_mobility_disabled */
	uint64_t trace_mask;   /* a bit an event that is recorded; see trace.h */
	uint32_t cpu_node[PR_MAX_CPUS];
};

/* What the engine asks of its host; any may be NULL. */
struct pr_host {
	void *ctx;
	/* kswapd of a node has something to do: order and highest zone type */
	void (*wake_kswapd)(void *ctx, unsigned node, unsigned order, enum zone_type highest);
	/* a failed allocation, as the kernel prints it, many lines */
	void (*report)(void *ctx, const char *text);
	/*
	 * The content and name of the block `from` of this owner go to `to` (both of 1 << order
	 * frames, both allocated; the engine moves the mark, and frees `from` afterwards). Returns
	 * 0; -EAGAIN if it is busy now; another error if it can't move. NULL: nothing moves.
	 */
	int (*migrate)(void *ctx, uint32_t owner, pfn_t from, pfn_t to, unsigned order);
	/*
	 * The OOM killer is called for a request of that order and gfp in these nodes (0: all):
	 * true if something was given up, so that another attempt is worth it. NULL: never.
	 */
	bool (*oom)(void *ctx, unsigned order, gfp_t gfp, uint64_t nodemask);
	/* the clock of trace records, ns; without it they are numbered, a microsecond apart */
	uint64_t (*now)(void *ctx);
	/* the host's number for who is calling; trace records keep it */
	uint32_t (*task)(void *ctx);
	/* a record came while a reader was waiting; called with locks of the engine held */
	void (*traced)(void *ctx);
};

struct pr_machine {
	struct arena *arena;
	struct node *nodes;
	struct zone *zones;
	struct pcp *pcps; /* [zone * nr_cpus + cpu] */
	struct lru_batch *lru_batches; /* [cpu] */
	struct pageblock *blocks;
	struct page *pages;
	struct pr_trace *trace; /* the host's, or NULL */
	struct pr_host host;
};

/* What a machine is made of, before it has an arena. */
struct pr_zone_spec {
	uint32_t node;
	enum zone_type type;
	pfn_t start_pfn;
	uint64_t spanned, present, managed, cma;
};
struct pr_spec {
	uint32_t nr_nodes, nr_cpus, nr_zones;
	struct pr_zone_spec *zone; /* nr_zones of them, by node, then type; only populated ones */
	uint32_t cpu_node[PR_MAX_CPUS];
	uint8_t distance[PR_MAX_NODES][PR_MAX_NODES]; /* 0 everywhere: 10 and 20 */
	struct sysctl_vm sysctl;
	bool clock_stopped;
	bool pages_by_hand; /* nothing is put on the free lists: the caller places blocks */
};

/* Bytes of arena that spec needs (sparse: little of it is touched). 0 if spec is impossible. */
size_t pr_machine_size(const struct pr_spec *spec);
/*
 * Builds a machine in mem (zeroed, size from pr_machine_size): zones, zonelists, limits from its
 * sysctls (pr_limits_setup), and, unless pages_by_hand, every managed frame on the free lists.
 * Returns 0 or -EINVAL.
 */
int pr_machine_create(struct pr_machine *m, void *mem, size_t size, const struct pr_spec *spec);
/* Handle on an arena that exists. -EINVAL if it is none of this version. */
int pr_machine_attach(struct pr_machine *m, void *mem, size_t size);

/* Puts a free block on its list (tail or head) by hand; -EINVAL if misplaced. For importers. */
int pr_place_free(struct pr_machine *m, pfn_t pfn, unsigned order, enum migratetype list_type,
		  bool tail);
/* Gives a pageblock its type, without moving anything. */
int pr_set_block_type(struct pr_machine *m, pfn_t pfn, enum migratetype type);
/* Says that there is no memory in a pageblock. */
int pr_set_block_absent(struct pr_machine *m, pfn_t pfn);
/* Puts a block on a CPU's list, at its tail, by hand; counts it. */
int pr_place_pcp(struct pr_machine *m, pfn_t pfn, unsigned order, enum migratetype type,
		 unsigned cpu);

/* Zone that holds pfn, or NULL. */
struct zone *pr_zone_of(const struct pr_machine *m, pfn_t pfn);
static inline struct pcp *pr_pcp(const struct pr_machine *m, const struct zone *z, unsigned cpu)
{
	return &m->pcps[(size_t)(z - m->zones) * m->arena->nr_cpus + cpu];
}
static inline struct page *pr_page(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	return &m->pages[z->page_base + (pfn - z->start_pfn)];
}
static inline struct pageblock *pr_block(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	return &m->blocks[z->block_base + (pfn >> PAGEBLOCK_ORDER) -
			  (z->start_pfn >> PAGEBLOCK_ORDER)];
}
/*
 * What hosts read. They go through these, not through the structures: where a type, a state or a
 * counter lies is the engine's business.
 */
static inline enum migratetype pr_block_type(const struct pr_machine *m, const struct zone *z,
					     pfn_t pfn)
{
	return (enum migratetype)pr_block(m, z, pfn)->type;
}
/* No memory in this pageblock: a hole in the zone. */
static inline bool pr_block_absent(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	return pr_block(m, z, pfn)->absent;
}
/* Did compaction give up on this pageblock? */
static inline bool pr_block_skip(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	return pr_block(m, z, pfn)->skip;
}
static inline void pr_set_block_skip(struct pr_machine *m, const struct zone *z, pfn_t pfn, bool skip)
{
	pr_block(m, z, pfn)->skip = skip;
}
/* Order of the free block of a buddy list that starts at pfn, or -1. */
int pr_free_order(const struct pr_machine *m, const struct zone *z, pfn_t pfn);
/* A counter of /proc/vmstat, and adding to one (by CPU cpu). */
uint64_t pr_event(const struct pr_machine *m, enum pr_event e);
void pr_count(struct pr_machine *m, unsigned cpu, enum pr_event e, uint64_t n);
/* numa_hit and the others of one zone (the kernel's vm_numa_event). */
struct pr_numa {
	uint64_t hit, miss, foreign, interleave, local, other;
};
struct pr_numa pr_zone_numa(const struct pr_machine *m, const struct zone *z);
/* Next head on a buddy list of `order` or a per-CPU list; start with list->first. */
uint32_t pr_list_next(const struct pr_machine *m, const struct zone *z, unsigned order, bool pcp,
		      uint32_t rel);
/* List of a per-CPU set that holds (order, type); -1 if that order is not kept per CPU. */
int pr_pcp_index(unsigned order, enum migratetype type);
/* Order of the blocks on per-CPU list i. */
unsigned pr_pcp_order(int i);

/* Free pages of a zone with all CPUs' unfolded differences (zone_page_state_snapshot). */
int64_t pr_zone_free_snapshot(const struct pr_machine *m, const struct zone *z);

/*
 * The invariant checker: order and alignment, no unmerged buddies, counts against lists, per-CPU
 * counts, every frame in exactly one place. Returns 0, or -EUCLEAN with a sentence in why.
 */
int pr_check(const struct pr_machine *m, char *why, size_t size);
/* XXH3 of everything that decides what the machine will do next; host marks and time excluded. */
uint64_t pr_digest(const struct pr_machine *m);

#endif
