/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fork.c: a copy of an address space. Written pages are in both until one writes: both lose the
 * right to. Pages that only a file has are not copied: they come back by faults.
 */
#include "vm/vm.h"

/* The child's area for v: its number, PR_NO_VMA if the arena is full. */
static uint32_t copy_one(struct space child, struct space s, uint32_t v)
{
	uint32_t c = area_alloc(child);
	struct pr_vma *a = area(s, v), *b = area(child, c);

	if (!c)
		return PR_NO_VMA;
	*b = *a;
	b->flags &= ~VM_LOCKED_MASK;
	if (a->anon && !(a->flags & VM_WIPEONFORK)) {
		b->anon = ++s.vm->arena->last_anon;
		b->inherited = true;
	} else {
		b->anon = 0;
		b->inherited = false;
	}
	if (b->file)
		s.vm->files[b->file].users++;
	tree_insert(child, c);
	account(child, b->flags, (int64_t)area_pages(b));
	return c;
}

/* The pages of v are in both tables afterwards. */
static int share_pages(struct space child, struct space s, const struct pr_vma *a)
{
	for (uint64_t at = pte_next(s, a->start, a->end); at < a->end;
	     at = pte_next(s, at + PR_PAGE_SIZE, a->end)) {
		uint64_t *to, *pte = pte_find(s, at, false), bits;
		uint32_t page;

		if (!*pte)
			continue;
		to = pte_find(child, at, true);
		pte = pte_find(s, at, false); /* memory may have been reclaimed for the table */
		if (!to)
			return -ENOMEM;
		if (!*pte)
			continue;
		if (!(a->flags & VM_SHARED))
			*pte &= ~PTE_WRITE;
		bits = *pte & ~(PTE_PFN_MASK | PTE_ACCESSED);
		page = user_page_of(s.vm, *pte);
		if (!page)
			pte_set(child, at, to, bits);
		else if (!page_map(child, at, to, page, bits))
			return -ENOMEM;
	}
	return 0;
}

static int copy_areas(struct space child, struct space s)
{
	for (uint32_t v = s.mm->first; v; v = area(s, v)->next) {
		const struct pr_vma *a = area(s, v);

		if (a->flags & VM_DONTCOPY)
			continue;
		if ((a->flags & VM_ACCOUNT) && commit_charge(s.vm, s.mm, area_pages(a)))
			return -ENOMEM;
		if (!copy_one(child, s, v)) {
			if (a->flags & VM_ACCOUNT)
				commit_uncharge(s.vm, area_pages(a));
			return -ENOMEM;
		}
		if (a->anon && !(a->flags & VM_WIPEONFORK) && share_pages(child, s, a))
			return -ENOMEM;
	}
	return 0;
}

int pr_mm_fork(struct pr_vm *vm, int mm)
{
	struct space s = space_of(vm, mm), child;
	struct pr_mm *to;
	int c;

	if (!s.mm)
		return -ESRCH;
	c = pr_mm_new(vm);
	if (c < 0)
		return c;
	child = space_of(vm, c);
	to = child.mm;
	if (!to) /* it was just made */
		return -EINVAL;
	*to = *s.mm;
	to->root = to->first = to->map_count = to->pgd = 0;
	to->total_vm = to->locked_vm = to->data_vm = to->exec_vm = to->stack_vm = 0;
	to->rss_anon = to->rss_file = to->rss_shmem = to->tables = to->min_flt = to->maj_flt = 0;
	to->def_flags &= ~VM_LOCKED_MASK;
	if (copy_areas(child, s)) {
		pr_mm_exit(vm, c);
		return -ENOMEM;
	}
	return c;
}
