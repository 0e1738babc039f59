/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reclaim.c: kswapd of shm/, the one thread that speaks to the kernel on its own (R1). It is woken
 * by the engine when a node falls under its low watermark, and by the pager for a round of direct
 * reclaim. Two steps, never both for one page in one go:
 *
 *   deactivate  takes pages away from the kernel; each keeps its frame and waits on the cold list.
 *               What is asked for meanwhile, or while it waits there, was in use and is rescued.
 *   evict       the tail of the cold list goes to swap: the kernel has no copy of it any more, so
 *               nothing can be lost between copying it and freeing its frame (R3).
 *
 * A page in this thread's hands is pinned and on no list. What is truncated meanwhile loses its
 * segment and is freed by the unpin.
 */
#include "shm/io.h"
#include "shm/lru.h"
#include "shm/swap.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

enum { DEACTIVATE_BATCH = 128, EVICT_BATCH = 32 /* SWAP_CLUSTER_MAX */, TRIM_BATCH = 64 };

static struct fuse_session *session;
static pthread_t thread;
static sem_t work;
static atomic_bool ending, running;
static atomic_ullong woken; /* nodes */
static unsigned highest_of[PR_MAX_NODES];

/* Rounds of direct reclaim: how many were asked for and made. Under shm's lock. */
static uint64_t rounds_wanted, rounds_made;
static int64_t last_round;
static pthread_cond_t round_made = PTHREAD_COND_INITIALIZER;
/* What is being taken away from the kernel at this moment. Under shm's lock. */
static struct {
	uint64_t node, first, last;
} taking;

void reclaim_wake(void *, unsigned node, unsigned, enum zone_type highest)
{
	highest_of[node] = highest;
	if (!(atomic_fetch_or(&woken, 1ull << node) & 1ull << node))
		sem_post(&work);
}

bool reclaim_waits_for(const struct io *io)
{
	return taking.node == io->node && io->off / PR_PAGE_SIZE <= taking.last &&
	       (io->end - 1) / PR_PAGE_SIZE >= taking.first;
}

void reclaim_hurry(void)
{
	pthread_cond_broadcast(&round_made);
}

int64_t reclaim_round(const struct io *io)
{
	uint64_t mine = ++rounds_wanted;

	if (!swap_slots() || frames_memalloc)
		return -ENOMEM;
	sem_post(&work);
	while (rounds_made < mine) {
		if (reclaim_waits_for(io) || ending || !running)
			return -ENOMEM;
		if (!pager_serve_urgent())
			pthread_cond_wait(&round_made, &shm_lock);
	}
	return last_round;
}

static int by_page(const void *a, const void *b)
{
	const struct frame *f = frame_at(*(const pfn_t *)a), *g = frame_at(*(const pfn_t *)b);

	if (f->segment != g->segment)
		return f->segment < g->segment ? -1 : 1;
	return f->index < g->index ? -1 : f->index > g->index;
}

static bool can_be_taken(const struct frame *f)
{
	return f->segment && !pager_wants(segment_node(segment_at(f->segment)), f->index);
}

/* Pages from the tail of a list that nobody uses at this moment, into this thread's hands. */
static unsigned isolate(unsigned node, enum frame_list list, unsigned max, pfn_t *pfn)
{
	uint64_t look = shm_lru_size(node, list);
	unsigned n = 0, scanned = 0;

	for (look = look < 4 * max ? look : 4 * max; look && n < max; look--) {
		pfn_t tail = shm_lru_tail(node, list);
		struct frame *f = frame_at(tail);

		shm_lru_del(tail);
		scanned++;
		if (f->pins || !can_be_taken(f)) {
			shm_lru_add(tail, list);
		} else if (list != LIST_COLD && (f->flags & FRAME_REFERENCED)) {
			f->flags &= (uint8_t)~FRAME_REFERENCED;
			shm_lru_add(tail, LIST_ACTIVE);
		} else {
			f->pins++;
			f->flags &= (uint8_t)~FRAME_TOUCHED;
			pfn[n++] = tail;
		}
	}
	shm_count(EV_PGSCAN_KSWAPD, scanned);
	shm_count(EV_PGSCAN_ANON, scanned);
	return n;
}

