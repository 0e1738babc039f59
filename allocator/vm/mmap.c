/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmap.c: mmap, munmap, brk. */
#include "vm/vm.h"

#include <string.h>

/* MAP_* flags that stand for something in every mapping. */
static uint64_t flag_bits(uint64_t flags)
{
	return (flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0) | (flags & MAP_LOCKED ? VM_LOCKED : 0) |
	       (flags & MAP_STACK ? VM_NOHUGEPAGE : 0);
}

static uint64_t prot_bits(uint64_t prot)
{
	return prot & (PROT_READ | PROT_WRITE | PROT_EXEC); /* VM_READ, VM_WRITE, VM_EXEC */
}

static int anonymous_flags(uint64_t flags, uint64_t *vm_flags)
{
	switch (flags & MAP_TYPE) {
	case MAP_SHARED:
		if (*vm_flags & VM_GROWSDOWN)
			return -EINVAL;
		*vm_flags |= VM_SHARED | VM_MAYSHARE;
		return 0;
	case MAP_DROPPABLE:
		if ((flags & MAP_LOCKED) || (*vm_flags & VM_GROWSDOWN))
			return -EINVAL;
		*vm_flags |= VM_DROPPABLE | VM_NORESERVE | VM_WIPEONFORK | VM_DONTDUMP;
		return 0;
	case MAP_PRIVATE:
		return 0;
	default:
		return -EINVAL;
	}
}

static int file_flags(const struct pr_file *f, uint64_t prot, uint64_t flags, uint64_t *vm_flags)
{
	uint64_t type = flags & MAP_TYPE,
		 legacy = MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE |
			  MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |
			  MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_32BIT;

	if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE && type != MAP_PRIVATE)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && (flags & ~legacy))
		return -EOPNOTSUPP;
	if (type != MAP_PRIVATE) {
		if ((prot & PROT_WRITE) && !f->writable)
			return -EACCES;
		*vm_flags |= VM_SHARED | VM_MAYSHARE;
		if (!f->writable)
			*vm_flags &= ~(VM_MAYWRITE | VM_SHARED);
	}
	if (!f->readable)
		return -EACCES;
	return *vm_flags & VM_GROWSDOWN ? -EINVAL : 0;
}

/* The file behind shared anonymous memory; its size is promised at once. */
static int shared_file(struct space s, uint64_t pages, uint64_t flags)
{
	int f = file_alloc(s.vm);
	struct pr_file *file;

	if (f < 0)
		return -ENOMEM;
	file = &s.vm->files[f];
	file->kind = PR_FILE_SHMEM;
	file->readable = file->writable = true;
	file->pages = pages;
	memcpy(file->name, "/dev/zero (deleted)", sizeof("/dev/zero (deleted)"));
	if (!(flags & VM_NORESERVE)) {
		if (commit_charge(s.vm, s.mm, pages)) {
			file->users = 0;
			return -ENOMEM;
		}
		file->charged = pages;
	}
	return f;
}

/* What unmapping a range gives back. */
struct given_back {
	uint64_t pages, accounted;
};
static struct given_back unmaps(struct space s, uint64_t start, uint64_t end)
{
	struct given_back g = {0, 0};

	for (uint32_t v = tree_find(s, start); v && area(s, v)->start < end; v = area(s, v)->next) {
		const struct pr_vma *a = area(s, v);
		uint64_t from = a->start > start ? a->start : start,
			 to = a->end < end ? a->end : end;

		g.pages += (to - from) >> PR_PAGE_SHIFT;
		g.accounted += a->flags & VM_ACCOUNT ? (to - from) >> PR_PAGE_SHIFT : 0;
	}
	return g;
}

/* No area reaches over the ends of start..end afterwards. */
static int cut_ends(struct space s, uint64_t start, uint64_t end)
{
	uint32_t v = tree_find(s, start);
	int err = 0;

	if (!v || area(s, v)->start >= end)
		return 0;
	if (area(s, v)->start < start) {
		if (area(s, v)->end > end && s.mm->map_count >= sysctl(s)->max_map_count)
			return -ENOMEM;
		err = area_cut(s, v, start);
	}
	v = tree_find(s, end - 1);
	if (!err && v && area(s, v)->start < end && area(s, v)->end > end)
		err = area_cut(s, v, end);
	return err;
}

