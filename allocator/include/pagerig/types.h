/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * types.h: the words of the engine. Names and meanings are Linux's (include/linux/mmzone.h,
 * gfp_types.h); values that a user can see (gfp bits, type order) are Linux 6.12's for x86-64.
 */
#ifndef PAGERIG_TYPES_H
#define PAGERIG_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A page frame number of the simulated machine; pages are 4 KiB. */
typedef uint64_t pfn_t;
#define PFN_NONE (~(pfn_t)0)

enum {
	PR_PAGE_SHIFT = 12,
	PR_PAGE_SIZE = 1 << PR_PAGE_SHIFT,
	MAX_ORDER = 10, /* largest block of the buddy lists, inclusive */
	NR_ORDERS = MAX_ORDER + 1,
	PAGEBLOCK_ORDER = 9,
	PAGEBLOCK_PAGES = 1 << PAGEBLOCK_ORDER,
	COSTLY_ORDER = 3, /* PAGE_ALLOC_COSTLY_ORDER */
	PR_MAX_NODES = 64,
	PR_MAX_CPUS = 256,
};

enum migratetype {
	MT_UNMOVABLE,
	MT_MOVABLE,
	MT_RECLAIMABLE,
	NR_PCP_TYPES,
	MT_HIGHATOMIC = NR_PCP_TYPES,
	MT_CMA,
	MT_ISOLATE,
	NR_MIGRATETYPES,
};

enum zone_type { ZONE_DMA, ZONE_DMA32, ZONE_NORMAL, ZONE_MOVABLE, NR_ZONE_TYPES };

/* gfp flags, include/linux/gfp_types.h of 6.12 */
typedef uint32_t gfp_t;
#define __GFP_DMA 0x1u
#define __GFP_HIGHMEM 0x2u
#define __GFP_DMA32 0x4u
#define __GFP_MOVABLE 0x8u
#define __GFP_RECLAIMABLE 0x10u
#define __GFP_HIGH 0x20u
#define __GFP_IO 0x40u
#define __GFP_FS 0x80u
#define __GFP_ZERO 0x100u
#define __GFP_DIRECT_RECLAIM 0x400u
#define __GFP_KSWAPD_RECLAIM 0x800u
#define __GFP_WRITE 0x1000u
#define __GFP_NOWARN 0x2000u
#define __GFP_RETRY_MAYFAIL 0x4000u
#define __GFP_NOFAIL 0x8000u
#define __GFP_NORETRY 0x10000u
#define __GFP_MEMALLOC 0x20000u
#define __GFP_COMP 0x40000u
#define __GFP_NOMEMALLOC 0x80000u
#define __GFP_HARDWALL 0x100000u
#define __GFP_THISNODE 0x200000u
#define __GFP_ACCOUNT 0x400000u
#define __GFP_ZEROTAGS 0x800000u
#define __GFP_NO_OBJ_EXT 0x1000000u
/* Of kernels with hardware tags or lockdep; without them, as here, no bit at all. */
#define __GFP_SKIP_ZERO 0u
#define __GFP_SKIP_KASAN 0u
#define __GFP_NOLOCKDEP 0u
#define __GFP_RECLAIM (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)

#define GFP_ATOMIC (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_NOWAIT (__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO __GFP_RECLAIM
#define GFP_NOFS (__GFP_RECLAIM | __GFP_IO)
#define GFP_USER (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HARDWALL)
#define GFP_HIGHUSER (GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)
#define GFP_TRANSHUGE_LIGHT                                                                        \
	((GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM)
#define GFP_TRANSHUGE (GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM)

/* Names as the kernel spells them; short is the letter of /proc and of the recordings. */
extern const char *const pr_migratetype_name[NR_MIGRATETYPES]; /* "Unmovable", … */
extern const char pr_migratetype_letter[NR_MIGRATETYPES + 1];  /* "UMRHCI" */
extern const char *const pr_zone_name[NR_ZONE_TYPES];	       /* "DMA", … */

/*
 * gfp by name: "GFP_KERNEL|__GFP_NOWARN", "GFP_USER|~__GFP_IO" (takes bits away), "0x820", "0".
 * Returns 0, or -EINVAL with *bad pointing at the word at fault in text and *near at the
 * nearest known name (either may be NULL).
 */
int pr_gfp_parse(const char *text, gfp_t *gfp, const char **bad, const char **near);
/* Prints as the kernel's %pGg does, compound names first; returns the length, as snprintf. */
int pr_gfp_print(gfp_t gfp, char *buf, size_t size);

/*
 * The known name nearest to a word that is none: set word and len, offer every name, read name
 * (NULL if none was offered). Case counts as equal; nothing is copied.
 */
struct pr_near {
	const char *word;
	size_t len;
	unsigned distance;
	const char *name;
};
void pr_near_try(struct pr_near *near, const char *name);

#endif
