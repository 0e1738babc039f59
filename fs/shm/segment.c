/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shm/segment.h"

#include "shm/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

pthread_mutex_t shm_lock = PTHREAD_MUTEX_INITIALIZER;

enum { GENERATION_SHIFT = 32, SHORT_SYMLINK = 128 };
static const uint32_t generation_mask = (1u << 24) - 1;

uint64_t segment_node(const struct segment *s)
{
	return SHM_INO | (uint64_t)(s->generation & generation_mask) << GENERATION_SHIFT | s->id;
}

struct segment *segment_by_node(uint64_t node)
{
	uint32_t id = (uint32_t)node;
	struct segment *s;

	if (!id || id > store->pool[POOL_SEGMENT].last)
		return NULL;
	s = segment_at(id);
	return s->id == id && segment_node(s) == node ? s : NULL;
}

/* Linux stamps files with the time of the last tick, and so are these comparable with its own. */
static struct timespec now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME_COARSE, &t);
	return t;
}

void segment_modified(struct segment *s)
{
	s->mtime = s->ctime = now();
}

void segment_changed(struct segment *s)
{
	s->ctime = now();
}

uint64_t segments_used(void)
{
	return store->pool[POOL_SEGMENT].used;
}

uint64_t segments_max(void)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++)
		pages += rig.m.zones[i].managed;
	return pages / 2;
}

struct segment *segment_new(const struct segment *dir, mode_t mode, uid_t uid, gid_t gid)
{
	uint32_t id = segments_used() < segments_max() ? store_get(POOL_SEGMENT) : 0;
	uint32_t generation;
	struct segment *s;

	if (!id)
		return NULL;
	s = segment_at(id);
	generation = s->generation;
	memset(s, 0, sizeof(*s));
	s->id = id;
	s->generation = generation;
	s->ino = ++store->last_ino;
	if (dir && (dir->mode & S_ISGID)) {
		gid = dir->gid;
		mode |= S_ISDIR(mode) ? S_ISGID : 0;
	}
	s->mode = mode;
	s->uid = uid;
	s->gid = gid;
	s->nlink = S_ISDIR(mode) ? 2 : 0;
	segment_modified(s);
	s->atime = s->mtime;
	s->next = store->first_segment;
	if (s->next)
		segment_at(s->next)->prev = id;
	store->first_segment = id;
	return s;
}

static void segment_free(struct segment *s)
{
	uint32_t id;

	*(s->prev ? &segment_at(s->prev)->next : &store->first_segment) = s->next;
	if (s->next)
		segment_at(s->next)->prev = s->prev;
	pages_drop(s, 0, UINT64_MAX);
	if (s->target)
		store_put(POOL_NODE, s->target);
	s->generation++;
	id = s->id;
	s->id = 0;
	store_put(POOL_SEGMENT, id);
}

void segment_put(struct segment *s)
{
	if (s->id != SHM_ROOT_ID && !s->nlink && !s->lookups && !s->opens)
		segment_free(s);
}

void segment_resize(struct segment *s, uint64_t size)
{
	unsigned tail = size % PR_PAGE_SIZE;

	if (size < s->size) {
		pages_drop(s, (size + PR_PAGE_SIZE - 1) / PR_PAGE_SIZE, UINT64_MAX);
		if (tail) /* what grows back is zero */
			page_zero(s, size / PR_PAGE_SIZE, tail, PR_PAGE_SIZE);
	}
	s->size = size;
}

void segment_attr(const struct segment *s, struct stat *st)
{
	uint64_t pages = s->pages.resident + s->pages.elsewhere;

	if (S_ISLNK(s->mode) && s->size >= SHORT_SYMLINK)
		pages = 1;
	*st = (struct stat){
		.st_ino = s->ino | SHM_INO, .st_mode = s->mode, .st_nlink = s->nlink, .st_uid = s->uid,
		.st_gid = s->gid, .st_rdev = s->rdev, .st_size = (off_t)s->size,
		.st_blksize = PR_PAGE_SIZE, .st_blocks = (blkcnt_t)(pages * (PR_PAGE_SIZE / 512)),
		.st_atim = s->atime, .st_mtim = s->mtime, .st_ctim = s->ctime,
	};
}
