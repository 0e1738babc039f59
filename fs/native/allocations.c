/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "native/allocations.h"

#include <errno.h>
#include <pagerig/owner.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

/* ids are marks of owners of class PR_OWNER_HOST */
enum { BUCKETS = 1 << 14, LAST_ID = PR_OWNER_ID_MAX };

static struct allocation *first, *by_name[BUCKETS], *by_id[BUCKETS];
static unsigned long serial;
static uint32_t last_id;

static struct allocation **name_bucket(const char *name)
{
	return &by_name[XXH3_64bits(name, strlen(name)) % BUCKETS];
}

struct allocation *allocation_find(const char *name)
{
	struct allocation *a = *name_bucket(name);

	while (a && strcmp(a->name, name))
		a = a->next_name;
	return a;
}

struct allocation *allocation_by_id(uint32_t id)
{
	struct allocation *a = by_id[id % BUCKETS];

	while (a && a->id != id)
		a = a->next_id;
	return a;
}

const char *allocation_nearest(const char *name)
{
	struct pr_near near = {.word = name, .len = strlen(name)};

	for (struct allocation *a = first; a; a = a->next)
		pr_near_try(&near, a->name);
	return near.name;
}

bool allocation_within(const struct allocation *a, int node, int zone)
{
	for (unsigned i = 0; i < a->count; i++) {
		const struct zone *z = pr_zone_of(&rig.m, a->pfn[i]);

		if ((node >= 0 && z->node != (uint32_t)node) ||
		    (zone >= 0 && z != &rig.m.zones[zone]))
			return false;
	}
	return true;
}

void allocations_list(void (*add)(void *ctx, const char *name), void *ctx)
{
	for (struct allocation *a = first; a; a = a->next)
		add(ctx, a->name);
}

static int check_name(const char *name, char *why)
{
	if (strlen(name) > NAME_MAX_LEN) {
		snprintf(why, WHY_SIZE, "a name has at most %d bytes", NAME_MAX_LEN);
		return -ENAMETOOLONG;
	}
	if (strchr(name, '\n')) {
		snprintf(why, WHY_SIZE, "a name goes without newlines");
		return -EINVAL;
	}
	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) {
		snprintf(why, WHY_SIZE, "'%s' can't be the name of a file", name);
		return -EINVAL;
	}
	if (allocation_find(name)) {
		snprintf(why, WHY_SIZE, "there is an allocation '%s' already", name);
		return -EEXIST;
	}
	return 0;
}

/*
 * Block number of a movable allocation by its first frame, so that one that moves is found. As large
 * as the page array, but only what is used is memory.
 */
static uint32_t *block_of_frame;

static uint32_t *block_slot(pfn_t pfn)
{
	return &block_of_frame[pr_page(&rig.m, pr_zone_of(&rig.m, pfn), pfn) - rig.m.pages];
}

