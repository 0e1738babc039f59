/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * area.c: where a mapping goes: below mmap_base from the top, else from the bottom up; hints are
 * taken if there is room; anonymous mappings of whole 2 MiB are aligned to that.
 */
#include "vm/vm.h"

/* Places as vm_unmapped_area() does; a stack's guard gap above or around the gap is kept. */
static int64_t from_top(struct space s, uint64_t low, uint64_t high, uint64_t len)
{
	struct gap g;

	if (low < sysctl(s)->mmap_min_addr)
		low = sysctl(s)->mmap_min_addr;
	while (tree_highest_gap(s, low, high, len, &g)) {
		uint32_t next = tree_find(s, g.end);
		uint64_t top = next ? area_start_gap(s, area(s, next)) : ~0ull;

		if (top >= g.end)
			return (int64_t)(g.end - len);
		high = top;
	}
	return -ENOMEM;
}

static int64_t from_bottom(struct space s, uint64_t low, uint64_t high, uint64_t len)
{
	struct gap g;

	if (low < sysctl(s)->mmap_min_addr)
		low = sysctl(s)->mmap_min_addr;
	while (tree_lowest_gap(s, low, high, len, &g)) {
		uint32_t next = tree_find(s, g.end);

		if (!next || area_start_gap(s, area(s, next)) >= g.start + len)
			return (int64_t)g.start;
		low = area(s, next)->end;
	}
	return -ENOMEM;
}

static bool hint_fits(struct space s, uint64_t addr, uint64_t len)
{
	uint32_t v = tree_find(s, addr);

	return s.mm->task_size - len >= addr && (!v || addr + len <= area_start_gap(s, area(s, v)));
}

static int64_t bottom_up(struct space s, uint64_t addr, uint64_t len, uint64_t flags)
{
	bool low = flags & MAP_32BIT;
	uint64_t begin = low ? 0x40000000 : s.mm->legacy_base;
	uint64_t end = low ? 0x80000000 : s.mm->task_size;

	if (len > end)
		return -ENOMEM;
	addr = page_align(addr);
	if (addr && end - len >= addr && hint_fits(s, addr, len))
		return (int64_t)addr;
	return from_bottom(s, begin, end, len);
}

static int64_t place(struct space s, uint64_t addr, uint64_t len, uint64_t flags)
{
	int64_t found;

	if (flags & MAP_FIXED)
		return (int64_t)addr;
	if (len > s.mm->task_size)
		return -ENOMEM;
	if (!(flags & MAP_32BIT)) {
		if ((addr & PAGE_MASK) && hint_fits(s, addr & PAGE_MASK, len))
			return (int64_t)(addr & PAGE_MASK);
		found = from_top(s, PR_PAGE_SIZE, s.mm->mmap_base, len);
		if (found >= 0)
			return found;
	}
	return bottom_up(s, addr, len, flags);
}

/* With 2 MiB more than wanted there is an aligned place in it: from the top, the higher one. */
static int64_t place_huge(struct space s, uint64_t len, uint64_t flags)
{
	uint64_t off;
	int64_t found = place(s, 0, len + PMD_SIZE, flags);

	if (found <= 0)
		return place(s, 0, len, flags);
	off = -(uint64_t)found & (PMD_SIZE - 1);
	return found + (int64_t)(off ? off : PMD_SIZE);
}

int64_t unmapped_area(struct space s, uint64_t addr, uint64_t len, uint32_t file, uint64_t flags)
{
	int64_t found;

	if (len > s.mm->task_size)
		return -ENOMEM;
	if (!file && !(flags & MAP_SHARED) && !addr && len % PMD_SIZE == 0)
		found = place_huge(s, len, flags);
	else
		found = place(s, addr, len, flags);
	if (found < 0 && found > -4096)
		return found;
	if ((uint64_t)found > s.mm->task_size - len)
		return -ENOMEM;
	if (!page_aligned((uint64_t)found))
		return -EINVAL;
	if ((uint64_t)found < sysctl(s)->mmap_min_addr && !s.mm->privileged)
		return -EPERM;
	return found;
}
