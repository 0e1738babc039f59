/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mm.h: address spaces. A struct pr_vm holds many (mm_struct), each with its areas (VMAs); the
 * calls are Linux's system calls and answer what those of 6.12 on x86-64 answer: an address or 0,
 * or a negative errno. All state lies in an arena of its own that the host supplies (zeroed, may be
 * a sparse mapping), without pointers; struct pr_vm is a handle on it.
 *
 * Addresses and lengths are in bytes, other counts in pages. One call at a time on one pr_vm.
 * Source of the behaviour: mm/{mmap,vma,mprotect,mremap,madvise,mlock,util}.c, arch/x86
 * sys_x86_64.c.
 */
#ifndef PAGERIG_MM_H
#define PAGERIG_MM_H

#include <pagerig/machine.h>

#define PR_VM_MAGIC 0x316d76676972ull
#define PR_VM_VERSION 1

/* vm_flags, with the kernel's values. */
#define VM_READ 0x1ull
#define VM_WRITE 0x2ull
#define VM_EXEC 0x4ull
#define VM_SHARED 0x8ull
#define VM_MAYREAD 0x10ull
#define VM_MAYWRITE 0x20ull
#define VM_MAYEXEC 0x40ull
#define VM_MAYSHARE 0x80ull
#define VM_GROWSDOWN 0x100ull
#define VM_PFNMAP 0x400ull
#define VM_LOCKED 0x2000ull
#define VM_IO 0x4000ull
#define VM_SEQ_READ 0x8000ull
#define VM_RAND_READ 0x10000ull
#define VM_DONTCOPY 0x20000ull
#define VM_DONTEXPAND 0x40000ull
#define VM_LOCKONFAULT 0x80000ull
#define VM_ACCOUNT 0x100000ull
#define VM_NORESERVE 0x200000ull
#define VM_WIPEONFORK 0x2000000ull
#define VM_DONTDUMP 0x4000000ull
#define VM_MIXEDMAP 0x10000000ull
#define VM_HUGEPAGE 0x20000000ull
#define VM_NOHUGEPAGE 0x40000000ull
#define VM_MERGEABLE 0x80000000ull
#define VM_DROPPABLE 0x10000000000ull
#define VM_ACCESS (VM_READ | VM_WRITE | VM_EXEC)
#define VM_MAYALL (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)
#define VM_SPECIAL (VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP)
#define VM_LOCKED_MASK (VM_LOCKED | VM_LOCKONFAULT)

enum { PR_NO_VMA = 0, PR_NO_FILE = 0 }; /* indices start at 1 */

/* What is behind a mapping; files live as long as areas or the host hold them. */
enum pr_file_kind { PR_FILE_NONE, PR_FILE_SHMEM, PR_FILE_REGULAR };
struct pr_file {
	uint32_t users; /* areas, and 1 for the host if it made it */
	uint8_t kind;	/* enum pr_file_kind */
	bool readable, writable;
	uint64_t pages;	  /* its size */
	uint64_t charged; /* pages that its size takes of the commit limit */
	uint64_t inode;
	uint32_t first_page; /* of its page cache, linked by next_of_file */
	char name[128];
};

/* A page table: a page of the allocator with its 512 entries, as the CPU reads them. */
struct pr_table {
	pfn_t pfn;
	uint32_t next_free;
	uint32_t used; /* entries that are not 0 */
	uint64_t entry[512];
};
#define PTE_PRESENT 0x1ull
#define PTE_WRITE 0x2ull
#define PTE_USER 0x4ull
#define PTE_ACCESSED 0x20ull
#define PTE_DIRTY 0x40ull
#define PTE_SPECIAL 0x200ull /* the zero page: no frame of the allocator */
#define PTE_NX (1ull << 63)
#define PTE_PFN_MASK 0xffffffffff000ull

/* A page of a program or of a file's cache; its frame's owner mark leads here. */
struct pr_user_page {
	pfn_t pfn;
	uint32_t first_map; /* where it is mapped: the reverse mapping */
	uint32_t mapcount;
	uint32_t file; /* PR_NO_FILE: anonymous */
	uint32_t next; /* in the hash of page caches, or of the free ones */
	uint32_t next_of_file;
	uint64_t pgoff;
};
struct pr_page_map {
	uint64_t addr;
	uint32_t mm, next;
};

