/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page.c: the pages of programs and of files' caches, their reverse mapping, and what reclaim and
 * migration do to them through it. There is no swap here: anonymous pages stay; pages of files can
 * go, since their content is nobody's.
 */
#include "vm/vm.h"

#include <pagerig/owner.h>
#include <pagerig/reclaim.h>

#include <stdlib.h>

static struct pr_user_page *user_page(const struct pr_vm *vm, uint32_t page)
{
	return &vm->pages[page];
}

static uint32_t *bucket(const struct pr_vm *vm, uint32_t file, uint64_t pgoff)
{
	uint64_t h = (pgoff ^ (uint64_t)file << 40) * 0x9e3779b97f4a7c15ull;

	return &vm->hash[(h >> 32) % vm->arena->nr_pages];
}

uint32_t cache_find(const struct pr_vm *vm, uint32_t file, uint64_t pgoff)
{
	uint32_t p = *bucket(vm, file, pgoff);

	while (p && (vm->pages[p].file != file || vm->pages[p].pgoff != pgoff))
		p = vm->pages[p].next;
	return p;
}

uint32_t user_page_of(const struct pr_vm *vm, uint64_t pte)
{
	pfn_t pfn = (pte & PTE_PFN_MASK) >> PR_PAGE_SHIFT;

	if (pte & PTE_SPECIAL)
		return 0;
	return pr_owner_id(pr_page(vm->machine, pr_zone_of(vm->machine, pfn), pfn)->owner);
}

uint32_t user_page_alloc(struct space s, uint32_t file, uint64_t pgoff)
{
	struct pr_vm *vm = s.vm;
	struct pr_vm_arena *a = vm->arena;
	uint32_t p = a->free_page		   ? a->free_page
		     : a->used_pages < a->nr_pages ? a->used_pages + 1
						   : 0;
	struct pr_request r = PR_REQUEST(0, GFP_HIGHUSER_MOVABLE | (file ? 0 : __GFP_ZERO));
	pfn_t pfn;

	if (!p)
		return 0;
	r.node = -1;
	r.cpu = s.mm->cpu;
	if (pr_alloc(vm->machine, &r, &pfn))
		return 0;
	/* pages may have been evicted for it: only now is it sure which name is free */
	p = a->free_page ? a->free_page : ++a->used_pages;
	if (a->free_page)
		a->free_page = vm->pages[p].next;
	pr_page(vm->machine, pr_zone_of(vm->machine, pfn), pfn)->owner =
		pr_owner_mark(PR_OWNER_TASK, p);
	vm->pages[p] = (struct pr_user_page){.pfn = pfn, .file = file, .pgoff = pgoff};
	if (file) {
		vm->pages[p].next = *bucket(vm, file, pgoff);
		*bucket(vm, file, pgoff) = p;
		vm->pages[p].next_of_file = vm->files[file].first_page;
		vm->files[file].first_page = p;
	}
	/* a fresh frame of ours can be marked and added */
	if (pr_lru_mark(vm->machine, pfn,
			file && vm->files[file].kind == PR_FILE_REGULAR ? PG_FILE : 0u) ||
	    pr_lru_add(vm->machine, pfn, s.mm->cpu))
		abort();
	return p;
}

static void cut(struct pr_vm *vm, uint32_t *link, uint32_t page, bool of_file)
{
	while (*link != page)
		link = of_file ? &vm->pages[*link].next_of_file : &vm->pages[*link].next;
	*link = of_file ? vm->pages[page].next_of_file : vm->pages[page].next;
}

/* The name is free again; the frame is the caller's business. */
static void forget(struct pr_vm *vm, uint32_t page)
{
	struct pr_user_page *p = user_page(vm, page);

	if (p->file) {
		cut(vm, bucket(vm, p->file, p->pgoff), page, false);
		cut(vm, &vm->files[p->file].first_page, page, true);
	}
	*p = (struct pr_user_page){.pfn = PFN_NONE, .next = vm->arena->free_page};
	vm->arena->free_page = page;
}

static void release(struct pr_vm *vm, uint32_t page, unsigned cpu)
{
	pfn_t pfn = user_page(vm, page)->pfn;

	forget(vm, page);
	if (pr_free(vm->machine, pfn, 0, cpu))
		abort(); /* it was ours */
}

void user_page_drop(struct space s, uint32_t page)
{
	release(s.vm, page, s.mm->cpu);
}

