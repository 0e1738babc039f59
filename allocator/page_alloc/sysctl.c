/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl.c: proc/sys/vm of the engine: one table of names with Linux's ranges and what a write
 * recalculates (mm/page_alloc.c: page_alloc_sysctl_table and its handlers).
 */
#include <pagerig/alloc.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sysctl {
	const char *name;
	size_t offset;
	unsigned count;
	int min, max;
	void (*written)(struct pr_machine *m);
};

static void wrote_min_free(struct pr_machine *m)
{
	m->arena->sysctl.user_min_free_kbytes = m->arena->sysctl.min_free_kbytes;
	pr_limits_watermarks(m);
}

#define AT(field) offsetof(struct sysctl_vm, field)
static const struct sysctl table[] = {
	{"min_free_kbytes", AT(min_free_kbytes), 1, 0, INT32_MAX, wrote_min_free},
	{"watermark_boost_factor", AT(watermark_boost_factor), 1, 0, INT32_MAX, NULL},
	{"watermark_scale_factor", AT(watermark_scale_factor), 1, 1, 3000, pr_limits_watermarks},
	{"percpu_pagelist_high_fraction", AT(percpu_pagelist_high_fraction), 1, 0, INT32_MAX,
	 pr_limits_pcp},
	{"lowmem_reserve_ratio", AT(lowmem_reserve_ratio), NR_ZONE_TYPES, INT32_MIN, INT32_MAX,
	 pr_limits_lowmem_reserve},
	{"extfrag_threshold", AT(extfrag_threshold), 1, 0, 1000, NULL},
	{"compact_unevictable_allowed", AT(compact_unevictable_allowed), 1, 0, 1, NULL},
	{"swappiness", AT(swappiness), 1, 0, 200, NULL},
	{"zone_reclaim_mode", AT(zone_reclaim_mode), 1, 0, INT32_MAX, NULL},
	{"min_unmapped_ratio", AT(min_unmapped_ratio), 1, 0, 100, NULL},
	{"min_slab_ratio", AT(min_slab_ratio), 1, 0, 100, NULL},
	{"laptop_mode", AT(laptop_mode), 1, 0, INT32_MAX, NULL},
	{"compaction_proactiveness", AT(compaction_proactiveness), 1, 0, 100, NULL},
};
enum { NR_SYSCTLS = sizeof(table) / sizeof(table[0]), MIN_HIGH_FRACTION = 8 };

static const struct sysctl *find(const char *name)
{
	for (unsigned i = 0; i < NR_SYSCTLS; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

const char *pr_sysctl_name(unsigned i)
{
	return i < NR_SYSCTLS ? table[i].name : NULL;
}

int pr_sysctl_show(const struct pr_machine *m, const char *name, char *buf, size_t size)
{
	const struct sysctl *s = find(name);
	const int *value;
	int len = 0;

	if (!s)
		return -ENOENT;
	value = (const int *)((const char *)&m->arena->sysctl + s->offset);
	for (unsigned i = 0; i < s->count; i++)
		len += snprintf(buf + len, (size_t)len < size ? size - (size_t)len : 0, "%d%c",
				value[i], i + 1 < s->count ? '\t' : '\n');
	return len;
}

/* Up to count numbers; how many there were, or -EINVAL / -ERANGE. */
static int numbers(const char *text, const struct sysctl *s, int *value)
{
	unsigned n = 0;

	for (;;) {
		char *end;
		long v;

		text += strspn(text, " \t\n");
		if (!*text)
			break;
		if (n == s->count)
			return -EINVAL;
		errno = 0;
		v = strtol(text, &end, 0);
		if (end == text || (*end && !strchr(" \t\n", *end)))
			return -EINVAL;
		if (errno || v < s->min || v > s->max)
			return s->min > INT32_MIN ? -EINVAL : -ERANGE;
		value[n++] = (int)v;
		text = end;
	}
	return n ? (int)n : -EINVAL;
}

int pr_sysctl_store(struct pr_machine *m, const char *name, const char *text)
{
	const struct sysctl *s = find(name);
	int value[NR_ZONE_TYPES], n, *to;

	if (!s)
		return -ENOENT;
	n = numbers(text, s, value);
	if (n < 0)
		return n;
	/* too many CPUs' shares would be left without any room between batch and high */
	if (s->offset == AT(percpu_pagelist_high_fraction) && value[0] &&
	    value[0] < MIN_HIGH_FRACTION)
		return -EINVAL;
	to = (int *)((char *)&m->arena->sysctl + s->offset);
	for (int i = 0; i < n; i++)
		to[i] = s->offset == AT(lowmem_reserve_ratio) && value[i] < 1 ? 0 : value[i];
	if (s->written)
		s->written(m);
	return 0;
}
