/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wildcards.c: the names in paths that depend on the machine. */
#include "tree/tree.h"

#include "native/allocations.h"
#include "shm/shm.h"
#include "tasks/tasks.h"
#include "tracing/tracing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef void add_fn(void *ctx, const char *name);

/* A number as it is printed: no sign, no leading zeros. */
static bool plain_number(const char *text, unsigned long max, unsigned long *n)
{
	char again[24];

	*n = strtoul(text, NULL, 10);
	snprintf(again, sizeof(again), "%lu", *n);
	return !strcmp(text, again) && *n <= max;
}

static void add_numbers(unsigned n, const char *head, add_fn *add, void *ctx)
{
	char name[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s%u", head, i);
		add(ctx, name);
	}
}

static int parse_node(struct place *at, const char *name)
{
	unsigned long n;

	if (strncmp(name, "node", 4) || !plain_number(name + 4, rig.m.arena->nr_nodes - 1, &n))
		return -ENOENT;
	at->node = (int)n;
	return 0;
}

static void list_nodes(const struct place *, add_fn *add, void *ctx)
{
	add_numbers(rig.m.arena->nr_nodes, "node", add, ctx);
}

static int parse_zone(struct place *at, const char *name)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (!strcmp(name, pr_zone_name[t]) && rig.m.nodes[at->node].zone[t] >= 0) {
			at->zone = rig.m.nodes[at->node].zone[t];
			return 0;
		}
	return -ENOENT;
}

static void list_zones(const struct place *at, add_fn *add, void *ctx)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (rig.m.nodes[at->node].zone[t] >= 0)
			add(ctx, pr_zone_name[t]);
}

static void zone_link(const struct zone *z, char *name, size_t size)
{
	snprintf(name, size, "node%u-%s", z->node, pr_zone_name[z->type]);
}

static int parse_zone_link(struct place *at, const char *name)
{
	char other[64];

	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++) {
		zone_link(&rig.m.zones[i], other, sizeof(other));
		if (!strcmp(name, other)) {
			at->zone = (int)i;
			return 0;
		}
	}
	return -ENOENT;
}

static void list_zone_links(const struct place *, add_fn *add, void *ctx)
{
	char name[64];

	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++) {
		zone_link(&rig.m.zones[i], name, sizeof(name));
		add(ctx, name);
	}
}

static int parse_order(struct place *at, const char *name)
{
	unsigned long n;

	if (!plain_number(name, MAX_ORDER, &n))
		return -ENOENT;
	at->order = (int)n;
	return 0;
}

static void list_orders(const struct place *, add_fn *add, void *ctx)
{
	add_numbers(NR_ORDERS, "", add, ctx);
}

static int parse_type(struct place *at, const char *name)
{
	for (int t = 0; t < NR_MIGRATETYPES; t++)
		if (!strcmp(name, pr_migratetype_name[t])) {
			at->type = t;
			return 0;
		}
	return -ENOENT;
}

static void list_types(const struct place *, add_fn *add, void *ctx)
{
	for (int t = 0; t < NR_MIGRATETYPES; t++)
		add(ctx, pr_migratetype_name[t]);
}

static int parse_cpu(struct place *at, const char *name)
{
	unsigned long n;

	if (!plain_number(name, rig.m.arena->nr_cpus - 1, &n))
		return -ENOENT;
	at->cpu = (int)n;
	return 0;
}

static void list_cpus(const struct place *, add_fn *add, void *ctx)
{
	add_numbers(rig.m.arena->nr_cpus, "", add, ctx);
}

/* Frames can be looked up, in decimal or hexadecimal, but not listed: there are too many. */
static int parse_pfn(struct place *at, const char *name)
{
	char *end;

	errno = 0;
	at->pfn = strtoull(name, &end, 0);
	return errno || *name < '0' || *name > '9' || *end || !pr_zone_of(&rig.m, at->pfn) ? -ENOENT
											    : 0;
}

