/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boots-run [-v] FILE…: recorded boots (.txt, or .tar.xz of them). From the header line (CPUs of the
 * nodes, boot options) and the size of each zone the engine makes a machine; then every number that
 * the kernel printed of limits is compared, after the boot and after each sysctl that was written.
 */
#include <pagerig/alloc.h>

#include "files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stdio.h>

typedef unsigned long long ull;

/*
 * The recorded kernel gives memory of its start back after the limits were worked out: its init
 * sections and the gap behind its read-only data (832 and 900 KiB by its own log) where it lies, and
 * its initial file system, which the boot loader put below the end of low memory.
 */
enum {
	IMAGE_PFN = 0x1000,   /* 16 MiB */
	IMAGE_PAGES = 433,
	INITRD_PAGES = 225,
	INITRD_TOP = 0x80000, /* the loader stays below 2 GiB, */
	ACPI_PAGES = 0x20,    /* and leaves the firmware's tables their place */
};

struct boot {
	const char *name;
	char **line;
	unsigned nr, at, differences;
	struct pr_machine m;
	struct node *node; /* those that the lines are about, or NULL */
	struct zone *z;
	struct pr_spec spec;
	struct pr_zone_spec zone[PR_MAX_NODES * NR_ZONE_TYPES];
};

static unsigned exact, total, show = 1;

