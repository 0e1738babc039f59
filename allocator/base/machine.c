/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.c: laying out an arena, and looking things up in it. */
#include "base/lists.h"

#include <errno.h>
#include <pagerig/alloc.h>
#include <string.h>

static uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

enum { MAP_PIECES = 4096, MIN_MAP_SHIFT = 15 };

static uint64_t zone_blocks(const struct pr_zone_spec *z)
{
	return ((z->start_pfn + z->spanned - 1) >> PAGEBLOCK_ORDER) -
	       (z->start_pfn >> PAGEBLOCK_ORDER) + 1;
}

static bool zone_spec_ok(const struct pr_spec *s, const struct pr_zone_spec *z)
{
	return z->node < s->nr_nodes && z->type < NR_ZONE_TYPES && z->spanned &&
	       z->spanned < LINK_NONE && z->present <= z->spanned && z->managed <= z->present &&
	       z->managed && z->start_pfn + z->spanned <= (1ull << 40);
}

static bool spec_ok(const struct pr_spec *s)
{
	if (!s->nr_nodes || s->nr_nodes > PR_MAX_NODES || !s->nr_cpus ||
	    s->nr_cpus > PR_MAX_CPUS || !s->nr_zones ||
	    s->nr_zones > PR_MAX_NODES * NR_ZONE_TYPES)
		return false;
	for (unsigned i = 0; i < s->nr_zones; i++)
		if (!zone_spec_ok(s, &s->zone[i]))
			return false;
	for (unsigned i = 0; i < s->nr_cpus; i++)
		if (s->cpu_node[i] >= s->nr_nodes)
			return false;
	return true;
}

/* Pieces of 128 MiB, or larger where memory is: the map is small and each piece has few zones. */
static void lay_out_map(const struct pr_spec *s, struct arena *a)
{
	pfn_t end = 0;

	for (unsigned i = 0; i < s->nr_zones; i++)
		if (end < s->zone[i].start_pfn + s->zone[i].spanned)
			end = s->zone[i].start_pfn + s->zone[i].spanned;
	a->map_shift = MIN_MAP_SHIFT;
	while (end >> a->map_shift >= MAP_PIECES)
		a->map_shift++;
	a->map_size = (uint32_t)(end >> a->map_shift) + 1;
}

/* Where everything lies; fills the head but for what is not layout. */
static void lay_out(const struct pr_spec *s, struct arena *a)
{
	uint64_t at = align_up(sizeof(*a), 4096);

	a->nr_nodes = s->nr_nodes;
	a->nr_zones = s->nr_zones;
	a->nr_cpus = s->nr_cpus;
	a->nodes = at;
	at = align_up(at + s->nr_nodes * sizeof(struct node), 4096);
	a->zones = at;
	at = align_up(at + (s->nr_zones + 1) * sizeof(struct zone), 4096); /* see zone_of() */
	a->pcps = at;
	at = align_up(at + (uint64_t)s->nr_zones * s->nr_cpus * sizeof(struct pcp), 4096);
	a->lru_batches = at;
	at = align_up(at + s->nr_cpus * sizeof(struct lru_batch), 4096);
	a->nr_pages = a->nr_blocks = 0;
	for (unsigned i = 0; i < s->nr_zones; i++) {
		a->nr_pages += s->zone[i].spanned;
		a->nr_blocks += zone_blocks(&s->zone[i]);
	}
	lay_out_map(s, a);
	a->zone_map = at;
	at = align_up(at + a->map_size * sizeof(uint16_t), 4096);
	a->blocks = at;
	at = align_up(at + a->nr_blocks * sizeof(struct pageblock), 4096);
	a->pages = at;
	a->size = align_up(at + a->nr_pages * sizeof(struct page), 4096);
}

size_t pr_machine_size(const struct pr_spec *spec)
{
	static struct arena a; /* only its size is read */
	struct arena here = a;

	if (!spec_ok(spec))
		return 0;
	lay_out(spec, &here);
	return here.size;
}

static void set_pointers(struct pr_machine *m, void *mem)
{
	struct arena *a = mem;
	char *base = mem;

	m->arena = a;
	m->nodes = (struct node *)(base + a->nodes);
	m->zones = (struct zone *)(base + a->zones);
	m->pcps = (struct pcp *)(base + a->pcps);
	m->lru_batches = (struct lru_batch *)(base + a->lru_batches);
	m->zone_map = (uint16_t *)(base + a->zone_map);
	m->blocks = (struct pageblock *)(base + a->blocks);
	m->pages = (struct page *)(base + a->pages);
}

