/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shm_ops.c: names and attributes below shm/. */
#include "shm/shm_ops.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

static void reply_entry(fuse_req_t req, struct segment *s, struct fuse_file_info *fi)
{
	struct fuse_entry_param e = {.ino = s->id | SHM_INO, .entry_timeout = 1};

	segment_attr(s, &e.attr);
	s->lookups++;
	if (fi)
		fuse_reply_create(req, &e, fi);
	else
		fuse_reply_entry(req, &e);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *text)
{
	struct segment *dir;
	struct name *n;

	pthread_mutex_lock(&shm_lock);
	dir = segment_by_ino(parent);
	n = dir ? name_find(dir, text) : NULL;
	if (n)
		reply_entry(req, n->to, NULL);
	else
		fuse_reply_err(req, strlen(text) > NAME_MAX ? ENAMETOOLONG : ENOENT);
	pthread_mutex_unlock(&shm_lock);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t times)
{
	struct segment *s;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_ino(ino);
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

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	pthread_mutex_lock(&shm_lock);
	reply_attr(req, segment_by_ino(ino));
	pthread_mutex_unlock(&shm_lock);
}

static void set_attr(struct segment *s, const struct stat *attr, int what)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (what & FUSE_SET_ATTR_MODE)
		s->st.st_mode = (s->st.st_mode & S_IFMT) | (attr->st_mode & 07777);
	if (what & FUSE_SET_ATTR_UID)
		s->st.st_uid = attr->st_uid;
	if (what & FUSE_SET_ATTR_GID)
		s->st.st_gid = attr->st_gid;
	if (what & FUSE_SET_ATTR_SIZE)
		segment_resize(s, (uint64_t)attr->st_size);
	if (what & FUSE_SET_ATTR_ATIME)
		s->st.st_atim = what & FUSE_SET_ATTR_ATIME_NOW ? now : attr->st_atim;
	if (what & FUSE_SET_ATTR_MTIME)
		s->st.st_mtim = what & FUSE_SET_ATTR_MTIME_NOW ? now : attr->st_mtim;
	s->st.st_ctim = now;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int what,
		       struct fuse_file_info *fi)
{
	struct segment *s;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_ino(ino);
	if (s)
		set_attr(s, attr, what);
	reply_attr(req, s);
	pthread_mutex_unlock(&shm_lock);
}

static void make(fuse_req_t req, fuse_ino_t parent, const char *text, mode_t mode,
		 const char *target, struct fuse_file_info *fi)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct segment *dir, *s = NULL;
	int err = 0;

	pthread_mutex_lock(&shm_lock);
	dir = segment_by_ino(parent);
	if (!dir || dir->st.st_nlink < 2) /* a directory that was removed */
		err = ENOENT;
	else if (name_find(dir, text))
		err = EEXIST;
	else if (!(s = segment_new(mode, ctx->uid, ctx->gid)))
		err = ENOMEM;
	if (!err && target && !(s->target = strdup(target)))
		err = ENOMEM;
	if (!err && target)
		s->st.st_size = (off_t)strlen(target);
	if (!err)
		err = -name_add(dir, text, s);
	if (err) {
		if (s) {
			s->st.st_nlink = 0;
			segment_put(s);
		}
		fuse_reply_err(req, err);
	} else {
		if (fi) {
			fi->keep_cache = 1;
			s->opens++;
		}
		reply_entry(req, s, fi);
	}
	pthread_mutex_unlock(&shm_lock);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *text, mode_t mode,
		      struct fuse_file_info *fi)
{
	make(req, parent, text, S_IFREG | (mode & 07777), NULL, fi);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *text, mode_t mode, dev_t dev)
{
	if (S_ISREG(mode))
		make(req, parent, text, mode, NULL, NULL);
	else
		fuse_reply_err(req, EPERM);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *text, mode_t mode)
{
	make(req, parent, text, S_IFDIR | (mode & 07777), NULL, NULL);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *text)
{
	make(req, parent, text, S_IFLNK | 0777, target, NULL);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct segment *s;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_ino(ino);
	if (s && s->target)
		fuse_reply_readlink(req, s->target);
	else
		fuse_reply_err(req, EINVAL);
	pthread_mutex_unlock(&shm_lock);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *text)
{
	struct segment *s, *dir;
	int err = 0;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_ino(ino);
	dir = segment_by_ino(parent);
	if (!s || !dir)
		err = ENOENT;
	else if (name_find(dir, text))
		err = EEXIST;
	else
		err = -name_add(dir, text, s);
	if (err)
		fuse_reply_err(req, err);
	else
		reply_entry(req, s, NULL);
	pthread_mutex_unlock(&shm_lock);
}

static int remove_name(fuse_ino_t parent, const char *text, bool want_dir)
{
	struct segment *dir = segment_by_ino(parent), *s;
	struct name *n = dir ? name_find(dir, text) : NULL;

	if (!n)
		return ENOENT;
	s = n->to;
	if (S_ISDIR(s->st.st_mode) != want_dir)
		return want_dir ? ENOTDIR : EISDIR;
	if (s->names)
		return ENOTEMPTY;
	name_remove(dir, n);
	segment_put(s);
	return 0;
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *text)
{
	int err;

	pthread_mutex_lock(&shm_lock);
	err = remove_name(parent, text, false);
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_err(req, err);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *text)
{
	int err;

	pthread_mutex_lock(&shm_lock);
	err = remove_name(parent, text, true);
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_err(req, err);
}

