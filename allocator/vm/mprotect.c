/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mprotect.c: mprotect, mlock and its kin: calls that give a range of areas other flags. */
#include "vm/vm.h"

/* mprotect on start..end of v. *out: the area it is then. */
static int protect_area(struct space s, uint32_t v, uint64_t start, uint64_t end, uint64_t flags,
			uint32_t *out)
{
	uint64_t old = area(s, v)->flags, pages = (end - start) >> PR_PAGE_SHIFT;
	bool charged = false;
	int err;

	*out = v;
	if (flags == old)
		return 0;
	if (flags & VM_WRITE) {
		if (!may_expand(s, flags, pages) && may_expand(s, old, pages))
			return -ENOMEM;
		if (!(old & (VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE))) {
			if (commit_charge(s.vm, s.mm, pages))
				return -ENOMEM;
			charged = true;
			flags |= VM_ACCOUNT;
		}
	} else if ((old & VM_ACCOUNT) && area_anonymous(area(s, v)) && !area(s, v)->anon) {
		flags &= ~VM_ACCOUNT; /* nothing was written: the promise is off */
	}
	err = area_modify(s, v, start, end, flags, out);
	if (err) {
		if (charged)
			commit_uncharge(s.vm, pages);
		return err;
	}
	area(s, *out)->flags = flags;
	if (!(flags & VM_WRITE))
		write_protect(s, start, end);
	if ((old & VM_ACCOUNT) && !(flags & VM_ACCOUNT))
		commit_uncharge(s.vm, pages);
	if ((old & (VM_WRITE | VM_SHARED | VM_LOCKED)) == VM_LOCKED && (flags & VM_WRITE))
		(void)populate_area(s, *out, start, end); /* a locked page is not to fault later */
	account(s, old, -(int64_t)pages);
	account(s, flags, (int64_t)pages);
	return 0;
}

int64_t pr_mprotect(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len, uint64_t prot)
{
	struct space s = space_of(vm, mm);
	uint64_t grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP), end, done;
	uint32_t v;

	if (!s.mm)
		return -ESRCH;
	prot &= ~(uint64_t)(PROT_GROWSDOWN | PROT_GROWSUP);
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || !page_aligned(addr))
		return -EINVAL;
	if (!len)
		return 0;
	end = addr + page_align(len);
	if (end <= addr)
		return -ENOMEM;
	if (prot & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC | 8)) /* 8: PROT_SEM */
		return -EINVAL;
	v = tree_find(s, addr);
	if (!v || area(s, v)->start >= end)
		return -ENOMEM;
	if (grows & PROT_GROWSDOWN) {
		addr = area(s, v)->start;
		if (!(area(s, v)->flags & VM_GROWSDOWN))
			return -EINVAL;
	} else if (area(s, v)->start > addr) {
		return -ENOMEM;
	} else if (grows) {
		return -EINVAL; /* nothing grows upwards here */
	}
	for (done = addr; done < end;) {
		uint64_t flags, to;
		int err;

		v = tree_find(s, done);
		if (!v || area(s, v)->start > done)
			return -ENOMEM;
		flags = (area(s, v)->flags & ~VM_ACCESS) | (prot & VM_ACCESS);
		if (flags & ~(flags >> 4) & VM_ACCESS)
			return -EACCES;
		to = area(s, v)->end < end ? area(s, v)->end : end;
		err = protect_area(s, v, done, to, flags, &v);
		if (err)
			return err;
		done = area(s, v)->end; /* it may have merged with what follows */
	}
	return 0;
}

/* VM_LOCKED and VM_LOCKONFAULT of start..end of v. */
static int lock_area(struct space s, uint32_t v, uint64_t start, uint64_t end, uint64_t flags,
		     uint32_t *out)
{
	uint64_t old = area(s, v)->flags, pages = (end - start) >> PR_PAGE_SHIFT;
	int err;

	*out = v;
	if (flags == old || (old & VM_SPECIAL) || (old & VM_DROPPABLE))
		return 0;
	err = area_modify(s, v, start, end, flags, out);
	if (err)
		return err;
	if (!(flags & VM_LOCKED))
		s.mm->locked_vm -= old & VM_LOCKED ? pages : 0;
	else if (!(old & VM_LOCKED))
		s.mm->locked_vm += pages;
	area(s, *out)->flags = flags;
	return 0;
}