static bool starts(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

static void differs(struct boot *b, const char *what, const char *expected, const char *got)
{
	if (b->differences++ < show)
		printf("differs %s %u: expected %s %.*s, got %s\n", b->name, b->at + 1, what,
		       (int)strcspn(expected, "\n"), expected, got);
}

static void compare_number(struct boot *b, const char *what, const char *expected, ull ours)
{
	char text[32], *end;

	snprintf(text, sizeof(text), "%llu", ours);
	if (strtoull(expected, &end, 10) != ours || end == expected)
		differs(b, what, expected, text);
}

/* The number behind " key=" of the line; that there is none differs, too. */
static void compare_key(struct boot *b, const char *key, ull ours)
{
	char with[40];
	const char *p;

	snprintf(with, sizeof(with), " %s=", key);
	p = strstr(b->line[b->at], with);
	compare_number(b, key, p ? p + strlen(with) : "(nothing)", ours);
}

static ull number(const char *line, const char *key, int base)
{
	char with[40];
	const char *p;

	snprintf(with, sizeof(with), " %s=", key);
	p = strstr(line, with);
	return p ? strtoull(p + strlen(with), NULL, base) : 0;
}

/* "nodes=[(384, '0-1'), (128, '')] smp=2" */
static void read_nodes(struct boot *b, const char *header)
{
	const char *p = strstr(header, "nodes=["), *end = strstr(header, "] smp=");

	if (!p || !end)
		return;
	b->spec.nr_cpus = (uint32_t)strtoul(end + 6, NULL, 10);
	while ((p = strstr(p, ", '")) && p < end) {
		unsigned from, to, n = sscanf(p, ", '%u-%u'", &from, &to);

		if (n == 1)
			to = from;
		for (unsigned c = from; n >= 1 && c <= to && c < PR_MAX_CPUS; c++)
			b->spec.cpu_node[c] = b->spec.nr_nodes;
		b->spec.nr_nodes++;
		p++;
	}
}

/* The zones as the first dump has them; 0 or -1. */
static int read_zones(struct boot *b)
{
	for (unsigned i = 0; i < b->nr && !starts(b->line[i], "# AFTER") &&
			     !starts(b->line[i], "# RECALC"); i++) {
		const char *l = b->line[i];

		if (!starts(l, "ZONE ") || !strstr(l, " managed="))
			continue;
		b->zone[b->spec.nr_zones++] = (struct pr_zone_spec){
			.node = (uint32_t)number(l, "node", 10),
			.type = (enum zone_type)atoi(l + 5),
			.start_pfn = number(l, "start", 16),
			.spanned = number(l, "spanned", 10),
			.present = number(l, "present", 10),
			.managed = number(l, "managed", 10),
			.cma = number(l, "cma", 10),
		};
	}
	return b->spec.nr_zones && b->spec.nr_nodes && b->spec.nr_cpus ? 0 : -1;
}

static int zone_at(const struct boot *b, pfn_t pfn)
{
	for (unsigned i = 0; i < b->spec.nr_zones; i++)
		if (pfn >= b->zone[i].start_pfn && pfn < b->zone[i].start_pfn + b->zone[i].spanned)
			return (int)i;
	return -1;
}

/* Last frame that the initial file system can have: mopt or the chip set ends low memory. */
static pfn_t initrd_last(const struct boot *b, const char *header)
{
	const char *p = strstr(header, "max-ram-below-4g=");
	pfn_t low = 0, limit = p ? strtoull(p + 17, NULL, 10) << (30 - PR_PAGE_SHIFT) : 0xe0000;

	if (p && strchr("Mm", p[17 + strspn(p + 17, "0123456789")]))
		limit >>= 10;
	for (unsigned i = 0; i < b->spec.nr_zones; i++) {
		pfn_t end = b->zone[i].start_pfn + b->zone[i].spanned;

		if (b->zone[i].start_pfn < limit && end > low)
			low = end;
	}
	low = low < limit ? low : limit;
	return (low - ACPI_PAGES < INITRD_TOP ? low - ACPI_PAGES : INITRD_TOP) - 1;
}

/* A machine at the moment when the limits are worked out, and then what it gets back. 0 or -1. */
static int boot(struct boot *b)
{
	static const struct {
		const char *option;
		int thp;
	} options[] = {{"transparent_hugepage=never", 0}, {"transparent_hugepage=", 1}, {"", 1}};
	const char *header = b->line[0];
	int image = zone_at(b, IMAGE_PFN), initrd = zone_at(b, initrd_last(b, header));
	size_t size;
	unsigned o = 0;
	void *arena;

	if (image < 0 || initrd < 0)
		return -1;
	while (!strstr(header, options[o].option))
		o++;
	b->spec.sysctl = PR_SYSCTL_DEFAULTS;
	b->spec.sysctl.thp = options[o].thp;
	b->spec.zone = b->zone;
	b->spec.pages_by_hand = true;
	b->zone[image].managed -= IMAGE_PAGES;
	b->zone[initrd].managed -= INITRD_PAGES;
	size = pr_machine_size(&b->spec);
	arena = size ? calloc(1, size) : NULL;
	return !arena || pr_machine_create(&b->m, arena, size, &b->spec) ||
			       pr_limits_managed(&b->m, (unsigned)image, IMAGE_PAGES) ||
			       pr_limits_managed(&b->m, (unsigned)initrd, INITRD_PAGES)
		       ? -1
		       : 0;
}

static void set_zone(struct boot *b, unsigned node, unsigned type)
{
	int32_t z = node < b->m.arena->nr_nodes && type < NR_ZONE_TYPES ? b->m.nodes[node].zone[type]
									 : -1;

	b->z = z >= 0 ? &b->m.zones[z] : NULL;
}

/* "! sysctl NAME VALUE…" writes; "! rewrite NAME" writes what it reads. */
static void line_write(struct boot *b, const char *l)
{
	char name[64], value[256] = "";
	bool again = sscanf(l, "! rewrite %63s", name) == 1;

	if (!again && sscanf(l, "! sysctl %63s %255[^\n]", name, value) != 2)
		return;
	if (again && pr_sysctl_show(&b->m, name, value, sizeof(value)) < 0)
		differs(b, name, "(a sysctl)", "none of that name");
	else if (pr_sysctl_store(&b->m, name, value))
		differs(b, name, value, "a refusal");
}

/* "vm.min_free_kbytes = 4019": of those that the engine has */
static void line_sysctl(struct boot *b, const char *l)
{
	char name[64], ours[128];
	int len, at = 0;

	if (sscanf(l, "vm.%63s = %n", name, &at) != 1 || !at)
		return;
	len = pr_sysctl_show(&b->m, name, ours, sizeof(ours));
	if (len < 0)
		return;
	ours[strcspn(ours, "\n")] = 0;
	for (char *p = ours; (p = strchr(p, '\t'));)
		*p = ' ';
	if (strcmp(l + at, ours))
		differs(b, name, l + at, ours);
}

static void line_protection(struct boot *b, const char *l)
{
	char ours[128];
	const uint64_t *r = b->z->lowmem_reserve;

	snprintf(ours, sizeof(ours), "(%llu, %llu, %llu, %llu)", (ull)r[0], (ull)r[1], (ull)r[2], (ull)r[3]);
	if (strcmp(strchr(l, '('), ours))
		differs(b, "protection", strchr(l, '('), ours);
}

/*
 * A line of /proc/zoneinfo in a populated zone. The boost is no limit but what allocations left
 * behind: it is taken over, and is in all the marks that follow it.
 */
static void line_zoneinfo(struct boot *b, const char *l)
{
	struct zone *z = b->z;
	const uint64_t boost = z->watermark_boost;
	const struct {
		const char *head;
		ull ours;
	} known[] = {
		{"        min      ", z->watermark[WMARK_MIN] + boost},
		{"        low      ", z->watermark[WMARK_LOW] + boost},
		{"        high     ", z->watermark[WMARK_HIGH] + boost},
		{"        promo    ", z->watermark[WMARK_PROMO] + boost},
		{"        spanned  ", z->spanned}, {"        present  ", z->present},
		{"        managed  ", z->managed},
		{"        cma      ", z->cma}, {"              batch: ", (ull)z->pcp_batch},
		{"  vm stats threshold: ", (ull)pr_pcp(&b->m, z, 0)->stat_threshold},
		{"  start_pfn:           ", z->start_pfn},
	};

	if (starts(l, "        boost    "))
		z->watermark_boost = strtoull(l + 17, NULL, 10);
	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (starts(l, known[i].head))
			compare_number(b, known[i].head + strspn(known[i].head, " "),
				       l + strlen(known[i].head), known[i].ours);
	if (starts(l, "        protection: ("))
		line_protection(b, l);
}

static void line_zonelist(struct boot *b, const char *l)
{
	const struct node *node = b->node ? b->node : b->m.nodes;
	const struct zoneref *e = strstr(l, "fallback") ? node->fallback : node->thisnode;
	char ours[2048];
	int len;

	len = snprintf(ours, sizeof(ours), " ZONELIST %s :",
		       e == node->fallback ? "fallback" : "thisnode");
	for (; e->zone != LINK_NONE && len < 1900; e++)
		len += snprintf(ours + len, sizeof(ours) - (size_t)len, " n%u/%s", e->node,
				pr_zone_name[e->type]);
	if (strcmp(l, ours))
		differs(b, "", l, ours);
}

static void dump_zone(struct boot *b, const char *l)
{
	const struct zone *z;

	set_zone(b, (unsigned)number(l, "node", 10), (unsigned)atoi(l + 5));
	z = b->z;
	if (strstr(l, " unpopulated ")) {
		if (z)
			differs(b, "ZONE", "unpopulated", "a zone");
		return;
	}
	if (!z) {
		differs(b, "ZONE", l, "none");
		return;
	}
	compare_key(b, "spanned", z->spanned);
	compare_key(b, "present", z->present);
	compare_key(b, "managed", z->managed);
	compare_key(b, "cma", z->cma);
}

static void dump_marks(struct boot *b, const char *)
{
	compare_key(b, "min", b->z->watermark[WMARK_MIN]);
	compare_key(b, "low", b->z->watermark[WMARK_LOW]);
	compare_key(b, "high", b->z->watermark[WMARK_HIGH]);
	compare_key(b, "promo", b->z->watermark[WMARK_PROMO]);
	compare_key(b, "drift_mark", b->z->drift_mark);
}

static void dump_protection(struct boot *b, const char *l)
{
	const uint64_t *r = b->z->lowmem_reserve;
	char ours[128];

	snprintf(ours, sizeof(ours), " PROT %llu %llu %llu %llu", (ull)r[0], (ull)r[1], (ull)r[2],
		 (ull)r[3]);
	if (strcmp(l, ours))
		differs(b, "", l, ours);
}

static void dump_pageset(struct boot *b, const char *)
{
	compare_key(b, "high_min", (ull)b->z->pcp_high_min);
	compare_key(b, "high_max", (ull)b->z->pcp_high_max);
	compare_key(b, "batch", (ull)b->z->pcp_batch);
}

static void dump_pcp(struct boot *b, const char *l)
{
	unsigned cpu = (unsigned)number(l, "cpu", 10);
	const struct pcp *p;

	if (cpu >= b->m.arena->nr_cpus) {
		differs(b, "PCP", l, "no such CPU");
		return;
	}
	p = pr_pcp(&b->m, b->z, cpu);
	compare_key(b, "high_min", (ull)p->high_min);
	compare_key(b, "high_max", (ull)p->high_max);
	compare_key(b, "batch", (ull)p->batch);
	compare_key(b, "stat_threshold", (ull)p->stat_threshold);
}

static void dump_node(struct boot *b, const char *l)
{
	struct node *n = b->node = &b->m.nodes[(unsigned)atoi(l + 5) % b->m.arena->nr_nodes];

	b->z = NULL;
	compare_key(b, "spanned", n->spanned);
	compare_key(b, "present", n->present);
	compare_key(b, "totalreserve", n->totalreserve_pages);
}

/* "Node 0, zone    DMA32", and nothing behind: the head of a zone in zoneinfo */
static void zoneinfo_head(struct boot *b, const char *l)
{
	unsigned node, type = 0;
	char name[16], more;

	if (sscanf(l, "Node %u, zone %15s%c", &node, name, &more) != 2)
		return;
	while (type < NR_ZONE_TYPES && strcmp(pr_zone_name[type], name))
		type++;
	set_zone(b, node, type);
}

static const struct {
	const char *head;
	bool in_zone; /* only behind a line that names a populated zone */
	void (*run)(struct boot *b, const char *l);
} kinds[] = {
	{"! ", false, line_write},	  {"vm.", false, line_sysctl},	 {"Node ", false, zoneinfo_head},
	{"NODE ", false, dump_node},	  {" ZONELIST ", false, line_zonelist}, {"ZONE ", false, dump_zone},
	{" WMARK ", true, dump_marks},	  {" PROT ", true, dump_protection}, {" PAGESET ", true, dump_pageset},
	{" PCP ", true, dump_pcp},	  {"  ", true, line_zoneinfo},
};

static void compare_lines(struct boot *b)
{
	for (b->at = 1; b->at < b->nr; b->at++) {
		const char *l = b->line[b->at];

		if (starts(l, "END"))
			return;
		for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			if (starts(l, kinds[k].head) && (b->z || !kinds[k].in_zone)) {
				kinds[k].run(b, l);
				break;
			}
	}
	differs(b, "END", "END", "a recording that stops before");
}

static void run_file(const char *path)
{
	const char *base = strrchr(path, '/');
	char *text = files_read(path);
	struct boot b = {.name = base ? base + 1 : path};

	total++;
	if (!text) {
		printf("differs %s 0: it can't be read\n", path);
		return;
	}
	b.line = files_lines(text, &b.nr);
	if (b.nr)
		read_nodes(&b, b.line[0]);
	if (read_zones(&b) || boot(&b)) {
		printf("differs %s 1: no machine can be made of it\n", b.name);
	} else {
		compare_lines(&b);
		if (!b.differences) {
			printf("exact %s\n", b.name);
			exact++;
		}
	}
	free(b.m.arena);
	free(b.line);
	free(text);
}

int main(int argc, char **argv)
{
	int opt, broken;

	while ((opt = getopt(argc, argv, "v")) != -1) {
		if (opt != 'v')
			return 2;
		show = 20;
	}
	if (optind == argc) {
		fprintf(stderr, "usage: boots-run [-v] FILE.txt|FILE.tar.xz…\n");
		return 2;
	}
	broken = files_each(argv + optind, argc - optind, ".txt", run_file);
	printf("%u of %u exact\n", exact, total);
	return broken || exact != total || !total;
}
