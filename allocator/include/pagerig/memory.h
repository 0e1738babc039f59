/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.h: rows of user memory without host memory behind them: something to reclaim. A row is a
 * mapping of a process that has nothing else: anonymous pages, or pages of a file of its own. Its
 * page table is the host's memory; its writes end when the host says so.
 */
#ifndef PAGERIG_MEMORY_H
#define PAGERIG_MEMORY_H

#include <pagerig/reclaim.h>

struct pr_memory;

/* NULL if the host is out of memory. One a machine: it is the owner of class PR_OWNER_MEMORY. */
struct pr_memory *pr_memory_new(struct pr_machine *m);
/* Gives all pages back. */
void pr_memory_free(struct pr_memory *mem);

enum pr_row_flag { PR_ROW_FILE = 1, PR_ROW_EXEC = 2, PR_ROW_LOCKED = 4 };
struct pr_row_spec {
	uint64_t pages;
	unsigned flags;
	int node;	   /* preferred; -1: the CPU's */
	uint64_t nodemask; /* 0: all nodes */
	gfp_t gfp;	   /* 0: GFP_HIGHUSER_MOVABLE */
};
/* A new row with no page in memory; its number (>= 0), -ENOMEM, -EINVAL (pages, flags). */
int pr_row_new(struct pr_memory *mem, const struct pr_row_spec *spec);
/* Unmaps it. -ENOENT. */
int pr_row_free(struct pr_memory *mem, int row, unsigned cpu);

enum pr_touch { PR_TOUCH_HIT, PR_TOUCH_MINOR, PR_TOUCH_MAJOR };
/*
 * A CPU reads or writes a page: enum pr_touch, or -ENOENT, -EFAULT (behind its end), -ENOMEM (the
 * page could not be had).
 */
int pr_row_touch(struct pr_memory *mem, int row, uint64_t page, bool write, unsigned cpu);
/* Gives one page back (MADV_DONTNEED). 0, -ENOENT, -EFAULT. */
int pr_row_punch(struct pr_memory *mem, int row, uint64_t page, unsigned cpu);
/* Pages may not be taken away, or may again; those not in memory come in. As pr_row_touch(). */
int pr_row_mlock(struct pr_memory *mem, int row, bool lock, unsigned cpu);
/* The frame, or PFN_NONE; *swapped: it has a place in swap. */
pfn_t pr_row_pfn(const struct pr_memory *mem, int row, uint64_t page, bool *swapped);

struct pr_row_stat {
	uint64_t pages, resident, swapped, locked, minor, major;
	unsigned flags;
};
int pr_row_stat(const struct pr_memory *mem, int row, struct pr_row_stat *s);
/* Which row and page a frame belongs to; false if to none. */
bool pr_memory_find(const struct pr_memory *mem, pfn_t pfn, int *row, uint64_t *page);

/* Writes that are under way; and up to n of them end, the oldest first. How many. */
uint64_t pr_memory_in_flight(const struct pr_memory *mem);
uint64_t pr_memory_complete(struct pr_memory *mem, uint64_t n);
/* A disk that has at most so many writes under way: one more ends the oldest. 0: any number. */
void pr_memory_set_depth(struct pr_memory *mem, uint64_t depth);

#endif