static int movable_init(void)
{
	void *p;

	if (block_of_frame)
		return 0;
	p = mmap(NULL, rig.m.arena->nr_pages * sizeof(*block_of_frame), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	block_of_frame = p;
	return 0;
}

int allocation_migrate(void *, uint32_t owner, pfn_t from, pfn_t to, unsigned order)
{
	struct allocation *a = allocation_by_id(owner);
	uint32_t i;

	if (!a || !a->request.lru || a->request.order != order)
		return -EBUSY;
	i = *block_slot(from);
	if (i >= a->count || a->pfn[i] != from)
		return -EBUSY;
	a->pfn[i] = to;
	*block_slot(to) = i;
	return 0;
}

static void give_back(struct allocation *a, unsigned blocks, unsigned cpu)
{
	while (blocks--)
		if (pr_free(&rig.m, a->pfn[blocks], a->request.order, cpu))
			rig_error("allocations: frame %#llx was not in use any more",
				  (unsigned long long)a->pfn[blocks]);
}

static struct decision counters(void)
{
	struct decision d = {.kswapd_wakes = pr_kswapd_wakeups(&rig.m)};

	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		d.direct_reclaims += pr_event(&rig.m, EV_ALLOCSTALL_DMA + t);
	return d;
}

static int take_blocks(struct allocation *a, char *why)
{
	struct decision before = counters(), after;
	int err;

	for (unsigned i = 0; i < a->count; i++) {
		err = pr_alloc(&rig.m, &a->request, &a->pfn[i]);
		if (!err && a->request.lru)
			*block_slot(a->pfn[i]) = i;
		if (!err)
			continue;
		if (err == -ENOMEM)
			snprintf(why, WHY_SIZE, "block %u of %u could not be had%s", i + 1,
				 a->count,
				 a->request.gfp & __GFP_NOWARN
					 ? ""
					 : "; tracing/error_log has the report");
		else
			snprintf(why, WHY_SIZE, "gfp flags that no zone or type goes with");
		give_back(a, i, a->request.cpu);
		return err;
	}
	after = counters();
	a->decision.kswapd_wakes = after.kswapd_wakes - before.kswapd_wakes;
	a->decision.direct_reclaims = after.direct_reclaims - before.direct_reclaims;
	return 0;
}

static uint32_t new_id(void)
{
	do
		last_id = last_id % LAST_ID + 1;
	while (allocation_by_id(last_id));
	return last_id;
}

static void add(struct allocation *a, const char *name)
{
	struct allocation **bucket;

	if (*name)
		strcpy(a->name, name);
	while (!*a->name || (!*name && allocation_find(a->name)))
		snprintf(a->name, sizeof(a->name), "a%lu", ++serial);
	bucket = name_bucket(a->name);
	a->next_name = *bucket;
	*bucket = a;
	a->next_id = by_id[a->id % BUCKETS];
	by_id[a->id % BUCKETS] = a;
	a->next = first;
	if (first)
		first->prev = a;
	first = a;
}

static void destroy(struct allocation *a)
{
	free(a->pfn);
	free(a);
}

int allocation_make(const char *name, const struct pr_request *r, unsigned count,
		    struct allocation **made, char *why)
{
	struct allocation *a;
	int err = check_name(name, why);

	if (err)
		return err;
	a = calloc(1, sizeof(*a));
	if (a)
		a->pfn = calloc(count, sizeof(*a->pfn));
	if (!a || !a->pfn) {
		free(a);
		snprintf(why, WHY_SIZE, "the host has no memory for %u blocks", count);
		return -ENOMEM;
	}
	a->request = *r;
	a->request.owner = a->id = new_id();
	/* movable memory is user memory: compaction may move it */
	a->request.lru = (r->gfp & __GFP_MOVABLE) && !movable_init();
	a->count = count;
	err = take_blocks(a, why);
	if (err) {
		destroy(a);
		return err;
	}
	add(a, name);
	*made = a;
	return 0;
}

void allocation_free(struct allocation *a, unsigned cpu)
{
	struct allocation **at;

	for (at = name_bucket(a->name); *at != a; at = &(*at)->next_name)
		;
	*at = a->next_name;
	for (at = &by_id[a->id % BUCKETS]; *at != a; at = &(*at)->next_id)
		;
	*at = a->next_id;
	if (a->next)
		a->next->prev = a->prev;
	*(a->prev ? &a->prev->next : &first) = a->next;
	give_back(a, a->count, cpu);
	destroy(a);
}

void allocations_exit(void)
{
	while (first)
		allocation_free(first, 0);
	if (block_of_frame)
		munmap(block_of_frame, rig.m.arena->nr_pages * sizeof(*block_of_frame));
}

static void print_head(const struct allocation *a, FILE *to)
{
	const struct pr_request *r = &a->request;
	char gfp[256];

	pr_gfp_print(r->gfp, gfp, sizeof(gfp));
	fputs("name ", to);
	name_print(a->name, to);
	fprintf(to, "\norder %u\ncount %u\npages %llu\ngfp %s\ncpu %u\nasked ", r->order, a->count,
		(unsigned long long)a->count << r->order, gfp, r->cpu);
	if (r->only_zone >= 0)
		fprintf(to, "node%u %s alone\n", rig.m.zones[r->only_zone].node,
			pr_zone_name[rig.m.zones[r->only_zone].type]);
	else
		fprintf(to, "zonelist of node%u\n",
			r->node >= 0 ? (unsigned)r->node : rig.m.arena->cpu_node[r->cpu]);
	fprintf(to, "kswapd_wakes %llu\ndirect_reclaims %llu\n",
		(unsigned long long)a->decision.kswapd_wakes,
		(unsigned long long)a->decision.direct_reclaims);
}

/* Where a text that is read piece by piece goes on. */
struct position {
	uint32_t id;
	unsigned block;
};

int allocation_more(const struct place *at, void **state, FILE *to)
{
	const struct allocation *a = allocation_find(at->name);
	struct position *p = *state;
	unsigned end;

	if (!a)
		return -ENOENT;
	if (!p) {
		*state = p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->id = a->id;
		print_head(a, to);
	}
	if (p->id != a->id) /* freed meanwhile, and another has its name */
		return -ESTALE;
	end = a->count - p->block < 4096 ? a->count : p->block + 4096;
	for (; p->block < end; p->block++) {
		pfn_t pfn = a->pfn[p->block];
		const struct zone *z = pr_zone_of(&rig.m, pfn);

		fprintf(to, "block %#llx node%u %s %s\n", (unsigned long long)pfn, z->node,
			pr_zone_name[z->type], pr_migratetype_name[pr_block_type(&rig.m, z, pfn)]);
	}
	return end < a->count;
}

int allocation_remove(const struct place *at)
{
	struct allocation *a = allocation_find(at->name);

	if (!a)
		return -ENOENT;
	allocation_free(a, 0);
	return 0;
}
