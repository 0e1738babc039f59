/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shape.c: a machine in a few words: [NODESx]SIZE[,cpus=N][,movable=P%][,distance=A:B:…]. Zones are
 * those of x86-64: DMA to 16 MiB, DMA32 to 4 GiB, Normal, and a share of each node Movable.
 */
#include <pagerig/lab.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DMA_END = (16 << 20) / PR_PAGE_SIZE,
	MIN_NODE_PAGES = (1 << 20) / PR_PAGE_SIZE * 4,
};
#define DMA32_END ((pfn_t)(4ull << 30) / PR_PAGE_SIZE)
#define MAX_PAGES ((uint64_t)(16ull << 40) / PR_PAGE_SIZE)

struct shape {
	uint64_t nodes, pages, cpus, movable; /* movable: per cent */
	uint8_t distance[PR_MAX_NODES * PR_MAX_NODES];
	unsigned nr_distances, given; /* given: bit i: keys[i] was there */
	char *why;
	size_t size;
};

static int refuse(struct shape *s, int err, const char *what, const char *word)
{
	snprintf(s->why, s->size, "%s: '%s'", what, word);
	return err;
}

/* A whole number at *p, at least min; moves *p behind it. */
static bool number(const char **p, uint64_t min, uint64_t *n)
{
	char *end;

	if (!isdigit((unsigned char)**p))
		return false;
	errno = 0;
	*n = strtoull(*p, &end, 10);
	*p = end;
	return !errno && *n >= min;
}

static int parse_size(struct shape *s, const char *word)
{
	static const char units[] = "KMGT";
	const char *p = word, *unit;
	uint64_t n;

	s->nodes = 1;
	if (!number(&p, 1, &n))
		return refuse(s, -EINVAL,
			      "a machine is [NODESx]SIZE such as 1G or 2x4G, 'host' or a folder",
			      word);
	if (*p == 'x') {
		s->nodes = n;
		p++;
		if (n > PR_MAX_NODES)
			return refuse(s, -ERANGE, "at most 64 nodes", word);
		if (!number(&p, 1, &n))
			return refuse(s, -EINVAL,
				      "behind NODESx comes the size of each node, such as 2x4G",
				      word);
	}
	unit = *p ? strchr(units, toupper((unsigned char)*p)) : NULL;
	if (!unit)
		return refuse(s, -EINVAL, "a size is a whole number with K, M, G or T", word);
	if (p[1])
		return refuse(s, -EINVAL, "behind a size comes ',' or the end", word);
	if (n > UINT64_MAX >> (10 * (unit - units + 1)))
		return refuse(s, -ERANGE, "at most 16T of memory", word);
	s->pages = (n << (10 * (unit - units + 1))) / PR_PAGE_SIZE;
	if (s->pages > MAX_PAGES / s->nodes)
		return refuse(s, -ERANGE, "at most 16T of memory", word);
	if (s->pages < MIN_NODE_PAGES)
		return refuse(s, -ERANGE, "a node has at least 4M", word);
	return 0;
}

static int set_cpus(struct shape *s, const char *value, const char *word)
{
	if (!number(&value, 1, &s->cpus) || *value)
		return refuse(s, -EINVAL, "cpus is a number from 1 to 256", word);
	return s->cpus > PR_MAX_CPUS ? refuse(s, -ERANGE, "cpus is at most 256", word) : 0;
}

static int set_movable(struct shape *s, const char *value, const char *word)
{
	if (!number(&value, 0, &s->movable) || strcmp(value, "%") || s->movable > 90)
		return refuse(s, -EINVAL, "movable is a share from 0% to 90%", word);
	return 0;
}

static int set_distance(struct shape *s, const char *value, const char *word)
{
	uint64_t n;

	for (;; value++) {
		if (s->nr_distances == sizeof(s->distance) || !number(&value, 10, &n) || n > 254)
			return refuse(s, -EINVAL, "distance is a row of numbers from 10 to 254",
				      word);
		s->distance[s->nr_distances++] = (uint8_t)n;
		if (!*value)
			break;
		if (*value != ':')
			return refuse(s, -EINVAL, "distances are separated by ':'", word);
	}
	if (s->nr_distances != s->nodes * s->nodes) {
		snprintf(s->why, s->size,
			 "distance needs %u numbers with ':' between them, row by row as "
			 "10:20:20:10 for two nodes, not %u: '%s'",
			 (unsigned)(s->nodes * s->nodes), s->nr_distances, word);
		return -EINVAL;
	}
	for (unsigned i = 0; i < s->nodes; i++)
		if (s->distance[i * s->nodes + i] != 10)
			return refuse(s, -EINVAL, "a node's distance to itself is 10", word);
	return 0;
}

