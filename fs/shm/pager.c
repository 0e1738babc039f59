/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pager.c: requests that could not be answered at once. They stand in one queue and are served in
 * the order in which they came; what stands at its head may wait for memory (rounds of direct
 * reclaim, at most 16 without progress, as Linux) or for swap. Each is answered in the end.
 */
#include "shm/io.h"
#include "shm/lru.h"
#include "shm/swap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NR_PAGERS = 2, MAX_RECLAIM_RETRIES = 16, READ_AHEAD = 32 };

atomic_uint page_cluster = 3;
static struct io *queue, **queue_end = &queue, *wide;
static struct io *urgent; /* those on which the notifying thread waits */
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static pthread_t pagers[NR_PAGERS];
static unsigned nr_pagers;
static bool ending;

int pager_park(const struct io *io)
{
	size_t size = io->buf ? io->end - io->off : 0;
	struct io *copy = malloc(sizeof(*copy) + size);

	if (!copy || ending) {
		free(copy);
		return -ENOMEM;
	}
	*copy = *io;
	copy->next = NULL;
	if (size)
		copy->buf = memcpy(copy + 1, io->buf, size);
	if (reclaim_waits_for(io)) {
		copy->next = urgent;
		urgent = copy;
		reclaim_hurry();
	} else {
		*queue_end = copy;
		queue_end = &copy->next;
	}
	if (io->nr > 1) {
		copy->next_wide = wide;
		wide = copy;
	}
	shm_count(EV_ALLOCSTALL_MOVABLE, 1);
	pthread_cond_signal(&arrived);
	return 0;
}

bool pager_wants(uint64_t node, uint64_t i)
{
	for (const struct io *io = wide; io; io = io->next_wide)
		if (io->node == node && i >= io->off / PR_PAGE_SIZE && i * PR_PAGE_SIZE < io->end)
			return true;
	return false;
}

/* A few slots in a row that are read at once. */
struct ahead {
	uint64_t first;
	unsigned nr;
	pfn_t pfn[READ_AHEAD]; /* 0: this one is not wanted */
	uint32_t segment[READ_AHEAD];
	uint64_t index[READ_AHEAD];
	char *pages;
};

/* Frames for the page itself, and for its neighbours as long as they come easily. 0 or -ENOMEM. */
static int ahead_prepare(const struct segment *s, struct ahead *a, uint64_t slot)
{
	pfn_t pfn = frame_alloc(segment_owner(s));
	bool more = !frames_memalloc;
	unsigned pages = page_cluster < 5 ? 1u << page_cluster : READ_AHEAD;

	if (!pfn)
		return -ENOMEM;
	a->nr = swap_window(slot, pages, &a->first);
	for (unsigned k = 0; k < a->nr; k++) {
		a->pfn[k] = 0;
		if (!swap_holds(a->first + k, &a->segment[k], &a->index[k]))
			continue;
		if (a->first + k == slot)
			a->pfn[k] = pfn;
		else if (more)
			more = (a->pfn[k] = frame_alloc(segment_owner(segment_at(a->segment[k])))) != 0;
		if (a->pfn[k])
			swap_pin(a->first + k);
	}
	return 0;
}

/* One page that was read: *good says whether it came as it went. */
static pfn_t ahead_install(struct ahead *a, unsigned k, bool good)
{
	struct segment *s = segment_at(a->segment[k]);
	pfn_t pfn = a->pfn[k];

	if (s->id != a->segment[k] || !good) {
		frame_unpin(pfn);
		return 0;
	}
	memcpy(frame_write(pfn, true), a->pages + (size_t)k * PR_PAGE_SIZE, PR_PAGE_SIZE);
	return page_install(s, a->index[k], a->first + k, pfn) ? 0 : pfn;
}

/*
 * Reads page `at` of a request from swap, and others that lie beside it: those wait on the cold
 * list, as the kernel does not know them yet. 0: go on, whatever became of it; -ENOMEM; -EAGAIN
 * without wait, if the file is not in the host's cache.
 */
