/* SPDX-License-Identifier: GPL-2.0-or-later */
/* window.c: a task with a window of free addresses, its maps, and random calls inside it. */
#include "script.h"

#include "../unit/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const struct window default_window = {0x200000000000, 16 << 20};
enum { HEAP_AT = 8 << 20 }; /* in the window */

int window_task(struct pr_vm *vm, const struct window *w)
{
	const struct pr_vm_spec spec = {.nr_mms = 4, .nr_files = 1024, .nr_vmas = 70000};
	size_t size = (pr_vm_size(&spec) + 4095) & ~(size_t)4095;
	uint64_t flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, low = 65536;
	void *arena = calloc(1, size);
	int mm;

	if (!arena)
		return -ENOMEM;
	if (pr_vm_create(vm, arena, size, &spec) || (mm = pr_mm_new(vm)) < 0) {
		free(arena);
		return -EINVAL;
	}
	if (real_release() >= 616)
		vm->arena->sysctl.rules |= PR_VM_MERGE_UNWRITTEN;
	if (real_release() >= 617)
		vm->arena->sysctl.rules |= PR_VM_MREMAP_CHECKS;
	vm->arena->sysctl.pkeys = real_pkeys();
	if (!w)
		return mm;
	pr_mm(vm, mm)->privileged = true;
	pr_mm(vm, mm)->start_brk = pr_mm(vm, mm)->brk = w->start + HEAP_AT;
	if (pr_mmap(vm, mm, low, w->start - low, 0, flags, PR_NO_FILE, 0) < 0 ||
	    pr_mmap(vm, mm, w->start + w->size, pr_mm(vm, mm)->task_size - w->start - w->size, 0,
		    flags, PR_NO_FILE, 0) < 0) {
		free(arena);
		return -ENOMEM;
	}
	return mm;
}

void window_maps(const struct pr_vm *vm, int mm, const struct window *w, char *buf, size_t size)
{
	size_t used = 0;

	*buf = 0;
	for (uint32_t v = pr_vma_find(vm, mm, w->start); v; v = pr_vma(vm, v)->next) {
		char line[256], range[64], perms[8], offset[32], name[128] = "";

		if (pr_vma(vm, v)->start >= w->start + w->size)
			break;
		pr_vma_print(vm, mm, v, line, sizeof(line));
		sscanf(line, "%63s %7s %31s %*s %*s %127[^\n]", range, perms, offset, name);
		used += (size_t)snprintf(buf + used, used < size ? size - used : 0, "%s %s %s %s\n",
					 range, perms, offset, name);
	}
}

bool call_is_612(const struct pr_vm *vm, int mm, const struct call *c)
{
	uint32_t v = pr_vma_find(vm, mm, c->arg[0]);
	const struct pr_vma *a = pr_vma(vm, v);
	uint64_t end = c->arg[0] + ((c->arg[1] + 4095) & ~4095ull);

	if (c->kind != CALL_MREMAP || !v)
		return true;
	if ((c->arg[3] & 4) && (a->flags & VM_LOCKED) && (a->start != c->arg[0] || a->end != end))
		return false;
	return !(c->arg[3] & MREMAP_FIXED) || end <= a->end || c->arg[1] / 4096 != c->arg[2] / 4096;
}

static uint64_t random_pages(struct rng *r)
{
	static const unsigned most[] = {2, 4, 8, 32, 600};

	return (1 + rng_below(r, most[rng_below(r, 5)])) * 4096ull;
}

/* Mostly where the others are: below the window's top, where mappings without a hint go. */
static uint64_t random_address(struct rng *r, const struct window *w)
{
	unsigned pages = (unsigned)(w->size >> 12), at = rng_below(r, 100), page;

	if (at < 70)
		page = pages - 1 - rng_below(r, 64);
	else if (at < 90)
		page = pages - 1 - rng_below(r, 512);
	else
		page = rng_below(r, pages);
	return w->start + page * 4096ull + (rng_below(r, 100) == 0 ? 1 + rng_below(r, 4095) : 0);
}

static uint64_t random_length(struct rng *r)
{
	static const uint64_t odd[] = {0, 1, 4097, 2 << 20, 4 << 20, ~0ull, 1ull << 47, 12 << 20};

	return rng_below(r, 40) ? random_pages(r) : odd[rng_below(r, 8)];
}

