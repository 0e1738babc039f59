/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm: address spaces: tasks' areas as Linux keeps them. This header is what the files of the room
 * share; <pagerig/mm.h> is its door. tree.c orders the areas, area.c finds room, merge.c splits and
 * merges, limits.c says what may be promised, the others are the system calls.
 */
#ifndef VM_VM_H
#define VM_VM_H

#include <pagerig/mm.h>

#include <errno.h>
#include <sys/mman.h>

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#define PMD_SIZE (2ull << 20)
#define PAGE_MASK (~(uint64_t)(PR_PAGE_SIZE - 1))

/* An address space and where it lives: what every function here needs. */
struct space {
	struct pr_vm *vm;
	struct pr_mm *mm;
};
static inline struct space space_of(struct pr_vm *vm, int mm)
{
	return (struct space){vm, pr_mm(vm, mm)};
}
static inline struct pr_vma *area(struct space s, uint32_t v)
{
	return &s.vm->vmas[v];
}
static inline const struct pr_vm_sysctl *sysctl(struct space s)
{
	return &s.vm->arena->sysctl;
}
static inline uint64_t page_align(uint64_t bytes)
{
	return (bytes + PR_PAGE_SIZE - 1) & PAGE_MASK;
}
static inline bool page_aligned(uint64_t addr)
{
	return !(addr & ~PAGE_MASK);
}
static inline uint64_t area_pages(const struct pr_vma *a)
{
	return (a->end - a->start) >> PR_PAGE_SHIFT;
}
static inline bool area_anonymous(const struct pr_vma *a)
{
	return a->file == PR_NO_FILE;
}
/* What the program may do there by itself; reading needs more where keys keep code unreadable. */
static inline bool area_permits(struct space s, const struct pr_vma *a, bool write)
{
	uint64_t readable = sysctl(s)->pkeys ? VM_READ | VM_WRITE : VM_ACCESS;

	return a->flags & (write ? VM_WRITE : readable);
}
/* Where others must end below a stack: its guard gap. */
static inline uint64_t area_start_gap(struct space s, const struct pr_vma *a)
{
	uint64_t gap = a->flags & VM_GROWSDOWN ? sysctl(s)->stack_guard_gap : 0;

	return gap > a->start ? 0 : a->start - gap;
}

/* --- tree.c: areas in order of address --- */
uint32_t tree_find(struct space s, uint64_t addr); /* first that ends above addr */
uint32_t tree_last(struct space s);
static inline uint32_t tree_before(struct space s, uint32_t v) /* v may be none: the last */
{
	return v ? area(s, v)->prev : tree_last(s);
}
void tree_insert(struct space s, uint32_t v);
void tree_remove(struct space s, uint32_t v);
/* New bounds that keep its place in the order. */
void tree_set_range(struct space s, uint32_t v, uint64_t start, uint64_t end);
/* The highest or lowest gap of at least len within low..high, clipped to them. */
struct gap {
	uint64_t start, end;
};
bool tree_highest_gap(struct space s, uint64_t low, uint64_t high, uint64_t len, struct gap *g);
bool tree_lowest_gap(struct space s, uint64_t low, uint64_t high, uint64_t len, struct gap *g);

/* --- vm.c --- */
uint32_t area_alloc(struct space s); /* PR_NO_VMA: the arena is full */
/* Out of the index and back to the free ones; its file loses a user. */
void area_free(struct space s, uint32_t v);
int file_alloc(struct pr_vm *vm);
static inline bool area_intersects(struct space s, uint64_t start, uint64_t end)
{
	uint32_t v = tree_find(s, start);

	return v && area(s, v)->start < end;
}

/* --- limits.c --- */
bool may_expand(struct space s, uint64_t flags, uint64_t pages);
bool lock_future_ok(struct space s, uint64_t flags, uint64_t bytes);
bool can_lock(struct space s);
void account(struct space s, uint64_t flags, int64_t pages);
int commit_charge(struct pr_vm *vm, const struct pr_mm *mm, uint64_t pages); /* 0 or -ENOMEM */
void commit_uncharge(struct pr_vm *vm, uint64_t pages);

