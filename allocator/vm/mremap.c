/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mremap.c: mappings grow, shrink and move. Where 6.12 and later kernels differ this is 6.12: a
 * move does not go over more than one area.
 */
#include "vm/vm.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* One call, with lengths in whole pages. */
struct move {
	uint64_t addr, old_len, new_len, flags, to;
};

static uint64_t map_flags(const struct pr_vma *a)
{
	return a->flags & VM_MAYSHARE ? MAP_SHARED : 0;
}

/* May the area at addr become new_len long? *out: it. */
static int resizable(struct space s, const struct move *m, uint32_t *out)
{
	uint32_t v = tree_find(s, m->addr);
	const struct pr_vma *a = area(s, v);
	uint64_t more = m->new_len > m->old_len ? m->new_len - m->old_len : 0;

	if (!v || a->start > m->addr)
		return -EFAULT;
	*out = v;
	if (!m->old_len && !(a->flags & (VM_SHARED | VM_MAYSHARE)))
		return -EINVAL;
	if ((m->flags & MREMAP_DONTUNMAP) && (a->flags & (VM_DONTEXPAND | VM_PFNMAP)))
		return -EINVAL;
	if (m->old_len > a->end - m->addr)
		return -EFAULT;
	if (!more)
		return 0;
	if (a->flags & (VM_DONTEXPAND | VM_PFNMAP))
		return -EFAULT;
	if (!lock_future_ok(s, a->flags, more))
		return -EAGAIN;
	return may_expand(s, a->flags, more >> PR_PAGE_SHIFT) ? 0 : -ENOMEM;
}

/* A copy of v's part at m->addr, at m->to; merged with what is there. *out: it. */
static int copy_area(struct space s, uint32_t v, const struct move *m, uint32_t *out)
{
	const struct pr_vma *a = area(s, v);
	struct change c = {.start = m->to,
			   .end = m->to + m->new_len,
			   .flags = a->flags,
			   .file = a->file,
			   .anon = a->anon,
			   .inherited = a->inherited,
			   .pgoff = a->pgoff + ((m->addr - a->start) >> PR_PAGE_SHIFT)};

	if (area_anonymous(a) && !a->anon)
		c.pgoff = c.start >> PR_PAGE_SHIFT;
	*out = merge_new(s, &c);
	if (*out)
		return 0;
	*out = area_alloc(s);
	if (!*out)
		return -ENOMEM;
	*area(s, *out) = (struct pr_vma){.start = c.start,
					 .end = c.end,
					 .pgoff = c.pgoff,
					 .flags = c.flags,
					 .file = c.file,
					 .anon = c.anon,
					 .inherited = c.inherited};
	s.vm->files[c.file].users += c.file != PR_NO_FILE;
	tree_insert(s, *out);
	return 0;
}

/* The old place stays, empty and unlocked. */
static void leave_empty(struct space s, const struct move *m)
{
	uint32_t v = tree_find(s, m->addr);
	struct pr_vma *a = area(s, v);

	if (a->flags & VM_LOCKED)
		s.mm->locked_vm -= area_pages(a);
	a->flags &= ~VM_LOCKED_MASK;
	if (a->start != m->addr || a->end != m->addr + m->old_len)
		return;
	a->anon = 0;
	a->inherited = false;
	if (area_anonymous(a))
		a->pgoff = a->start >> PR_PAGE_SHIFT;
}

static int64_t move_area(struct space s, uint32_t v, const struct move *m)
{
	bool stay = m->flags & MREMAP_DONTUNMAP;
	uint64_t flags = area(s, v)->flags, new_pages = m->new_len >> PR_PAGE_SHIFT;
	int err = 0;
	uint32_t copy;

	if (s.mm->map_count >= sysctl(s)->max_map_count - 3)
		return -ENOMEM;
	if (stay && (flags & VM_LOCKED)) { /* so that only what moves is unlocked */
		if (area(s, v)->start != m->addr) {
			err = area_split(s, v, m->addr);
			v = tree_find(s, m->addr);
		}
		if (!err && area(s, v)->end != m->addr + m->old_len)
			err = area_split(s, v, m->addr + m->old_len);
		if (err)
			return err;
	}
	if (!move_tables(s, m->addr, m->to, m->old_len))
		return -ENOMEM;
	/* the old part's promise moves along; the whole new one is charged, the old one uncharged
	 */
	if ((flags & VM_ACCOUNT) &&
	    commit_charge(s.vm, s.mm, stay ? new_pages : new_pages - (m->old_len >> PR_PAGE_SHIFT))) {
		tables_free(s, m->to, m->to + m->new_len);
		return -ENOMEM;
	}
	if ((flags & VM_ACCOUNT) && !stay)
		s.vm->arena->committed += m->old_len >> PR_PAGE_SHIFT;
	err = copy_area(s, v, m, &copy);
	if (err) {
		if (flags & VM_ACCOUNT)
			commit_uncharge(s.vm, new_pages);
		tables_free(s, m->to, m->to + m->new_len);
		return err;
	}
	move_ptes(s, m->addr, m->to, m->old_len);
	account(s, flags, (int64_t)new_pages);
	if (flags & VM_LOCKED)
		s.mm->locked_vm += new_pages;
	if (stay)
		leave_empty(s, m);
	else if (m->old_len)
		(void)unmap_range(s, m->addr, m->addr + m->old_len); /* there is room: see above */
	return (int64_t)m->to;
}

static int target_ok(struct space s, const struct move *m)
{
	uint64_t task_size = s.mm->task_size;

	if (!page_aligned(m->to) || m->new_len > task_size || m->to > task_size - m->new_len)
		return -EINVAL;
	if (m->addr + m->old_len > m->to && m->to + m->new_len > m->addr)
		return -EINVAL;
	return s.mm->map_count + 2 >= sysctl(s)->max_map_count - 3 ? -ENOMEM : 0;
}

