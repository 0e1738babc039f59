/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user.c: what user space did in a recording: mappings of anonymous memory whose pages are faulted
 * in one by one on a node, holes punched into them, and writes to sysctl and sysfs files.
 */
#include "golden.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 16, INDEX_BITS = 24, OWNER_USER = 1u << 31 };

struct words {
	char *word[MAX_WORDS];
	unsigned nr;
};

static long number(const struct words *w, unsigned i)
{
	return i < w->nr ? strtol(w->word[i], NULL, 0) : 0;
}

static struct mapping *mapping_of(struct golden *g, const struct words *w)
{
	return &g->map[(unsigned long)number(w, 1) % MAX_MAPS];
}

static void unmap_page(struct golden *g, struct mapping *map, unsigned long i)
{
	pr_lru_drain(&g->m, g->cpu);
	if (map->pfn[i] != PFN_NONE && pr_free(&g->m, map->pfn[i], 0, g->cpu))
		printf("%s: user page %llx was refused\n", g->name,
		       (unsigned long long)map->pfn[i]);
	map->pfn[i] = PFN_NONE;
}

/* mmap ID KB NODE [notouch] */
static void user_mmap(struct golden *g, const struct words *w)
{
	struct mapping *map = mapping_of(g, w);
	bool touch = w->nr < 5 || strcmp(w->word[4], "notouch");
	struct pr_request r = PR_REQUEST(0, GFP_HIGHUSER_MOVABLE | __GFP_ZERO);
	unsigned long i;

	free(map->pfn);
	map->pages = (unsigned long)number(w, 2) / 4;
	map->pfn = calloc(map->pages + 1, sizeof(*map->pfn));
	for (i = 0; i < map->pages; i++)
		map->pfn[i] = PFN_NONE;
	r.node = (int)number(w, 3);
	r.nodemask = 1ull << r.node;
	r.cpu = g->cpu;
	for (i = 0; touch && i < map->pages; i++) {
		r.owner = OWNER_USER | (uint32_t)(map - g->map) << INDEX_BITS | (uint32_t)i;
		if (pr_alloc(&g->m, &r, &map->pfn[i]) || pr_lru_add(&g->m, map->pfn[i], g->cpu))
			break;
	}
	golden_emitf(g, "MMAP touched=%lu", i);
}

static void user_munmap(struct golden *g, const struct words *w)
{
	struct mapping *map = mapping_of(g, w);

	for (unsigned long i = 0; i < map->pages; i++)
		unmap_page(g, map, i);
	map->pages = 0;
}

/* punch ID FIRST STEP */
static void user_punch(struct golden *g, const struct words *w)
{
	struct mapping *map = mapping_of(g, w);
	long step = number(w, 3) > 0 ? number(w, 3) : 1, n = 0;

	for (unsigned long i = (unsigned long)number(w, 2); i < map->pages;
	     i += (unsigned long)step, n++)
		unmap_page(g, map, i);
	golden_emitf(g, "PUNCH n=%ld", n);
}

/* punchrnd ID SEED PERCENT: the generator is the recording program's */
static void user_punchrnd(struct golden *g, const struct words *w)
{
	struct mapping *map = mapping_of(g, w);
	unsigned long long state = (unsigned long long)number(w, 2);
	long n = 0;

	for (unsigned long i = 0; i < map->pages; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		if ((unsigned)(state >> 33) % 100 >= (unsigned)number(w, 3))
			continue;
		unmap_page(g, map, i);
		n++;
	}
	golden_emitf(g, "PUNCH n=%ld", n);
}

static void user_pagemap(struct golden *g, const struct words *w)
{
	const struct mapping *map = mapping_of(g, w);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "PM %s", w->word[1]);
	for (unsigned long i = 0; i < map->pages; i++)
		if (map->pfn[i] == PFN_NONE)
			fprintf(f, " -");
		else
			fprintf(f, " %llx", (unsigned long long)map->pfn[i]);
	fclose(f);
	golden_emit(g, text);
	free(text);
}

/* All nodes; those that the recording leaves out are busy, too. */
static void compact_all(struct golden *g)
{
	pr_compact_memory(&g->m, g->cpu);
	for (unsigned n = 0; n < g->m.arena->nr_nodes; n++) {
		bool known = false;

		for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
			known |= g->m.nodes[n].zone[t] >= 0;
		g->elsewhere |= !known;
	}
}

/* sysctl NAME VALUE…, echo FILE VALUE… */
static void user_write(struct golden *g, const struct words *w)
{
	const char *name = w->nr > 1 ? w->word[1] : "";
	char value[128] = "";
	unsigned node;

	for (unsigned i = 2; i < w->nr; i++)
		snprintf(value + strlen(value), sizeof(value) - strlen(value), "%s%s",
			 i > 2 ? " " : "", w->word[i]);
	if (!strncmp(name, "/proc/sys/vm/", 13))
		name += 13;
	if (sscanf(name, "/sys/devices/system/node/node%u/compact", &node) == 1)
		pr_compact_node(&g->m, node, g->cpu);
	else if (!strcmp(name, "compact_memory"))
		compact_all(g);
	else if (strcmp(name, "stat_interval") && pr_sysctl_store(&g->m, name, value))
		golden_emitf(g, "(%s was refused)", name);
}

static void user_nothing(struct golden *, const struct words *)
{
}

static const struct {
	const char *name;
	void (*run)(struct golden *g, const struct words *w);
} commands[] = {
	{"mmap", user_mmap},	     {"munmap", user_munmap},	{"punch", user_punch},
	{"punchrnd", user_punchrnd}, {"pagemap", user_pagemap}, {"sysctl", user_write},
	{"echo", user_write},	     {"sleep", user_nothing},	{"protect", user_nothing},
};

void golden_user_command(struct golden *g, const char *line)
{
	char *copy = strdup(line), *rest = copy, *word;
	struct words w = {.nr = 0};
	unsigned i, n = sizeof(commands) / sizeof(commands[0]);

	while ((word = strsep(&rest, " ")) && w.nr < MAX_WORDS)
		if (*word)
			w.word[w.nr++] = word;
	for (i = 0; i < n && w.nr; i++)
		if (!strcmp(w.word[0], commands[i].name)) {
			commands[i].run(g, &w);
			break;
		}
	if (i == n)
		golden_emit(g, "(user space did what this runner can't)");
	free(copy);
}

/* Page tables point to the new frame. */
static int migrate(void *ctx, uint32_t owner, pfn_t from, pfn_t to, unsigned)
{
	struct golden *g = ctx;
	struct mapping *map = &g->map[(owner & ~OWNER_USER) >> INDEX_BITS];
	uint32_t i = owner & ((1u << INDEX_BITS) - 1);

	if (!(owner & OWNER_USER) || i >= map->pages || map->pfn[i] != from)
		return -EBUSY;
	map->pfn[i] = to;
	return 0;
}

void golden_user_init(struct golden *g)
{
	g->m.host.ctx = g;
	g->m.host.migrate = migrate;
}

void golden_user_free(struct golden *g)
{
	for (unsigned i = 0; i < MAX_MAPS; i++)
		free(g->map[i].pfn);
}
