/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shm/frames.h"

#include "shm/lru.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *content;
static uint64_t nr_frames, limit_pages;
static uint64_t in_use, charged; /* charged: in use or stale, at most limit_pages */
__thread bool frames_memalloc;
static const char zeroes[PR_PAGE_SIZE];

uint64_t frames_span(void)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++) {
		const struct zone *z = &rig.m.zones[i];

		if (z->start_pfn + z->spanned > end)
			end = z->start_pfn + z->spanned;
	}
	return end;
}

int shm_frames_init(uint64_t nr, uint64_t limit)
{
	int fd = memfd_create("pagerig-frames", MFD_CLOEXEC);
	void *p = MAP_FAILED;

	nr_frames = nr;
	limit_pages = limit / PR_PAGE_SIZE;
	in_use = charged = 0;
	if (fd >= 0 && !ftruncate(fd, (off_t)(nr * PR_PAGE_SIZE)))
		p = mmap(NULL, nr * PR_PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return -ENOMEM;
	content = p;
	return 0;
}

void shm_frames_exit(void)
{
	munmap(content, nr_frames * PR_PAGE_SIZE);
}

static char *bytes(pfn_t pfn)
{
	return content + pfn * PR_PAGE_SIZE;
}

const void *frame_read(pfn_t pfn)
{
	return !pfn || (frame_at(pfn)->flags & FRAME_ZERO) ? zeroes : bytes(pfn);
}

void *frame_write(pfn_t pfn, bool all)
{
	struct frame *f = frame_at(pfn);

	if ((f->flags & FRAME_ZERO) && !all)
		memset(bytes(pfn), 0, PR_PAGE_SIZE);
	f->flags = (uint8_t)((f->flags & ~FRAME_ZERO) | FRAME_BACKED);
	return bytes(pfn);
}

unsigned frames_cpu(void)
{
	int cpu = sched_getcpu();

	return cpu < 0 ? 0 : (unsigned)cpu % rig.m.arena->nr_cpus;
}

static void give_back(pfn_t pfn)
{
	shm_lru_del(pfn);
	madvise(bytes(pfn), PR_PAGE_SIZE, MADV_REMOVE);
	frame_at(pfn)->flags = 0;
	charged--;
}

uint64_t frames_trim(uint64_t max)
{
	uint64_t done = 0;

	for (unsigned n = 0; n < rig.m.arena->nr_nodes; n++)
		for (; done < max && shm_lru_tail(n, LIST_STALE); done++)
			give_back(shm_lru_tail(n, LIST_STALE));
	return done;
}

static void engine_free(pfn_t pfn)
{
	pthread_mutex_lock(&rig.lock);
	if (pr_free(&rig.m, pfn, 0, frames_cpu()))
		rig_error("shm: frame %#llx was not allocated", (unsigned long long)pfn);
	rig.shm_pages[pr_zone_of(&rig.m, pfn) - rig.m.zones]--;
	pthread_mutex_unlock(&rig.lock);
}

pfn_t frame_alloc(uint32_t owner)
{
	/* who has to wait for memory is parked, so nothing is reclaimed from here */
	struct pr_request r = PR_REQUEST(0, (GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_NOMEMALLOC) &
						    ~__GFP_DIRECT_RECLAIM);
	struct frame *f;
	pfn_t pfn;
	int err;

	r.cpu = frames_cpu();
	r.node = -1;
	r.owner = owner;
	r.lru = true;
	r.memalloc = frames_memalloc;
	if (frames_memalloc)
		r.gfp &= ~__GFP_NOMEMALLOC;
	pthread_mutex_lock(&rig.lock);
	err = pr_alloc(&rig.m, &r, &pfn);
	if (!err)
		rig.shm_pages[pr_zone_of(&rig.m, pfn) - rig.m.zones]++;
	pthread_mutex_unlock(&rig.lock);
	if (err)
		return 0;
	f = frame_at(pfn);
	if (f->list == LIST_STALE) {
		shm_lru_del(pfn);
	} else if (charged < limit_pages || frames_trim(1)) {
		charged++;
	} else {
		engine_free(pfn);
		return 0;
	}
	f->flags = (uint8_t)((f->flags & FRAME_BACKED) | FRAME_USED | FRAME_ZERO);
	f->pins = 1;
	f->segment = 0;
	in_use++;
	return pfn;
}

static void release(pfn_t pfn)
{
	struct frame *f = frame_at(pfn);

	shm_lru_del(pfn);
	in_use--;
	f->flags &= FRAME_BACKED;
	f->segment = 0;
	if (f->flags)
		shm_lru_add(pfn, LIST_STALE);
	else
		charged--;
	engine_free(pfn);
}

static void back_on_list(pfn_t pfn)
{
	enum frame_list list = shm_lru_place(pfn);

	if (list == LIST_ACTIVE) {
		pthread_mutex_lock(&rig.lock);
		pr_count(&rig.m, frames_cpu(), EV_PGACTIVATE, 1);
		pthread_mutex_unlock(&rig.lock);
	}
	shm_lru_add(pfn, list);
}

void frame_unpin(pfn_t pfn)
{
	struct frame *f = frame_at(pfn);

	if (--f->pins)
		return;
	if (!f->segment)
		release(pfn);
	else if (f->list == LIST_NONE)
		back_on_list(pfn);
}

void frame_drop(pfn_t pfn)
{
	struct frame *f = frame_at(pfn);

	f->segment = 0;
	shm_lru_del(pfn);
	if (!f->pins)
		release(pfn);
}

uint64_t frames_in_use(void)
{
	return in_use;
}
