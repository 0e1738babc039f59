/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner.c: from a page's mark to the operations of its owner. */
#include "reclaim/reclaim.h"

#include <errno.h>

void pr_owner_register(struct pr_machine *m, enum pr_owner_class c, const struct pr_owner_ops *ops,
		       void *ctx)
{
	m->owner[c] = ops;
	m->owner_ctx[c] = ctx;
}

int pr_owner_migrate(struct pr_machine *m, uint32_t mark, pfn_t from, pfn_t to, unsigned order)
{
	unsigned c = pr_owner_class_of(mark);

	if (!m->owner[c])
		return m->host.migrate(m->host.ctx, mark, from, to, order);
	return m->owner[c]->migrate(m->owner_ctx[c], pr_owner_id(mark), from, to, order);
}

/* Calls an operation, or says `without` if the owner has none. */
#define ASK(m, p, without, op, ...)                                                                \
	({                                                                                         \
		unsigned c_ = pr_owner_class_of((p)->page->owner);                                 \
		const struct pr_owner_ops *o_ = (m)->owner[c_];                                    \
		o_ && o_->op ? o_->op((m)->owner_ctx[c_], pr_owner_id((p)->page->owner),           \
				      (p)->pfn, ##__VA_ARGS__)                                     \
			     : (without);                                                          \
	})

unsigned owner_referenced(const struct pr_machine *m, const struct user_page *p, unsigned *what)
{
	*what = 0;
	return ASK(m, p, 0u, referenced, what);
}

bool owner_mapped(const struct pr_machine *m, const struct user_page *p)
{
	return ASK(m, p, false, mapped);
}

int owner_swap_add(const struct pr_machine *m, const struct user_page *p)
{
	return ASK(m, p, -ENOSPC, swap_add);
}

void owner_swap_free(const struct pr_machine *m, const struct user_page *p)
{
	const struct pr_owner_ops *o = m->owner[pr_owner_class_of(p->page->owner)];

	if (o && o->swap_free)
		o->swap_free(m->owner_ctx[pr_owner_class_of(p->page->owner)],
			     pr_owner_id(p->page->owner), p->pfn);
}

int owner_unmap(const struct pr_machine *m, const struct user_page *p)
{
	return ASK(m, p, 0, unmap);
}

int owner_write(const struct pr_machine *m, const struct user_page *p)
{
	return ASK(m, p, -EIO, write);
}

int owner_evict(const struct pr_machine *m, const struct user_page *p, uint64_t shadow)
{
	return ASK(m, p, -EBUSY, evict, shadow);
}
