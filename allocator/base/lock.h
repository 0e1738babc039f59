/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.h: locks of the arena, and words that are read without one. Lock order: LRU, pcp, zone; two
 * of a kind are never held together. Nothing waits for anything else while it holds one.
 *
 * A daemon may be killed between any two stores. Lists are therefore changed in an order in which
 * the way from first to last is always whole (base/lists.h), and while a block is on no list, the
 * zone's intent names the region that it lies in; pr_recover() puts back what it finds there.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pagerig/machine.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
/* For the few functions of the common path, where the order is a constant. */
#define hot_inline static inline __attribute__((always_inline))

/* A word that others write at the same time: one plain load or store. */
#define load(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define store(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
/* Stores before it are in memory before stores behind it, for whoever maps the arena after a kill. */
#define in_order() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/*
 * A lock that one worker (pagerig/worker.h) takes again and again becomes its own: it then only says
 * that it is inside (busy), in a word of its own, and looks whether it is still the owner. Whoever
 * else comes takes the word, ends the ownership, makes all threads pass a fence, and waits until
 * the former owner is outside. So the common path has no atomic read-modify-write.
 */
enum lock_class { LOCK_LRU, LOCK_PCP, LOCK_ZONE, NR_LOCK_CLASSES };
struct worker {
	const pr_lock_t *busy[NR_LOCK_CLASSES];
	uint32_t id; /* from 1; NOBODY */
} __attribute__((aligned(64)));
enum { NOBODY = ~0u };
extern _Thread_local struct worker *worker_self __attribute__((tls_model("initial-exec")));

void lock_wait(pr_lock_t *l);
/* The word was taken: ends another's ownership, and begins one. */
void lock_settle(pr_lock_t *l, enum lock_class class);

hot_inline bool lock_own(pr_lock_t *l, enum lock_class class)
{
	struct worker *self = worker_self;

	if (unlikely(load(&l->owner) != self->id))
		return false;
	store(&self->busy[class], l);
	in_order();
	if (likely(load(&l->owner) == self->id))
		return true;
	store(&self->busy[class], NULL);
	return false;
}

hot_inline bool lock_try(pr_lock_t *l, enum lock_class class)
{
	if (likely(lock_own(l, class)))
		return true;
	if (unlikely(__atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE)))
		return false;
	if (load(&l->owner) || worker_self->id != NOBODY)
		lock_settle(l, class);
	return true;
}

/* The same without calling anything, so that a common path saves no registers for it. */
hot_inline bool lock_try_common(pr_lock_t *l, enum lock_class class)
{
	if (likely(lock_own(l, class)))
		return true;
	if (worker_self->id != NOBODY || __atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE))
		return false;
	if (likely(!load(&l->owner)))
		return true;
	__atomic_store_n(&l->word, 0, __ATOMIC_RELEASE);
	return false;
}

hot_inline void lock_take(pr_lock_t *l, enum lock_class class)
{
	while (unlikely(!lock_try(l, class)))
		lock_wait(l);
}

hot_inline void lock_give(pr_lock_t *l, enum lock_class class)
{
	struct worker *self = worker_self;

	if (likely(self->busy[class] == l))
		__atomic_store_n(&self->busy[class], NULL, __ATOMIC_RELEASE);
	else
		__atomic_store_n(&l->word, 0, __ATOMIC_RELEASE);
}

static inline void pcp_lock(struct pcp *p)
{
	lock_take(&p->lock, LOCK_PCP);
}

static inline bool pcp_trylock_common(struct pcp *p)
{
	return lock_try_common(&p->lock, LOCK_PCP);
}

static inline void pcp_unlock(struct pcp *p)
{
	lock_give(&p->lock, LOCK_PCP);
}

static inline void zone_lock(struct zone *z)
{
	lock_take(&z->lock, LOCK_ZONE);
}

/* The block of that order at rel leaves its list, or will. Zone lock. */
static inline void intent_set(struct zone *z, uint32_t rel, unsigned order)
{
	store(&z->intent, (uint64_t)rel << 8 | 0x80 | order);
	in_order();
}

static inline void zone_unlock(struct zone *z)
{
	in_order();
	store(&z->intent, 0);
	lock_give(&z->lock, LOCK_ZONE);
}

static inline void zone_flag_set(struct zone *z, uint32_t flag)
{
	__atomic_fetch_or(&z->flags, flag, __ATOMIC_RELAXED);
}

static inline void zone_flag_clear(struct zone *z, uint32_t flag)
{
	__atomic_fetch_and(&z->flags, ~flag, __ATOMIC_RELAXED);
}

#endif
