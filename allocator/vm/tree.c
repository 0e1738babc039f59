/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.c: the areas of an address space in order: a treap whose priorities are a hash of the area's
 * index (so the same calls give the same tree), and a list. Each node knows the longest gap of its
 * subtree, so that room is found without a walk over all areas.
 */
#include "vm/vm.h"

static uint32_t priority(uint32_t v)
{
	v *= 0x9e3779b1u;
	v ^= v >> 15;
	v *= 0x85ebca77u;
	return v ^ v >> 13;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What a node knows of its subtree, from its children. */
static void pull(struct space s, uint32_t v)
{
	struct pr_vma *a = area(s, v);

	a->lo = a->start;
	a->hi = a->end;
	a->gap = 0;
	if (a->left) {
		const struct pr_vma *l = area(s, a->left);

		a->lo = l->lo;
		a->gap = larger(l->gap, a->start - l->hi);
	}
	if (a->right) {
		const struct pr_vma *r = area(s, a->right);

		a->hi = r->hi;
		a->gap = larger(a->gap, larger(r->gap, r->lo - a->end));
	}
}

/* The areas below addr to *left, the others to *right. */
static void split(struct space s, uint32_t v, uint64_t addr, uint32_t *left, uint32_t *right)
{
	if (!v) {
		*left = *right = PR_NO_VMA;
	} else if (area(s, v)->start < addr) {
		split(s, area(s, v)->right, addr, &area(s, v)->right, right);
		*left = v;
		pull(s, v);
	} else {
		split(s, area(s, v)->left, addr, left, &area(s, v)->left);
		*right = v;
		pull(s, v);
	}
}

static uint32_t join(struct space s, uint32_t left, uint32_t right)
{
	if (!left || !right)
		return left ? left : right;
	if (priority(left) > priority(right)) {
		area(s, left)->right = join(s, area(s, left)->right, right);
		pull(s, left);
		return left;
	}
	area(s, right)->left = join(s, left, area(s, right)->left);
	pull(s, right);
	return right;
}

static void insert_below(struct space s, uint32_t *root, uint32_t v)
{
	struct pr_vma *a = area(s, v);

	if (!*root || priority(v) > priority(*root)) {
		split(s, *root, a->start, &a->left, &a->right);
		*root = v;
	} else if (a->start < area(s, *root)->start) {
		insert_below(s, &area(s, *root)->left, v);
	} else {
		insert_below(s, &area(s, *root)->right, v);
	}
	pull(s, *root);
}

static void remove_below(struct space s, uint32_t *root, uint32_t v)
{
	struct pr_vma *a = area(s, *root);

	if (*root == v) {
		*root = join(s, a->left, a->right);
		return;
	}
	remove_below(s, area(s, v)->start < a->start ? &a->left : &a->right, v);
	pull(s, *root);
}

static void refresh(struct space s, uint32_t root, uint32_t v)
{
	struct pr_vma *a = area(s, root);

	if (root != v)
		refresh(s, area(s, v)->start < a->start ? a->left : a->right, v);
	pull(s, root);
}

uint32_t tree_find(struct space s, uint64_t addr)
{
	uint32_t found = PR_NO_VMA;

	for (uint32_t v = s.mm->root; v;) {
		if (area(s, v)->end > addr) {
			found = v;
			v = area(s, v)->left;
		} else {
			v = area(s, v)->right;
		}
	}
	return found;
}

uint32_t tree_last(struct space s)
{
	uint32_t v = s.mm->root;

	while (v && area(s, v)->right)
		v = area(s, v)->right;
	return v;
}

void tree_insert(struct space s, uint32_t v)
{
	struct pr_vma *a = area(s, v);

	a->next = tree_find(s, a->start);
	a->prev = tree_before(s, a->next);
	if (a->prev)
		area(s, a->prev)->next = v;
	else
		s.mm->first = v;
	if (a->next)
		area(s, a->next)->prev = v;
	a->left = a->right = PR_NO_VMA;
	insert_below(s, &s.mm->root, v);
	s.mm->map_count++;
}

void tree_remove(struct space s, uint32_t v)
{
	struct pr_vma *a = area(s, v);

	remove_below(s, &s.mm->root, v);
	if (a->prev)
		area(s, a->prev)->next = a->next;
	else
		s.mm->first = a->next;
	if (a->next)
		area(s, a->next)->prev = a->prev;
	s.mm->map_count--;
}

void tree_set_range(struct space s, uint32_t v, uint64_t start, uint64_t end)
{
	area(s, v)->start = start;
	area(s, v)->end = end;
	refresh(s, s.mm->root, v);
}

/* What a search wants, and what it found. */
struct search {
	uint64_t low, high, len;
	struct gap found;
};

static bool fits(struct search *q, uint64_t start, uint64_t end)
{
	start = larger(start, q->low);
	end = end < q->high ? end : q->high;
	if (end <= start || end - start < q->len)
		return false;
	q->found = (struct gap){start, end};
	return true;
}

/* Nothing to find in a subtree that lies between the areas ending at `from` and starting at `to`.
 */
static bool hopeless(struct space s, const struct search *q, uint32_t v, uint64_t from, uint64_t to)
{
	const struct pr_vma *a = area(s, v);

	return to <= q->low || from >= q->high ||
	       larger(a->gap, larger(a->lo - from, to - a->hi)) < q->len;
}

static bool highest(struct space s, struct search *q, uint32_t v, uint64_t from, uint64_t to)
{
	const struct pr_vma *a = area(s, v);

	if (!v)
		return fits(q, from, to);
	if (hopeless(s, q, v, from, to))
		return false;
	return highest(s, q, a->right, a->end, to) || highest(s, q, a->left, from, a->start);
}

static bool lowest(struct space s, struct search *q, uint32_t v, uint64_t from, uint64_t to)
{
	const struct pr_vma *a = area(s, v);

	if (!v)
		return fits(q, from, to);
	if (hopeless(s, q, v, from, to))
		return false;
	return lowest(s, q, a->left, from, a->start) || lowest(s, q, a->right, a->end, to);
}

bool tree_highest_gap(struct space s, uint64_t low, uint64_t high, uint64_t len, struct gap *g)
{
	struct search q = {low, high, len, {0, 0}};
	bool ok = highest(s, &q, s.mm->root, 0, ~0ull);

	*g = q.found;
	return ok;
}

bool tree_lowest_gap(struct space s, uint64_t low, uint64_t high, uint64_t len, struct gap *g)
{
	struct search q = {low, high, len, {0, 0}};
	bool ok = lowest(s, &q, s.mm->root, 0, ~0ull);

	*g = q.found;
	return ok;
}