/* Pages pfn[0..n-1] of one segment in a row: away from the kernel. Shm's lock is released meanwhile. */
static void take_range(pfn_t *pfn, unsigned n)
{
	uint64_t node = segment_node(segment_at(frame_at(pfn[0])->segment));
	uint64_t first = frame_at(pfn[0])->index;
	unsigned cold = 0;

	taking.node = node;
	taking.first = first;
	taking.last = first + n - 1;
	pthread_mutex_unlock(&shm_lock);
	fuse_lowlevel_notify_inval_inode(session, node, (off_t)(first * PR_PAGE_SIZE),
					 (off_t)n * PR_PAGE_SIZE);
	pthread_mutex_lock(&shm_lock);
	taking.node = 0;
	for (unsigned k = 0; k < n; k++) {
		struct frame *f = frame_at(pfn[k]);

		if (f->segment && f->pins == 1 && !(f->flags & FRAME_REFERENCED)) {
			f->pins = 0;
			shm_lru_add(pfn[k], LIST_COLD);
			cold++;
		} else {
			frame_unpin(pfn[k]);
		}
	}
	shm_count(EV_PGDEACTIVATE, cold);
}

static void deactivate(unsigned node)
{
	pfn_t pfn[DEACTIVATE_BATCH];
	unsigned n = isolate(node, shm_lru_victim(node), DEACTIVATE_BATCH, pfn), to;

	qsort(pfn, n, sizeof(*pfn), by_page);
	for (unsigned from = 0; from < n; from = to) {
		const struct frame *f = frame_at(pfn[from]);

		to = from + 1;
		if (!can_be_taken(f) || f->pins != 1) {
			frame_unpin(pfn[from]);
			continue;
		}
		for (; to < n; to++) {
			const struct frame *g = frame_at(pfn[to]);

			if (g->segment != f->segment || g->index != f->index + (to - from) ||
			    g->pins != 1 || !can_be_taken(g))
				break;
		}
		take_range(pfn + from, to - from);
	}
}

struct leaving {
	pfn_t pfn;
	uint64_t hash; /* of a page that goes to a slot */
	uint32_t word; /* of one that needs none */
};

/* Is a page one word over and over? */
static bool is_filled(const void *page, uint32_t *word)
{
	const char *p = page;

	memcpy(word, p, sizeof(*word));
	return !memcmp(p, p + sizeof(*word), PR_PAGE_SIZE - sizeof(*word));
}

/* The end of one page: its frame is freed, unless it was asked for meanwhile. True if it was freed. */
static bool leave(unsigned node, const struct leaving *l, uint64_t slot)
{
	struct frame *f = frame_at(l->pfn);
	struct segment *s = segment_at(f->segment);
	uint64_t e;

	if (!f->segment || f->pins != 1 || (f->flags & FRAME_TOUCHED)) {
		if (slot)
			swap_put(slot);
		frame_unpin(l->pfn);
		return false;
	}
	e = index_get(&s->pages.index, f->index) & ENTRY_UNWRITTEN;
	if (slot) {
		swap_set(slot, s, f->index, l->hash, shm_lru_evicted(node));
		s->pages.swapped_out++;
		shm_count(EV_PSWPOUT, 1);
		e = entry(PAGE_SWAP, slot);
	} else {
		e |= entry(PAGE_FILL, l->word);
	}
	page_replace(s, f->index, e);
	f->segment = 0;
	frame_unpin(l->pfn);
	shm_count(EV_PGSTEAL_KSWAPD, 1);
	shm_count(EV_PGSTEAL_ANON, 1);
	return true;
}

static void stays(const struct leaving *l)
{
	struct frame *f = frame_at(l->pfn);

	if (f->segment && f->pins == 1 && !(f->flags & FRAME_TOUCHED)) {
		f->pins = 0;
		shm_lru_add(l->pfn, LIST_COLD);
	} else {
		frame_unpin(l->pfn);
	}
}

/* Writes pages to slots in a row, as many as there are. Freed pages; *done: those dealt with. */
static unsigned write_run(unsigned node, struct leaving *l, unsigned n, char *bytes, unsigned *done)
{
	unsigned freed = 0, got;
	uint64_t slot;
	int err;

	got = swap_get(n, &slot);
	*done = got ? got : n;
	if (!got) {
		for (unsigned k = 0; k < n; k++)
			stays(&l[k]);
		return 0;
	}
	pthread_mutex_unlock(&shm_lock);
	err = swap_write(slot, bytes, got);
	pthread_mutex_lock(&shm_lock);
	for (unsigned k = 0; k < got; k++) {
		if (!err) {
			freed += leave(node, &l[k], slot + k);
			continue;
		}
		swap_put(slot + k);
		stays(&l[k]);
	}
	return freed;
}

