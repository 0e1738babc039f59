/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tasks.c: the tasks and what can be read of them. */
#include "tasks/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

struct pr_memory *tasks_memory;
static struct task *first;
static unsigned last_pid;

int tasks_init(void)
{
	tasks_memory = pr_memory_new(&rig.m);
	if (!tasks_memory)
		return -ENOMEM;
	rig.m.host.throttle = tasks_throttle;
	/* as much as there is: the areas hold what shm/ swaps, tasks' pages only count */
	return pr_swap_resize(&rig.m, rig.swap_total);
}

void tasks_exit(void)
{
	while (first)
		task_end(first);
	pr_memory_free(tasks_memory);
	tasks_memory = NULL;
}

void tasks_writeback(void)
{
	pr_memory_complete(tasks_memory, UINT64_MAX);
}

void tasks_throttle(void *, unsigned, enum pr_throttle, unsigned)
{
	tasks_writeback();
}

struct task *task_find(const char *name)
{
	struct task *t = first;

	while (t && strcmp(t->name, name))
		t = t->next;
	return t;
}

void tasks_list(void (*add)(void *ctx, const char *name), void *ctx)
{
	for (const struct task *t = first; t; t = t->next)
		add(ctx, t->name);
}

int task_make(const char *name)
{
	struct task *t, **at = &first;

	if (strlen(name) > NAME_MAX_LEN)
		return -ENAMETOOLONG;
	if (task_find(name))
		return -EEXIST;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	strcpy(t->name, name);
	t->pid = ++last_pid;
	t->next_address = FIRST_ADDRESS;
	while (*at)
		at = &(*at)->next;
	*at = t;
	return 0;
}

void task_end(struct task *t)
{
	struct task **at = &first;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	for (unsigned i = 0; i < t->nr; i++)
		if (t->mapping[i].live)
			(void)pr_row_free(tasks_memory, t->mapping[i].row, 0);
	free(t->mapping);
	free(t);
}

int task_remove(const char *name)
{
	struct task *t = task_find(name);

	if (!t)
		return -ENOENT;
	task_end(t);
	return 0;
}

/* As /proc/PID/maps; what is behind the device and inode columns is the mapping's number. */
int task_maps(const struct place *at, FILE *to)
{
	const struct task *t = task_find(at->name);

	for (unsigned i = 0; t && i < t->nr; i++) {
		const struct mapping *m = &t->mapping[i];

		if (m->live)
			fprintf(to, "%012llx-%012llx rw%cp 00000000 00:00 %u %26s mapping %u\n",
				(ull)m->start, (ull)(m->start + m->pages * PR_PAGE_SIZE),
				m->flags & PR_ROW_EXEC ? 'x' : '-', m->flags & PR_ROW_FILE ? i + 1 : 0,
				m->flags & PR_ROW_FILE ? "file" : "", i);
	}
	return t ? 0 : -ENOENT;
}

int task_stat(const struct place *at, FILE *to)
{
	const struct task *t = task_find(at->name);
	struct pr_row_stat sum = {0}, s;
	ull file = 0;

	if (!t)
		return -ENOENT;
	for (unsigned i = 0; i < t->nr; i++) {
		if (!t->mapping[i].live || pr_row_stat(tasks_memory, t->mapping[i].row, &s))
			continue;
		sum.pages += s.pages;
		sum.resident += s.resident;
		sum.swapped += s.swapped;
		sum.locked += s.locked;
		sum.minor += s.minor;
		sum.major += s.major;
		file += t->mapping[i].flags & PR_ROW_FILE ? s.resident : 0;
	}
	fprintf(to, "pid %u\nsize %llu\nresident %llu\nanon %llu\nfile %llu\nswapped %llu\nlocked %llu\n"
		    "minor_faults %llu\nmajor_faults %llu\n",
		t->pid, (ull)sum.pages, (ull)sum.resident, (ull)sum.resident - file, file,
		(ull)sum.swapped, (ull)sum.locked, (ull)(sum.minor + t->minor),
		(ull)(sum.major + t->major));
	return 0;
}

bool task_print_owner(pfn_t pfn, FILE *to)
{
	uint64_t page;
	int row;

	if (!tasks_memory || !pr_memory_find(tasks_memory, pfn, &row, &page))
		return false;
	for (const struct task *t = first; t; t = t->next)
		for (unsigned i = 0; i < t->nr; i++)
			if (t->mapping[i].live && t->mapping[i].row == row) {
				name_print(t->name, to);
				fprintf(to, " mapping %u page %llu", i, (ull)page);
				return true;
			}
	return false;
}
