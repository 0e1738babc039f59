/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tasks: simulated processes that only use memory: mkdir tasks/NAME makes one, its control file
 * maps rows of pages and touches them, rmdir or `exit` ends it. There is no host memory behind
 * the pages; what is written to swap or file takes no room and is done a moment later.
 *
 * All is called under rig.lock.
 */
#ifndef TASKS_H
#define TASKS_H

#include "tree/tree.h"

/* The memory of all tasks; 0 or -ENOMEM. And its end. */
int tasks_init(void);
void tasks_exit(void);
/* Writes that are under way end. kswapd calls it between its steps. */
void tasks_writeback(void);
/* pr_host.throttle: reclaim waits for writes. */
void tasks_throttle(void *ctx, unsigned node, enum pr_throttle reason, unsigned usec);

struct task;
struct task *task_find(const char *name);
void tasks_list(void (*add)(void *ctx, const char *name), void *ctx);
/* "NAME mapping N page N" of a frame of a task's; false if it is none's. */
bool task_print_owner(pfn_t pfn, FILE *to);

int task_make(const char *name);   /* 0, -EEXIST, -ENOMEM, -EINVAL */
int task_remove(const char *name); /* 0, -ENOENT */
int task_maps(const struct place *at, FILE *to);
int task_stat(const struct place *at, FILE *to);
int task_control(const struct place *at, char *line, FILE *reply, char *why);

#endif
