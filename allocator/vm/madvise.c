/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * madvise.c: one table of what each advice does: bits it sets and clears in an area, what areas it
 * refuses, and what it does to their pages.
 */
#include "vm/vm.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

enum need {
	NEED_ANON = 1,
	NEED_NO_SHARE = 2,
	NEED_FILE = 4,
	NEED_SHARED_WRITE = 8,
	POPULATE = 16,
	ZAP = 32
};

struct advice {
	int number;
	uint64_t set, clear;
	uint64_t refuse; /* vm_flags for which it is -EINVAL */
	unsigned need;	 /* enum need */
};
static const struct advice advices[] = {
	{MADV_NORMAL, 0, VM_RAND_READ | VM_SEQ_READ, 0, 0},
	{MADV_RANDOM, VM_RAND_READ, VM_SEQ_READ, 0, 0},
	{MADV_SEQUENTIAL, VM_SEQ_READ, VM_RAND_READ, 0, 0},
	{MADV_WILLNEED, 0, 0, 0, 0},
	{MADV_DONTNEED, 0, 0, VM_LOCKED | VM_PFNMAP, ZAP},
	{MADV_DONTNEED_LOCKED, 0, 0, VM_PFNMAP, ZAP},
	{MADV_FREE, 0, 0, VM_LOCKED | VM_PFNMAP, NEED_ANON},
	{MADV_REMOVE, 0, 0, VM_LOCKED, NEED_FILE | NEED_SHARED_WRITE | ZAP},
	{MADV_DONTFORK, VM_DONTCOPY, 0, 0, 0},
	{MADV_DOFORK, 0, VM_DONTCOPY, VM_IO, 0},
	{MADV_MERGEABLE, VM_MERGEABLE, 0, 0, NEED_NO_SHARE},
	{MADV_UNMERGEABLE, 0, VM_MERGEABLE, 0, 0},
	{MADV_HUGEPAGE, VM_HUGEPAGE, VM_NOHUGEPAGE, 0, 0},
	{MADV_NOHUGEPAGE, VM_NOHUGEPAGE, VM_HUGEPAGE, 0, 0},
	{MADV_DONTDUMP, VM_DONTDUMP, 0, 0, 0},
	{MADV_DODUMP, 0, VM_DONTDUMP, VM_SPECIAL | VM_DROPPABLE, 0},
	{MADV_WIPEONFORK, VM_WIPEONFORK, 0, VM_SHARED, NEED_ANON},
	{MADV_KEEPONFORK, 0, VM_WIPEONFORK, VM_DROPPABLE, 0},
	{MADV_COLD, 0, 0, VM_LOCKED | VM_PFNMAP, 0},
	{MADV_PAGEOUT, 0, 0, VM_LOCKED | VM_PFNMAP, 0},
	{MADV_POPULATE_READ, 0, 0, 0, POPULATE},
	{MADV_POPULATE_WRITE, 0, 0, 0, POPULATE},
};

static const struct advice *find(int number)
{
	for (unsigned i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (advices[i].number == number)
			return &advices[i];
	return NULL;
}

/* The advice for start..end of v; *out: the area it is then. */
static int advise_area(struct space s, uint32_t v, uint64_t start, uint64_t end,
		       const struct advice *d, uint32_t *out)
{
	const struct pr_vma *a = area(s, v);
	uint64_t flags = (a->flags & ~d->clear) | d->set;
	int err;

	*out = v;
	if ((a->flags & d->refuse) || ((d->need & NEED_ANON) && !area_anonymous(a)) ||
	    ((d->need & NEED_FILE) && area_anonymous(a)))
		return -EINVAL;
	if ((d->need & NEED_SHARED_WRITE) && (!(a->flags & VM_SHARED) || !(a->flags & VM_MAYWRITE)))
		return -EACCES;
	if ((d->need & NEED_NO_SHARE) &&
	    (a->flags & (VM_SPECIAL | VM_SHARED | VM_MAYSHARE | VM_DROPPABLE)))
		return 0;
	if (d->need & ZAP)
		zap_range(s, start, end);
	if (d->number == MADV_REMOVE)
		cache_drop(s.vm, a->file, a->pgoff + ((start - a->start) >> PR_PAGE_SHIFT),
			   a->pgoff + ((end - a->start) >> PR_PAGE_SHIFT), s.mm->cpu);
	if (flags == a->flags)
		return 0;
	err = area_modify(s, v, start, end, flags, out);
	if (err)
		return -EAGAIN;
	area(s, *out)->flags = flags;
	return 0;
}

/* Faults as the program would: -ENOMEM: a hole, -EINVAL: it may not. */
static int advise_populate(struct space s, uint64_t start, uint64_t end, bool write)
{
	for (uint64_t at = start; at < end;) {
		uint32_t v = tree_find(s, at);
		int err;

		if (!v || area(s, v)->start > at)
			return -ENOMEM;
		if ((area(s, v)->flags & (VM_IO | VM_PFNMAP)) ||
		    !(area(s, v)->flags & (write ? VM_WRITE : VM_READ)))
			return -EINVAL;
		err = fault_range(s, v, at, area(s, v)->end < end ? area(s, v)->end : end, write);
		if (err)
			return err == -EIO ? -EFAULT : err;
		at = area(s, v)->end;
	}
	return 0;
}

int64_t pr_madvise(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len, int advice)
{
	struct space s = space_of(vm, mm);
	const struct advice *d = find(advice);
	uint64_t end = addr + page_align(len);
	int hole = 0;

	if (!s.mm)
		return -ESRCH;
	if (!d || !page_aligned(addr) || (len && !page_align(len)) || end < addr)
		return -EINVAL;
	if (end == addr)
		return 0;
	if (d->need & POPULATE)
		return advise_populate(s, addr, end, advice == MADV_POPULATE_WRITE);
	while (addr < end) {
		uint32_t v = tree_find(s, addr);
		uint64_t to;
		int err;

		if (!v || area(s, v)->start >= end)
			return -ENOMEM;
		if (area(s, v)->start > addr) {
			hole = -ENOMEM; /* the rest is advised all the same */
			addr = area(s, v)->start;
		}
		to = area(s, v)->end < end ? area(s, v)->end : end;
		err = advise_area(s, v, addr, to, d, &v);
		if (err)
			return err;
		addr = area(s, v)->end > to ? area(s, v)->end : to;
	}
	return hole;
}