/* One area. left to gap belong to the index (vm/tree.c). */
struct pr_vma {
	uint64_t start, end, pgoff, flags;
	uint32_t file; /* PR_NO_FILE: anonymous */
	uint32_t anon; /* its anon_vma; 0: no page of its own was ever written */
	uint32_t prev, next;
	uint32_t left, right;
	uint64_t lo, hi, gap; /* of the subtree: first byte, end, longest gap within */
	bool inherited;	      /* the anon_vma has parents: a fork stands between */
};

enum pr_rlimit { PR_RLIMIT_AS, PR_RLIMIT_DATA, PR_RLIMIT_STACK, PR_RLIMIT_MEMLOCK, NR_PR_RLIMITS };
#define PR_RLIM_INFINITY (~0ull)

struct pr_mm {
	bool live;
	bool privileged; /* CAP_IPC_LOCK, CAP_SYS_ADMIN, CAP_SYS_RAWIO */
	uint32_t root, first, map_count;
	uint64_t task_size, mmap_base, legacy_base;
	uint64_t start_brk, brk, start_data, end_data, start_stack;
	uint64_t def_flags;
	uint64_t total_vm, locked_vm, data_vm, exec_vm, stack_vm;
	uint32_t cpu;	 /* where it runs */
	uint32_t pgd;	 /* its top table, 0 before the first fault */
	uint32_t levels; /* 4 or 5 */
	uint64_t rss_anon, rss_file, rss_shmem, tables, min_flt, maj_flt;
	uint64_t rlimit[NR_PR_RLIMITS];
};

enum pr_overcommit { PR_OVERCOMMIT_GUESS, PR_OVERCOMMIT_ALWAYS, PR_OVERCOMMIT_NEVER };
/*
 * Where kernels after 6.12 differ; 0 is 6.12. MERGE_UNWRITTEN (6.16): a written area merges with a
 * neighbour that was never written in both directions, not only if the neighbour is the written
 * one. MREMAP_CHECKS (6.17): a move that can't be is refused before anything was unmapped for it.
 */
enum pr_vm_rule { PR_VM_MERGE_UNWRITTEN = 1, PR_VM_MREMAP_CHECKS = 2 };
struct pr_vm_sysctl {
	enum pr_overcommit overcommit_memory;
	uint64_t overcommit_ratio, overcommit_kbytes;		/* percent; kB, 0: by ratio */
	uint64_t max_map_count, mmap_min_addr, stack_guard_gap; /* the last in bytes */
	uint64_t user_reserve_kbytes, admin_reserve_kbytes;
	uint64_t total_pages, swap_pages; /* of memory and swap */
	uint32_t rules;			  /* enum pr_vm_rule */
	bool pkeys; /* the CPU has protection keys: what is PROT_EXEC alone can't be read */
};

struct pr_vm_arena {
	uint64_t magic, size;
	uint32_t version, nr_mms, nr_files, nr_vmas;
	uint32_t nr_tables, nr_pages, nr_maps;
	uint32_t free_vma, used_vmas, last_anon; /* free_vma: linked by next */
	uint32_t free_table, used_tables, free_page, used_pages, free_map, used_maps;
	uint64_t committed, last_inode;
	struct pr_vm_sysctl sysctl;
};

struct pr_vm {
	struct pr_vm_arena *arena;
	struct pr_mm *mms;
	struct pr_file *files; /* index 0 is none */
	struct pr_vma *vmas;   /* index 0 is none */
	struct pr_table *tables;
	struct pr_user_page *pages;
	struct pr_page_map *maps;
	uint32_t *hash;		    /* of page caches: nr_pages heads */
	struct pr_machine *machine; /* NULL: areas only, no page is ever had */
};

/*
 * How many of each an arena can hold. Without tables and pages there are areas only. Maps: places
 * in page tables that hold a page, over all tasks.
 */
struct pr_vm_spec {
	uint32_t nr_mms, nr_files, nr_vmas, nr_tables, nr_pages, nr_maps;
};
/* Bytes of such an arena; and a handle on a zeroed one. -EINVAL if it is too small. */
size_t pr_vm_size(const struct pr_vm_spec *spec);
int pr_vm_create(struct pr_vm *vm, void *arena, size_t size, const struct pr_vm_spec *spec)
	__attribute__((warn_unused_result));
/*
 * Tables and pages come from this machine from now on; its pages of class PR_OWNER_TASK are this
 * pr_vm's. -EINVAL: the arena has no room for any. NULL again before the machine goes.
 */