static uint64_t *rss(struct pr_vm *vm, struct pr_mm *mm, uint32_t file)
{
	return !file				       ? &mm->rss_anon
	       : vm->files[file].kind == PR_FILE_SHMEM ? &mm->rss_shmem
						       : &mm->rss_file;
}

bool page_map(struct space s, uint64_t addr, uint64_t *pte, uint32_t page, uint64_t bits)
{
	struct pr_vm_arena *a = s.vm->arena;
	struct pr_user_page *p = user_page(s.vm, page);
	uint32_t m = a->free_map ? a->free_map : a->used_maps < a->nr_maps ? ++a->used_maps : 0;

	if (!m)
		return false;
	if (m == a->free_map)
		a->free_map = s.vm->maps[m].next;
	s.vm->maps[m] = (struct pr_page_map){addr & PAGE_MASK, mm_index(s), p->first_map};
	p->first_map = m;
	if (!p->mapcount++)
		pr_page_mapped(s.vm->machine, p->pfn, true);
	++*rss(s.vm, s.mm, p->file);
	pte_set(s, addr, pte, p->pfn << PR_PAGE_SHIFT | PTE_PRESENT | PTE_USER | bits);
	return true;
}

/* Takes one place out of the reverse mapping. */
static void map_remove(struct pr_vm *vm, struct pr_user_page *p, uint32_t mm, uint64_t addr)
{
	uint32_t *link = &p->first_map, m;

	while (vm->maps[*link].mm != mm || vm->maps[*link].addr != addr)
		link = &vm->maps[*link].next;
	m = *link;
	*link = vm->maps[m].next;
	vm->maps[m].next = vm->arena->free_map;
	vm->arena->free_map = m;
	--*rss(vm, &vm->mms[mm], p->file);
	if (!--p->mapcount)
		pr_page_mapped(vm->machine, p->pfn, false);
}

void page_unmap(struct space s, uint64_t addr, uint64_t *pte)
{
	uint64_t old = *pte;
	uint32_t page = user_page_of(s.vm, old);
	struct pr_user_page *p = user_page(s.vm, page);

	pte_set(s, addr, pte, 0);
	if (!page)
		return;
	if (p->file && (old & PTE_DIRTY))
		pr_page_dirty(s.vm->machine, p->pfn);
	map_remove(s.vm, p, mm_index(s), addr & PAGE_MASK);
	if (!p->mapcount && !p->file)
		release(s.vm, page, s.mm->cpu);
}

void page_move(struct space s, uint32_t page, uint64_t from, uint64_t to)
{
	for (uint32_t m = user_page(s.vm, page)->first_map; m; m = s.vm->maps[m].next)
		if (s.vm->maps[m].mm == mm_index(s) && s.vm->maps[m].addr == from) {
			s.vm->maps[m].addr = to;
			return;
		}
}

/* All places of a page; the tables of other tasks, too. */
static void unmap_everywhere(struct pr_vm *vm, struct pr_user_page *p)
{
	while (p->first_map) {
		struct pr_page_map *m = &vm->maps[p->first_map];
		struct space s = {vm, &vm->mms[m->mm]};
		uint64_t *pte = pte_find(s, m->addr, false);

		if (*pte & PTE_DIRTY)
			pr_page_dirty(vm->machine, p->pfn);
		pte_set(s, m->addr, pte, 0);
		map_remove(vm, p, m->mm, m->addr);
	}
}

void cache_drop(struct pr_vm *vm, uint32_t file, uint64_t first, uint64_t end, unsigned cpu)
{
	uint32_t next;

	for (uint32_t p = vm->files[file].first_page; p; p = next) {
		next = vm->pages[p].next_of_file;
		if (vm->pages[p].pgoff < first || vm->pages[p].pgoff >= end)
			continue;
		unmap_everywhere(vm, user_page(vm, p));
		release(vm, p, cpu);
	}
}

void zap_range(struct space s, uint64_t start, uint64_t end)
{
	for (uint64_t at = pte_next(s, start, end); at < end;) {
		uint64_t *pte = pte_find(s, at, false);

		if (*pte)
			page_unmap(s, at, pte);
		at = pte_next(s, at + PR_PAGE_SIZE, end);
	}
}

