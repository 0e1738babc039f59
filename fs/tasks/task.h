/* SPDX-License-Identifier: GPL-2.0-or-later */
/* task.h: what the files of this room share. */
#ifndef TASK_H
#define TASK_H

#include "tasks/tasks.h"

#include <pagerig/memory.h>

#define FIRST_ADDRESS 0x7f0000000000ull

struct mapping {
	uint64_t start, pages; /* address, length */
	unsigned flags;	       /* enum pr_row_flag */
	int row;
	bool live;
};

struct task {
	struct task *next;
	unsigned pid, nr;
	uint64_t next_address;
	uint64_t minor, major; /* faults in mappings that are gone */
	struct mapping *mapping;
	char name[NAME_MAX_LEN + 1];
};

extern struct pr_memory *tasks_memory;
/* Gives its memory back and forgets it. */
void task_end(struct task *t);

#endif
