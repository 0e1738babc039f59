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

static uint64_t pte_bits(const struct pr_vma *a, bool write)
{
	return PTE_ACCESSED | (write ? PTE_WRITE | PTE_DIRTY : 0) |
	       (a->flags & VM_EXEC ? 0 : PTE_NX);
}

/* The page of a file's cache; *major: it had to be read. 0: there is no memory. */
static uint32_t cache_get(struct space s, uint32_t file, uint64_t pgoff, bool *major)
{
	uint32_t page = cache_find(s.vm, file, pgoff);

	*major = false;
	if (page)
		return page;
	*major = s.vm->files[file].kind == PR_FILE_REGULAR;
	return user_page_alloc(s, file, pgoff);
}

enum { FAULT_AROUND = 16 }; /* pages, aligned: fault_around_bytes is 64 KiB */

/* What a read fault finds beside it in the cache is mapped at once. */
static void fault_around(struct space s, uint32_t v, uint64_t addr)
{
	const struct pr_vma *a = area(s, v);
	uint64_t from = addr & ~(uint64_t)(FAULT_AROUND * PR_PAGE_SIZE - 1);
	uint64_t to = from + FAULT_AROUND * PR_PAGE_SIZE;

	from = from < a->start ? a->start : from;
	to = to > a->end ? a->end : to;
	for (uint64_t at = from; at < to; at += PR_PAGE_SIZE) {
		uint64_t *pte = pte_find(s, at, false);
		uint32_t page = pte && !*pte
					? cache_find(s.vm, a->file,
						     a->pgoff + ((at - a->start) >> PR_PAGE_SHIFT))
					: 0;

		if (page && !page_map(s, at, pte, page, pte_bits(a, false) & ~PTE_ACCESSED))
			return;
	}
}

/* A page of the program's own takes the place of what is there: zero page, file's or shared page.
 */
static int fault_own(struct space s, uint32_t v, uint64_t addr)
{
	uint64_t *pte;
	uint32_t page;

	anon_prepare(s, v);
	page = user_page_alloc(s, PR_NO_FILE, 0);
	if (!page)
		return -ENOMEM;
	pte = pte_find(s, addr, true); /* reclaim may have been busy in the table */
	if (pte && *pte)
		page_unmap(s, addr, pte);
	if (pte && page_map(s, addr, pte, page, pte_bits(area(s, v), true)))
		return 0;
	user_page_drop(s, page);
	return -ENOMEM;
}

static int fault_file(struct space s, uint32_t v, uint64_t addr, bool write)
{
	const struct pr_vma *a = area(s, v);
	uint64_t *pte;
	bool major;
	uint32_t page =
		cache_get(s, a->file, a->pgoff + ((addr - a->start) >> PR_PAGE_SHIFT), &major);

	if (!page)
		return -ENOMEM;
	if (major) {
		s.mm->maj_flt++;
		s.mm->min_flt--;
		pr_count(s.vm->machine, s.mm->cpu, EV_PGMAJFAULT, 1);
	}
	if (write && !(a->flags & VM_SHARED))
		return fault_own(s, v, addr);
	pte = pte_find(s, addr, true);
	if (!pte || !page_map(s, addr, pte, page, pte_bits(a, write)))
		return -ENOMEM;
	if (!write && !major)
		fault_around(s, v, addr);
	return 0;
}

/* Writing to what is there but may not be written. */
static int fault_write(struct space s, uint32_t v, uint64_t addr, uint64_t *pte)
{
	uint32_t page = user_page_of(s.vm, *pte);

	if (!(area(s, v)->flags & VM_SHARED) &&
	    (!page || s.vm->pages[page].file || s.vm->pages[page].mapcount > 1))
		return fault_own(s, v, addr);
	*pte |= PTE_WRITE | PTE_DIRTY | PTE_ACCESSED; /* nobody else has it, or all share it */
	return 0;
}

int fault_page(struct space s, uint32_t v, uint64_t addr, bool write)
{
	const struct pr_vma *a = area(s, v);
	uint64_t *pte;

	if (behind_end(s, a, addr))
		return -EIO;
	if (!s.vm->machine) {
		if (write && !(a->flags & VM_SHARED))
			anon_prepare(s, v);
		return 0;
	}
	addr &= PAGE_MASK;
	pte = pte_find(s, addr, true);
	if (!pte)
		return -ENOMEM;
	if (*pte && (!write || (*pte & PTE_WRITE))) {
		*pte |= PTE_ACCESSED | (write ? PTE_DIRTY : 0);
		return 0;
	}
	s.mm->min_flt++; /* if it is not a major one, see fault_file() */
	pr_count(s.vm->machine, s.mm->cpu, EV_PGFAULT, 1);
	if (*pte)
		return fault_write(s, v, addr, pte);
	if (a->file)
		return fault_file(s, v, addr, write);
	if (write)
		return fault_own(s, v, addr);
	pte_set(s, addr, pte, PTE_PRESENT | PTE_USER | PTE_SPECIAL | pte_bits(a, false));
	return 0;
}

int64_t pr_touch(struct pr_vm *vm, int mm, uint64_t addr, bool write)
{
	struct space s = space_of(vm, mm);
	uint32_t v = tree_find(s, addr);

	if (!s.mm)
		return -ESRCH;
	if (!v)
		return -EFAULT;
	if (area(s, v)->start > addr && expand_down(s, v, addr & PAGE_MASK))
		return -EFAULT;
	if (!area_permits(s, area(s, v), write))
		return -EFAULT;
	return fault_page(s, v, addr, write);
}

int fault_range(struct space s, uint32_t v, uint64_t start, uint64_t end, bool write)
{
	for (uint64_t at = start; at < end; at += PR_PAGE_SIZE) {
		int err = fault_page(s, v, at, write);

		if (err)
			return err;
	}
	return 0;
}

int populate_area(struct space s, uint32_t v, uint64_t start, uint64_t end)
{
	const struct pr_vma *a = area(s, v);
	int err;

	if ((a->flags & (VM_IO | VM_PFNMAP)) || (a->flags & VM_LOCKONFAULT))
		return 0;
	if (!area_permits(s, a, false))
		return -EFAULT;
	err = fault_range(s, v, start, end, (a->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE);
	return err == -EIO ? -EFAULT : err;
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