bool move_tables(struct space s, uint64_t from, uint64_t to, uint64_t len)
{
	for (uint64_t at = pte_next(s, from, from + len); at < from + len;
	     at = pte_next(s, at + PR_PAGE_SIZE, from + len))
		if (*pte_find(s, at, false) && !pte_find(s, at - from + to, true)) {
			tables_free(s, to, to + len);
			return false;
		}
	return true;
}

void move_ptes(struct space s, uint64_t from, uint64_t to, uint64_t len)
{
	for (uint64_t at = pte_next(s, from, from + len); at < from + len;
	     at = pte_next(s, at + PR_PAGE_SIZE, from + len)) {
		uint64_t *pte = pte_find(s, at, false), old = *pte;
		uint32_t page;

		if (!old)
			continue;
		page = user_page_of(s.vm, old);
		pte_set(s, at, pte, 0);
		pte_set(s, at - from + to, pte_find(s, at - from + to, false), old);
		if (page)
			page_move(s, page, at, at - from + to);
	}
}

void write_protect(struct space s, uint64_t start, uint64_t end)
{
	for (uint64_t at = pte_next(s, start, end); at < end;
	     at = pte_next(s, at + PR_PAGE_SIZE, end)) {
		uint64_t *pte = pte_find(s, at, false);

		*pte &= ~PTE_WRITE;
	}
}

/* --- what reclaim and migration ask --- */
static unsigned op_referenced(void *ctx, uint32_t id, pfn_t, unsigned *what)
{
	struct pr_vm *vm = ctx;
	unsigned found = 0;

	*what = 0;
	for (uint32_t m = user_page(vm, id)->first_map; m; m = vm->maps[m].next) {
		struct space s = {vm, &vm->mms[vm->maps[m].mm]};
		uint64_t *pte = pte_find(s, vm->maps[m].addr, false), flags;

		flags = area(s, tree_find(s, vm->maps[m].addr))->flags;
		found += *pte & PTE_ACCESSED ? 1 : 0;
		*pte &= ~PTE_ACCESSED;
		*what |= (flags & VM_EXEC ? PR_REF_EXEC : 0u) |
			 (flags & VM_LOCKED ? PR_REF_LOCKED : 0u);
	}
	return found;
}

static bool op_mapped(void *ctx, uint32_t id, pfn_t)
{
	return user_page(ctx, id)->mapcount;
}

static int op_unmap(void *ctx, uint32_t id, pfn_t)
{
	if (!user_page(ctx, id)->file)
		return -EBUSY; /* it would be lost */
	unmap_everywhere(ctx, user_page(ctx, id));
	return 0;
}

static int op_write(void *, uint32_t, pfn_t)
{
	return 0; /* files have no content here */
}

static int op_evict(void *ctx, uint32_t id, pfn_t, uint64_t)
{
	const struct pr_vm *vm = ctx;
	const struct pr_user_page *p = user_page(vm, id);

	if (p->mapcount || !p->file || vm->files[p->file].kind != PR_FILE_REGULAR)
		return -EBUSY;
	forget(ctx, id);
	return 0;
}

static int op_migrate(void *ctx, uint32_t id, pfn_t, pfn_t to, unsigned order)
{
	struct pr_vm *vm = ctx;
	struct pr_user_page *p = user_page(vm, id);

	if (id & MARK_TABLE || order)
		return -EINVAL;
	for (uint32_t m = p->first_map; m; m = vm->maps[m].next) {
		struct space s = {vm, &vm->mms[vm->maps[m].mm]};
		uint64_t *pte = pte_find(s, vm->maps[m].addr, false);

		*pte = (*pte & ~PTE_PFN_MASK) | to << PR_PAGE_SHIFT;
	}
	p->pfn = to;
	return 0;
}

static const struct pr_owner_ops ops = {
	.name = "task",
	.referenced = op_referenced,
	.mapped = op_mapped,
	.unmap = op_unmap,
	.write = op_write,
	.evict = op_evict,
	.migrate = op_migrate,
};

int pr_vm_attach(struct pr_vm *vm, struct pr_machine *m)
{
	if (m && (!vm->arena->nr_tables || !vm->arena->nr_pages || !vm->arena->nr_maps))
		return -EINVAL;
	if (vm->machine)
		pr_owner_register(vm->machine, PR_OWNER_TASK, NULL, NULL);
	vm->machine = m;
	if (m)
		pr_owner_register(m, PR_OWNER_TASK, &ops, vm);
	return 0;
}
