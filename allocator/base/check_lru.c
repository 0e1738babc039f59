/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_lru.c: the part of the invariant checker that walks the lists of user memory. */
#include "base/check.h"
#include "base/lru.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const names[NR_LRU_LISTS] = {"inactive_anon", "active_anon", "inactive_file",
						"active_file", "unevictable"};

int check_say(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -EUCLEAN;
}

/* One page on a list: NULL, or what is wrong with it. */
static const char *check_page(const struct pr_machine *m, const struct node *n, enum lru_list lru,
			      const struct user_page *p)
{
	if (!page_used(p->page))
		return "is not in use";
	if (!page_flag(p->page, PAGE_LRU) || !page_flag(p->page, PAGE_LISTED) ||
	    page_flag(p->page, PAGE_LRU_ADD))
		return "does not know that it is on a list";
	if (page_lru(p->page) != lru)
		return "has the flags of another list";
	if (&m->nodes[p->z->node] != n)
		return "is another node's";
	return NULL;
}

static int check_list(const struct pr_machine *m, unsigned node, enum lru_list lru, char *why,
		      size_t size)
{
	const struct node *n = &m->nodes[node];
	const struct list *l = &n->lru.list[lru];
	uint64_t pages[NR_ZONE_TYPES] = {0}, nr = 0;
	uint32_t prev = LINK_NONE;

	for (uint32_t rel = l->first; rel != LINK_NONE && nr <= l->nr; nr++) {
		const char *bad = pr_zone_of(m, n->start_pfn + rel) ? NULL : "is in no zone";
		struct user_page p = {0};

		if (!bad) {
			p = user_page_at(m, n->start_pfn + rel);
			bad = check_page(m, n, lru, &p);
		}
		if (!bad && p.page->prev != prev)
			bad = "leads back to another";
		if (bad)
			return check_say(why, size, "node %u %s: frame %llx %s", node, names[lru],
					 (unsigned long long)(n->start_pfn + rel), bad);
		pages[p.z->type] += page_nr(p.page);
		prev = rel;
		rel = p.page->next;
	}
	if (nr != l->nr || l->last != prev)
		return check_say(why, size, "node %u %s: the list is not as long as its count %u",
				 node, names[lru], l->nr);
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (pages[t] != n->lru.pages[lru][t])
			return check_say(why, size, "node %u %s: zone %s counts %llu pages, it has %llu",
					 node, names[lru], pr_zone_name[t],
					 (unsigned long long)n->lru.pages[lru][t],
					 (unsigned long long)pages[t]);
	return 0;
}

int check_lru(const struct pr_machine *m, char *why, size_t size)
{
	for (unsigned n = 0; n < m->arena->nr_nodes; n++)
		for (unsigned l = 0; l < NR_LRU_LISTS; l++) {
			int err = check_list(m, n, (enum lru_list)l, why, size);

			if (err)
				return err;
		}
	return 0;
}

static void digest_node(const struct pr_machine *m, const struct node *n,
			void (*add)(void *ctx, const void *data, size_t size), void *ctx)
{
	const struct lruvec *v = &n->lru;
	const struct kswapd *k = &n->kswapd;
	const uint64_t figures[] = {
		v->cost[0], v->cost[1], v->nonresident_age, v->activated[0], v->activated[1],
		v->refaults[0], v->refaults[1], v->mapped[0], v->mapped[1], v->dirty, v->writeback,
		v->flags, (uint64_t)n->kswapd_failures, (uint64_t)k->state,
		(uint64_t)k->alloc_order, (uint64_t)k->reclaim_order, (uint64_t)k->highest,
		(uint64_t)k->priority, k->reclaimed, k->boost_left,
	};

	add(ctx, figures, sizeof(figures));
	add(ctx, n->shrink_deferred, sizeof(n->shrink_deferred));
	for (unsigned l = 0; l < NR_LRU_LISTS; l++)
		for (uint32_t rel = v->list[l].first; rel != LINK_NONE;) {
			const struct page *page = user_page_at(m, n->start_pfn + rel).page;
			const uint32_t one[] = {rel, page_lru_flags(page)};

			add(ctx, one, sizeof(one));
			rel = page->next;
		}
}

void digest_lru(const struct pr_machine *m,
		void (*add)(void *ctx, const void *data, size_t size), void *ctx)
{
	add(ctx, &m->arena->swap_total, sizeof(m->arena->swap_total));
	add(ctx, &m->arena->swap_used, sizeof(m->arena->swap_used));
	for (unsigned n = 0; n < m->arena->nr_nodes; n++)
		digest_node(m, &m->nodes[n], add, ctx);
}