/* The copy is made under the lock, so that it is one moment's; hashing and writing are not. */
static unsigned evict(unsigned node)
{
	static char bytes[EVICT_BATCH * PR_PAGE_SIZE];
	pfn_t pfn[EVICT_BATCH];
	struct leaving l[EVICT_BATCH];
	unsigned n = isolate(node, LIST_COLD, EVICT_BATCH, pfn), writes = 0, freed = 0;

	for (unsigned k = 0; k < n; k++) {
		const void *page = frame_read(pfn[k]);

		l[writes] = (struct leaving){.pfn = pfn[k]};
		if (is_filled(page, &l[writes].word))
			freed += leave(node, &l[writes], 0);
		else
			memcpy(bytes + (size_t)writes++ * PR_PAGE_SIZE, page, PR_PAGE_SIZE);
	}
	pthread_mutex_unlock(&shm_lock);
	for (unsigned k = 0; k < writes; k++)
		l[k].hash = XXH3_64bits(bytes + (size_t)k * PR_PAGE_SIZE, PR_PAGE_SIZE);
	pthread_mutex_lock(&shm_lock);
	for (unsigned at = 0, done; at < writes; at += done)
		freed += write_run(node, l + at, writes - at, bytes + (size_t)at * PR_PAGE_SIZE, &done);
	return freed;
}

/* Frees pages of a node, about a batch of them. With shm's lock, which is released meanwhile. */
static unsigned shrink_node(unsigned node)
{
	unsigned freed = 0;

	for (int tries = 0; tries < 4 && freed < EVICT_BATCH; tries++) {
		if (shm_lru_size(node, LIST_COLD) < shm_lru_cold_target(node))
			deactivate(node);
		freed += evict(node);
	}
	return freed;
}

static bool node_balanced(unsigned node)
{
	bool ok = false;

	pthread_mutex_lock(&rig.lock);
	for (unsigned i = 0; i < rig.m.arena->nr_zones && !ok; i++) {
		const struct zone *z = &rig.m.zones[i];

		if (z->node == node && z->type <= highest_of[node])
			ok = pr_zone_free_snapshot(&rig.m, z) >
			     (int64_t)(z->watermark[WMARK_HIGH] + z->watermark_boost +
				       z->lowmem_reserve[highest_of[node]]);
	}
	pthread_mutex_unlock(&rig.lock);
	return ok;
}

static bool direct_round(void)
{
	unsigned freed = 0;
	uint64_t until = rounds_wanted;

	if (rounds_made == until)
		return false;
	for (unsigned n = 0; n < rig.m.arena->nr_nodes; n++)
		freed += shrink_node(n);
	last_round = freed;
	rounds_made = until;
	pthread_cond_broadcast(&round_made);
	return true;
}

/* One node until it is well, as long as something comes of it. */
static void balance(unsigned node)
{
	for (int without = 0; without < 3 && !ending && !node_balanced(node);) {
		without = shrink_node(node) ? 0 : without + 1;
		direct_round();
	}
}

static void nap(void)
{
	struct timespec until;
	uint64_t trimmed = TRIM_BATCH;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	if (!sem_clockwait(&work, CLOCK_REALTIME, &until))
		return;
	while (!ending && !woken && trimmed == TRIM_BATCH) { /* nothing to do: tidy up, in pieces */
		pthread_mutex_lock(&shm_lock);
		trimmed = frames_trim(TRIM_BATCH);
		pthread_mutex_unlock(&shm_lock);
	}
}

static void *kswapd(void *)
{
	while (!ending) {
		unsigned long long nodes;

		nap();
		nodes = atomic_exchange(&woken, 0);
		pthread_mutex_lock(&shm_lock);
		while (direct_round())
			if (!last_round) { /* Linux waits a tick then, too */
				pthread_mutex_unlock(&shm_lock);
				nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
				pthread_mutex_lock(&shm_lock);
			}
		for (unsigned n = 0; n < rig.m.arena->nr_nodes && swap_slots(); n++)
			if (nodes & 1ull << n)
				balance(n);
		pthread_mutex_unlock(&shm_lock);
	}
	pthread_mutex_lock(&shm_lock);
	running = false;
	pthread_cond_broadcast(&round_made);
	pthread_mutex_unlock(&shm_lock);
	return NULL;
}

int reclaim_start(struct fuse_session *se)
{
	session = se;
	ending = false;
	running = true;
	if (sem_init(&work, 0, 0) || pthread_create(&thread, NULL, kswapd, NULL))
		return -EAGAIN;
	return 0;
}

void reclaim_stop(void)
{
	ending = true;
	sem_post(&work);
	pthread_join(thread, NULL);
}