int unmap_range(struct space s, uint64_t start, uint64_t end)
{
	int err = cut_ends(s, start, end);
	uint32_t v, next;

	if (err)
		return err;
	for (v = tree_find(s, start); v && area(s, v)->start < end; v = next) {
		const struct pr_vma *a = area(s, v);
		uint64_t pages = area_pages(a);

		next = a->next;
		zap_range(s, a->start, a->end);
		account(s, a->flags, -(int64_t)pages);
		if (a->flags & VM_LOCKED)
			s.mm->locked_vm -= pages;
		if (a->flags & VM_ACCOUNT)
			commit_uncharge(s.vm, pages);
		area_free(s, v);
	}
	tables_free(s, start, end);
	return 0;
}

/* A new area, or a neighbour that grows; what was there goes. 0 or -ENOMEM. */
static int map_region(struct space s, struct change *c)
{
	uint64_t pages = (c->end - c->start) >> PR_PAGE_SHIFT, charge = 0;
	struct given_back old = unmaps(s, c->start, c->end);
	bool accountable = (c->flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) == VM_WRITE;
	uint32_t v;
	int err = cut_ends(s, c->start, c->end);

	if (err)
		return err;
	if (!may_expand(s, c->flags, pages - old.pages))
		return -ENOMEM;
	if (accountable) {
		charge = pages - old.accounted;
		if ((int64_t)charge > 0 && commit_charge(s.vm, s.mm, charge))
			return -ENOMEM;
		if ((int64_t)charge > 0)
			commit_uncharge(s.vm, charge); /* the whole is charged below */
		c->flags |= VM_ACCOUNT;
	}
	if (!c->file && (c->flags & VM_SHARED)) {
		int f = shared_file(s, pages, c->flags);

		if (f < 0)
			return f;
		c->file = (uint32_t)f;
	} else if (c->file) {
		s.vm->files[c->file].users++;
	}
	err = unmap_range(s, c->start, c->end);
	if (!err) {
		v = merge_new(s, c);
		if (v && c->file)
			pr_file_put(s.vm, c->file);
		if (!v && (v = area_alloc(s))) {
			*area(s, v) = (struct pr_vma){.start = c->start,
						      .end = c->end,
						      .pgoff = c->pgoff,
						      .flags = c->flags,
						      .file = c->file};
			tree_insert(s, v);
		}
		err = v ? 0 : -ENOMEM;
	}
	if (err) {
		if (c->file)
			pr_file_put(s.vm, c->file);
		return err;
	}
	if (accountable)
		s.vm->arena->committed += pages;
	account(s, c->flags, (int64_t)pages);
	if (c->flags & VM_LOCKED)
		s.mm->locked_vm += pages;
	return 0;
}