int pr_vm_attach(struct pr_vm *vm, struct pr_machine *m) __attribute__((warn_unused_result));
/* A handle on a copy or another mapping of one. -EINVAL: it is none, or of another version. */
int pr_vm_open(struct pr_vm *vm, void *arena, size_t size) __attribute__((warn_unused_result));

/*
 * A new, empty address space with x86-64's layout (47 bits, top-down, not randomized): its number
 * (from 0) or -EAGAIN. And its end: all areas go.
 */
int pr_mm_new(struct pr_vm *vm) __attribute__((warn_unused_result));
/*
 * fork: a copy of areas and page tables; written pages are shared until one writes again. Its
 * number, or -EAGAIN, -ENOMEM (limits, areas or tables ran out).
 */
int pr_mm_fork(struct pr_vm *vm, int mm) __attribute__((warn_unused_result));
void pr_mm_exit(struct pr_vm *vm, int mm);
static inline struct pr_mm *pr_mm(const struct pr_vm *vm, int mm)
{
	return mm >= 0 && (uint32_t)mm < vm->arena->nr_mms && vm->mms[mm].live ? &vm->mms[mm]
									       : NULL;
}

/* A file that can be mapped: its index, or -ENFILE. The host lets go of it by pr_file_put(). */
int pr_file_new(struct pr_vm *vm, const char *name, uint64_t pages, bool readable, bool writable);
void pr_file_put(struct pr_vm *vm, uint32_t file);

/*
 * The system calls; numbers of flags as in <sys/mman.h>. file: PR_NO_FILE without a file or for
 * MAP_ANONYMOUS, else an index; a call with a descriptor that is none is the host's -EBADF.
 * -ESRCH: there is no such address space.
 */
int64_t pr_mmap(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len, uint64_t prot,
		uint64_t flags, uint32_t file, uint64_t offset);
int64_t pr_munmap(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len);
int64_t pr_mprotect(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len, uint64_t prot);
int64_t pr_mremap(struct pr_vm *vm, int mm, uint64_t addr, uint64_t old_len, uint64_t new_len,
		  uint64_t flags, uint64_t new_addr);
int64_t pr_madvise(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len, int advice);
int64_t pr_mlock(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len);
int64_t pr_mlock2(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len, uint64_t flags);
int64_t pr_munlock(struct pr_vm *vm, int mm, uint64_t addr, uint64_t len);
int64_t pr_mlockall(struct pr_vm *vm, int mm, uint64_t flags);
int64_t pr_munlockall(struct pr_vm *vm, int mm);
/* As the system call: the break afterwards, which is the old one if it could not be moved. */
int64_t pr_brk(struct pr_vm *vm, int mm, uint64_t brk);
/*
 * The program reads or writes at an address: 0, or -EFAULT where it would get SIGSEGV (SIGBUS
 * behind the end of a file: -EIO), -ENOMEM: no page could be had. A stack grows. With a machine,
 * the page and the tables to it are there afterwards.
 */
int64_t pr_touch(struct pr_vm *vm, int mm, uint64_t addr, bool write);

/* What a page walk meets, from the top table down; the last level is the page's entry. */
struct pr_walk {
	unsigned levels;
	struct {
		unsigned index;
		pfn_t table;
		uint64_t entry;
	} level[5];
	bool present;
	pfn_t pfn; /* PFN_NONE for the zero page */
};
void pr_translate(const struct pr_vm *vm, int mm, uint64_t addr, struct pr_walk *w);

/* The first area that ends above addr, or PR_NO_VMA; area->next leads on. */
uint32_t pr_vma_find(const struct pr_vm *vm, int mm, uint64_t addr);
static inline const struct pr_vma *pr_vma(const struct pr_vm *vm, uint32_t vma)
{
	return &vm->vmas[vma];
}
/* The line of /proc/PID/maps of an area, with its newline; the length, as snprintf. */
int pr_vma_print(const struct pr_vm *vm, int mm, uint32_t vma, char *buf, size_t size);
/* Pages that may be promised in mode 2 (CommitLimit of /proc/meminfo). */
uint64_t pr_vm_commit_limit(const struct pr_vm *vm);

/* Every invariant of the arena: 0, or -EUCLEAN with a sentence. */
int pr_vm_check(const struct pr_vm *vm, char *why, size_t size);

#endif