static void exchange(struct segment *d1, struct name *a, struct segment *d2, struct name *b)
{
	struct segment *t = a->to;

	a->to = b->to;
	b->to = t;
	if (S_ISDIR(a->to->st.st_mode)) {
		a->to->parent = d1;
		d2->st.st_nlink--;
		d1->st.st_nlink++;
	}
	if (S_ISDIR(b->to->st.st_mode)) {
		b->to->parent = d2;
		d1->st.st_nlink--;
		d2->st.st_nlink++;
	}
}

static int move(struct segment *d1, struct name *a, struct segment *d2, const char *text,
		unsigned flags)
{
	struct name *b = name_find(d2, text);
	struct segment *old = b ? b->to : NULL;
	int err;

	if (flags == RENAME_EXCHANGE) {
		if (!b)
			return ENOENT;
		exchange(d1, a, d2, b);
		return 0;
	}
	if (flags & ~(unsigned)RENAME_NOREPLACE)
		return EINVAL;
	if (old && (flags & RENAME_NOREPLACE))
		return EEXIST;
	if (old == a->to)
		return 0;
	if (old && S_ISDIR(old->st.st_mode) && !S_ISDIR(a->to->st.st_mode))
		return EISDIR;
	if (old && !S_ISDIR(old->st.st_mode) && S_ISDIR(a->to->st.st_mode))
		return ENOTDIR;
	if (old && old->names)
		return ENOTEMPTY;
	if (strlen(text) > NAME_MAX)
		return ENAMETOOLONG;
	if (old) {
		name_remove(d2, b);
		segment_put(old);
	}
	err = name_add(d2, text, a->to);
	if (!err)
		name_remove(d1, a);
	return -err;
}

static void op_rename(fuse_req_t req, fuse_ino_t from, const char *a, fuse_ino_t to, const char *b,
		      unsigned flags)
{
	struct segment *d1, *d2;
	struct name *n;
	int err;

	pthread_mutex_lock(&shm_lock);
	d1 = segment_by_ino(from);
	d2 = segment_by_ino(to);
	n = d1 && d2 ? name_find(d1, a) : NULL;
	err = n ? move(d1, n, d2, b, flags) : ENOENT;
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_err(req, err);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct segment *s;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_ino(ino);
	if (s)
		s->opens++;
	pthread_mutex_unlock(&shm_lock);
	fi->keep_cache = 1;
	if (s)
		fuse_reply_open(req, fi);
	else
		fuse_reply_err(req, ENOENT);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct segment *s;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_ino(ino);
	if (s && s->opens) {
		s->opens--;
		segment_put(s);
	}
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_err(req, 0);
}

static void op_ok(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fuse_reply_err(req, 0);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	fuse_reply_open(req, fi);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	fuse_reply_err(req, 0);
}

static size_t add_entry(fuse_req_t req, char *buf, size_t size, const char *text,
			const struct segment *s, off_t next)
{
	struct stat st;

	segment_attr(s, &st);
	return fuse_add_direntry(req, buf, size, text, &st, next);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	char *buf = malloc(size);
	struct segment *dir;
	size_t used = 0;

	pthread_mutex_lock(&shm_lock);
	dir = buf ? segment_by_ino(ino) : NULL;
	if (dir && off < 1)
		used += add_entry(req, buf, size, ".", dir, 1);
	if (dir && off < 2)
		used += add_entry(req, buf + used, size - used, "..", dir->parent, 2);
	for (struct name *n = dir ? dir->names : NULL; n; n = n->next) {
		size_t need;

		if (n->cookie <= off)
			continue;
		need = add_entry(req, buf + used, size - used, n->text, n->to, n->cookie);
		if (used + need > size)
			break;
		used += need;
	}
	pthread_mutex_unlock(&shm_lock);
	if (dir)
		fuse_reply_buf(req, buf, used);
	else
		fuse_reply_err(req, buf ? ENOENT : ENOMEM);
	free(buf);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st = {.f_bsize = PR_PAGE_SIZE, .f_frsize = PR_PAGE_SIZE, .f_namemax = NAME_MAX};

	pthread_mutex_lock(&rig.lock);
	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++) {
		st.f_blocks += rig.m.zones[i].managed;
		st.f_bfree += (fsblkcnt_t)pr_zone_free_snapshot(&rig.m, &rig.m.zones[i]);
		for (unsigned c = 0; c < rig.m.arena->nr_cpus; c++) /* free for whoever asks there */
			st.f_bfree += (fsblkcnt_t)pr_pcp(&rig.m, &rig.m.zones[i], c)->count;
	}
	pthread_mutex_unlock(&rig.lock);
	st.f_bavail = st.f_bfree;
	fuse_reply_statfs(req, &st);
}

const struct fuse_lowlevel_ops shm_ops = {
	.lookup = op_lookup,
	.forget = op_forget,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.open = op_open,
	.read = shm_read,
	.write = shm_write,
	.flush = op_ok,
	.release = op_release,
	.fsync = op_fsync,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.statfs = op_statfs,
	.create = op_create,
	.fallocate = shm_fallocate,
	.lseek = shm_lseek,
};
