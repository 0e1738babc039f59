/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nodes.c: files of nodes/, pages/ and segments/. */
#include "native/native.h"

#include "native/allocations.h"
#include "shm/shm.h"
#include "tasks/tasks.h"

#include <pagerig/owner.h>
#include <stdlib.h>

typedef unsigned long long ull;

int nodes_online(const struct place *, FILE *to)
{
	fprintf(to, rig.m.arena->nr_nodes > 1 ? "0-%u\n" : "%u\n", rig.m.arena->nr_nodes - 1);
	return 0;
}

int nodes_possible(const struct place *at, FILE *to)
{
	return nodes_online(at, to);
}

int node_cpulist(const struct place *at, FILE *to)
{
	const char *comma = "";

	for (unsigned c = 0; c < rig.m.arena->nr_cpus; c++)
		if (rig.m.arena->cpu_node[c] == (uint32_t)at->node) {
			fprintf(to, "%s%u", comma, c);
			comma = ",";
		}
	fputc('\n', to);
	return 0;
}

int node_distance(const struct place *at, FILE *to)
{
	for (unsigned n = 0; n < rig.m.arena->nr_nodes; n++)
		fprintf(to, "%s%u", n ? " " : "", rig.m.nodes[at->node].distance[n]);
	fputc('\n', to);
	return 0;
}

int node_numastat(const struct place *at, FILE *to)
{
	struct pr_numa sum = {0};

	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++) {
		const struct zone *z = &rig.m.zones[i];
		struct pr_numa n = pr_zone_numa(&rig.m, z);

		if (z->node != (uint32_t)at->node)
			continue;
		sum.hit += n.hit;
		sum.miss += n.miss;
		sum.foreign += n.foreign;
		sum.local += n.local;
		sum.other += n.other;
	}
	fprintf(to,
		"numa_hit %llu\nnuma_miss %llu\nnuma_foreign %llu\ninterleave_hit 0\n"
		"local_node %llu\nother_node %llu\n",
		(ull)sum.hit, (ull)sum.miss, (ull)sum.foreign, (ull)sum.local, (ull)sum.other);
	return 0;
}

int node_zonelist(const struct place *at, FILE *to)
{
	for (const struct zoneref *e = rig.m.nodes[at->node].fallback; e->zone != LINK_NONE; e++)
		fprintf(to, "node%u-%s\n", rig.m.zones[e->zone].node,
			pr_zone_name[rig.m.zones[e->zone].type]);
	return 0;
}

/* The block that a frame belongs to. */
struct block {
	pfn_t head;
	enum page_state state;
	unsigned order;
};

static struct block block_of(const struct zone *z, pfn_t pfn)
{
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		pfn_t head = pfn & ~((1ull << o) - 1);
		const struct page *page = pr_page(&rig.m, z, head);
		int free_order;

		if (pr_zone_of(&rig.m, head) != z)
			break;
		free_order = pr_free_order(&rig.m, z, head);
		if (free_order >= (int)o)
			return (struct block){head, PAGE_FREE, (unsigned)free_order};
		if ((page->state == PAGE_USED || page->state == PAGE_PCP) && page->order >= o)
			return (struct block){head, page->state, page->order};
	}
	return (struct block){pfn, PAGE_BOOT, 0};
}

static void print_segment_name(uint64_t id, FILE *to)
{
	char *path = shm_segment_path((uint32_t)id);

	name_print(path ? path : "(deleted)", to);
	free(path);
}

/* Takes the locks itself: the owner's name may be shm's to tell. */
int page_show(const struct place *at, FILE *to)
{
	static const char *const states[] = {"boot", "free", "pcp", "used"};
	const struct zone *z = pr_zone_of(&rig.m, at->pfn);
	const struct allocation *a = NULL;
	struct block b;
	uint32_t owner = 0;

	pthread_mutex_lock(&rig.lock);
	b = block_of(z, at->pfn);
	fprintf(to, "pfn %#llx\nnode %u\nzone %s\npageblock %s\nstate %s\norder %u\nblock %#llx\n",
		(ull)at->pfn, z->node, pr_zone_name[z->type],
		pr_migratetype_name[pr_block_type(&rig.m, z, at->pfn)], states[b.state], b.order,
		(ull)b.head);
	if (b.state == PAGE_USED) {
		const struct page *page = pr_page(&rig.m, z, b.head);

		fprintf(to, "lru %d\n", !!(page->flags & PAGE_LRU));
		owner = page->owner;
		a = allocation_by_id(owner);
		if (pr_owner_class_of(owner) == PR_OWNER_MEMORY) {
			fputs("owner task ", to);
			task_print_owner(b.head, to);
			fputc('\n', to);
			owner = 0;
		} else if (a) {
			fputs("owner allocation ", to);
			name_print(a->name, to);
			fputc('\n', to);
		}
	}
	pthread_mutex_unlock(&rig.lock);
	if (owner && !a) {
		fputs("owner segment ", to);
		print_segment_name(pr_owner_id(owner), to);
		fputc('\n', to);
	}
	return 0;
}

int segment_stat(const struct place *at, FILE *to)
{
	return shm_segment_stat(at->name, to);
}