static int lock_range(struct space s, uint64_t start, uint64_t len, uint64_t flags)
{
	uint64_t end = start + len, done;

	if (end < start)
		return -EINVAL;
	for (done = start; done < end;) {
		uint32_t v = tree_find(s, done);
		uint64_t to;
		int err;

		if (!v || area(s, v)->start > done)
			return -ENOMEM;
		to = area(s, v)->end < end ? area(s, v)->end : end;
		err = lock_area(s, v, done, to, (area(s, v)->flags & ~VM_LOCKED_MASK) | flags, &v);
		if (err)
			return err;
		done = area(s, v)->end;
	}
	return 0;
}

/* Pages of the range that are locked already: they do not count against the limit again. */
static uint64_t locked_in(struct space s, uint64_t start, uint64_t end)
{
	uint64_t bytes = 0;

	for (uint32_t v = tree_find(s, start); v && area(s, v)->start < end; v = area(s, v)->next) {
		const struct pr_vma *a = area(s, v);

		if (a->flags & VM_LOCKED)
			bytes += (a->end < end ? a->end : end) -
				 (a->start > start ? a->start : start);
	}
	return bytes >> PR_PAGE_SHIFT;
}

static int64_t do_mlock(struct space s, uint64_t addr, uint64_t len, uint64_t flags)
{
	uint64_t limit = s.mm->rlimit[PR_RLIMIT_MEMLOCK] >> PR_PAGE_SHIFT, locked;
	int err;

	if (!can_lock(s))
		return -EPERM;
	len = page_align(len + (addr & ~PAGE_MASK));
	addr &= PAGE_MASK;
	locked = (len >> PR_PAGE_SHIFT) + s.mm->locked_vm;
	if (!s.mm->privileged && locked > limit) {
		locked -= locked_in(s, addr, addr + len < addr ? ~0ull : addr + len);
		if (locked > limit)
			return -ENOMEM;
	}
	err = lock_range(s, addr, len, flags);
	if (err)
		return err;
	err = populate(s, addr, addr + len, false);
	return err == -EFAULT ? -ENOMEM : err == -ENOMEM ? -EAGAIN : err;
}

int64_t pr_mlock(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len)
{
	struct space s = space_of(vm, mm);

	if (!s.mm)
		return -ESRCH;
	return do_mlock(s, addr, len, VM_LOCKED);
}

int64_t pr_mlock2(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len, uint64_t flags)
{
	struct space s = space_of(vm, mm);

	if (!s.mm)
		return -ESRCH;
	if (flags & ~1ull) /* MLOCK_ONFAULT */
		return -EINVAL;
	return do_mlock(s, addr, len, VM_LOCKED | (flags ? VM_LOCKONFAULT : 0));
}

int64_t pr_munlock(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len)
{
	struct space s = space_of(vm, mm);

	if (!s.mm)
		return -ESRCH;
	return lock_range(s, addr & PAGE_MASK, page_align(len + (addr & ~PAGE_MASK)), 0);
}

static void lock_all(struct space s, uint64_t flags)
{
	uint64_t addr = 0;
	uint32_t v;

	while ((v = tree_find(s, addr))) {
		const struct pr_vma *a = area(s, v);

		/* one that can't change stays as it is */
		if (lock_area(s, v, a->start, a->end, (a->flags & ~VM_LOCKED_MASK) | flags, &v))
			addr = area(s, v)->end;
		addr = area(s, v)->end > addr ? area(s, v)->end : addr;
	}
}

int64_t pr_mlockall(struct pr_vm *vm, int mm, uint64_t flags)
{
	struct space s = space_of(vm, mm);
	uint64_t bits = VM_LOCKED | (flags & MCL_ONFAULT ? VM_LOCKONFAULT : 0);

	if (!s.mm)
		return -ESRCH;
	if (!flags || (flags & ~(uint64_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ||
	    flags == MCL_ONFAULT)
		return -EINVAL;
	if (!can_lock(s))
		return -EPERM;
	if ((flags & MCL_CURRENT) && !s.mm->privileged &&
	    s.mm->total_vm > s.mm->rlimit[PR_RLIMIT_MEMLOCK] >> PR_PAGE_SHIFT)
		return -ENOMEM;
	s.mm->def_flags = flags & MCL_FUTURE ? bits : 0;
	if (flags & MCL_CURRENT) {
		lock_all(s, bits);
		(void)populate(s, 0, s.mm->task_size, true);
	} else if (!(flags & MCL_FUTURE)) {
		lock_all(s, 0);
	}
	return 0;
}

int64_t pr_munlockall(struct pr_vm *vm, int mm)
{
	struct space s = space_of(vm, mm);

	if (!s.mm)
		return -ESRCH;
	s.mm->def_flags = 0;
	lock_all(s, 0);
	return 0;
}
