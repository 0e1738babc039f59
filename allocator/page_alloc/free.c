/* SPDX-License-Identifier: GPL-2.0-or-later */
/* free.c: giving back, splitting, draining, and the vmstat tick of a CPU. */
#include "page_alloc/page_alloc.h"

#include <errno.h>

static void free_block(struct pr_machine *m, struct zone *z, pfn_t pfn, unsigned order,
		       unsigned cpu)
{
	struct op op = op_make(m, z, cpu);
	struct page *page = pr_page(m, z, pfn);

	page->state = page->order = page->flags = 0;
	page->owner = 0;
	m->arena->event[EV_PGFREE] += 1ull << order;
	if (pcp_order(order))
		pcp_free(&op, pfn, order);
	else
		buddy_free(&op, pfn, order);
}

int pr_free(struct pr_machine *m, pfn_t pfn, unsigned order, unsigned cpu)
{
	struct zone *z = pr_zone_of(m, pfn);
	const struct page *page;

	if (!z || cpu >= m->arena->nr_cpus)
		return -EINVAL;
	page = pr_page(m, z, pfn);
	if (page->state != PAGE_USED || page->order != order)
		return -EINVAL;
	free_block(m, z, pfn, order, cpu);
	return 0;
}

/* Is pfn inside a block whose head lies at or before it? Heads are aligned to their order. */
static bool covered(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		pfn_t head = pfn & ~((1ull << o) - 1);
		const struct page *page;
		int order;

		if (!zone_spans(z, head))
			break;
		order = pr_free_order(m, z, head);
		if (order >= (int)o)
			return true;
		page = pr_page(m, z, head);
		if (page->state != PAGE_BOOT && page->order >= o)
			return true;
	}
	return false;
}

int pr_free_boot(struct pr_machine *m, pfn_t pfn, unsigned order, unsigned cpu)
{
	struct zone *z = pr_zone_of(m, pfn);

	if (!z || order > MAX_ORDER || cpu >= m->arena->nr_cpus ||
	    (pfn & ((1ull << order) - 1)) || !zone_spans(z, pfn + (1ull << order) - 1))
		return -EINVAL;
	for (pfn_t p = pfn; p < pfn + (1ull << order); p++)
		if (covered(m, z, p))
			return -EINVAL;
	free_block(m, z, pfn, order, cpu);
	return 0;
}

int pr_split(struct pr_machine *m, pfn_t pfn, unsigned order)
{
	struct zone *z = pr_zone_of(m, pfn);
	struct page *page;

	if (!z)
		return -EINVAL;
	page = pr_page(m, z, pfn);
	if (page->state != PAGE_USED || page->order != order)
		return -EINVAL;
	for (uint64_t i = 1; i < 1ull << order; i++) {
		page[i].state = PAGE_USED;
		page[i].flags = page->flags & (uint8_t)~PAGE_COMP;
		page[i].owner = page->owner;
	}
	page->order = 0;
	page->flags &= (uint8_t)~PAGE_COMP;
	return 0;
}

static void drain(struct pr_machine *m, unsigned cpu, unsigned runs_on)
{
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		struct zone *z = &m->zones[i];
		struct op op = {m, z, pr_pcp(m, z, cpu), pr_pcp(m, z, runs_on)};

		pcp_drain(&op);
	}
}

void pr_drain_cpu(struct pr_machine *m, unsigned cpu)
{
	if (cpu < m->arena->nr_cpus)
		drain(m, cpu, cpu);
}

void pr_drain_all(struct pr_machine *m, unsigned runs_on)
{
	for (unsigned cpu = 0; cpu < m->arena->nr_cpus; cpu++)
		drain(m, cpu, runs_on);
}

/* Adds the CPU's differences to the zone; its lists are known to be in use. True if there were any. */
static bool fold(struct op *op)
{
	enum { EXPIRE = 3 };
	struct pcp *p = op->pcp;

	if (!p->free_diff && !p->cma_diff)
		return false;
	op->z->free_pages += p->free_diff;
	op->z->free_cma += p->cma_diff;
	p->free_diff = p->cma_diff = 0;
	p->expire = EXPIRE;
	return true;
}

int pr_fold(struct pr_machine *m, unsigned cpu)
{
	int changes = 0;

	for (unsigned i = 0; cpu < m->arena->nr_cpus && i < m->arena->nr_zones; i++) {
		struct op op = op_make(m, &m->zones[i], cpu);

		changes += fold(&op);
	}
	return changes;
}

/* Lists of a node that is not the CPU's own are emptied when they were not used for a while. */
static int expire_remote(struct op *op, bool local)
{
	struct pcp *p = op->pcp;

	if (!p->expire || !p->count)
		return 0;
	if (local) {
		p->expire = 0;
		return 0;
	}
	if (--p->expire)
		return 1;
	pcp_flush(op, p->count < p->batch ? p->count : p->batch, 0);
	return 1;
}

int pr_tick(struct pr_machine *m, unsigned cpu)
{
	int changes = 0;

	if (cpu >= m->arena->nr_cpus)
		return 0;
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		struct op op = op_make(m, &m->zones[i], cpu);

		changes += fold(&op);
		changes += pcp_decay_high(&op);
		changes += expire_remote(&op, op.z->node == m->arena->cpu_node[cpu]);
	}
	return changes;
}
