/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.h: locks of the arena, and words that are read without one. Lock order: pcp, then zone; two
 * of a kind are never held together. Nothing waits for anything else while it holds one.
 *
 * A daemon may be killed between any two stores. Lists are therefore changed in an order in which
 * the way from first to last is always whole (base/lists.h), and while a block is on no list, the
 * zone's intent names the region that it lies in; pr_recover() puts back what it finds there.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pagerig/machine.h>

#include <sched.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
/* For the few functions of the common path, where the order is a constant. */
#define hot_inline static inline __attribute__((always_inline))

/* A word that others write at the same time: one plain load or store. */
#define load(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define store(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
/* Stores before it are in memory before stores behind it, for whoever maps the arena after a kill. */
#define in_order() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* Somebody else has it. */
__attribute__((noinline, cold, unused)) static void arena_lock_wait(pr_lock_t *l)
{
	enum { PATIENCE = 200 };
	unsigned tries = 0;

	do
		while (load(l)) {
			__builtin_ia32_pause();
			/* the holder may be waiting for this processor */
			if (++tries % PATIENCE == 0)
				sched_yield();
		}
	while (__atomic_exchange_n(l, 1, __ATOMIC_ACQUIRE));
}

static inline void arena_lock(pr_lock_t *l)
{
	if (unlikely(__atomic_exchange_n(l, 1, __ATOMIC_ACQUIRE)))
		arena_lock_wait(l);
}

static inline void arena_unlock(pr_lock_t *l)
{
	__atomic_store_n(l, 0, __ATOMIC_RELEASE);
}

static inline bool arena_trylock(pr_lock_t *l)
{
	return likely(!__atomic_exchange_n(l, 1, __ATOMIC_ACQUIRE));
}

static inline void pcp_lock(struct pcp *p)
{
	arena_lock(&p->lock);
}

static inline void pcp_unlock(struct pcp *p)
{
	arena_unlock(&p->lock);
}

static inline void zone_lock(struct zone *z)
{
	arena_lock(&z->lock);
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
	arena_unlock(&z->lock);
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
