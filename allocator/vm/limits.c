/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits.c: resource limits, and how much memory is promised (overcommit). */
#include "vm/vm.h"

enum { KB_SHIFT = PR_PAGE_SHIFT - 10 };

static bool is_data(uint64_t flags)
{
	return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE;
}

static uint64_t limit_pages(struct space s, enum pr_rlimit which)
{
	return s.mm->rlimit[which] >> PR_PAGE_SHIFT;
}

bool may_expand(struct space s, uint64_t flags, uint64_t pages)
{
	if (s.mm->total_vm + pages > limit_pages(s, PR_RLIMIT_AS))
		return false;
	return !is_data(flags) || s.mm->data_vm + pages <= limit_pages(s, PR_RLIMIT_DATA);
}

bool can_lock(struct space s)
{
	return s.mm->privileged || s.mm->rlimit[PR_RLIMIT_MEMLOCK];
}

bool lock_future_ok(struct space s, uint64_t flags, uint64_t bytes)
{
	if (!(flags & VM_LOCKED) || s.mm->privileged)
		return true;
	return (bytes >> PR_PAGE_SHIFT) + s.mm->locked_vm <= limit_pages(s, PR_RLIMIT_MEMLOCK);
}

void account(struct space s, uint64_t flags, int64_t pages)
{
	uint64_t n = (uint64_t)pages;

	s.mm->total_vm += n;
	if ((flags & (VM_EXEC | VM_WRITE | VM_GROWSDOWN)) == VM_EXEC)
		s.mm->exec_vm += n;
	else if (flags & VM_GROWSDOWN)
		s.mm->stack_vm += n;
	else if (is_data(flags))
		s.mm->data_vm += n;
}

uint64_t pr_vm_commit_limit(const struct pr_vm *vm)
{
	const struct pr_vm_sysctl *c = &vm->arena->sysctl;
	uint64_t memory = c->overcommit_kbytes ? c->overcommit_kbytes >> KB_SHIFT
					       : c->total_pages * c->overcommit_ratio / 100;

	return memory + c->swap_pages;
}

static bool enough(const struct pr_vm *vm, const struct pr_mm *mm, uint64_t pages)
{
	const struct pr_vm_sysctl *c = &vm->arena->sysctl;
	uint64_t allowed, kept = 0;

	if (c->overcommit_memory == PR_OVERCOMMIT_ALWAYS)
		return true;
	if (c->overcommit_memory == PR_OVERCOMMIT_GUESS)
		return pages <= c->total_pages + c->swap_pages;
	allowed = pr_vm_commit_limit(vm);
	if (!mm || !mm->privileged)
		kept = c->admin_reserve_kbytes >> KB_SHIFT;
	if (mm) { /* one that grows large leaves something for others */
		uint64_t most = c->user_reserve_kbytes >> KB_SHIFT, share = mm->total_vm / 32;

		kept += share < most ? share : most;
	}
	return kept < allowed && vm->arena->committed + pages < allowed - kept;
}

int commit_charge(struct pr_vm *vm, const struct pr_mm *mm, uint64_t pages)
{
	if (!enough(vm, mm, pages))
		return -ENOMEM;
	vm->arena->committed += pages;
	return 0;
}

void commit_uncharge(struct pr_vm *vm, uint64_t pages)
{
	vm->arena->committed -= pages;
}
