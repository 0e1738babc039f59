/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kswapd.c: the threads. */
#include "reclaim/reclaim.h"

#include "shm/io.h"
#include "tasks/tasks.h"
#include "tracing/tracing.h"

#include <errno.h>
#include <pagerig/compact.h>
#include <pagerig/reclaim.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

enum { NAP_MS = 100, NS_PER_MS = 1000000, NS_PER_SECOND = 1000000000 };

static struct kswapd_thread {
	pthread_t thread;
	sem_t work;
	atomic_bool woken, compact;
	unsigned cpu; /* the first of its node */
} threads[PR_MAX_NODES];
static unsigned nr_threads;
static atomic_bool ending;

void kswapd_wake(void *ctx, unsigned node, unsigned order, enum zone_type highest)
{
	if (node < nr_threads && !atomic_exchange(&threads[node].woken, true))
		sem_post(&threads[node].work);
	reclaim_wake(ctx, node, order, highest);
}

/* pr_host.wake_kcompactd: the node's thread does that work, too. */
static void kcompactd_wake(void *, unsigned node)
{
	if (node < nr_threads && !atomic_exchange(&threads[node].compact, true))
		sem_post(&threads[node].work);
}

static void compact_if_woken(unsigned node)
{
	if (!atomic_exchange(&threads[node].compact, false))
		return;
	pthread_mutex_lock(&rig.lock);
	if (pr_kcompactd_step(&rig.m, node, threads[node].cpu) < 0)
		rig_error("kcompactd%u: the engine refused a step", node);
	pthread_mutex_unlock(&rig.lock);
}

static bool has_user_memory(unsigned node)
{
	for (unsigned l = 0; l < NR_LRU_LISTS; l++)
		if (pr_lru_pages(&rig.m, (int)node, (enum lru_list)l))
			return true;
	return false;
}

/* Steps until it sleeps; what to do then. Nothing of the engine's is there to reclaim: it sleeps on. */
static enum pr_kswapd work_off(unsigned node)
{
	enum pr_kswapd now;

	do {
		pthread_mutex_lock(&rig.lock);
		now = has_user_memory(node) || rig.m.nodes[node].kswapd.state != KSWAPD_ASLEEP
			      ? pr_kswapd_step(&rig.m, node, threads[node].cpu)
			      : PR_KSWAPD_ASLEEP;
		tasks_writeback();
		pthread_mutex_unlock(&rig.lock);
	} while (now == PR_KSWAPD_MORE && !ending);
	return now;
}

static void nap(struct kswapd_thread *t)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)NAP_MS * NS_PER_MS;
	until.tv_sec += until.tv_nsec / NS_PER_SECOND;
	until.tv_nsec %= NS_PER_SECOND;
	while (sem_timedwait(&t->work, &until) && errno == EINTR)
		;
}

static void *run(void *arg)
{
	struct kswapd_thread *t = arg;
	unsigned node = (unsigned)(t - threads);
	char name[16];

	snprintf(name, sizeof(name), "kswapd%u", node);
	pthread_setname_np(pthread_self(), name);
	rig_caller.pid = gettid();
	tracing_name_task(rig_caller.pid, name);
	while (!ending) {
		while (sem_wait(&t->work))
			;
		do
			atomic_store(&t->woken, false);
		while (!ending && work_off(node) == PR_KSWAPD_NAP && (nap(t), true));
		compact_if_woken(node);
	}
	return NULL;
}

int kswapd_start(void)
{
	for (unsigned n = 0; n < rig.m.arena->nr_nodes; n++) {
		struct kswapd_thread *t = &threads[n];
		int err;

		sem_init(&t->work, 0, 0);
		for (unsigned c = rig.m.arena->nr_cpus; c-- > 0;)
			if (rig.m.arena->cpu_node[c] == n)
				t->cpu = c;
		err = pthread_create(&t->thread, NULL, run, t);
		if (err)
			return -err;
		nr_threads++;
	}
	rig.m.host.wake_kswapd = kswapd_wake;
	rig.m.host.wake_kcompactd = kcompactd_wake;
	return 0;
}

void kswapd_stop(void)
{
	ending = true;
	for (unsigned n = 0; n < nr_threads; n++) {
		sem_post(&threads[n].work);
		pthread_join(threads[n].thread, NULL);
	}
}
