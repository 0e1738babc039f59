/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vm.c: the arena of address spaces; their birth and end; files; maps; the checker. */
#include "vm/vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ALIGN = 64 };

static size_t aligned(size_t size)
{
	return (size + ALIGN - 1) / ALIGN * ALIGN;
}

/* Where the tables lie behind the head. */
struct layout {
	size_t mms, files, vmas, size;
};
static struct layout layout(uint32_t nr_mms, uint32_t nr_files, uint32_t nr_vmas)
{
	struct layout l;

	l.mms = aligned(sizeof(struct pr_vm_arena));
	l.files = l.mms + aligned(sizeof(struct pr_mm) * nr_mms);
	l.vmas = l.files + aligned(sizeof(struct pr_file) * ((size_t)nr_files + 1));
	l.size = l.vmas + aligned(sizeof(struct pr_vma) * ((size_t)nr_vmas + 1));
	return l;
}

size_t pr_vm_size(uint32_t nr_mms, uint32_t nr_files, uint32_t nr_vmas)
{
	return layout(nr_mms, nr_files, nr_vmas).size;
}

static void handle(struct pr_vm *vm, struct pr_vm_arena *a)
{
	struct layout l = layout(a->nr_mms, a->nr_files, a->nr_vmas);

	vm->arena = a;
	vm->mms = (void *)((char *)a + l.mms);
	vm->files = (void *)((char *)a + l.files);
	vm->vmas = (void *)((char *)a + l.vmas);
}

int pr_vm_create(struct pr_vm *vm, void *arena, size_t size, uint32_t nr_mms, uint32_t nr_files,
		 uint32_t nr_vmas)
{
	struct pr_vm_arena *a = arena;

	if (size < pr_vm_size(nr_mms, nr_files, nr_vmas) || !nr_mms || !nr_files || !nr_vmas)
		return -EINVAL;
	*a = (struct pr_vm_arena){.magic = PR_VM_MAGIC,
				  .version = PR_VM_VERSION,
				  .size = size,
				  .nr_mms = nr_mms,
				  .nr_files = nr_files,
				  .nr_vmas = nr_vmas};
	a->sysctl = (struct pr_vm_sysctl){.overcommit_ratio = 50,
					  .max_map_count = 65530,
					  .mmap_min_addr = 65536,
					  .stack_guard_gap = 256 << PR_PAGE_SHIFT,
					  .user_reserve_kbytes = 131072,
					  .admin_reserve_kbytes = 8192,
					  .total_pages = 1 << 20,
					  .pkeys = true};
	handle(vm, a);
	return 0;
}

int pr_vm_open(struct pr_vm *vm, void *arena, size_t size)
{
	struct pr_vm_arena *a = arena;

	if (size < sizeof(*a) || a->magic != PR_VM_MAGIC || a->version != PR_VM_VERSION ||
	    a->size > size || pr_vm_size(a->nr_mms, a->nr_files, a->nr_vmas) > size)
		return -EINVAL;
	handle(vm, a);
	return 0;
}

int pr_mm_new(struct pr_vm *vm)
{
	for (uint32_t i = 0; i < vm->arena->nr_mms; i++) {
		struct pr_mm *mm = &vm->mms[i];

		if (mm->live)
			continue;
		*mm = (struct pr_mm){.live = true,
				     .task_size = 0x7ffffffff000,
				     .mmap_base = 0x7ffff7fff000,
				     .legacy_base = 0x2aaaaaaaa000,
				     .start_brk = 0x555555559000,
				     .brk = 0x555555559000};
		for (unsigned r = 0; r < NR_PR_RLIMITS; r++)
			mm->rlimit[r] = PR_RLIM_INFINITY;
		mm->rlimit[PR_RLIMIT_STACK] = 8 << 20;
		mm->rlimit[PR_RLIMIT_MEMLOCK] = 8 << 20;
		return (int)i;
	}
	return -EAGAIN;
}

void pr_mm_exit(struct pr_vm *vm, int mm)
{
	struct space s = space_of(vm, mm);

	if (!s.mm)
		return;
	if (unmap_range(s, 0, s.mm->task_size))
		return; /* not with whole areas: nothing is cut */
	s.mm->live = false;
}

uint32_t area_alloc(struct space s)
{
	struct pr_vm_arena *a = s.vm->arena;
	uint32_t v = a->free_vma;

	if (v)
		a->free_vma = area(s, v)->next;
	else if (a->used_vmas < a->nr_vmas)
		v = ++a->used_vmas;
	return v;
}

void area_free(struct space s, uint32_t v)
{
	struct pr_vma *a = area(s, v);

	tree_remove(s, v);
	if (a->file)
		pr_file_put(s.vm, a->file);
	*a = (struct pr_vma){.next = s.vm->arena->free_vma};
	s.vm->arena->free_vma = v;
}

int file_alloc(struct pr_vm *vm)
{
	for (uint32_t f = 1; f <= vm->arena->nr_files; f++)
		if (!vm->files[f].users) {
			vm->files[f] =
				(struct pr_file){.users = 1, .inode = ++vm->arena->last_inode};
			return (int)f;
		}
	return -ENFILE;
}

int pr_file_new(struct pr_vm *vm, const char *name, uint64_t pages, bool readable, bool writable)
{
	int f = file_alloc(vm);

	if (f < 0)
		return f;
	vm->files[f].kind = PR_FILE_REGULAR;
	vm->files[f].pages = pages;
	vm->files[f].readable = readable;
	vm->files[f].writable = writable;
	snprintf(vm->files[f].name, sizeof(vm->files[f].name), "%s", name);
	return f;
}

void pr_file_put(struct pr_vm *vm, uint32_t file)
{
	if (--vm->files[file].users == 0)
		commit_uncharge(vm, vm->files[file].charged);
}

uint32_t pr_vma_find(const struct pr_vm *vm, int mm, uint64_t addr)
{
	return tree_find(space_of((struct pr_vm *)vm, mm), addr);
}

static const char *area_name(const struct pr_vm *vm, const struct pr_mm *mm, const struct pr_vma *a)
{
	if (a->file)
		return vm->files[a->file].name;
	if (a->start < mm->brk && a->end > mm->start_brk)
		return "[heap]";
	if (a->start <= mm->start_stack && a->end >= mm->start_stack)
		return "[stack]";
	return "";
}

int pr_vma_print(const struct pr_vm *vm, int mm, uint32_t vma, char *buf, size_t size)
{
	const struct pr_vma *a = &vm->vmas[vma];
	const struct pr_file *f = &vm->files[a->file];
	const char *name = area_name(vm, &vm->mms[mm], a);
	unsigned long long inode = a->file ? f->inode : 0, pgoff = a->file ? a->pgoff : 0;
	char head[128];
	int n = snprintf(head, sizeof(head), "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
			 (unsigned long long)a->start, (unsigned long long)a->end,
			 a->flags & VM_READ ? 'r' : '-', a->flags & VM_WRITE ? 'w' : '-',
			 a->flags & VM_EXEC ? 'x' : '-', a->flags & VM_MAYSHARE ? 's' : 'p',
			 pgoff << PR_PAGE_SHIFT, 0, a->file ? 1 : 0, inode);

	/* a name begins at column 73, as Linux pads it */
	return *name ? snprintf(buf, size, "%s%*s%s\n", head, n < 73 ? 73 - n : 0, "", name)
		     : snprintf(buf, size, "%s\n", head);
}

/* --- the checker --- */
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

int pr_vm_check(const struct pr_vm *vm, char *why, size_t size)
{
	static _Thread_local uint32_t users[4096];
	uint64_t areas = 0, charged = 0, spare = 0;

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
