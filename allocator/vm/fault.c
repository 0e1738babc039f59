/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fault.c: a program reaches for an address: may it, and what does its area become by that. */
#include "vm/vm.h"

/* A stack grows down to addr, as far as its neighbours and limits let it. */
static int expand_down(struct space s, uint32_t v, uint64_t addr)
{
	struct pr_vma *a = area(s, v);
	const struct pr_vma *p = area(s, a->prev);
	uint64_t pages = (a->start - addr) >> PR_PAGE_SHIFT, size = a->end - addr;

	if (!(a->flags & VM_GROWSDOWN))
		return -EFAULT;
	if (addr < sysctl(s)->mmap_min_addr)
		return -EPERM;
	if (a->prev && !(p->flags & VM_GROWSDOWN) && (p->flags & VM_ACCESS) &&
	    addr - p->end < sysctl(s)->stack_guard_gap)
		return -ENOMEM;
	anon_prepare(s, v);
	if (pages > a->pgoff || !may_expand(s, a->flags, pages) ||
	    size > s.mm->rlimit[PR_RLIMIT_STACK] ||
	    !lock_future_ok(s, a->flags, pages << PR_PAGE_SHIFT))
		return -ENOMEM;
	/* a stack's promise grows even where it is not accounted for, as in Linux */
	if (commit_charge(s.vm, s.mm, pages))
		return -ENOMEM;
	if (!(a->flags & VM_ACCOUNT))
		commit_uncharge(s.vm, pages);
	a->pgoff -= pages;
	account(s, a->flags, (int64_t)pages);
	if (a->flags & VM_LOCKED)
		s.mm->locked_vm += pages;
	tree_set_range(s, v, addr, a->end);
	return 0;
}

static bool behind_end(struct space s, const struct pr_vma *a, uint64_t addr)
{
	return a->file &&
	       a->pgoff + ((addr - a->start) >> PR_PAGE_SHIFT) >= s.vm->files[a->file].pages;
}

int64_t pr_touch(struct pr_vm *vm, int mm, uint64_t addr, bool write)
{
	struct space s = space_of(vm, mm);
	uint32_t v = tree_find(s, addr);

	if (!v)
		return -EFAULT;
	if (area(s, v)->start > addr && expand_down(s, v, addr & PAGE_MASK))
		return -EFAULT;
	if (!area_permits(s, area(s, v), write))
		return -EFAULT;
	if (behind_end(s, area(s, v), addr))
		return -EIO;
	if (write && !(area(s, v)->flags & VM_SHARED))
		anon_prepare(s, v);
	return 0;
}

int populate_area(struct space s, uint32_t v, uint64_t start, uint64_t end)
{
	const struct pr_vma *a = area(s, v);

	if ((a->flags & (VM_IO | VM_PFNMAP)) || (a->flags & VM_LOCKONFAULT))
		return 0;
	if (!area_permits(s, a, false))
		return -EFAULT;
	if (behind_end(s, a, end - 1))
		return -EFAULT;
	(void)start;
	if ((a->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
		anon_prepare(s, v);
	return 0;
}

int populate(struct space s, uint64_t start, uint64_t end, bool ignore_errors)
{
	if (start >= end)
		return 0;
	for (uint32_t v = tree_find(s, start); v && area(s, v)->start < end; v = area(s, v)->next) {
		const struct pr_vma *a = area(s, v);
		int err = populate_area(s, v, a->start > start ? a->start : start,
					a->end < end ? a->end : end);

		if (err && !ignore_errors)
			return err;
	}
	return 0;
}