static void list_none(const struct place *, add_fn *, void *)
{
}

static int parse_allocation(struct place *at, const char *name)
{
	snprintf(at->name, sizeof(at->name), "%s", name);
	return allocation_find(name) ? 0 : -ENOENT;
}

static void list_allocations(const struct place *, add_fn *add, void *ctx)
{
	allocations_list(add, ctx);
}

static int parse_segment(struct place *at, const char *name)
{
	snprintf(at->name, sizeof(at->name), "%s", name);
	return shm_segment_exists(name) ? 0 : -ENOENT;
}

static void list_segments(const struct place *, add_fn *add, void *ctx)
{
	shm_segments_list(add, ctx);
}

static int parse_task(struct place *at, const char *name)
{
	snprintf(at->name, sizeof(at->name), "%s", name);
	return task_find(name) ? 0 : -ENOENT;
}

static void list_tasks(const struct place *, add_fn *add, void *ctx)
{
	tasks_list(add, ctx);
}

static int parse_sysctl(struct place *at, const char *name)
{
	snprintf(at->name, sizeof(at->name), "%s", name);
	for (unsigned i = 0; pr_sysctl_name(i); i++)
		if (!strcmp(name, pr_sysctl_name(i)))
			return 0;
	return -ENOENT;
}

static void list_sysctls(const struct place *, add_fn *add, void *ctx)
{
	for (unsigned i = 0; pr_sysctl_name(i); i++)
		add(ctx, pr_sysctl_name(i));
}

static int parse_system(struct place *at, const char *name)
{
	for (unsigned i = 0; tracing_system(i); i++)
		if (!strcmp(name, tracing_system(i))) {
			at->system = tracing_system(i);
			return 0;
		}
	return -ENOENT;
}

static void list_systems(const struct place *, add_fn *add, void *ctx)
{
	for (unsigned i = 0; tracing_system(i); i++)
		add(ctx, tracing_system(i));
}

static int parse_event(struct place *at, const char *name)
{
	at->event = pr_trace_find(at->system, name);
	return at->event < 0 ? -ENOENT : 0;
}

static void list_events(const struct place *at, add_fn *add, void *ctx)
{
	for (unsigned e = 0; e < NR_TRACE_EVENTS; e++)
		if (!strcmp(at->system, pr_trace_system(e)))
			add(ctx, pr_trace_name(e));
}

static int parse_cpu_dir(struct place *at, const char *name)
{
	return strncmp(name, "cpu", 3) ? -ENOENT : parse_cpu(at, name + 3);
}

static void list_cpu_dirs(const struct place *, add_fn *add, void *ctx)
{
	add_numbers(rig.m.arena->nr_cpus, "cpu", add, ctx);
}

static const struct wildcard wildcards[] = {
	{"{node}", parse_node, list_nodes},
	{"{zone}", parse_zone, list_zones},
	{"{zone-link}", parse_zone_link, list_zone_links},
	{"{order}", parse_order, list_orders},
	{"{type}", parse_type, list_types},
	{"{cpu}", parse_cpu, list_cpus},
	{"{pfn}", parse_pfn, list_none},
	{"{allocation}", parse_allocation, list_allocations},
	{"{segment}", parse_segment, list_segments},
	{"{task}", parse_task, list_tasks},
	{"{sysctl}", parse_sysctl, list_sysctls},
	{"{system}", parse_system, list_systems},
	{"{event}", parse_event, list_events},
	{"{cpu-dir}", parse_cpu_dir, list_cpu_dirs},
};

const struct wildcard *wildcard_find(const char *word, size_t len)
{
	for (unsigned i = 0; i < sizeof(wildcards) / sizeof(wildcards[0]); i++)
		if (strlen(wildcards[i].word) == len && !memcmp(wildcards[i].word, word, len))
			return &wildcards[i];
	return NULL;
}
