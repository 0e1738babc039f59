/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock.c: the uncommon sides of a lock: waiting, ending another's ownership, beginning one. */
#include "base/lock.h"

#include <errno.h>
#include <pagerig/worker.h>
#include <sched.h>

enum {
	MAX_WORKERS = 64,
	RUN_TO_OWN = 64,    /* takes in a row that make an owner */
	MAX_REVOCATIONS = 16, /* a lock that changes hands this often stays an ordinary one */
	PATIENCE = 200,	    /* looks before the processor is given away: the holder may wait for it */
};

static struct worker nobody = {.id = NOBODY};
static struct worker workers[MAX_WORKERS];
static bool taken[MAX_WORKERS];
static void (*fence_all)(void);
_Thread_local struct worker *worker_self = &nobody;

int pr_worker_begin(void (*fence)(void))
{
	if (worker_self != &nobody)
		return 0;
	__atomic_store_n(&fence_all, fence, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < MAX_WORKERS; i++)
		if (!__atomic_test_and_set(&taken[i], __ATOMIC_ACQUIRE)) {
			workers[i].id = i + 1;
			worker_self = &workers[i];
			return 0;
		}
	return -EAGAIN;
}

void pr_worker_end(void)
{
	struct worker *self = worker_self;

	if (self == &nobody)
		return;
	worker_self = &nobody;
	/* whoever gets the number next may go on with what it owns */
	__atomic_clear(&taken[self - workers], __ATOMIC_RELEASE);
}

static void wait_a_little(unsigned *tries)
{
	__builtin_ia32_pause();
	if (++*tries % PATIENCE == 0)
		sched_yield();
}

void lock_wait(pr_lock_t *l)
{
	unsigned tries = 0;

	while (load(&l->word))
		wait_a_little(&tries);
}

static void revoke(pr_lock_t *l, enum lock_class class)
{
	const struct worker *w = &workers[load(&l->owner) - 1];
	unsigned tries = 0;

	store(&l->owner, 0);
	/* from here on the former owner is seen to be inside, or sees that it is none any more */
	__atomic_load_n(&fence_all, __ATOMIC_ACQUIRE)();
	while (__atomic_load_n(&w->busy[class], __ATOMIC_ACQUIRE) == l)
		wait_a_little(&tries);
	l->run = 0;
	l->revoked++;
}

void lock_settle(pr_lock_t *l, enum lock_class class)
{
	uint32_t owner = load(&l->owner), me = worker_self->id;

	if (owner && owner != me)
		revoke(l, class);
	if (me == NOBODY || l->revoked >= MAX_REVOCATIONS)
		return;
	if (l->last != me) {
		l->last = me;
		l->run = 0;
	} else if (++l->run >= RUN_TO_OWN) {
		l->run = 0;
		store(&l->owner, me);
	}
}