static int swap_in(struct segment *s, struct io *io, unsigned at, bool wait)
{
	static __thread char pages[READ_AHEAD * PR_PAGE_SIZE];
	uint64_t i = io->off / PR_PAGE_SIZE + at;
	uint64_t e = index_get(&s->pages.index, i), slot = entry_value(e);
	struct ahead a = {.pages = pages};
	int err;

	if (entry_kind(e) != PAGE_SWAP)
		return 0;
	if (ahead_prepare(s, &a, slot))
		return -ENOMEM;
	pthread_mutex_unlock(&shm_lock);
	err = swap_read(a.first, pages, a.nr, wait);
	if (err && err != -EAGAIN) /* perhaps only a neighbour can't be read */
		err = swap_read(slot, pages + (slot - a.first) * PR_PAGE_SIZE, 1, wait);
	pthread_mutex_lock(&shm_lock);
	for (unsigned k = 0; k < a.nr; k++) {
		bool mine = a.first + k == slot, good;
		pfn_t pfn;

		if (!a.pfn[k])
			continue;
		good = !err && swap_matches(a.first + k, pages + (size_t)k * PR_PAGE_SIZE);
		pfn = ahead_install(&a, k, good);
		if (pfn && mine) {
			io->pfn[at] = pfn;
			page_count_major(s, io->buf ? USE_WRITE : USE_READ);
		} else if (pfn) {
			frame_at(pfn)->flags |= FRAME_AHEAD;
			shm_lru_add(pfn, LIST_COLD);
			frame_at(pfn)->pins--;
		} else if (mine && !good && err != -EAGAIN && index_get(&s->pages.index, i) == e) {
			page_lost(s, i);
			swap_put(slot);
		}
		swap_unpin(a.first + k);
	}
	return err == -EAGAIN ? err : 0;
}

int pager_try(struct segment *s, struct io *io, unsigned at)
{
	return swap_in(s, io, at, false);
}

static int exchange(struct segment *s, struct io *io, unsigned at)
{
	uint64_t e = index_get(&s->pages.index, io->off / PR_PAGE_SIZE + at);
	bool before = frames_memalloc;
	int err;

	if (entry_kind(e) != PAGE_SWAP || before)
		return -ENOMEM;
	frames_memalloc = true;
	err = swap_in(s, io, at, true);
	frames_memalloc = before;
	return err;
}

static void serve(struct io *io)
{
	struct segment *s;
	int err, without = 0;
	unsigned at;

	while ((s = segment_by_node(io->node)) && (err = io_gather(s, io, &at))) {
		int64_t freed;

		if (err == -EAGAIN && !(err = swap_in(s, io, at, true)))
			continue;
		if (err != -ENOMEM)
			break;
		freed = reclaim_round(io);
		without = freed ? 0 : without + 1;
		if (freed < 0 || without > MAX_RECLAIM_RETRIES) {
			/* what comes from swap leaves a slot for another: the reserves get it back */
			if (!exchange(s, io, at))
				continue;
			break;
		}
		if (freed) { /* it may lie on another CPU's lists */
			pthread_mutex_lock(&rig.lock);
			pr_drain_all(&rig.m, frames_cpu());
			pthread_mutex_unlock(&rig.lock);
		}
	}
	io_finish(segment_by_node(io->node), io, s ? err : 0);
}

static void forget(struct io *io)
{
	struct io **at = &wide;

	while (*at && *at != io)
		at = &(*at)->next_wide;
	if (*at)
		*at = io->next_wide;
	free(io);
}

/*
 * The notifying thread waits until the kernel lets go of pages that this request holds: it can't
 * wait for memory in its turn, and takes from the reserves as reclaim itself may (PF_MEMALLOC).
 */
bool pager_serve_urgent(void)
{
	struct io *io = urgent;

	if (!io)
		return false;
	urgent = io->next;
	frames_memalloc = true;
	serve(io);
	frames_memalloc = false;
	forget(io);
	return true;
}

static void *pager(void *)
{
	pthread_mutex_lock(&shm_lock);
	for (;;) {
		struct io *io = queue;

		if (pager_serve_urgent())
			continue;
		if (!io && ending)
			break;
		if (!io) {
			pthread_cond_wait(&arrived, &shm_lock);
			continue;
		}
		queue = io->next;
		if (!queue)
			queue_end = &queue;
		serve(io);
		forget(io);
	}
	pthread_mutex_unlock(&shm_lock);
	return NULL;
}

int pager_start(void)
{
	ending = false;
	for (nr_pagers = 0; nr_pagers < NR_PAGERS; nr_pagers++)
		if (pthread_create(&pagers[nr_pagers], NULL, pager, NULL))
			return -EAGAIN;
	return 0;
}

void pager_stop(void)
{
	pthread_mutex_lock(&shm_lock);
	ending = true;
	pthread_cond_broadcast(&arrived);
	pthread_mutex_unlock(&shm_lock);
	for (unsigned i = 0; i < nr_pagers; i++)
		pthread_join(pagers[i], NULL);
	nr_pagers = 0;
}
