/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shm_ops.c: attributes and open files below shm/, and the table of all its requests. */
#include "shm/shm_ops.h"

#include <errno.h>

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t times)
{
	struct segment *s;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_node(ino);
	if (s) {
		s->lookups -= times < s->lookups ? times : s->lookups;
		segment_put(s);
	}
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_none(req);
}

static void reply_attr(fuse_req_t req, struct segment *s)
{
	struct stat st;

	if (!s) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	segment_attr(s, &st);
	fuse_reply_attr(req, &st, 0);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *)
{
	pthread_mutex_lock(&shm_lock);
	reply_attr(req, segment_by_node(ino));
	pthread_mutex_unlock(&shm_lock);
}

static void set_attr(struct segment *s, const struct stat *attr, int what)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (what & FUSE_SET_ATTR_MODE)
		s->mode = (s->mode & S_IFMT) | (attr->st_mode & 07777);
	if (what & FUSE_SET_ATTR_UID)
		s->uid = attr->st_uid;
	if (what & FUSE_SET_ATTR_GID)
		s->gid = attr->st_gid;
	if (what & FUSE_SET_ATTR_SIZE) {
		segment_resize(s, (uint64_t)attr->st_size);
		s->mtime = now; /* the kernel leaves this to the file system */
	}
	if (what & FUSE_SET_ATTR_ATIME)
		s->atime = what & FUSE_SET_ATTR_ATIME_NOW ? now : attr->st_atim;
	if (what & FUSE_SET_ATTR_MTIME)
		s->mtime = what & FUSE_SET_ATTR_MTIME_NOW ? now : attr->st_mtim;
	s->ctime = now;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int what,
		       struct fuse_file_info *)
{
	struct segment *s;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_node(ino);
	if (s)
		set_attr(s, attr, what);
	reply_attr(req, s);
	pthread_mutex_unlock(&shm_lock);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct segment *s;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_node(ino);
	if (s && s->target)
		fuse_reply_readlink(req, store_at(POOL_NODE, s->target));
	else
		fuse_reply_err(req, EINVAL);
	pthread_mutex_unlock(&shm_lock);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct segment *s;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_node(ino);
	fi->keep_cache = 1;
	if (!s) {
		fuse_reply_err(req, ENOENT);
	} else {
		s->opens++;
		if (fuse_reply_open(req, fi))
			s->opens--;
	}
	pthread_mutex_unlock(&shm_lock);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *)
{
	struct segment *s;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_node(ino);
	if (s && s->opens) {
		s->opens--;
		segment_put(s);
	}
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_err(req, 0);
}

static void op_ok(fuse_req_t req, fuse_ino_t, struct fuse_file_info *)
{
	fuse_reply_err(req, 0);
}

static void op_opendir(fuse_req_t req, fuse_ino_t, struct fuse_file_info *fi)
{
	fuse_reply_open(req, fi);
}

static void op_fsync(fuse_req_t req, fuse_ino_t, int, struct fuse_file_info *)
{
	fuse_reply_err(req, 0);
}

const struct fuse_lowlevel_ops shm_ops = {
	.lookup = shm_lookup,
	.forget = op_forget,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = shm_mknod,
	.mkdir = shm_mkdir,
	.unlink = shm_unlink,
	.rmdir = shm_rmdir,
	.symlink = shm_symlink,
	.rename = shm_rename,
	.link = shm_link,
	.open = op_open,
	.read = shm_read,
	.write = shm_write,
	.flush = op_ok,
	.release = op_release,
	.fsync = op_fsync,
	.opendir = op_opendir,
	.readdir = shm_readdir,
	.statfs = shm_statfs,
	.create = shm_create,
	.fallocate = shm_fallocate,
	.lseek = shm_lseek,
};
