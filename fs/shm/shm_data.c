/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shm_data.c: requests that move bytes. Answers are sent under shm's lock, so that no slot changes
 * hands while it is read; sending never waits for a client.
 */
#include "shm/shm_ops.h"

#include <errno.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <unistd.h>
#include <string.h>
#include <sys/uio.h>

enum { MAX_READ_PAGES = 1024 };

/* How much of [off, off+size) lies in page i, and where it starts there. */
static size_t in_page(uint64_t off, uint64_t end, uint64_t i, size_t *from)
{
	uint64_t start = i * PR_PAGE_SIZE, stop = start + PR_PAGE_SIZE;

	*from = off > start ? off - start : 0;
	return (end < stop ? end - start : PR_PAGE_SIZE) - *from;
}

static int gather(struct segment *s, uint64_t off, uint64_t end, struct iovec *iov)
{
	int n = 0;

	for (uint64_t i = off / PR_PAGE_SIZE; i * PR_PAGE_SIZE < end && n < MAX_READ_PAGES; i++) {
		bool fresh;
		char *page = page_get(&s->pages, i, &fresh);
		size_t from, len = in_page(off, end, i, &from);

		if (!page) {
			s->failed++;
			return -ENOMEM; /* a fault sees SIGBUS */
		}
		s->minor_faults += fresh;
		iov[n].iov_base = page + from;
		iov[n++].iov_len = len;
	}
	return n;
}

void shm_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct iovec iov[MAX_READ_PAGES];
	struct segment *s;
	uint64_t end;
	int n = 0;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_ino(ino);
	end = s ? (uint64_t)off + size : 0;
	if (s && end > (uint64_t)s->st.st_size)
		end = (uint64_t)s->st.st_size;
	if (s) {
		s->reads++;
		if ((uint64_t)off < end)
			n = gather(s, (uint64_t)off, end, iov);
	}
	if (!s)
		fuse_reply_err(req, ENOENT);
	else if (n < 0)
		fuse_reply_err(req, -n);
	else
		fuse_reply_iov(req, iov, n);
	pthread_mutex_unlock(&shm_lock);
}

/* Bytes written before there was no more memory. */
static size_t scatter(struct segment *s, const char *buf, uint64_t off, uint64_t end)
{
	uint64_t start = off;

	for (uint64_t i = off / PR_PAGE_SIZE; i * PR_PAGE_SIZE < end; i++) {
		size_t from, len = in_page(start, end, i, &from);
		char *page = page_get(&s->pages, i, NULL);

		if (!page) {
			s->failed++;
			break;
		}
		memcpy(page + from, buf + (off - start), len);
		off += len;
	}
	return off - start;
}

void shm_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
	       struct fuse_file_info *fi)
{
	struct segment *s;
	size_t done = 0;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_ino(ino);
	if (s) {
		s->writes++;
		done = scatter(s, buf, (uint64_t)off, (uint64_t)off + size);
		if (done && (uint64_t)off + done > (uint64_t)s->st.st_size && !fi->writepage)
			s->st.st_size = off + (off_t)done;
		segment_touch(s);
	}
	pthread_mutex_unlock(&shm_lock);
	if (!done && size)
		fuse_reply_err(req, s ? ENOSPC : ENOENT);
	else
		fuse_reply_write(req, done);
}

static void zero_range(struct segment *s, uint64_t off, uint64_t end)
{
	for (uint64_t i = off / PR_PAGE_SIZE; i * PR_PAGE_SIZE < end; i++) {
		size_t from, len = in_page(off, end, i, &from);
		char *page = page_at(&s->pages, i);

		if (page)
			memset(page + from, 0, len);
	}
}

static void punch(struct segment *s, uint64_t off, uint64_t end)
{
	uint64_t first = (off + PR_PAGE_SIZE - 1) / PR_PAGE_SIZE, last = end / PR_PAGE_SIZE;

	pages_drop(&s->pages, first, last);
	for (uint64_t edge = off; edge < end;) { /* at most two pages are left in part */
		uint64_t i = edge / PR_PAGE_SIZE, next = (i + 1) * PR_PAGE_SIZE;

		if (i >= first && i < last) {
			edge = last * PR_PAGE_SIZE;
			continue;
		}
		zero_range(s, edge, next < end ? next : end);
		edge = next;
	}
}

/* Frames for all of a range, or none of those that were missing. */
static int reserve(struct segment *s, uint64_t off, uint64_t end)
{
	uint64_t first = off / PR_PAGE_SIZE, i = first, nr = 0;
	uint64_t last = (end + PR_PAGE_SIZE - 1) / PR_PAGE_SIZE;
	uint8_t *fresh;
	int err = 0;

	pthread_mutex_lock(&rig.lock);
	for (unsigned z = 0; z < rig.m.arena->nr_zones; z++)
		nr += rig.m.zones[z].managed;
	pthread_mutex_unlock(&rig.lock);
	if (last - first > nr)
		return -ENOSPC;
	fresh = calloc(last - first + 1, 1);
	if (!fresh)
		return -ENOMEM;
	for (; i < last && !err; i++) {
		bool f;

		if (page_get(&s->pages, i, &f))
			fresh[i - first] = f;
		else
			err = -ENOSPC;
	}
	while (err && i-- > first)
		if (fresh[i - first])
			pages_drop(&s->pages, i, i + 1);
	free(fresh);
	return err;
}

void shm_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		   struct fuse_file_info *fi)
{
	uint64_t end = (uint64_t)off + (uint64_t)len;
	struct segment *s;
	int err = 0;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_ino(ino);
	if (!s)
		err = ENOENT;
	else if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		punch(s, (uint64_t)off, end);
	else if ((mode & ~FALLOC_FL_KEEP_SIZE) == FALLOC_FL_ZERO_RANGE)
		zero_range(s, (uint64_t)off, end);
	else if (mode & ~FALLOC_FL_KEEP_SIZE)
		err = EOPNOTSUPP;
	else
		err = -reserve(s, (uint64_t)off, end);
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && end > (uint64_t)s->st.st_size)
		s->st.st_size = (off_t)end;
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_err(req, err);
}

void shm_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
	struct segment *s;
	uint64_t size = 0, at = 0;
	int err = 0;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_ino(ino);
	size = s ? (uint64_t)s->st.st_size : 0;
	if (off < 0 || (uint64_t)off >= size) {
		err = ENXIO;
	} else {
		uint64_t pages = (size + PR_PAGE_SIZE - 1) / PR_PAGE_SIZE;
		uint64_t i = pages_next(&s->pages, (uint64_t)off / PR_PAGE_SIZE, pages,
					whence == SEEK_DATA);

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
