/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check.c: the invariants of address spaces: areas, their sums, page tables and the reverse
 * mapping. */
#include "vm/vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int wrong(char *why, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int wrong(char *why, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, size, fmt, args);
	va_end(args);
	return -EUCLEAN;
}

/* What the areas of a space add up to. */
struct sums {
	uint64_t areas, total, locked, charged;
};

static int check_areas(struct space s, struct sums *sum, uint32_t *file_users, char *why,
		       size_t size)
{
	uint32_t last = PR_NO_VMA;

	for (uint32_t v = s.mm->first; v; last = v, v = area(s, v)->next) {
		const struct pr_vma *a = area(s, v);
		uint64_t locked = a->flags & VM_LOCKED ? area_pages(a) : 0;

		if (a->start >= a->end || !page_aligned(a->start) || !page_aligned(a->end) ||
		    a->end > s.mm->task_size)
			return wrong(why, size, "area %u has impossible bounds", v);
		if (a->prev != last || (last && area(s, last)->end > a->start))
			return wrong(why, size, "area %u is not behind area %u", v, last);
		if (tree_find(s, a->start) != v || tree_find(s, a->end - 1) != v)
			return wrong(why, size, "area %u is not where the index says", v);
		if (++sum->areas > s.vm->arena->nr_vmas)
			return wrong(why, size, "the list of areas goes round");
		sum->total += area_pages(a);
		sum->locked += locked;
		sum->charged += a->flags & VM_ACCOUNT ? area_pages(a) : 0;
		if (a->file)
			file_users[a->file]++;
	}
	return 0;
}

static int check_gaps(struct space s, uint32_t v, char *why, size_t size)
{
	const struct pr_vma *a = area(s, v), *l = area(s, a->left), *r = area(s, a->right);
	uint64_t gap = 0;

	if (!v)
		return 0;
	if (check_gaps(s, a->left, why, size) || check_gaps(s, a->right, why, size))
		return -EUCLEAN;
	if (a->left)
		gap = l->gap > a->start - l->hi ? l->gap : a->start - l->hi;
	if (a->right && r->gap > gap)
		gap = r->gap;
	if (a->right && r->lo - a->end > gap)
		gap = r->lo - a->end;
	if (a->gap != gap || a->lo != (a->left ? l->lo : a->start) ||
	    a->hi != (a->right ? r->hi : a->end))
		return wrong(why, size, "area %u does not know its subtree", v);
	return 0;
}

/* One place that holds a page, against its area and the reverse mapping. */
static const char *check_pte(struct space s, uint64_t at, uint64_t pte, uint64_t *found)
{
	uint32_t v = tree_find(s, at), page = user_page_of(s.vm, pte), m;
	const struct pr_vma *a = area(s, v);
	const struct pr_user_page *p = &s.vm->pages[page];

	if (!v || a->start > at)
		return "is mapped without an area";
	if ((pte & PTE_WRITE) && !(a->flags & VM_WRITE))
		return "may be written, the area not";
	if (!page)
		return pte & PTE_WRITE ? "is the zero page, and may be written" : NULL;
	if (p->pfn != (pte & PTE_PFN_MASK) >> PR_PAGE_SHIFT)
		return "has another frame than its page";
	if (!p->file && (pte & PTE_WRITE) && p->mapcount != 1)
		return "may be written and is not alone";
	found[!p->file ? 0 : s.vm->files[p->file].kind == PR_FILE_SHMEM ? 2 : 1]++;
	for (m = p->first_map; m; m = s.vm->maps[m].next)
		if (s.vm->maps[m].mm == mm_index(s) && s.vm->maps[m].addr == at)
			return NULL;
	return "is missing in the reverse mapping";
}