static const struct key {
	const char *name;
	int (*set)(struct shape *s, const char *value, const char *word);
} keys[] = {{"cpus=", set_cpus}, {"movable=", set_movable}, {"distance=", set_distance}};

static int parse_word(struct shape *s, const char *word)
{
	struct pr_near near = {.word = word, .len = strcspn(word, "=")};

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strncmp(word, keys[i].name, strlen(keys[i].name))) {
			if (s->given & 1u << i)
				return refuse(s, -EINVAL, "given twice", word);
			s->given |= 1u << i;
			return keys[i].set(s, word + strlen(keys[i].name), word);
		}
	if (!*word)
		return refuse(s, -EINVAL, "nothing between commas, or behind the last", word);
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		pr_near_try(&near, keys[i].name);
	snprintf(s->why, s->size, "unknown word '%s'; the nearest is %s", word, near.name);
	return -EINVAL;
}

static void add_zone(struct pr_spec *spec, unsigned node, enum zone_type type, pfn_t from, pfn_t to)
{
	struct pr_zone_spec *z = &spec->zone[spec->nr_zones];

	if (to <= from)
		return;
	*z = (struct pr_zone_spec){.node = node,
				   .type = type,
				   .start_pfn = from,
				   .spanned = to - from,
				   .present = to - from,
				   .managed = to - from};
	spec->nr_zones++;
}

static pfn_t clamp(pfn_t v, pfn_t lo, pfn_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static void add_node(struct pr_spec *spec, const struct shape *s, unsigned node)
{
	/* frame 0 is the firmware's, as on any PC */
	pfn_t start = node ? node * s->pages : 1, end = (node + 1ull) * s->pages;
	pfn_t movable = end - s->pages * s->movable / 100 / PAGEBLOCK_PAGES * PAGEBLOCK_PAGES;

	add_zone(spec, node, ZONE_DMA, start, clamp(DMA_END, start, movable));
	add_zone(spec, node, ZONE_DMA32, clamp(DMA_END, start, movable),
		 clamp(DMA32_END, start, movable));
	add_zone(spec, node, ZONE_NORMAL, clamp(DMA32_END, start, movable), movable);
	add_zone(spec, node, ZONE_MOVABLE, movable, end);
}

static int build(const struct shape *s, struct pr_spec *spec)
{
	memset(spec, 0, sizeof(*spec));
	spec->zone = calloc(s->nodes * NR_ZONE_TYPES, sizeof(*spec->zone));
	if (!spec->zone)
		return -ENOMEM;
	spec->nr_nodes = (uint32_t)s->nodes;
	spec->nr_cpus = (uint32_t)(s->cpus ? s->cpus : s->nodes);
	for (unsigned n = 0; n < s->nodes; n++)
		add_node(spec, s, n);
	for (unsigned c = 0; c < spec->nr_cpus; c++)
		spec->cpu_node[c] = (uint32_t)(c * s->nodes / spec->nr_cpus);
	for (unsigned i = 0; i < s->nr_distances; i++)
		spec->distance[i / s->nodes][i % s->nodes] = s->distance[i];
	spec->sysctl = (struct sysctl_vm){.user_min_free_kbytes = -1,
					  .watermark_scale_factor = 10,
					  .watermark_boost_factor = 15000,
					  .lowmem_reserve_ratio = {256, 256, 32, 0},
					  .thp = 0};
	/* khugepaged starts, and raises min_free_kbytes, from 512 MiB on */
	spec->sysctl.thp = s->nodes * s->pages >= (512u << 20) / PR_PAGE_SIZE;
	return 0;
}

int pr_spec_parse(const char *shape, struct pr_spec *spec, char *why, size_t size)
{
	struct shape s = {.why = why, .size = size};
	char *copy = strdup(shape), *rest = copy, *word;
	int err = copy ? 0 : -ENOMEM;

	for (bool first = true; !err && (word = strsep(&rest, ",")); first = false)
		err = first ? parse_size(&s, word) : parse_word(&s, word);
	if (!err)
		err = build(&s, spec);
	free(copy);
	return err;
}

void pr_spec_free(struct pr_spec *spec)
{
	free(spec->zone);
	spec->zone = NULL;
}
