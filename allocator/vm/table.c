/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.c: page tables of 4 or 5 levels. A table is a page of the allocator, whose entries the
 * arena keeps; an entry has the number of the next table's frame, as for the CPU, and that frame's
 * owner mark says which table it is. Tables come with the first fault that needs them and go when
 * no area is left in their reach.
 */
#include "vm/vm.h"

#include <pagerig/alloc.h>
#include <pagerig/owner.h>

#include <stdlib.h>
#include <string.h>

enum { INDEX_BITS = 9 };

/* Level 1 is the last one; an entry there is a page's. */
static unsigned shift_of(unsigned level)
{
	return PR_PAGE_SHIFT + (level - 1) * INDEX_BITS;
}

static unsigned index_at(uint64_t addr, unsigned level)
{
	return addr >> shift_of(level) & (TABLE_ENTRIES - 1);
}

static uint32_t table_of(const struct pr_vm *vm, uint64_t entry)
{
	pfn_t pfn = (entry & PTE_PFN_MASK) >> PR_PAGE_SHIFT;
	uint32_t mark = pr_page(vm->machine, pr_zone_of(vm->machine, pfn), pfn)->owner;

	return pr_owner_id(mark) & ~(uint32_t)MARK_TABLE;
}

/* Index of a new, empty table, or 0. Memory may be reclaimed for it. */
static uint32_t table_alloc(struct space s)
{
	struct pr_vm_arena *a = s.vm->arena;
	uint32_t t = a->free_table		     ? a->free_table
		     : a->used_tables < a->nr_tables ? a->used_tables + 1
						     : 0;
	struct pr_request r = PR_REQUEST(0, GFP_KERNEL | __GFP_ZERO | __GFP_ACCOUNT);
	pfn_t pfn;

	if (!t)
		return 0;
	r.node = -1;
	r.cpu = s.mm->cpu;
	r.owner = pr_owner_mark(PR_OWNER_TASK, MARK_TABLE | t);
	if (pr_alloc(s.vm->machine, &r, &pfn))
		return 0;
	if (a->free_table)
		a->free_table = s.vm->tables[t].next_free;
	else
		a->used_tables++;
	memset(&s.vm->tables[t], 0, sizeof(s.vm->tables[t]));
	s.vm->tables[t].pfn = pfn;
	s.mm->tables++;
	return t;
}

static void table_free(struct space s, uint32_t t)
{
	/* the frame is ours as long as the table is in use */
	if (pr_free(s.vm->machine, s.vm->tables[t].pfn, 0, s.mm->cpu))
		abort();
	s.vm->tables[t].next_free = s.vm->arena->free_table;
	s.vm->arena->free_table = t;
	s.mm->tables--;
}

uint64_t *pte_find(struct space s, uint64_t addr, bool make)
{
	uint32_t t = s.mm->pgd;

	if (!s.vm->machine)
		return NULL;
	if (!t && make)
		t = s.mm->pgd = table_alloc(s);
	for (unsigned level = s.mm->levels; t && level > 1; level--) {
		uint64_t *entry = &s.vm->tables[t].entry[index_at(addr, level)];

		if (!*entry && make) {
			uint32_t below = table_alloc(s);

			if (!below)
				return NULL;
			*entry = s.vm->tables[below].pfn << PR_PAGE_SHIFT | PTE_PRESENT |
				 PTE_WRITE | PTE_USER | PTE_ACCESSED;
			s.vm->tables[t].used++;
		}
		t = *entry ? table_of(s.vm, *entry) : 0;
	}
	return t ? &s.vm->tables[t].entry[index_at(addr, 1)] : NULL;
}

void pte_set(struct space s, uint64_t addr, uint64_t *pte, uint64_t value)
{
	struct pr_table *t =
		(void *)((char *)(pte - index_at(addr, 1)) - offsetof(struct pr_table, entry));

	(void)s;
	t->used += (value != 0) - (*pte != 0);
	*pte = value;
}

uint64_t pte_next(struct space s, uint64_t addr, uint64_t end)
{
	while (addr < end) {
		uint32_t t = s.vm->machine ? s.mm->pgd : 0;
		unsigned level;

		for (level = s.mm->levels; t && level > 1; level--) {
			uint64_t entry = s.vm->tables[t].entry[index_at(addr, level)];

			if (!entry)
				break;
			t = table_of(s.vm, entry);
		}
		if (!t)
			return end;
		if (level == 1)
			return addr;
		addr = ((addr >> shift_of(level)) + 1) << shift_of(level);
	}
	return end;
}

/* Frees what lies below an entry of a table of `level` that reaches from addr on. */
static void free_below(struct space s, uint32_t t, unsigned level, uint64_t addr, uint64_t start,
		       uint64_t end)
{
	uint64_t reach = 1ull << shift_of(level);

	for (unsigned i = 0; level > 1 && i < TABLE_ENTRIES; i++) {
		uint64_t from = addr + i * reach, *entry = &s.vm->tables[t].entry[i];
		uint32_t below;

		if (!*entry || from >= end || from + reach <= start)
			continue;
		below = table_of(s.vm, *entry);
		free_below(s, below, level - 1, from, start, end);
		if (area_intersects(s, from, from + reach))
			continue;
		table_free(s, below);
		*entry = 0;
		s.vm->tables[t].used--;
	}
}

void tables_free(struct space s, uint64_t start, uint64_t end)
{
	if (!s.vm->machine || !s.mm->pgd)
		return;
	free_below(s, s.mm->pgd, s.mm->levels, 0, start, end);
	if (!s.mm->root && !start && end == s.mm->task_size) { /* the task ends */
		table_free(s, s.mm->pgd);
		s.mm->pgd = 0;
	}
}

void pr_translate(const struct pr_vm *vm, int mm, uint64_t addr, struct pr_walk *w)
{
	const struct pr_mm *m = pr_mm(vm, mm);
	uint32_t t = vm->machine ? m->pgd : 0;

	*w = (struct pr_walk){.pfn = PFN_NONE};
	for (unsigned level = m->levels; t; level--) {
		const struct pr_table *table = &vm->tables[t];
		uint64_t entry = table->entry[index_at(addr, level)];

		w->level[w->levels].index = index_at(addr, level);
		w->level[w->levels].table = table->pfn;
		w->level[w->levels++].entry = entry;
		if (!entry)
			return;
		if (level == 1) {
			w->present = true;
			w->pfn = entry & PTE_SPECIAL ? PFN_NONE
						     : (entry & PTE_PFN_MASK) >> PR_PAGE_SHIFT;
			return;
		}
		t = table_of(vm, entry);
	}
}