int pr_machine_attach(struct pr_machine *m, void *mem, size_t size)
{
	struct arena *a = mem;

	if (size < sizeof(*a) || a->magic != PR_ARENA_MAGIC || a->version != PR_ARENA_VERSION ||
	    a->size > size)
		return -EINVAL;
	memset(m, 0, sizeof(*m));
	set_pointers(m, mem);
	/* whoever worked on these may have been killed */
	for (unsigned i = 0; i < a->nr_zones; i++)
		m->zones[i].compact.busy = 0;
	for (unsigned c = 0; c < a->nr_cpus; c++)
		m->lru_batches[c].busy = 0;
	return 0;
}

static void zone_init(struct pr_machine *m, struct zone *z, const struct pr_zone_spec *s)
{
	z->node = s->node;
	z->type = s->type;
	z->start_pfn = s->start_pfn;
	z->spanned = s->spanned;
	z->present = s->present;
	z->managed = s->managed;
	z->cma = s->cma;
	for (unsigned o = 0; o < NR_ORDERS; o++)
		for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
			list_init(&z->area[o].list[t]);
	for (unsigned c = 0; c < m->arena->nr_cpus; c++)
		for (unsigned i = 0; i < NR_PCP_LISTS; i++)
			list_init(&pr_pcp(m, z, c)->list[i]);
}

static void map_init(struct pr_machine *m)
{
	for (uint32_t piece = 0; piece < m->arena->map_size; piece++)
		m->zone_map[piece] = (uint16_t)m->arena->nr_zones;
	for (unsigned i = m->arena->nr_zones; i-- > 0;) {
		const struct zone *z = &m->zones[i];
		pfn_t last = z->start_pfn + z->spanned - 1;

		for (pfn_t p = z->start_pfn >> m->arena->map_shift; p <= last >> m->arena->map_shift; p++)
			m->zone_map[p] = (uint16_t)i;
	}
}

static void nodes_init(struct pr_machine *m, const struct pr_spec *s)
{
	for (unsigned n = 0; n < s->nr_nodes; n++) {
		struct node *node = &m->nodes[n];

		node->online = true;
		node->kswapd_highest = NR_ZONE_TYPES;
		node->kswapd.highest = NR_ZONE_TYPES - 1;
		for (unsigned l = 0; l < NR_LRU_LISTS; l++)
			list_init(&node->lru.list[l]);
		node->start_pfn = PFN_NONE;
		for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
			node->zone[t] = -1;
		for (unsigned k = 0; k < s->nr_nodes; k++)
			node->distance[k] = s->distance[n][k] ? s->distance[n][k]
					    : n == k	      ? 10
							      : 20;
	}
}

static void node_add_zone(struct pr_machine *m, unsigned i)
{
	struct zone *z = &m->zones[i];
	struct node *node = &m->nodes[z->node];
	pfn_t end = z->start_pfn + z->spanned, node_end = node->start_pfn + node->spanned;

	node->zone[z->type] = (int32_t)i;
	node->present += z->present;
	if (node->start_pfn == PFN_NONE) {
		node->start_pfn = z->start_pfn;
		node_end = end;
	}
	if (z->start_pfn < node->start_pfn)
		node->start_pfn = z->start_pfn;
	node->spanned = (end > node_end ? end : node_end) - node->start_pfn;
}

/* Blocks of order 10 from start to end-1: those that zeroed pageblocks say are there and linked. */
static void free_initial(struct pr_machine *m, struct zone *z, pfn_t start, pfn_t end)
{
	struct free_area *area = &z->area[MAX_ORDER];
	struct list *l = &area->list[MT_MOVABLE];

	z->initial_first = rel_of(z, start);
	z->initial_end = rel_of(z, end);
	l->first = z->initial_first;
	l->last = z->initial_end - BLOCK_STEP;
	l->nr = (z->initial_end - z->initial_first) >> MAX_ORDER;
	link_set_next(m, z, l->last, MAX_ORDER, false, LINK_NONE);
	area->nr_free = l->nr;
	z->mask[MT_MOVABLE] |= 1u << MAX_ORDER;
	z->free_pages += (int64_t)(end - start);
}

/* As memblock gives its memory over at boot: ascending, in the largest aligned blocks. */
static void free_all(struct pr_machine *m, struct zone *z)
{
	pfn_t pfn = z->start_pfn, end = z->start_pfn + z->managed;

	while (pfn < end) {
		unsigned order = pfn ? (unsigned)__builtin_ctzll(pfn) : MAX_ORDER;

		if (order > MAX_ORDER)
			order = MAX_ORDER;
		while (pfn + (1ull << order) > end)
			order--;
		if (order == MAX_ORDER) { /* all of this order are in a row */
			pfn_t last = end & ~(pfn_t)((1u << MAX_ORDER) - 1);

			free_initial(m, z, pfn, last);
			pfn = last;
			continue;
		}
		pr_place_free(m, pfn, order, MT_MOVABLE, true);
		pfn += 1ull << order;
	}
}

