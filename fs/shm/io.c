/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shm/io.h"

#include "shm/shm_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* How much of bytes off..end-1 lies in page i, and where it starts there. */
static size_t in_page(uint64_t off, uint64_t end, uint64_t i, size_t *from)
{
	uint64_t start = i * PR_PAGE_SIZE, stop = start + PR_PAGE_SIZE;

	*from = off > start ? off - start : 0;
	return (end < stop ? end - start : PR_PAGE_SIZE) - *from;
}

static enum page_use use_of(const struct segment *s, const struct io *io, uint64_t i)
{
	size_t from, len;

	if (!io->buf)
		return USE_READ;
	len = in_page(io->off, io->end, i, &from);
	if (io->writepage)
		return USE_CLEAN;
	/* what lies behind the end of the file is nothing to be kept */
	return !from && (len == PR_PAGE_SIZE || io->end >= s->size) ? USE_WHOLE : USE_WRITE;
}

/* A page that the kernel writes back has its frame (R2); nothing else can be done for it. */
static int gather_writeback(struct segment *s, struct io *io)
{
	for (unsigned k = 0; k < io->nr; k++) {
		uint64_t i = io->off / PR_PAGE_SIZE + k;

		/* without one it was truncated or punched meanwhile, and the kernel drops it next */
		if (page_get(s, i, USE_CLEAN, &io->pfn[k])) {
			io->pfn[k] = 0;
			if (i * PR_PAGE_SIZE < s->size && entry_kind(index_get(&s->pages.index, i)))
				rig_error("shm: page %llu of segment %llu was written back without a frame",
					  (unsigned long long)i, (unsigned long long)s->ino);
		}
	}
	return 0;
}

int io_gather(struct segment *s, struct io *io, unsigned *at)
{
	uint64_t first = io->off / PR_PAGE_SIZE;

	if (io->writepage)
		return gather_writeback(s, io);
	for (*at = 0; *at < io->nr; ++*at) {
		int err;

		/* behind the end there is nothing, and nothing is made by looking at it */
		if (io->pfn[*at] || (!io->buf && (first + *at) * PR_PAGE_SIZE >= s->size))
			continue;
		err = page_get(s, first + *at, use_of(s, io, first + *at), &io->pfn[*at]);
		if (err) {
			io->pfn[*at] = 0;
			return err;
		}
	}
	return 0;
}

void io_release(struct io *io)
{
	for (unsigned k = 0; k < io->nr; k++)
		if (io->pfn[k])
			frame_unpin(io->pfn[k]);
	memset(io->pfn, 0, io->nr * sizeof(io->pfn[0]));
}

__attribute__((noinline)) static void answer_read(struct io *io)
{
	struct iovec iov[MAX_IO_PAGES];
	unsigned n = 0;

	for (; n < io->nr; n++) {
		size_t from, len = in_page(io->off, io->end, io->off / PR_PAGE_SIZE + n, &from);

		iov[n].iov_base = (char *)(uintptr_t)frame_read(io->pfn[n]) + from;
		iov[n].iov_len = len;
	}
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_iov(io->req, iov, (int)n);
	pthread_mutex_lock(&shm_lock);
}

/* The first pages that are there: bytes written. */
static size_t copy_in(const struct io *io)
{
	size_t done = 0;

	for (unsigned n = 0; n < io->nr && (io->pfn[n] || io->writepage); n++) {
		size_t from, len = in_page(io->off, io->end, io->off / PR_PAGE_SIZE + n, &from);

		if (io->pfn[n])
			memcpy((char *)frame_write(io->pfn[n], len == PR_PAGE_SIZE) + from,
			       io->buf + done, len);
		done += len;
	}
	return done;
}

static void answer_write(struct segment *s, struct io *io, int err)
{
	size_t done = copy_in(io);

	if (done && !io->writepage) {
		if (io->off + done > s->size)
			s->size = io->off + done;
		segment_modified(s);
	}
	pthread_mutex_unlock(&shm_lock);
	if (!done && err)
		fuse_reply_err(io->req, err == -ENOMEM ? ENOSPC : -err);
	else
		fuse_reply_write(io->req, done);
	pthread_mutex_lock(&shm_lock);
}

void io_finish(struct segment *s, struct io *io, int err)
{
	if (s && err)
		s->pages.failed++;
	if (!s) {
		fuse_reply_err(io->req, ENOENT);
	} else if (io->buf) {
		answer_write(s, io, err);
	} else if (err) {
		/* a fault sees SIGBUS, whatever the error is */
		fuse_reply_err(io->req, err == -EIO ? EIO : ENOMEM);
	} else {
		answer_read(io);
	}
	io_release(io);
}

/* Tries at once; parks what has to wait. With shm's lock. */
static void run(struct segment *s, struct io *io)
{
	unsigned at = 0;
	int err;

	/* the segment stays: the kernel keeps an inode with a request under way */
	while ((err = io_gather(s, io, &at)) == -EAGAIN && !(err = pager_try(s, io, at)))
		;
	if (err == -ENOMEM || err == -EAGAIN) {
		io_release(io);
		if (!pager_park(io))
			return;
		err = -ENOMEM;
	}
	io_finish(s, io, err);
}

static void set_range(struct io *io, uint64_t off, uint64_t end)
{
	io->off = off;
	io->end = end;
	io->nr = (unsigned)((end + PR_PAGE_SIZE - 1) / PR_PAGE_SIZE - off / PR_PAGE_SIZE);
	memset(io->pfn, 0, io->nr * sizeof(io->pfn[0]));
}

/*
 * The page cache is answered in whole pages, zeroes behind the end: a short answer would tell the
 * kernel that the file ends there, and it would throw away what a writer has just stored behind.
 */
void shm_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct io io;
	struct segment *s;
	uint64_t end = (uint64_t)off + size;

	io.req = req;
	io.node = node;
	io.buf = NULL;
	io.writepage = false;
	io.direct = fi && (fi->flags & O_DIRECT);
	pthread_mutex_lock(&shm_lock);
	s = segment_by_node(node);
	if (s && io.direct && end > s->size)
		end = s->size;
	if (!s) {
		fuse_reply_err(req, ENOENT);
	} else if (end <= (uint64_t)off) {
		fuse_reply_buf(req, NULL, 0);
	} else if (end / PR_PAGE_SIZE - (uint64_t)off / PR_PAGE_SIZE >= MAX_IO_PAGES - 1) {
		fuse_reply_err(req, EINVAL); /* longer than the kernel's longest */
	} else {
		s->reads++;
		set_range(&io, (uint64_t)off, end);
		run(s, &io);
	}
	pthread_mutex_unlock(&shm_lock);
}

void shm_write(fuse_req_t req, fuse_ino_t node, const char *buf, size_t size, off_t off,
	       struct fuse_file_info *fi)
{
	struct segment *s;
	struct io io;

	io.req = req;
	io.node = node;
	io.buf = buf;
	io.writepage = fi->writepage;
	io.direct = fi->flags & O_DIRECT;
	pthread_mutex_lock(&shm_lock);
	s = segment_by_node(node);
	if (!s) {
		fuse_reply_err(req, ENOENT);
	} else if (size / PR_PAGE_SIZE >= MAX_IO_PAGES - 1) {
		fuse_reply_err(req, EINVAL);
	} else if (!size) {
		fuse_reply_write(req, 0);
	} else {
		s->writes++;
		set_range(&io, (uint64_t)off, (uint64_t)off + size);
		run(s, &io);
	}
	pthread_mutex_unlock(&shm_lock);
}