static int check_ptes(struct space s, uint64_t *maps, char *why, size_t size)
{
	uint64_t found[3] = {0}, end = s.mm->task_size;

	for (uint64_t at = pte_next(s, 0, end); at < end;
	     at = pte_next(s, at + PR_PAGE_SIZE, end)) {
		uint64_t pte = *pte_find(s, at, false);
		const char *fault = pte ? check_pte(s, at, pte, found) : NULL;

		if (fault)
			return wrong(why, size, "address %llx of space %u %s",
				     (unsigned long long)at, mm_index(s), fault);
	}
	if (found[0] != s.mm->rss_anon || found[1] != s.mm->rss_file || found[2] != s.mm->rss_shmem)
		return wrong(why, size,
			     "space %u: the tables hold %llu, %llu, %llu pages; it says %llu, "
			     "%llu, %llu",
			     mm_index(s), (unsigned long long)found[0],
			     (unsigned long long)found[1], (unsigned long long)found[2],
			     (unsigned long long)s.mm->rss_anon, (unsigned long long)s.mm->rss_file,
			     (unsigned long long)s.mm->rss_shmem);
	*maps += found[0] + found[1] + found[2];
	return 0;
}

/* Pages, places and tables: those in use and the free ones are all there are. */
static int check_names(const struct pr_vm *vm, uint64_t maps, char *why, size_t size)
{
	const struct pr_vm_arena *a = vm->arena;
	uint64_t tables = 0, counted = 0, spare = 0;

	for (uint32_t i = 0; i < a->nr_mms; i++)
		tables += vm->mms[i].live ? vm->mms[i].tables : 0;
	for (uint32_t t = a->free_table; t; t = vm->tables[t].next_free)
		tables++;
	for (uint32_t p = 1; p <= a->used_pages; p++)
		counted += vm->pages[p].mapcount;
	for (uint32_t m = a->free_map; m; m = vm->maps[m].next)
		spare++;
	if (tables != a->used_tables)
		return wrong(why, size, "%llu of %u tables are accounted for",
			     (unsigned long long)tables, a->used_tables);
	if (counted != maps || maps + spare != a->used_maps)
		return wrong(why, size,
			     "%llu places hold pages, the pages say %llu, %llu of %u are free",
			     (unsigned long long)maps, (unsigned long long)counted,
			     (unsigned long long)spare, a->used_maps);
	return 0;
}

int pr_vm_check(const struct pr_vm *vm, char *why, size_t size)
{
	static _Thread_local uint32_t users[4096];
	uint64_t areas = 0, charged = 0, spare = 0, maps = 0;

	memset(users, 0, sizeof(users));
	if (vm->arena->nr_files >= sizeof(users) / sizeof(users[0]))
		return wrong(why, size, "more files than the checker can count");
	for (uint32_t i = 0; i < vm->arena->nr_mms; i++) {
		struct space s = space_of((struct pr_vm *)vm, (int)i);
		struct sums sum = {0};

		if (!s.mm)
			continue;
		if (check_areas(s, &sum, users, why, size) || check_gaps(s, s.mm->root, why, size))
			return -EUCLEAN;
		if (check_ptes(s, &maps, why, size))
			return -EUCLEAN;
		if (sum.areas != s.mm->map_count || sum.total != s.mm->total_vm ||
		    sum.locked != s.mm->locked_vm)
			return wrong(why, size,
				     "space %u: %llu areas, %llu pages, %llu locked; it says %u, "
				     "%llu, %llu",
				     i, (unsigned long long)sum.areas,
				     (unsigned long long)sum.total, (unsigned long long)sum.locked,
				     s.mm->map_count, (unsigned long long)s.mm->total_vm,
				     (unsigned long long)s.mm->locked_vm);
		areas += sum.areas;
		charged += sum.charged;
	}
	if (vm->machine && check_names(vm, maps, why, size))
		return -EUCLEAN;
	for (uint32_t f = 1; f <= vm->arena->nr_files; f++) {
		if (users[f] > vm->files[f].users)
			return wrong(why, size, "file %u has more areas than users", f);
		charged += vm->files[f].users ? vm->files[f].charged : 0;
	}
	for (uint32_t v = vm->arena->free_vma; v && spare <= vm->arena->nr_vmas;
	     v = vm->vmas[v].next)
		spare++;
	if (areas + spare != vm->arena->used_vmas)
		return wrong(why, size, "%llu areas are lost",
			     (unsigned long long)(vm->arena->used_vmas - areas - spare));
	if (charged != vm->arena->committed)
		return wrong(why, size, "%llu pages are promised, the areas say %llu",
			     (unsigned long long)vm->arena->committed, (unsigned long long)charged);
	return 0;
}