int pr_machine_create(struct pr_machine *m, void *mem, size_t size, const struct pr_spec *spec)
{
	struct arena *a = mem;
	uint64_t pages = 0, blocks = 0, managed = 0;

	if (!pr_machine_size(spec) || size < pr_machine_size(spec))
		return -EINVAL;
	memset(m, 0, sizeof(*m));
	lay_out(spec, a);
	a->magic = PR_ARENA_MAGIC;
	a->version = PR_ARENA_VERSION;
	a->clock_stopped = spec->clock_stopped;
	a->zone_names = spec->zone_names ? spec->zone_names : PR_ALL_ZONES;
	a->type_names = spec->type_names ? spec->type_names : PR_ALL_TYPES;
	a->sysctl = spec->sysctl;
	a->sysctl.extfrag_threshold = 500;
	a->sysctl.compact_unevictable_allowed = 1;
	a->sysctl.compaction_proactiveness = 20;
	a->sysctl.swappiness = 60;
	a->sysctl.min_unmapped_ratio = 1;
	a->sysctl.min_slab_ratio = 5;
	memcpy(a->cpu_node, spec->cpu_node, sizeof(a->cpu_node));
	set_pointers(m, mem);
	nodes_init(m, spec);
	for (unsigned i = 0; i < spec->nr_zones; i++) {
		m->zones[i].page_delta = pages - spec->zone[i].start_pfn;
		m->zones[i].block_delta = blocks - (spec->zone[i].start_pfn >> PAGEBLOCK_ORDER);
		m->zones[i].pcp_base = (uint64_t)i * a->nr_cpus;
		zone_init(m, &m->zones[i], &spec->zone[i]);
		node_add_zone(m, i);
		pages += spec->zone[i].spanned;
		blocks += zone_blocks(&spec->zone[i]);
		managed += spec->zone[i].managed;
	}
	map_init(m);
	/* build_all_zonelists: grouping by mobility needs a block for each type */
	a->mobility_disabled = managed < (uint64_t)PAGEBLOCK_PAGES * NR_MIGRATETYPES;
	for (unsigned i = 0; i < spec->nr_zones && !spec->pages_by_hand; i++)
		free_all(m, &m->zones[i]);
	pr_zonelists_build(m);
	pr_limits_setup(m);
	return 0;
}

struct zone *zone_search(const struct pr_machine *m, pfn_t pfn, uint32_t i)
{
	for (; i < m->arena->nr_zones; i++)
		if (zone_spans(&m->zones[i], pfn))
			return &m->zones[i];
	return NULL;
}

struct zone *pr_zone_of(const struct pr_machine *m, pfn_t pfn)
{
	return zone_of(m, pfn);
}

uint32_t pr_list_next(const struct pr_machine *m, const struct zone *z, unsigned order, bool pcp,
		      uint32_t rel)
{
	return link_next(m, z, rel, order, pcp);
}

int pr_free_order(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	uint32_t info;
	int order;

	if (!(pfn & (PAGEBLOCK_PAGES - 1))) {
		order = block_free_order(m, z, pfn);
		if (order >= 0)
			return order;
	}
	info = load(&pr_page(m, z, pfn)->info);
	return (info & 0xff) == PAGE_FREE ? (int)(info >> 8 & 0xff) : -1;
}

unsigned pr_pcp_order(int i)
{
	return i >= NR_LOWORDER_PCP_LISTS ? PAGEBLOCK_ORDER : (unsigned)i / NR_PCP_TYPES;
}

int64_t pr_zone_free_snapshot(const struct pr_machine *m, const struct zone *z)
{
	int64_t n = load(&z->free_pages);

	for (unsigned c = 0; c < m->arena->nr_cpus; c++)
		n += load(&pr_pcp(m, z, c)->free_diff);
	return n < 0 ? 0 : n;
}

static struct zone *place_zone(const struct pr_machine *m, pfn_t pfn, unsigned order)
{
	struct zone *z = pr_zone_of(m, pfn);

	if (!z || order > MAX_ORDER || (pfn & ((1ull << order) - 1)) ||
	    !zone_spans(z, pfn + (1ull << order) - 1))
		return NULL;
	return z;
}

int pr_place_free(struct pr_machine *m, pfn_t pfn, unsigned order, enum migratetype type, bool tail)
{
	struct zone *z = place_zone(m, pfn, order);

	if (!z || type >= NR_MIGRATETYPES)
		return -EINVAL;
	area_push(&(struct op){.m = m, .z = z}, rel_of(z, pfn), order, type, tail);
	if (order >= PAGEBLOCK_ORDER)
		block_set_state(pr_block(m, z, pfn), BLOCK_FREE, order);
	else
		store(&pr_page(m, z, pfn)->info, page_info(PAGE_FREE, order, 0, 0));
	if (type == MT_ISOLATE)
		return 0;
	z->free_pages += 1ll << order;
	if (type == MT_CMA)
		z->free_cma += 1ll << order;
	if (type == MT_HIGHATOMIC)
		z->free_highatomic += 1ull << order;
	return 0;
}

