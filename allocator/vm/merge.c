/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * merge.c: areas that touch, agree in flags and file, and go on in it where the other ends become
 * one; one of which a part changes is cut. Also which areas share an anon_vma, on which merging
 * depends.
 */
#include "vm/vm.h"

/*
 * Of a neighbour `a` and something with anon_vma `anon`: equal ones agree. If one has none, the
 * other's must not come from a fork; up to 6.15 that other must be the neighbour.
 */
static bool anon_agrees(struct space s, const struct pr_vma *a, uint32_t anon, bool inherited)
{
	if (anon == a->anon)
		return true;
	if (a->anon && !anon)
		return !a->inherited;
	if (!a->anon && (sysctl(s)->rules & PR_VM_MERGE_UNWRITTEN))
		return !inherited;
	return false;
}

static bool agrees(struct space s, const struct change *c, const struct pr_vma *a)
{
	return a->flags == c->flags && a->file == c->file &&
	       anon_agrees(s, a, c->anon, c->inherited);
}

static bool joins_left(struct space s, const struct change *c, uint32_t prev)
{
	const struct pr_vma *a = area(s, prev);

	return prev && a->end == c->start && agrees(s, c, a) &&
	       a->pgoff + area_pages(a) == c->pgoff;
}

static bool joins_right(struct space s, const struct change *c, uint32_t prev, uint32_t next)
{
	const struct pr_vma *a = area(s, next), *p = area(s, prev);

	if (!next || a->start != c->end || !agrees(s, c, a) ||
	    c->pgoff + ((c->end - c->start) >> PR_PAGE_SHIFT) != a->pgoff)
		return false;
	return !prev || !p->anon || !a->anon || p->anon == a->anon; /* prev: it joins, too */
}

static void take_anon(struct pr_vma *to, const struct pr_vma *from)
{
	if (!to->anon && from->anon) {
		to->anon = from->anon;
		to->inherited = from->inherited;
	}
}

/* Grows downwards, its offset with it. */
static void set_start(struct space s, uint32_t v, uint64_t start)
{
	struct pr_vma *a = area(s, v);

	a->pgoff += (uint64_t)((int64_t)(start - a->start) >> PR_PAGE_SHIFT);
	tree_set_range(s, v, start, a->end);
}

uint32_t merge_new(struct space s, const struct change *c)
{
	uint32_t next = tree_find(s, c->start), prev = tree_before(s, next), v;
	struct pr_vma with = {.anon = c->anon, .inherited = c->inherited};
	bool left, right;

	if (c->flags & VM_SPECIAL)
		return PR_NO_VMA;
	left = joins_left(s, c, prev);
	right = !c->expand_only && joins_right(s, c, left ? prev : PR_NO_VMA, next);
	if (left && right) {
		uint64_t end = area(s, next)->end;

		take_anon(area(s, prev), area(s, next));
		area_free(s, next);
		tree_set_range(s, prev, area(s, prev)->start, end);
	} else if (left) {
		tree_set_range(s, prev, area(s, prev)->start, c->end);
	} else if (right) {
		set_start(s, next, c->start);
	} else {
		return PR_NO_VMA;
	}
	v = left ? prev : next;
	take_anon(area(s, v), &with);
	return v;
}

/* start..end of v, with new flags, goes to its neighbours if it can. */
static uint32_t merge_part(struct space s, uint32_t v, const struct change *c)
{
	struct pr_vma *a = area(s, v);
	bool left_side = c->start == a->start, right_side = c->end == a->end;
	uint32_t prev = left_side ? a->prev : PR_NO_VMA, next = right_side ? a->next : PR_NO_VMA;
	bool left, right;

	if (c->flags & VM_SPECIAL)
		return PR_NO_VMA;
	left = joins_left(s, c, prev);
	right = joins_right(s, c, left ? prev : PR_NO_VMA, next);
	if (!left && !right)
		return PR_NO_VMA;
	if (left && right) {
		uint64_t end = area(s, next)->end;

		take_anon(area(s, prev), area(s, next)->anon ? area(s, next) : a);
		area_free(s, v);
		area_free(s, next);
		tree_set_range(s, prev, area(s, prev)->start, end);
		return prev;
	}
	take_anon(area(s, left ? prev : next), a);
	if (left_side && right_side)
		area_free(s, v);
	else if (left)
		set_start(s, v, c->end);
	else
		tree_set_range(s, v, a->start, c->start);
	if (left)
		tree_set_range(s, prev, area(s, prev)->start, c->end);
	else
		set_start(s, next, c->start);
	return left ? prev : next;
}

int area_cut(struct space s, uint32_t v, uint64_t addr)
{
	uint32_t upper = area_alloc(s);
	struct pr_vma *a = area(s, v), *b = area(s, upper);

	if (!upper)
		return -ENOMEM;
	*b = *a;
	b->start = addr;
	b->pgoff += (addr - a->start) >> PR_PAGE_SHIFT;
	s.vm->files[b->file].users += b->file != PR_NO_FILE;
	tree_set_range(s, v, a->start, addr);
	tree_insert(s, upper);
	return 0;
}

int area_split(struct space s, uint32_t v, uint64_t addr)
{
	return s.mm->map_count >= sysctl(s)->max_map_count ? -ENOMEM : area_cut(s, v, addr);
}

int area_modify(struct space s, uint32_t v, uint64_t start, uint64_t end, uint64_t flags,
		uint32_t *out)
{
	const struct pr_vma *a = area(s, v);
	struct change c = {.start = start,
			   .end = end,
			   .flags = flags,
			   .file = a->file,
			   .pgoff = a->pgoff + ((start - a->start) >> PR_PAGE_SHIFT),
			   .anon = a->anon,
			   .inherited = a->inherited};
	int err;

	*out = merge_part(s, v, &c);
	if (*out)
		return 0;
	if (a->start < start) {
		err = area_split(s, v, start);
		if (err)
			return err;
		v = area(s, v)->next;
	}
	if (area(s, v)->end > end) {
		err = area_split(s, v, end);
		if (err)
			return err;
	}
	*out = v;
	return 0;
}

/* The protection key of what can only be executed counts as a flag. */
static bool exec_only(struct space s, const struct pr_vma *a)
{
	return sysctl(s)->pkeys && (a->flags & VM_ACCESS) == VM_EXEC;
}

/* Could low and high become one area by mprotect? Then they had better share. */
static bool anon_reusable(struct space s, const struct pr_vma *low, const struct pr_vma *high,
			  const struct pr_vma *from)
{
	return exec_only(s, low) == exec_only(s, high) && low->end == high->start &&
	       low->file == high->file && !((low->flags ^ high->flags) & ~VM_ACCESS) &&
	       high->pgoff == low->pgoff + area_pages(low) && from->anon && !from->inherited;
}

void anon_prepare(struct space s, uint32_t v)
{
	struct pr_vma *a = area(s, v), *p = area(s, a->prev), *n = area(s, a->next);

	if (a->anon)
		return;
	a->inherited = false;
	if (a->next && anon_reusable(s, a, n, n))
		a->anon = n->anon;
	else if (a->prev && anon_reusable(s, p, a, p))
		a->anon = p->anon;
	else
		a->anon = ++s.vm->arena->last_anon;
}