/* --- area.c: room for a mapping: an address or -errno --- */
int64_t unmapped_area(struct space s, uint64_t addr, uint64_t len, uint32_t file, uint64_t flags);

/* --- merge.c --- */
/* What an area is to become, or a new one is: compared with its neighbours. */
struct change {
	uint64_t start, end, pgoff, flags;
	uint32_t file, anon;
	bool inherited, expand_only;
};
/* A new range grows a neighbour: that one, or PR_NO_VMA. The range is free. */
uint32_t merge_new(struct space s, const struct change *c);
/*
 * start..end of v get other flags: merges with neighbours or splits v. *out: the area that is the
 * range then; its flags are the caller's to set. 0 or -ENOMEM.
 */
int area_modify(struct space s, uint32_t v, uint64_t start, uint64_t end, uint64_t flags,
		uint32_t *out);
/* Cuts v at addr; v keeps the lower part. 0 or -ENOMEM (the arena is full, no limit is looked at).
 */
int area_cut(struct space s, uint32_t v, uint64_t addr);
/* The same, within max_map_count. */
int area_split(struct space s, uint32_t v, uint64_t addr);
/* It gets an anon_vma, a neighbour's if they could be one area. */
void anon_prepare(struct space s, uint32_t v);

/* --- mmap.c --- */
int unmap_range(struct space s, uint64_t start, uint64_t end);

/* --- table.c: page tables --- */
enum { TABLE_ENTRIES = 512, PMD_SHIFT = 21 };
/* Owner marks of class PR_OWNER_TASK: a table's index with this bit, or a page's. */
enum { MARK_TABLE = 1 << 27 };
static inline uint32_t mm_index(struct space s)
{
	return (uint32_t)(s.mm - s.vm->mms);
}
/* The entry of a page; NULL: there is no table for it, or, with make, none could be had. */
uint64_t *pte_find(struct space s, uint64_t addr, bool make);
void pte_set(struct space s, uint64_t addr, uint64_t *pte, uint64_t value);
/* The next address >= addr below end that has a table of the last level, or end. */
uint64_t pte_next(struct space s, uint64_t addr, uint64_t end);
/* Tables of start..end in whose reach there is no area go back. */
void tables_free(struct space s, uint64_t start, uint64_t end);

/* --- page.c: pages and where they are mapped --- */
/* A new page: its index or 0. file and pgoff: joins that cache. */
uint32_t user_page_alloc(struct space s, uint32_t file, uint64_t pgoff);
uint32_t cache_find(const struct pr_vm *vm, uint32_t file, uint64_t pgoff);
uint32_t user_page_of(const struct pr_vm *vm, uint64_t pte); /* 0 for the zero page */
/* pte gets the page; false: no room for the reverse mapping. */
bool page_map(struct space s, uint64_t addr, uint64_t *pte, uint32_t page, uint64_t bits);
/* One that was never mapped goes. */
void user_page_drop(struct space s, uint32_t page);
void page_unmap(struct space s, uint64_t addr, uint64_t *pte);
void page_move(struct space s, uint32_t page, uint64_t from, uint64_t to);
void cache_drop(struct pr_vm *vm, uint32_t file, uint64_t first, uint64_t end, unsigned cpu);
/* Pages of start..end leave the tables; those of nobody else leave memory. */
void zap_range(struct space s, uint64_t start, uint64_t end);
/* The tables that the next one needs; false: there is no memory for them, and nothing happened. */
bool move_tables(struct space s, uint64_t from, uint64_t to, uint64_t len);
void move_ptes(struct space s, uint64_t from, uint64_t to, uint64_t len);
void write_protect(struct space s, uint64_t start, uint64_t end);

/* --- fault.c --- */
/* The page at addr of v comes, or may be written from now on. 0, -ENOMEM, -EIO. */
int fault_page(struct space s, uint32_t v, uint64_t addr, bool write);
int fault_range(struct space s, uint32_t v, uint64_t start, uint64_t end, bool write);
/* Brings in the pages of start..end as mlock and MAP_POPULATE do; 0 or -errno of the first. */
int populate(struct space s, uint64_t start, uint64_t end, bool ignore_errors);
/* One area's part of it. */
int populate_area(struct space s, uint32_t v, uint64_t start, uint64_t end);

#endif