int pr_set_block_type(struct pr_machine *m, pfn_t pfn, enum migratetype type)
{
	struct zone *z = pr_zone_of(m, pfn);

	if (!z || type >= NR_MIGRATETYPES)
		return -EINVAL;
	block_set_type(pr_block(m, z, pfn), type);
	return 0;
}

int pr_set_block_absent(struct pr_machine *m, pfn_t pfn)
{
	struct zone *z = pr_zone_of(m, pfn);

	if (!z)
		return -EINVAL;
	pr_block(m, z, pfn)->flags |= BLOCK_ABSENT;
	return 0;
}

int pr_set_block_cut(struct pr_machine *m, pfn_t pfn)
{
	struct zone *z = pr_zone_of(m, pfn);

	if (!z)
		return -EINVAL;
	pr_block(m, z, pfn)->flags |= BLOCK_CUT;
	return 0;
}

/* What all CPUs did in zone z, both ways. */
static struct counts counts_of(const struct pr_machine *m, const struct zone *z)
{
	struct zone *lock = &m->zones[z - m->zones];
	struct counts sum = {0};

	for (unsigned c = 0; c < m->arena->nr_cpus; c++) {
		struct pcp *p = pr_pcp(m, z, c);

		pcp_lock(p);
		zone_lock(lock);
		for (unsigned o = 0; o < NR_ORDERS; o++) {
			sum.taken[o] += p->counts[0].taken[o] + p->counts[1].taken[o];
			sum.freed[o] += p->counts[0].freed[o] + p->counts[1].freed[o];
		}
		sum.missed += p->counts[0].missed + p->counts[1].missed;
		zone_unlock(lock);
		pcp_unlock(p);
	}
	return sum;
}

static uint64_t pages_of(const uint64_t blocks[NR_ORDERS])
{
	uint64_t sum = 0;

	for (unsigned o = 0; o < NR_ORDERS; o++)
		sum += blocks[o] << o;
	return sum;
}

uint64_t pr_event(const struct pr_machine *m, enum pr_event e)
{
	uint64_t n = load(&m->arena->event[e]);

	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		const struct zone *z = &m->zones[i];

		if (e == EV_PGFREE)
			n += pages_of(counts_of(m, z).freed);
		else if (e == EV_PGALLOC_DMA + z->type)
			n += pages_of(counts_of(m, z).taken);
	}
	return n;
}

uint64_t pr_kswapd_wakeups(const struct pr_machine *m)
{
	uint64_t sum = 0;

	for (unsigned n = 0; n < m->arena->nr_nodes; n++)
		sum += load(&m->nodes[n].kswapd_wakeups);
	return sum;
}

void pr_count(struct pr_machine *m, unsigned, enum pr_event e, uint64_t n)
{
	__atomic_fetch_add(&m->arena->event[e], n, __ATOMIC_RELAXED);
}

struct pr_numa pr_zone_numa(const struct pr_machine *m, const struct zone *z)
{
	struct pr_numa numa = {.foreign = load(&z->numa_foreign)};

	for (unsigned c = 0; c < m->arena->nr_cpus; c++) {
		struct pcp *p = pr_pcp(m, z, c);
		uint64_t taken = 0, missed;

		pcp_lock(p);
		for (unsigned o = 0; o < NR_ORDERS; o++)
			taken += p->counts[0].taken[o] + load(&p->counts[1].taken[o]);
		missed = p->counts[0].missed + load(&p->counts[1].missed);
		pcp_unlock(p);
		numa.hit += taken - missed;
		numa.miss += missed;
		*(m->arena->cpu_node[c] == z->node ? &numa.local : &numa.other) += taken;
	}
	return numa;
}

int pr_place_pcp(struct pr_machine *m, pfn_t pfn, unsigned order, enum migratetype type,
		 unsigned cpu)
{
	struct zone *z = place_zone(m, pfn, order);
	int i = pr_pcp_index(order, type);
	struct page *page;
	struct pcp *pcp;

	if (!z || type >= NR_PCP_TYPES || i < 0 || cpu >= m->arena->nr_cpus)
		return -EINVAL;
	pcp = pr_pcp(m, z, cpu);
	page = pr_page(m, z, pfn);
	store(&page->info, page_info(PAGE_PCP, order, 0, type));
	list_push(m, z, &pcp->list[i], rel_of(z, pfn), order, true, true);
	pcp->count += 1 << order;
	return 0;
}
