/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shm_data.c: where there is data: fallocate, SEEK_DATA and SEEK_HOLE, statfs. */
#include "shm/shm_ops.h"
#include "shm/swap.h"

#include <errno.h>
#include <limits.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static uint64_t managed_pages(void)
{
	uint64_t nr = 0;

	for (unsigned z = 0; z < rig.m.arena->nr_zones; z++)
		nr += rig.m.zones[z].managed;
	return nr;
}

/* Bytes off..end-1 within one page. */
static void zero_part(struct segment *s, uint64_t off, uint64_t end)
{
	uint64_t base = off / PR_PAGE_SIZE * PR_PAGE_SIZE;

	if (off < end)
		page_zero(s, off / PR_PAGE_SIZE, (unsigned)(off - base), (unsigned)(end - base));
}

static void punch(struct segment *s, uint64_t off, uint64_t end)
{
	uint64_t first = (off + PR_PAGE_SIZE - 1) / PR_PAGE_SIZE, last = end / PR_PAGE_SIZE;

	if (first > last) { /* within one page */
		zero_part(s, off, end);
		return;
	}
	zero_part(s, off, first * PR_PAGE_SIZE);
	zero_part(s, last * PR_PAGE_SIZE, end);
	pages_drop(s, first, last);
}

/* Pages for all of a range, or none of those that were missing. Never waits (R5). */
static int reserve(struct segment *s, uint64_t off, uint64_t end)
{
	uint64_t first = off / PR_PAGE_SIZE, i = first;
	uint64_t last = (end + PR_PAGE_SIZE - 1) / PR_PAGE_SIZE;
	uint8_t *fresh;
	int err = 0;

	if (last - first > managed_pages() + swap_slots())
		return -ENOSPC;
	fresh = calloc(last - first + 1, 1);
	if (!fresh)
		return -ENOMEM;
	for (; i < last && !err; i++) {
		bool f;

		err = page_reserve(s, i, &f);
		fresh[i - first] = !err && f;
	}
	while (err && i-- > first)
		if (fresh[i - first])
			pages_drop(s, i, i + 1);
	free(fresh);
	return err;
}

/* The range reads as zeroes and has its pages: punched, then reserved. */
static int zero_range(struct segment *s, uint64_t off, uint64_t end)
{
	punch(s, off, end);
	return reserve(s, off, end);
}

void shm_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		   struct fuse_file_info *)
{
	uint64_t end = (uint64_t)off + (uint64_t)len;
	struct segment *s;
	int err = 0;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_node(ino);
	if (!s)
		err = ENOENT;
	else if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		punch(s, (uint64_t)off, end);
	else if ((mode & ~FALLOC_FL_KEEP_SIZE) == FALLOC_FL_ZERO_RANGE)
		err = -zero_range(s, (uint64_t)off, end);
	else if (mode & ~FALLOC_FL_KEEP_SIZE)
		err = EOPNOTSUPP;
	else
		err = -reserve(s, (uint64_t)off, end);
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && end > s->size)
		s->size = end;
	if (s)
		segment_modified(s); /* as file_modified: before it is known how it ends */
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_err(req, err);
}

void shm_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *)
{
	struct segment *s;
	uint64_t size = 0, at = 0;
	int err = 0;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_node(ino);
	size = s ? s->size : 0;
	if (off < 0 || (uint64_t)off >= size) {
		err = ENXIO;
	} else {
		uint64_t pages = (size + PR_PAGE_SIZE - 1) / PR_PAGE_SIZE;
		uint64_t i = pages_next(s, (uint64_t)off / PR_PAGE_SIZE, pages, whence == SEEK_DATA);

		at = i == (uint64_t)off / PR_PAGE_SIZE ? (uint64_t)off : i * PR_PAGE_SIZE;
		if (whence == SEEK_DATA && i == pages)
			err = ENXIO;
		if (at > size)
			at = size;
	}
	pthread_mutex_unlock(&shm_lock);
	if (err)
		fuse_reply_err(req, err);
	else
		fuse_reply_lseek(req, (off_t)at);
}

void shm_statfs(fuse_req_t req, fuse_ino_t)
{
	struct statvfs st = {.f_bsize = PR_PAGE_SIZE, .f_frsize = PR_PAGE_SIZE, .f_namemax = NAME_MAX};

	pthread_mutex_lock(&shm_lock);
	st.f_files = segments_max();
	st.f_ffree = st.f_favail = st.f_files - segments_used();
	st.f_blocks = managed_pages() + swap_slots();
	st.f_bfree = swap_free_slots();
	pthread_mutex_unlock(&shm_lock);
	pthread_mutex_lock(&rig.lock);
	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++) {
		st.f_bfree += (fsblkcnt_t)pr_zone_free_snapshot(&rig.m, &rig.m.zones[i]);
		for (unsigned c = 0; c < rig.m.arena->nr_cpus; c++) /* free for whoever asks there */
			st.f_bfree += (fsblkcnt_t)pr_pcp(&rig.m, &rig.m.zones[i], c)->count;
	}
	pthread_mutex_unlock(&rig.lock);
	st.f_bavail = st.f_bfree;
	fuse_reply_statfs(req, &st);
}
