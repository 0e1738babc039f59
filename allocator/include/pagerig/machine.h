/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine.h: one machine. All its state lies in one arena that the host supplies (zeroed,
 * page-aligned, may be a sparse mapping); inside are only indices, so a copy of the arena is a
 * copy of the machine. struct pr_machine is a handle: pointers into the arena, made anew by
 * whoever maps it.
 *
 * Readers (the daemon's files, tests) look at these structures directly; only the engine
 * changes them. Locking: pr_alloc, pr_free, pr_alloc_bulk, pr_split, draining, the tick and pr_count may be
 * called by many threads at once (best each with a CPU of its own); everything else, and a look
 * at lists, only while no other call is under way.
 */
#ifndef PAGERIG_MACHINE_H
#define PAGERIG_MACHINE_H

#include <pagerig/types.h>

#define LINK_NONE 0xffffffffu
#define PR_ARENA_MAGIC 0x3167697265676170ull
#define PR_ARENA_VERSION 3

/* A lock in the arena; base/lock.h takes it. All zero is free. */
typedef struct pr_lock {
	uint32_t word;	      /* 1: somebody has it, in the ordinary way */
	uint32_t owner;	      /* the worker that takes it without an atomic operation, or 0 */
	uint32_t last;	      /* who had it last, if a worker */
	uint16_t run, revoked; /* how often in a row; how often an owner lost it to another */
} pr_lock_t;

enum page_state {
	PAGE_BOOT = 0, /* in use since the start, a hole, or the inside of a block */
	PAGE_FREE,     /* head of a block on a buddy free list */
	PAGE_PCP,      /* head of a block on a per-CPU list, or on its way to or from one */
	PAGE_USED,     /* head of a block that was allocated */
};

enum page_flag {
	PAGE_LRU = 1,  /* user memory: counts as movable when a block is judged, and can be migrated */
	PAGE_COMP = 2, /* head of a block of order > 0 that was allocated with __GFP_COMP */
	PAGE_LRU_ADD = 4, /* on a CPU's batch, soon to be PAGE_LRU */
	PAGE_ISOLATED = 8, /* off the LRU or the free lists, while compaction works on it */
	PAGE_CONTIG = 16, /* of a range that was allocated by its frame numbers */
	PAGE_LISTED = 32, /* linked into a list of its node's lruvec */
	PAGE_RECLAIM = 64, /* to be freed as soon as its writeback ends */
	PAGE_SWAPCACHE = 128, /* has a place in swap */
};

/* Of user memory, in the byte that is pcp_mt on a per-CPU list. */
enum page_lru_flag {
	PG_ACTIVE = 1,
	PG_REFERENCED = 2,
	PG_UNEVICTABLE = 4, /* it is on that list */
	PG_MLOCKED = 8,
	PG_FILE = 16, /* on the file lists; else on the anonymous ones */
	PG_WORKINGSET = 32, /* was active before */
	PG_DIRTY = 64,
	PG_WRITEBACK = 128,
};

/*
 * One frame: 16 bytes. next and prev are zone-relative frame numbers (pfn - zone start) or
 * LINK_NONE; the head of a list lives in struct list. Free blocks of pageblock order and above
 * do not use it: their state and links are in struct pageblock, so untouched memory costs nothing.
 * state to pcp_mt are one word, written and read as a whole where two threads may meet.
 */
struct page {
	uint32_t next, prev;
	uint32_t owner; /* the host's mark on an allocated head, 0 for none */
	union {
		struct {
			uint8_t state, order, flags;
			uint8_t pcp_mt; /* PAGE_PCP: the list it is on; user memory: enum page_lru_flag */
		};
		uint32_t info;
	};
};
_Static_assert(sizeof(struct page) == 16, "page is budgeted");

enum block_state {
	BLOCK_INITIAL = 0, /* as at the start: see struct zone's initial_first */
	BLOCK_BUSY,	   /* no free block of order >= 9 starts here */
	BLOCK_FREE,	   /* one does */
};
enum block_flag {
	BLOCK_ABSENT = 1, /* no memory here: a hole in the zone */
	BLOCK_SKIP = 2,	  /* compaction found nothing to do here lately (PB_migrate_skip) */
	BLOCK_CUT = 4,	  /* its last frames belong to a hole within the zone: compaction shuns it */
};

/*
 * One pageblock (512 frames). All zero means: type Movable, and, inside the zone's initial range,
 * part of a free block of order 10 that is linked to its neighbours: a machine of any size starts
 * without writing here. So types are kept as type ^ MT_MOVABLE and links as distances from
 * those neighbours; base/lists.h is the one place that knows.
 */
struct pageblock {
	uint32_t next, prev;
	uint8_t type_code, flags; /* enum block_flag */
	uint16_t head;		  /* enum block_state, and the order << 8 */
};
_Static_assert(sizeof(struct pageblock) == 12, "pageblock is budgeted");

/* Doubly linked, zone-relative; nr counts blocks. prev of the first is not kept. */
struct list {
	uint32_t first, last, nr;
};

struct free_area {
	struct list list[NR_MIGRATETYPES];
	uint64_t nr_free;
};

/* Per-CPU lists: order 0..3 by type, then two of order 9 (movable or not), as NR_PCP_LISTS */
enum { NR_LOWORDER_PCP_LISTS = NR_PCP_TYPES * (COSTLY_ORDER + 1), NR_PCP_LISTS = NR_LOWORDER_PCP_LISTS + 2 };
enum pcp_flag { PCPF_PREV_FREE_HIGH_ORDER = 1, PCPF_FREE_HIGH_BATCH = 2 };

/* What one CPU did in one zone: blocks given and taken back; missed: meant for another node. */
struct counts {
	uint64_t taken[NR_ORDERS], freed[NR_ORDERS], missed;
};

/* A CPU's lists of a zone and its books. lock guards all but the differences and counts[1]. */
struct pcp {
	pr_lock_t lock;
	int count, high, high_min, high_max, batch;
	int16_t free_count;
	uint8_t flags, alloc_factor;
	uint8_t expire;
	struct list list[NR_PCP_LISTS];
	struct counts counts[2]; /* of what went through the lists, and (zone lock) past them */
	int stat_threshold;
	int free_diff; /* unfolded NR_FREE_PAGES difference of this CPU; zone lock */
	int cma_diff;  /* the same of NR_FREE_CMA_PAGES */
} __attribute__((aligned(64)));

/* User memory that a CPU saw first waits here until it is put on the LRU in one go (lru_add). */
enum { LRU_BATCH_SIZE = 31 };
struct lru_batch {
	uint32_t nr, busy;
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
	uint32_t busy;			       /* one run at a time; atomic */
};

struct zone {
	uint32_t node;
	enum zone_type type;
	pfn_t start_pfn;
	uint64_t spanned, present, managed, cma;
	uint64_t page_delta;  /* frame pfn is pages[pfn + page_delta], modulo 2^64 */
	uint64_t block_delta; /* its pageblock is blocks[(pfn >> PAGEBLOCK_ORDER) + block_delta] */
	uint64_t pcp_base;    /* pcps[pcp_base + cpu] */
	/* frames first..end-1, zone-relative, that were free in blocks of order 10 at the start */
	uint32_t initial_first, initial_end;
	uint64_t watermark[NR_WMARK], watermark_boost;
	uint64_t lowmem_reserve[NR_ZONE_TYPES];
	uint64_t drift_mark; /* percpu_drift_mark */
	struct compact_memory compact;
	int pcp_high_min, pcp_high_max, pcp_batch;
	uint32_t flags; /* enum zone_flag; atomic */

	/* lock guards what follows; free_pages to mask are read without it, too */
	pr_lock_t lock __attribute__((aligned(64)));
	int64_t free_pages; /* NR_FREE_PAGES, folded part */
	int64_t free_cma;
	uint64_t reserved_highatomic, free_highatomic;
	uint16_t mask[NR_MIGRATETYPES]; /* bit o: there is a free block of order o */
	uint64_t intent;		/* block that is between lists, see base/lock.h */
	uint64_t numa_foreign;		/* requests for here that went elsewhere; atomic */
	struct free_area area[NR_ORDERS];
} __attribute__((aligned(64)));

enum lru_list {
	LRU_INACTIVE_ANON,
	LRU_ACTIVE_ANON,
	LRU_INACTIVE_FILE,
	LRU_ACTIVE_FILE,
	LRU_UNEVICTABLE,
	NR_LRU_LISTS,
};
enum { LRU_ACTIVE = 1, LRU_FILE = 2 }; /* added to LRU_INACTIVE_ANON */
enum lruvec_flag {
	LRUVEC_CONGESTED = 1,	/* direct reclaim shall wait a little */
	LRUVEC_DIRTY = 2,	/* kswapd meets many dirty file pages: it writes them itself */
	LRUVEC_WRITEBACK = 4,	/* and many under writeback */
	LRUVEC_RECLAIM_LOCKED = 8, /* node reclaim is under way */
};

/* The LRU of a node. [0] is anonymous, [1] is file. */
struct lruvec {
	pr_lock_t lock;
	struct list list[NR_LRU_LISTS];			/* links are relative to the node's start */
	uint64_t pages[NR_LRU_LISTS][NR_ZONE_TYPES];
	uint64_t cost[2];				/* of reclaim lately, decaying */
	uint64_t nonresident_age;			/* evictions and activations so far */
	uint64_t activated[2], refaults[2];		/* refaults that were activated; when last looked */
	uint64_t refaulted[2], restored[2];
	uint64_t isolated[2], mapped[2], dirty, writeback;
	uint32_t flags;
};

enum { PR_OWNER_CLASSES = 16, PR_MAX_SHRINKERS = 8 };

/* Where a kswapd stands between two steps. */
enum kswapd_state { KSWAPD_ASLEEP, KSWAPD_NAPPING, KSWAPD_BALANCING };
struct kswapd {
	int state, alloc_order, reclaim_order, highest, priority;
	uint64_t reclaimed, boost_left, boost[NR_ZONE_TYPES];
	bool boosted, no_cache_trim, cache_trim_failed;
};

/* A zonelist entry: index into zones[]; lists end with zone LINK_NONE. */
struct zoneref {
	uint32_t zone;
	uint16_t type, node; /* of that zone */
};
enum { MAX_ZONEREFS = PR_MAX_NODES * NR_ZONE_TYPES + 1 };

struct node {
	bool online;
	pfn_t start_pfn;
	uint64_t spanned, present;
	int32_t zone[NR_ZONE_TYPES]; /* index into zones[], -1 if not populated */
	struct zoneref fallback[MAX_ZONEREFS], thisnode[MAX_ZONEREFS];
	uint64_t totalreserve_pages;
	int kswapd_order, kswapd_highest, kswapd_failures; /* atomic */
	uint64_t kswapd_wakeups;
	struct kswapd kswapd;
	int kcompactd_order, kcompactd_highest; /* what it was woken for; 0: nothing */
	uint64_t shrink_deferred[PR_MAX_SHRINKERS]; /* objects that were left for the next time */
	struct lruvec lru;
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
	X(CMA_ALLOC_FAIL, "cma_alloc_fail")                                                        \
	X(PGMAJFAULT, "pgmajfault")                                                                \
	X(PSWPIN, "pswpin")                                                                        \
	X(PSWPOUT, "pswpout")                                                                      \
	X(PGSCAN_SKIP_DMA, "pgskip_dma")                                                           \
	X(PGSCAN_SKIP_DMA32, "pgskip_dma32")                                                       \
	X(PGSCAN_SKIP_NORMAL, "pgskip_normal")                                                     \
	X(PGSCAN_SKIP_MOVABLE, "pgskip_movable")                                                   \
	X(PGACTIVATE, "pgactivate")                                                                \
	X(PGDEACTIVATE, "pgdeactivate")                                                            \
	X(PGREFILL, "pgrefill")                                                                    \
	X(PGSTEAL_KSWAPD, "pgsteal_kswapd")                                                        \
	X(PGSTEAL_DIRECT, "pgsteal_direct")                                                        \
	X(PGSCAN_KSWAPD, "pgscan_kswapd")                                                          \
	X(PGSCAN_DIRECT, "pgscan_direct")                                                          \
	X(PGSCAN_DIRECT_THROTTLE, "pgscan_direct_throttle")                                        \
	X(PGSCAN_ANON, "pgscan_anon")                                                              \
	X(PGSCAN_FILE, "pgscan_file")                                                              \
	X(PGSTEAL_ANON, "pgsteal_anon")                                                            \
	X(PGSTEAL_FILE, "pgsteal_file")                                                            \
	X(PGSCAN_ZONE_RECLAIM_SUCCESS, "zone_reclaim_success")                                     \
	X(PGSCAN_ZONE_RECLAIM_FAILED, "zone_reclaim_failed")                                       \
	X(SLABS_SCANNED, "slabs_scanned")                                                          \
	X(KSWAPD_LOW_WMARK_HIT_QUICKLY, "kswapd_low_wmark_hit_quickly")                            \
	X(KSWAPD_HIGH_WMARK_HIT_QUICKLY, "kswapd_high_wmark_hit_quickly")                          \
	X(PAGEOUTRUN, "pageoutrun")                                                                \
	X(PGROTATED, "pgrotated")                                                                  \
	X(DROP_PAGECACHE, "drop_pagecache")                                                        \
	X(DROP_SLAB, "drop_slab")                                                                  \
	X(NR_VMSCAN_WRITE, "nr_vmscan_write")                                                      \
	X(NR_VMSCAN_IMMEDIATE, "nr_vmscan_immediate_reclaim")                                      \
	X(UNEVICTABLE_PGCULLED, "unevictable_pgs_culled")                                          \
	X(UNEVICTABLE_PGRESCUED, "unevictable_pgs_rescued")                                        \
	X(UNEVICTABLE_PGMLOCKED, "unevictable_pgs_mlocked")                                        \
	X(UNEVICTABLE_PGMUNLOCKED, "unevictable_pgs_munlocked")
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
	int swappiness, zone_reclaim_mode, min_unmapped_ratio, min_slab_ratio, laptop_mode;
	int thp; /* transparent huge pages at boot; from 512 MiB on they raise min_free_kbytes */
};

/* As a kernel boots: min_free_kbytes 0 is worked out from the size. */
#define PR_SYSCTL_DEFAULTS                                                                         \
	((struct sysctl_vm){.user_min_free_kbytes = -1,                                            \
			    .watermark_scale_factor = 10,                                          \
			    .watermark_boost_factor = 15000,                                       \
			    .lowmem_reserve_ratio = {256, 256, 32, 0}})

/* Head of the arena. */
struct arena {
	uint64_t magic, version, size;
	uint64_t trace_mask; /* a bit an event that is recorded; see trace.h */
	uint32_t nr_nodes, nr_zones, nr_cpus;
	uint32_t clock_stopped;
	uint8_t zone_names, type_names; /* of struct pr_spec; all there in the usual machine */
	/* offsets from the head */
	uint64_t nodes, zones, pcps, lru_batches, zone_map, blocks, pages;
	uint64_t nr_pages, nr_blocks;
	uint64_t event[NR_EVENTS]; /* but pgalloc and pgfree, which the CPUs' lists count; atomic */
	/* zone_map[pfn >> map_shift]: first zone with a frame in that piece, or beyond */
	uint32_t map_shift, map_size;
	/* the zone that a node's requests up to a type try first; UINT16_MAX: none */
	uint16_t preferred[PR_MAX_NODES][NR_ZONE_TYPES];
	struct sysctl_vm sysctl;
	int mobility_disabled; /* page_group_by_mobility_disabled */
	uint64_t swap_total, swap_used; /* pages */
	uint32_t cpu_node[PR_MAX_CPUS];
};

struct pr_request;

/* Numbers are those of mm_vmscan_throttled, but for the last. */
enum pr_throttle {
	THROTTLE_WRITEBACK,
	THROTTLE_ISOLATED,
	THROTTLE_NOPROGRESS,
	THROTTLE_CONGESTED,
	THROTTLE_RESERVES, /* free memory is below half of min: kswapd first */
};

/* What the engine asks of its host; any may be NULL. */
struct pr_host {
	void *ctx;
	/* kswapd of a node has something to do: order and highest zone type */
	void (*wake_kswapd)(void *ctx, unsigned node, unsigned order, enum zone_type highest);
	/* kcompactd of a node has something to do: pr_kcompactd_step() */
	void (*wake_kcompactd)(void *ctx, unsigned node);
	/* a failed allocation, as the kernel prints it behind "comm: ", many lines */
	void (*report)(void *ctx, const struct pr_request *r, const char *text);
	/* pages of shared memory that the host holds in a zone, for the report; NULL: none */
	uint64_t (*shmem)(void *ctx, unsigned zone);
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
	/*
	 * Reclaim has to wait: for a writeback to end, or for kswapd. The host lets that come about
	 * as far as it can without locks of its own, or does nothing. usec is how long Linux waits
	 * at most.
	 */
	void (*throttle)(void *ctx, unsigned node, enum pr_throttle reason, unsigned usec);
	/* the clock of trace records, ns; without it they are numbered, a microsecond apart */
	uint64_t (*now)(void *ctx);
	/* the host's number for who is calling; trace records keep it */
	uint32_t (*task)(void *ctx);
	/* a record came while a reader was waiting; called with locks of the engine held */
	void (*traced)(void *ctx);
};

struct pr_owner_ops;
struct pr_shrinker;
struct pr_machine {
	struct arena *arena;
	struct node *nodes;
	struct zone *zones;
	struct pcp *pcps; /* [zone * nr_cpus + cpu] */
	struct lru_batch *lru_batches; /* [cpu] */
	uint16_t *zone_map;
	struct pageblock *blocks;
	struct page *pages;
	struct pr_trace *trace; /* the host's, or NULL */
	const struct pr_owner_ops *owner[PR_OWNER_CLASSES]; /* see owner.h; the host registers them */
	void *owner_ctx[PR_OWNER_CLASSES];
	const struct pr_shrinker *shrinker[PR_MAX_SHRINKERS]; /* see reclaim.h */
	struct pr_host host;
};

/* The kernel was built with zone Device, which never has a page of the allocator. */
enum { PR_NAMES_DEVICE = 1 << NR_ZONE_TYPES, PR_ALL_ZONES = (1 << NR_ZONE_TYPES) - 1,
       PR_ALL_TYPES = (1 << NR_MIGRATETYPES) - 1 };

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
	/* Names that its /proc has, 0 for all: bits of enum zone_type and PR_NAMES_DEVICE; of types. */
	uint8_t zone_names, type_names;
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
/* Says that a pageblock's last frames are a hole (not at the zone's end). */
int pr_set_block_cut(struct pr_machine *m, pfn_t pfn);
/* Puts a block on a CPU's list, at its tail, by hand; counts it. */
int pr_place_pcp(struct pr_machine *m, pfn_t pfn, unsigned order, enum migratetype type,
		 unsigned cpu);

/* Zone that holds pfn, or NULL. */
struct zone *pr_zone_of(const struct pr_machine *m, pfn_t pfn);
static inline struct pcp *pr_pcp(const struct pr_machine *m, const struct zone *z, unsigned cpu)
{
	return &m->pcps[z->pcp_base + cpu];
}
static inline struct page *pr_page(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	return &m->pages[pfn + z->page_delta];
}
static inline struct pageblock *pr_block(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	return &m->blocks[(pfn >> PAGEBLOCK_ORDER) + z->block_delta];
}
/*
 * What hosts read. They go through these, not through the structures: where a type, a state or a
 * counter lies is the engine's business.
 */
static inline enum migratetype pr_block_type(const struct pr_machine *m, const struct zone *z,
					     pfn_t pfn)
{
	uint8_t code = __atomic_load_n(&pr_block(m, z, pfn)->type_code, __ATOMIC_RELAXED);

	return (enum migratetype)(code ^ MT_MOVABLE);
}
/* No memory in this pageblock: a hole in the zone. */
static inline bool pr_block_absent(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	return pr_block(m, z, pfn)->flags & BLOCK_ABSENT;
}
/* Did compaction give up on this pageblock? */
static inline bool pr_block_skip(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	return __atomic_load_n(&pr_block(m, z, pfn)->flags, __ATOMIC_RELAXED) & BLOCK_SKIP;
}
static inline void pr_set_block_skip(struct pr_machine *m, const struct zone *z, pfn_t pfn, bool skip)
{
	uint8_t *flags = &pr_block(m, z, pfn)->flags;

	if (skip)
		__atomic_fetch_or(flags, BLOCK_SKIP, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(flags, (uint8_t)~BLOCK_SKIP, __ATOMIC_RELAXED);
}
/* Order of the free block of a buddy list that starts at pfn, or -1. */
int pr_free_order(const struct pr_machine *m, const struct zone *z, pfn_t pfn);
/* A counter of /proc/vmstat, and adding to one (by CPU cpu). */
uint64_t pr_event(const struct pr_machine *m, enum pr_event e);
void pr_count(struct pr_machine *m, unsigned cpu, enum pr_event e, uint64_t n);
/* How often kswapd was called, all nodes. */
uint64_t pr_kswapd_wakeups(const struct pr_machine *m);
/* numa_hit and the others of one zone (the kernel's vm_numa_event). */
struct pr_numa {
	uint64_t hit, miss, foreign, interleave, local, other;
};
struct pr_numa pr_zone_numa(const struct pr_machine *m, const struct zone *z);
/* Next head on a buddy list of `order` or a per-CPU list; start with list->first. */
uint32_t pr_list_next(const struct pr_machine *m, const struct zone *z, unsigned order, bool pcp,
		      uint32_t rel);
/* List of a per-CPU set that holds (order, type); -1 if that order is not kept per CPU. */
static inline int pr_pcp_index(unsigned order, enum migratetype type)
{
	if (order <= COSTLY_ORDER)
		return (int)(order * NR_PCP_TYPES + type);
	return order == PAGEBLOCK_ORDER ? NR_LOWORDER_PCP_LISTS + (type == MT_MOVABLE) : -1;
}
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
