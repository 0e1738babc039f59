/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vm.c: the arena of address spaces; their birth and end; files; maps. */
#include "vm/vm.h"

#include <stdio.h>
#include <string.h>

enum { ALIGN = 64 };

static size_t aligned(size_t size)
{
	return (size + ALIGN - 1) / ALIGN * ALIGN;
}

/* Where the tables lie behind the head. */
struct layout {
	size_t mms, files, vmas, tables, pages, maps, hash, size;
};
static struct layout layout(const struct pr_vm_spec *n)
{
	struct layout l;

	l.mms = aligned(sizeof(struct pr_vm_arena));
	l.files = l.mms + aligned(sizeof(struct pr_mm) * n->nr_mms);
	l.vmas = l.files + aligned(sizeof(struct pr_file) * ((size_t)n->nr_files + 1));
	l.tables = l.vmas + aligned(sizeof(struct pr_vma) * ((size_t)n->nr_vmas + 1));
	l.pages = l.tables + aligned(sizeof(struct pr_table) * ((size_t)n->nr_tables + 1));
	l.maps = l.pages + aligned(sizeof(struct pr_user_page) * ((size_t)n->nr_pages + 1));
	l.hash = l.maps + aligned(sizeof(struct pr_page_map) * ((size_t)n->nr_maps + 1));
	l.size = l.hash + aligned(sizeof(uint32_t) * ((size_t)n->nr_pages + 1));
	return l;
}

size_t pr_vm_size(const struct pr_vm_spec *spec)
{
	return layout(spec).size;
}

static struct pr_vm_spec spec_of(const struct pr_vm_arena *a)
{
	return (struct pr_vm_spec){a->nr_mms,	 a->nr_files, a->nr_vmas,
				   a->nr_tables, a->nr_pages, a->nr_maps};
}

static void handle(struct pr_vm *vm, struct pr_vm_arena *a)
{
	struct pr_vm_spec spec = spec_of(a);
	struct layout l = layout(&spec);

	vm->arena = a;
	vm->mms = (void *)((char *)a + l.mms);
	vm->files = (void *)((char *)a + l.files);
	vm->vmas = (void *)((char *)a + l.vmas);
	vm->tables = (void *)((char *)a + l.tables);
	vm->pages = (void *)((char *)a + l.pages);
	vm->maps = (void *)((char *)a + l.maps);
	vm->hash = (void *)((char *)a + l.hash);
	vm->machine = NULL;
}

int pr_vm_create(struct pr_vm *vm, void *arena, size_t size, const struct pr_vm_spec *n)
{
	struct pr_vm_arena *a = arena;

	if (size < pr_vm_size(n) || !n->nr_mms || !n->nr_files || !n->nr_vmas)
		return -EINVAL;
	*a = (struct pr_vm_arena){.magic = PR_VM_MAGIC,
				  .version = PR_VM_VERSION,
				  .size = size,
				  .nr_mms = n->nr_mms,
				  .nr_files = n->nr_files,
				  .nr_vmas = n->nr_vmas,
				  .nr_tables = n->nr_tables,
				  .nr_pages = n->nr_pages,
				  .nr_maps = n->nr_maps};
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

	struct pr_vm_spec spec;

	if (size < sizeof(*a) || a->magic != PR_VM_MAGIC || a->version != PR_VM_VERSION ||
	    a->size > size)
		return -EINVAL;
	spec = spec_of(a);
	if (pr_vm_size(&spec) > size)
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
				     .levels = 4,
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
	tables_free(s, 0, s.mm->task_size);
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
	if (--vm->files[file].users)
		return;
	cache_drop(vm, file, 0, ~0ull, 0);
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