/* MREMAP_FIXED and MREMAP_DONTUNMAP. */
static int64_t move_to(struct space s, struct move *m)
{
	int64_t found;
	uint32_t v;
	int err = target_ok(s, m);

	if (err)
		return err;
	if (sysctl(s)->rules & PR_VM_MREMAP_CHECKS) {
		struct move rest = *m; /* of what is left when it shrinks */

		rest.old_len = m->old_len < m->new_len ? m->old_len : m->new_len;
		err = resizable(s, &rest, &v);
		if (err)
			return err;
	}
	if (m->flags & MREMAP_FIXED) {
		err = unmap_range(s, m->to, m->to + m->new_len);
		if (err)
			return err;
	}
	if (m->old_len > m->new_len) {
		err = unmap_range(s, m->addr + m->new_len, m->addr + m->old_len);
		if (err)
			return err;
		m->old_len = m->new_len;
	}
	err = resizable(s, m, &v);
	if (err)
		return err;
	if ((m->flags & MREMAP_DONTUNMAP) &&
	    !may_expand(s, area(s, v)->flags, m->old_len >> PR_PAGE_SHIFT))
		return -ENOMEM;
	found = unmapped_area(s, m->to, m->new_len, area(s, v)->file,
			      map_flags(area(s, v)) | (m->flags & MREMAP_FIXED ? MAP_FIXED : 0));
	if (found < 0 && found > -4096)
		return found;
	m->to = (uint64_t)found;
	return move_area(s, v, m);
}

/* The area grows where it is, and perhaps into one with its neighbour. */
static int64_t grow_in_place(struct space s, uint32_t v, const struct move *m)
{
	uint64_t more = m->new_len - m->old_len, end = area(s, v)->end, flags = area(s, v)->flags;
	const struct pr_vma *a = area(s, v);
	struct change c = {.start = end,
			   .end = end + more,
			   .flags = flags,
			   .file = a->file,
			   .pgoff = a->pgoff + area_pages(a),
			   .anon = a->anon,
			   .inherited = a->inherited};

	if ((flags & VM_ACCOUNT) && commit_charge(s.vm, s.mm, more >> PR_PAGE_SHIFT))
		return -ENOMEM;
	if (!merge_new(s, &c)) {
		/* an area always goes on in its own continuation, unless it may not merge at all */
		if (flags & VM_ACCOUNT)
			commit_uncharge(s.vm, more >> PR_PAGE_SHIFT);
		return -ENOMEM;
	}
	account(s, flags, (int64_t)(more >> PR_PAGE_SHIFT));
	if (flags & VM_LOCKED) {
		s.mm->locked_vm += more >> PR_PAGE_SHIFT;
		(void)populate(s, end, end + more, true);
	}
	return (int64_t)m->addr;
}

static bool growable(struct space s, uint32_t v, uint64_t more)
{
	uint64_t start = area(s, v)->start, end = area(s, v)->end;

	return end + more > end && !area_intersects(s, end, end + more) &&
	       page_aligned((uint64_t)unmapped_area(s, start, end + more - start, PR_NO_FILE,
						    MAP_FIXED));
}

static int64_t grow(struct space s, struct move *m)
{
	int64_t found;
	uint32_t v;
	int err = resizable(s, m, &v);
	bool locked;

	if (err)
		return err;
	locked = area(s, v)->flags & VM_LOCKED;
	if (m->old_len == area(s, v)->end - m->addr && growable(s, v, m->new_len - m->old_len))
		return grow_in_place(s, v, m);
	if (!(m->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	found = unmapped_area(s, 0, m->new_len, area(s, v)->file, map_flags(area(s, v)));
	if (found < 0 && found > -4096)
		return found;
	m->to = (uint64_t)found;
	found = move_area(s, v, m);
	if (page_aligned((uint64_t)found) && locked)
		(void)populate(s, m->to + m->old_len, m->to + m->new_len, true);
	return found;
}

int64_t pr_mremap(struct pr_vm *vm, int mm, uint64_t addr, uint64_t old_len, uint64_t new_len,
		  uint64_t flags, uint64_t new_addr)
{
	struct space s = space_of(vm, mm);
	struct move m = {addr, page_align(old_len), page_align(new_len), flags, new_addr};
	uint32_t v;
	int err;

	if (!s.mm)
		return -ESRCH;
	if ((flags & ~(uint64_t)(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP)) ||
	    ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && (!(flags & MREMAP_MAYMOVE) || old_len != new_len))
		return -EINVAL;
	if (!page_aligned(addr) || !m.new_len)
		return -EINVAL;
	if (sysctl(s)->rules & PR_VM_MREMAP_CHECKS) {
		err = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? target_ok(s, &m) : 0;
		if (err || m.new_len > s.mm->task_size)
			return err ? err : -EINVAL;
	}
	v = tree_find(s, addr);
	if (!v || area(s, v)->start > addr)
		return -EFAULT;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		int64_t to = move_to(s, &m);

		if (page_aligned((uint64_t)to) && m.new_len > m.old_len &&
		    (area(s, tree_find(s, (uint64_t)to))->flags & VM_LOCKED))
			(void)populate(s, m.to + m.old_len, m.to + m.new_len, true);
		return to;
	}
	if (m.old_len == m.new_len)
		return (int64_t)addr;
	if (m.old_len > m.new_len) {
		if (m.old_len > s.mm->task_size - addr)
			return -EINVAL;
		err = unmap_range(s, addr + m.new_len, addr + m.old_len);
		return err ? err : (int64_t)addr;
	}
	return grow(s, &m);
}