int64_t pr_mmap(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len, uint64_t prot,
		uint64_t flags, uint32_t file, uint64_t offset)
{
	struct space s = space_of(vm, mm);
	struct change c = {.pgoff = offset >> PR_PAGE_SHIFT, .file = file};
	int64_t found;
	int err;

	if (!s.mm)
		return -ESRCH;
	if (!page_aligned(offset) || !len)
		return -EINVAL;
	if (flags & MAP_ANONYMOUS)
		c.file = file = PR_NO_FILE;
	if (flags & MAP_FIXED_NOREPLACE)
		flags |= MAP_FIXED;
	if (!(flags & MAP_FIXED)) {
		addr &= PAGE_MASK;
		if (addr && addr < sysctl(s)->mmap_min_addr)
			addr = page_align(sysctl(s)->mmap_min_addr);
	}
	len = page_align(len);
	if (!len)
		return -ENOMEM;
	if (c.pgoff + (len >> PR_PAGE_SHIFT) < c.pgoff)
		return -EOVERFLOW;
	if (s.mm->map_count > sysctl(s)->max_map_count)
		return -ENOMEM;
	c.flags = prot_bits(prot) | flag_bits(flags) | s.mm->def_flags | VM_MAYALL;
	found = unmapped_area(s, addr, len, file, flags);
	if (found < 0 && found > -4096)
		return found;
	c.start = (uint64_t)found;
	c.end = c.start + len;
	if ((flags & MAP_FIXED_NOREPLACE) && area_intersects(s, c.start, c.end))
		return -EEXIST;
	if ((flags & MAP_LOCKED) && !can_lock(s))
		return -EPERM;
	if (!lock_future_ok(s, c.flags, len))
		return -EAGAIN;
	if (file && c.pgoff > ((1ull << 63) - 1 - len) >> PR_PAGE_SHIFT)
		return -EOVERFLOW;
	err = file ? file_flags(&vm->files[file], prot, flags, &c.flags)
		   : anonymous_flags(flags, &c.flags);
	if (err)
		return err;
	if (!file)
		c.pgoff = c.flags & VM_SHARED ? 0 : c.start >> PR_PAGE_SHIFT;
	if ((flags & MAP_NORESERVE) && sysctl(s)->overcommit_memory != PR_OVERCOMMIT_NEVER)
		c.flags |= VM_NORESERVE;
	err = map_region(s, &c);
	if (err)
		return err;
	if ((c.flags & VM_LOCKED) || (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
		(void)populate(s, c.start, c.end, true);
	return found;
}

int64_t pr_munmap(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len)
{
	struct space s = space_of(vm, mm);

	if (!s.mm)
		return -ESRCH;
	if (!page_aligned(addr) || addr > s.mm->task_size || len > s.mm->task_size - addr)
		return -EINVAL;
	if (!page_align(len))
		return -EINVAL;
	return unmap_range(s, addr, addr + page_align(len));
}

/* The heap's area grows, or begins. */
static int grow_brk(struct space s, uint64_t start, uint64_t end)
{
	uint64_t pages = (end - start) >> PR_PAGE_SHIFT;
	struct change c = {.start = start,
			   .end = end,
			   .pgoff = start >> PR_PAGE_SHIFT,
			   .expand_only = true,
			   .flags = VM_READ | VM_WRITE | VM_MAYALL | VM_ACCOUNT | s.mm->def_flags};
	uint32_t v;

	if (!may_expand(s, c.flags, pages) || s.mm->map_count > sysctl(s)->max_map_count ||
	    commit_charge(s.vm, s.mm, pages))
		return -ENOMEM;
	v = tree_before(s, tree_find(s, start));
	v = v && area(s, v)->end > s.mm->start_brk ? merge_new(s, &c) : PR_NO_VMA;
	if (!v) {
		v = area_alloc(s);
		if (!v) {
			commit_uncharge(s.vm, pages);
			return -ENOMEM;
		}
		*area(s, v) = (struct pr_vma){
			.start = start, .end = end, .pgoff = c.pgoff, .flags = c.flags};
		tree_insert(s, v);
	}
	account(s, c.flags, (int64_t)pages);
	if (c.flags & VM_LOCKED)
		s.mm->locked_vm += pages;
	return 0;
}

/* Whether the break may go up to end. */
static bool brk_room(struct space s, uint64_t start, uint64_t end)
{
	uint32_t next = tree_find(s, start);

	if (unmapped_area(s, start, end - start, PR_NO_FILE, MAP_FIXED) < 0 ||
	    !lock_future_ok(s, s.mm->def_flags, end - start))
		return false;
	return !next || end + PR_PAGE_SIZE <= area_start_gap(s, area(s, next));
}

int64_t pr_brk(struct pr_vm *vm, int mm, uint64_t brk)
{
	struct space s = space_of(vm, mm);
	uint64_t old, new = page_align(brk), was, data;

	if (!s.mm)
		return -ESRCH;
	was = s.mm->brk;
	old = page_align(was);
	data = s.mm->end_data - s.mm->start_data;
	if (brk < s.mm->start_brk || (s.mm->rlimit[PR_RLIMIT_DATA] != PR_RLIM_INFINITY &&
				      brk - s.mm->start_brk + data > s.mm->rlimit[PR_RLIMIT_DATA]))
		return (int64_t)was;
	if (brk <= was && new != old) {
		uint32_t v = tree_find(s, new);

		s.mm->brk = brk;
		if (!v || area(s, v)->start >= old || unmap_range(s, new, old))
			s.mm->brk = was;
		return (int64_t)s.mm->brk;
	}
	if (new != old) {
		if (!brk_room(s, old, new) || grow_brk(s, old, new))
			return (int64_t)was;
		if (s.mm->def_flags & VM_LOCKED)
			(void)populate(s, old, new, true);
	}
	s.mm->brk = brk;
	return (int64_t)brk;
}