static uint64_t pick(struct rng *r, const uint64_t *of, unsigned n)
{
	return of[rng_below(r, n)];
}
#define PICK(r, ...)                                                                               \
	pick(r, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

static uint64_t random_prot(struct rng *r)
{
	return PICK(r, 3, 3, 3, 1, 1, 0, 0, 5, 7, 2, 4);
}

/* An end that stays in the window, and a length that may go over areas. */
static void random_mmap(struct rng *r, const struct window *w, struct call *c)
{
	uint64_t flags = MAP_ANONYMOUS;

	flags |= rng_below(r, 12) ? MAP_PRIVATE : rng_below(r, 3) ? MAP_SHARED : PICK(r, 0, 3, 8);
	c->arg[1] = random_length(r);
	switch (rng_below(r, 6)) {
	case 0:
	case 1:
		c->arg[0] = random_address(r, w);
		flags |= rng_below(r, 3) ? MAP_FIXED : 0x100000; /* MAP_FIXED_NOREPLACE */
		if (c->arg[0] + c->arg[1] > w->start + w->size && c->arg[1] < 1ull << 40)
			c->arg[0] = w->start + w->size - ((c->arg[1] + 4095) & ~4095ull);
		break;
	case 2:
		c->arg[0] = random_address(r, w); /* a hint */
		break;
	default:
		c->arg[0] = 0;
	}
	c->arg[2] = random_prot(r);
	flags |= rng_below(r, 12) ? 0
				  : PICK(r, MAP_GROWSDOWN, MAP_STACK, MAP_NORESERVE, MAP_LOCKED,
					 MAP_POPULATE);
	c->arg[3] = flags;
	c->arg[4] = ~0ull;
}

static void random_mremap(struct rng *r, const struct window *w, struct call *c)
{
	uint64_t flags = PICK(r, 0, 1, 1, 1, 3, 3, 5, 2, 4, 7, 8);

	c->arg[1] = random_pages(r);
	c->arg[2] = rng_below(r, 3) ? random_pages(r) : c->arg[1];
	if (rng_below(r, 30) == 0)
		c->arg[1 + rng_below(r, 2)] = random_length(r) % (1ull << 30);
	c->arg[3] = flags;
	c->arg[4] = random_address(r, w);
	if (c->arg[0] + c->arg[1] > w->start + w->size)
		c->arg[1] = w->start + w->size - c->arg[0];
	if (c->arg[4] + c->arg[2] > w->start + w->size)
		c->arg[4] = w->start + w->size - ((c->arg[2] + 4095) & ~4095ull);
}

void random_call(struct rng *r, const struct window *w, bool brk, struct call *c)
{
	static const enum call_kind kinds[] = {
		CALL_MMAP,     CALL_MMAP,     CALL_MMAP,    CALL_MMAP,	   CALL_MMAP,
		CALL_MMAP,     CALL_MUNMAP,   CALL_MUNMAP,  CALL_MPROTECT, CALL_MPROTECT,
		CALL_MPROTECT, CALL_MPROTECT, CALL_MREMAP,  CALL_MREMAP,   CALL_MREMAP,
		CALL_BRK,      CALL_MADVISE,  CALL_MADVISE, CALL_MLOCK,	   CALL_MUNLOCK,
		CALL_MLOCK2,   CALL_WRITE,    CALL_WRITE,   CALL_WRITE,
	};

	*c = (struct call){.kind = kinds[rng_below(r, sizeof(kinds) / sizeof(kinds[0]))]};
	if (c->kind == CALL_BRK && !brk)
		c->kind = CALL_WRITE;
	c->arg[0] = random_address(r, w);
	c->arg[1] = random_length(r);
	if (c->arg[0] + c->arg[1] > w->start + w->size && c->arg[1] != ~0ull)
		c->arg[1] = w->start + w->size - c->arg[0]; /* what is around the window stays */
	switch (c->kind) {
	case CALL_MMAP:
		random_mmap(r, w, c);
		break;
	case CALL_MREMAP:
		random_mremap(r, w, c);
		break;
	case CALL_MPROTECT:
		c->arg[2] = rng_below(r, 50) ? random_prot(r)
					     : PICK(r, 16, 0x01000003, 0x02000003, 0x03000001, 8);
		break;
	case CALL_BRK:
		c->arg[0] = w->start + HEAP_AT + rng_below(r, 64 * 4096) - 4096;
		break;
	case CALL_MADVISE:
		c->arg[2] = PICK(r, 0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
				 21, 22, 23, 24, 99);
		break;
	case CALL_MLOCK2:
		c->arg[2] = PICK(r, 0, 1, 1, 2);
		break;
	default:
		break;
	}
}
