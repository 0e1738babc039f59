/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.c: a machine in the state of a recording's first dump. */
#include "golden.h"

#include <stdlib.h>
#include <string.h>

long golden_number(const char *line, const char *key, int base)
{
	char with[40];
	const char *p;

	snprintf(with, sizeof(with), " %s=", key);
	p = strstr(line, with);
	return p ? strtol(p + strlen(with), NULL, base) : 0;
}

static bool starts(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

static bool is_zone(const char *line)
{
	return starts(line, "ZONE ") && strstr(line, " managed=");
}

/* CPUs of a node in the emulator's words: "nodeid=0,memdev=m0,cpus=0-1". */
static void cpu_nodes(const char *qemu, struct pr_spec *spec)
{
	for (const char *p = qemu; (p = strstr(p, "nodeid=")); p++) {
		unsigned node = (unsigned)strtoul(p + 7, NULL, 10), from, to;
		const char *end = strchr(p, ' '), *cpus = strstr(p, "cpus=");

		if (!cpus || (end && cpus > end) || sscanf(cpus, "cpus=%u", &from) != 1)
			continue;
		if (sscanf(cpus, "cpus=%u-%u", &from, &to) != 2)
			to = from;
		for (unsigned c = from; c <= to && c < PR_MAX_CPUS; c++)
			spec->cpu_node[c] = node;
	}
}

static unsigned max_u(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* Nodes that exist: those dumped, and those that a zonelist names. */
static unsigned nodes_in_list(const char *line)
{
	unsigned n = 0;

	for (const char *p = line; (p = strstr(p, " n")); p += 2)
		n = max_u(n, (unsigned)atoi(p + 2) + 1);
	return n;
}

static void read_spec(struct golden *g, struct pr_spec *spec, unsigned from, unsigned to)
{
	for (unsigned i = 0; i < from; i++)
		if (starts(g->line[i], "# qemu:"))
			cpu_nodes(g->line[i], spec);
	for (unsigned i = from; i < to; i++) {
		const char *l = g->line[i];

		if (starts(l, " ZONELIST"))
			spec->nr_nodes = max_u(spec->nr_nodes, nodes_in_list(l));
		if (starts(l, " PCP "))
			spec->nr_cpus = max_u(spec->nr_cpus, (unsigned)golden_number(l, "cpu", 10) + 1);
		if (!is_zone(l))
			continue;
		spec->zone[spec->nr_zones++] = (struct pr_zone_spec){
			.node = (uint32_t)golden_number(l, "node", 10),
			.type = (enum zone_type)atoi(l + 5),
			.start_pfn = (pfn_t)golden_number(l, "start", 16),
			.spanned = (uint64_t)golden_number(l, "spanned", 10),
			.present = (uint64_t)golden_number(l, "present", 10),
			.managed = (uint64_t)golden_number(l, "managed", 10),
			.cma = (uint64_t)golden_number(l, "cma", 10),
		};
	}
}

static enum migratetype type_of(char letter)
{
	const char *p = strchr(pr_migratetype_letter, letter);

	return p ? (enum migratetype)(p - pr_migratetype_letter) : MT_MOVABLE;
}

static void load_pcp(struct golden *g, struct zone *z, const char *l)
{
	struct pcp *p = pr_pcp(&g->m, z, (unsigned)golden_number(l, "cpu", 10));

	p->high = (int)golden_number(l, "high", 10);
	p->high_min = (int)golden_number(l, "high_min", 10);
	p->high_max = (int)golden_number(l, "high_max", 10);
	p->batch = (int)golden_number(l, "batch", 10);
	p->flags = (uint8_t)golden_number(l, "flags", 16);
	p->alloc_factor = (uint8_t)golden_number(l, "alloc_factor", 10);
	p->expire = (uint8_t)golden_number(l, "expire", 10);
	p->free_count = (int16_t)golden_number(l, "free_count", 10);
	p->stat_threshold = (int)golden_number(l, "stat_threshold", 10);
	p->free_diff = (int)golden_number(l, "diff_free", 10);
}

/* " FL order=1 mt=M : 10 20" and " PL cpu=0 order=0 mt=U : 30" */
static void load_list(struct golden *g, const char *l)
{
	unsigned order = (unsigned)golden_number(l, "order", 10);
	unsigned cpu = (unsigned)golden_number(l, "cpu", 10);
	const char *mt = strstr(l, " mt="), *p = strchr(l, ':');
	enum migratetype type = starts(mt, " mt=nonM") ? MT_UNMOVABLE : type_of(mt[4]);
	char *end;

	for (p++;; p = end) {
		pfn_t pfn = strtoull(p, &end, 16);

		if (end == p)
			break;
		if (starts(l, " FL"))
			pr_place_free(&g->m, pfn, order, type, true);
		else
			pr_place_pcp(&g->m, pfn, order, type, cpu);
	}
}

static void load_blocks(struct golden *g, const struct zone *z, const char *l)
{
	pfn_t pfn = (pfn_t)golden_number(l, "start", 16);

	for (const char *p = strchr(l, ':') + 1; *p; p++, pfn += PAGEBLOCK_PAGES) {
		pfn_t inside = pfn < z->start_pfn ? z->start_pfn : pfn;

		if (*p == '-')
			pr_set_block_absent(&g->m, inside);
		else
			pr_set_block_type(&g->m, inside, type_of(*p));
	}
}

static void load_compaction(struct compact_memory *c, const char *l)
{
	const char *second = strstr(l, " migrate_pfn=");

	second = second ? strchr(second, ',') : NULL;
	c->considered = (uint32_t)golden_number(l, "considered", 10);
	c->defer_shift = (uint32_t)golden_number(l, "defer_shift", 10);
	c->order_failed = (int)golden_number(l, "order_failed", 10);
	c->free_pfn = (pfn_t)golden_number(l, "free_pfn", 16);
	c->migrate_pfn[0] = (pfn_t)golden_number(l, "migrate_pfn", 16);
	c->migrate_pfn[1] = second ? strtoull(second + 1, NULL, 16) : 0;
	c->init_migrate_pfn = (pfn_t)golden_number(l, "init_migrate", 16);
	c->init_free_pfn = (pfn_t)golden_number(l, "init_free", 16);
	c->blockskip_flush = golden_number(l, "flush", 10);
}

static void load_skip(struct golden *g, const struct zone *z, const char *l)
{
	pfn_t pfn = z->start_pfn & ~(pfn_t)(PAGEBLOCK_PAGES - 1);

	for (const char *p = strchr(l, ':') + 1; *p; p++, pfn += PAGEBLOCK_PAGES)
		pr_set_block_skip(&g->m, z, pfn < z->start_pfn ? z->start_pfn : pfn, *p == '1');
}

static void load_zone_line(struct golden *g, struct zone *z, const char *l)
{
	if (starts(l, " WMARK")) {
		z->watermark[WMARK_MIN] = (uint64_t)golden_number(l, "min", 10);
		z->watermark[WMARK_LOW] = (uint64_t)golden_number(l, "low", 10);
		z->watermark[WMARK_HIGH] = (uint64_t)golden_number(l, "high", 10);
		z->watermark[WMARK_PROMO] = (uint64_t)golden_number(l, "promo", 10);
		z->watermark_boost = (uint64_t)golden_number(l, "boost", 10);
		z->drift_mark = (uint64_t)golden_number(l, "drift_mark", 10);
	} else if (starts(l, " PROT")) {
		char *p = (char *)l + 5;

		for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
			z->lowmem_reserve[t] = strtoull(p, &p, 10);
	} else if (starts(l, " HIGHATOMIC")) {
		z->reserved_highatomic = (uint64_t)golden_number(l, "reserved", 10);
	} else if (starts(l, " PAGESET")) {
		z->pcp_high_min = (int)golden_number(l, "high_min", 10);
		z->pcp_high_max = (int)golden_number(l, "high_max", 10);
		z->pcp_batch = (int)golden_number(l, "batch", 10);
	} else if (starts(l, " PCP ")) {
		load_pcp(g, z, l);
	} else if (starts(l, " FL ") || starts(l, " PL ")) {
		load_list(g, l);
	} else if (starts(l, " COMPACT ")) {
		load_compaction(&z->compact, l);
	} else if (starts(l, " SKIP ")) {
		load_skip(g, z, l);
	} else if (starts(l, " PB ")) {
		load_blocks(g, z, l);
	}
}

static void load_zonelist(struct golden *g, struct node *node, const char *l)
{
	struct zoneref *to = strstr(l, "fallback") ? node->fallback : node->thisnode;

	for (const char *p = l; (p = strstr(p, " n")); p += 2) {
		unsigned n = (unsigned)atoi(p + 2);
		const char *name = strchr(p + 1, '/') + 1;

		for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
			if (strlen(pr_zone_name[t]) == strcspn(name, " ") &&
			    starts(name, pr_zone_name[t]) && g->m.nodes[n].zone[t] >= 0)
				(to++)->zone = (uint32_t)g->m.nodes[n].zone[t];
	}
	to->zone = LINK_NONE;
}

static void load_state(struct golden *g, unsigned from, unsigned to)
{
	struct node *node = NULL;
	struct zone *z = NULL;

	for (unsigned i = from; i < to; i++) {
		const char *l = g->line[i];

		if (starts(l, "NODE ")) {
			node = &g->m.nodes[atoi(l + 5)];
			node->start_pfn = (pfn_t)golden_number(l, "start", 16);
			node->spanned = (uint64_t)golden_number(l, "spanned", 10);
			node->present = (uint64_t)golden_number(l, "present", 10);
			node->totalreserve_pages = (uint64_t)golden_number(l, "totalreserve", 10);
			node->kswapd_order = (int)golden_number(l, "kswapd_order", 10);
			node->kswapd_highest = (int)golden_number(l, "kswapd_highest", 10);
		} else if (starts(l, " ZONELIST") && node) {
			load_zonelist(g, node, l);
		} else if (is_zone(l)) {
			z = &g->m.zones[g->m.nodes[golden_number(l, "node", 10)].zone[atoi(l + 5)]];
			z->flags = (uint32_t)golden_number(l, "flags", 16);
		} else if (*l == ' ' && z) {
			load_zone_line(g, z, l);
		}
	}
}

/* The lists were counted while they were placed; the recording says how that is split up. */
static void load_counts(struct golden *g, unsigned from, unsigned to)
{
	struct zone *z = NULL;

	for (unsigned i = from; i < to; i++) {
		const char *l = g->line[i];

		if (is_zone(l))
			z = &g->m.zones[g->m.nodes[golden_number(l, "node", 10)].zone[atoi(l + 5)]];
		else if (starts(l, " VMSTAT") && z) {
			z->free_pages = golden_number(l, "nr_free_pages", 10);
			z->free_cma = golden_number(l, "nr_free_cma", 10);
		}
	}
}

/* The frames that a zone with holes has not are the last ones of the pageblock before a hole. */
static void cut_block(struct golden *g, struct zone *z)
{
	pfn_t last = PFN_NONE, end = z->start_pfn + z->spanned;
	uint64_t frames = 0;

	for (pfn_t pfn = z->start_pfn; pfn < end;) {
		pfn_t next = (pfn | (PAGEBLOCK_PAGES - 1)) + 1;

		next = next < end ? next : end;
		if (!pr_block_absent(&g->m, z, pfn)) {
			frames += next - pfn;
			if (next < end && pr_block_absent(&g->m, z, next))
				last = pfn;
		}
		pfn = next;
	}
	if (frames > z->present && last != PFN_NONE)
		pr_set_block_cut(&g->m, last);
}

static void cut_blocks(struct golden *g, unsigned from, unsigned to)
{
	struct zone *z = NULL;

	for (unsigned i = from; i < to; i++) {
		const char *l = g->line[i];

		if (is_zone(l))
			z = &g->m.zones[g->m.nodes[golden_number(l, "node", 10)].zone[atoi(l + 5)]];
		else if (starts(l, " COMPACT") && z && strstr(l, " contiguous=0"))
			cut_block(g, z);
	}
}

/*
 * What was written before the first dump: the values count for later, the limits that follow from
 * them are in the dump. (A later write of min_free_kbytes shares it out to all nodes: it is exact
 * only if all of them are in the first dump.)
 */
static void early_sysctls(struct golden *g, unsigned to)
{
	char name[64], value[128];

	for (unsigned i = 0; i < to; i++)
		if (sscanf(g->line[i], "! sysctl %63s %127[^\n]", name, value) == 2)
			(void)pr_sysctl_store(&g->m, name, value);
}

int golden_load(struct golden *g)
{
	struct pr_zone_spec zone[PR_MAX_NODES * NR_ZONE_TYPES];
	struct pr_spec spec = {.zone = zone, .pages_by_hand = true};
	unsigned from = 0, to;

	while (from < g->nr && strcmp(g->line[from], "# INITIAL"))
		from++;
	for (to = from; to < g->nr && strcmp(g->line[to], "# OPS"); to++)
		;
	if (to >= g->nr)
		return -1;
	spec.sysctl = (struct sysctl_vm){.user_min_free_kbytes = -1, .watermark_scale_factor = 10,
					 .watermark_boost_factor = 15000,
					 .lowmem_reserve_ratio = {256, 256, 32, 0}};
	read_spec(g, &spec, from, to);
	g->size = pr_machine_size(&spec);
	g->arena = g->size ? calloc(1, g->size) : NULL;
	if (!g->arena || pr_machine_create(&g->m, g->arena, g->size, &spec))
		return -1;
	g->m.arena->mobility_disabled = 0; /* the whole machine is larger than what was dumped */
	pr_zonelists_build(&g->m);
	early_sysctls(g, from);
	load_state(g, from, to);
	load_counts(g, from, to);
	cut_blocks(g, from, to);
	golden_user_init(g);
	g->at = to + 1;
	return 0;
}
