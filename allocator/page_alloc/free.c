/* SPDX-License-Identifier: GPL-2.0-or-later */
/* free.c: giving back, splitting, draining, and the vmstat tick of a CPU. */
#include "page_alloc/page_alloc.h"

#include "base/lru.h"

#include <errno.h>

enum { ON_LRU = PAGE_LRU | PAGE_LRU_ADD | PAGE_ISOLATED };

static void free_to_zone(struct pr_machine *m, struct zone *z, pfn_t pfn, unsigned order,
			 unsigned cpu)
{
	struct op op = op_make(m, z, cpu);

	zone_lock(z);
	op.pcp->counts[1].freed[order]++;
	intent_set(z, rel_of(z, pfn), order);
	store(&pr_page(m, z, pfn)->info, 0);
	buddy_free(&op, pfn, order);
	zone_unlock(z);
}

/* Puts the block on a list; the lists' lock is held, and given back here. */
hot_inline void put_and_unlock(struct pr_machine *m, struct zone *z, struct pcp *p, pfn_t pfn,
			       unsigned order, enum migratetype mt)
{
	bool free_high;
	int list;

	p->counts[0].freed[order]++;
	list = pcp_put(m, z, p, pfn, order, mt, &free_high);
	if (unlikely(list >= 0))
		pcp_spill_and_unlock(m, z, p, list, free_high);
	else
		pcp_unlock(p);
}

/* Whatever is the case: other orders, user memory, traces, lists not at hand, isolated blocks. */
static __attribute__((noinline)) int free_any(struct pr_machine *m, struct zone *z, pfn_t pfn,
					      unsigned order, unsigned cpu, uint32_t info)
{
	enum migratetype mt = pr_block_type(m, z, pfn);
	struct pcp *p = pr_pcp(m, z, cpu);

	if (info) /* it was allocated, not in use since the start */
		pr_trace(m, cpu, mm_page_free, .pfn = pfn, .order = order);
	if (info & ON_LRU << 16)
		lru_release(m, pfn);
	if (pcp_order(order) && mt != MT_ISOLATE) {
		pcp_lock(p);
		put_and_unlock(m, z, p, pfn, order, mt);
	} else {
		free_to_zone(m, z, pfn, order, cpu);
	}
	return 0;
}

int pr_free(struct pr_machine *m, pfn_t pfn, unsigned order, unsigned cpu)
{
	struct zone *z = zone_of(m, pfn);
	enum migratetype mt;
	struct pcp *p;
	uint32_t info;

	if (unlikely(!z || cpu >= m->arena->nr_cpus))
		return -EINVAL;
	info = load(&pr_page(m, z, pfn)->info);
	if (unlikely(!page_info_is(info, PAGE_USED, order)))
		return -EINVAL;
	mt = pr_block_type(m, z, pfn);
	p = pr_pcp(m, z, cpu);
	if (unlikely(order || mt == MT_ISOLATE || (info & ON_LRU << 16) ||
		     pr_trace_enabled(m, mm_page_free) || !pcp_trylock_common(p)))
		return free_any(m, z, pfn, order, cpu, info);
	put_and_unlock(m, z, p, pfn, 0, mt);
	return 0;
}

/* Is pfn inside a block whose head lies at or before it? Heads are aligned to their order. */
static bool covered(const struct pr_machine *m, const struct zone *z, pfn_t pfn)
{
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		pfn_t head = pfn & ~((1ull << o) - 1);
		uint32_t info;

		if (!zone_spans(z, head))
			break;
		if (pr_free_order(m, z, head) >= (int)o)
			return true;
		info = load(&pr_page(m, z, head)->info);
		if ((info & 0xff) != PAGE_BOOT && (info >> 8 & 0xff) >= o)
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
	pr_trace(m, cpu, mm_page_free, .pfn = pfn, .order = order);
	return free_any(m, z, pfn, order, cpu, 0);
}

int pr_split(struct pr_machine *m, pfn_t pfn, unsigned order)
{
	struct zone *z = zone_of(m, pfn);
	struct page *page;
	uint32_t info;

	if (!z)
		return -EINVAL;
	page = pr_page(m, z, pfn);
	info = load(&page->info);
	if (!page_info_is(info, PAGE_USED, order))
		return -EINVAL;
	info = page_info(PAGE_USED, 0, (info >> 16 & 0xff) & ~(unsigned)PAGE_COMP, 0);
	/* the head last: until then it stands for all of them */
	for (uint64_t i = 1ull << order; i-- > 0;) {
		page[i].owner = page->owner;
		in_order();
		store(&page[i].info, info);
	}
	return 0;
}

static void drain(struct pr_machine *m, unsigned cpu, unsigned runs_on)
{
	for (unsigned i = 0; i < m->arena->nr_zones; i++) {
		struct zone *z = &m->zones[i];
		struct op op = {m, z, pr_pcp(m, z, cpu), pr_pcp(m, z, runs_on)};

		pcp_lock(op.pcp);
		pcp_drain(&op);
		pcp_unlock(op.pcp);
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

/*
 * Adds the CPU's differences to the zone; its lists are known to be in use. True if there were any.
 * Under the lists' lock.
 */
static bool fold(struct op *op)
{
	enum { EXPIRE = 3 };
	struct pcp *p = op->pcp;
	bool any;

	zone_lock(op->z);
	any = p->free_diff || p->cma_diff;
	store(&op->z->free_pages, op->z->free_pages + p->free_diff);
	store(&op->z->free_cma, op->z->free_cma + p->cma_diff);
	store(&p->free_diff, 0);
	store(&p->cma_diff, 0);
	zone_unlock(op->z);
	if (any)
		p->expire = EXPIRE;
	return any;
}

int pr_fold(struct pr_machine *m, unsigned cpu)
{
	int changes = 0;

	for (unsigned i = 0; cpu < m->arena->nr_cpus && i < m->arena->nr_zones; i++) {
		struct op op = op_make(m, &m->zones[i], cpu);

		pcp_lock(op.pcp);
		changes += fold(&op);
		pcp_unlock(op.pcp);
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

		pcp_lock(op.pcp);
		changes += fold(&op);
		changes += pcp_decay_high(&op);
		changes += expire_remote(&op, op.z->node == m->arena->cpu_node[cpu]);
		pcp_unlock(op.pcp);
	}
	return changes;
}
