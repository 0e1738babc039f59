/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * owner.h: who user memory belongs to, and what reclaim may ask of them. A page's owner mark has a
 * class in its highest 4 bits: the table of operations that the owner registered; the other 28
 * bits are the owner's own name for the page (a slot of its page table, for example).
 *
 * Marks of class 0 are the host's and ask nothing: such pages are neither moved nor taken away.
 */
#ifndef PAGERIG_OWNER_H
#define PAGERIG_OWNER_H

#include <pagerig/machine.h>

enum pr_owner_class {
	PR_OWNER_HOST,	  /* no operations */
	PR_OWNER_SEGMENT, /* files in shm/ */
	PR_OWNER_TASK,	  /* simulated processes */
	PR_OWNER_MEMORY,  /* plain rows of pages, see memory.h */
};
enum { PR_OWNER_SHIFT = 28, PR_OWNER_ID_MAX = (1 << PR_OWNER_SHIFT) - 1 };

static inline uint32_t pr_owner_mark(enum pr_owner_class c, uint32_t id)
{
	return (uint32_t)c << PR_OWNER_SHIFT | id;
}
static inline unsigned pr_owner_class_of(uint32_t mark)
{
	return mark >> PR_OWNER_SHIFT;
}
static inline uint32_t pr_owner_id(uint32_t mark)
{
	return mark & PR_OWNER_ID_MAX;
}

/* What referenced() found besides the count. */
enum pr_ref { PR_REF_EXEC = 1, PR_REF_LOCKED = 2 };

/*
 * Operations on one page (head of a block) of an owner, `id` is its name for it. Called with the
 * engine's locks of the caller and the page off the LRU: they are leaves, and do not allocate, free
 * or wait. Any may be NULL: then it does nothing and says 0 or false.
 */
struct pr_owner_ops {
	const char *name;
	/* References through page tables since the last call, which forgets them; *what: enum pr_ref. */
	unsigned (*referenced)(void *ctx, uint32_t id, pfn_t pfn, unsigned *what);
	bool (*mapped)(void *ctx, uint32_t id, pfn_t pfn);
	/* Finds a place in swap for it: 0 or -ENOSPC. And gives it back. */
	int (*swap_add)(void *ctx, uint32_t id, pfn_t pfn);
	void (*swap_free)(void *ctx, uint32_t id, pfn_t pfn);
	/*
	 * Takes it out of all page tables: 0, or -EBUSY. If something was written through them, the
	 * owner calls pr_page_dirty().
	 */
	int (*unmap)(void *ctx, uint32_t id, pfn_t pfn);
	/*
	 * Writes it to its file or place in swap. 0: it is there; -EINPROGRESS: the owner calls
	 * pr_writeback_end() when it is; another error: it stays dirty.
	 */
	int (*write)(void *ctx, uint32_t id, pfn_t pfn);
	/*
	 * It leaves memory, and the engine frees the frame. The owner keeps `shadow` for
	 * pr_workingset_refault(). -EBUSY if it is in use again.
	 */
	int (*evict)(void *ctx, uint32_t id, pfn_t pfn, uint64_t shadow);
	/* Its content is at `to` from now on. 0; -EAGAIN: busy now; else it can't move. */
	int (*migrate)(void *ctx, uint32_t id, pfn_t from, pfn_t to, unsigned order);
};

/* Registers the operations of a class (not PR_OWNER_HOST), for this handle. */
void pr_owner_register(struct pr_machine *m, enum pr_owner_class c, const struct pr_owner_ops *ops,
		       void *ctx);
/* Moves a block of any class; those without operations of their own are the host's to move. */
int pr_owner_migrate(struct pr_machine *m, uint32_t mark, pfn_t from, pfn_t to, unsigned order);
static inline bool pr_owner_movable(const struct pr_machine *m, uint32_t mark)
{
	const struct pr_owner_ops *ops = m->owner[pr_owner_class_of(mark)];

	return ops ? ops->migrate != NULL : mark && m->host.migrate;
}

#endif
