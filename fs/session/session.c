/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.c: the tree's side of FUSE. No handler waits for anything but the engine's lock, and
 * nothing here speaks to the kernel on its own.
 */
#include "session/session.h"

#include "session/handle.h"
#include "session/inodes.h"
#include "shm/shm.h"
#include "tracing/tracing.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_shm(fuse_ino_t ino)
{
	return ino & SHM_INO;
}

static void op_init(void *, struct fuse_conn_info *conn)
{
	/* one READ for each touched page; see the measured set-up in the design notes */
	conn->max_readahead = 0;
	conn->max_background = 1024;
	/* O_TRUNC comes as a SETATTR, and the kernel takes setuid bits away itself, as for a tmpfs */
	conn->want &= ~(unsigned)(FUSE_CAP_ASYNC_READ | FUSE_CAP_WRITEBACK_CACHE |
				  FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_READDIRPLUS |
				  FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_HANDLE_KILLPRIV);
}

static void attr_of(const struct tree_found *f, uint64_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = f->is_dir ? S_IFDIR | 0755 : f->node->mode;
	st->st_nlink = f->is_dir ? 2 : 1;
	st->st_uid = getuid();
	st->st_gid = getgid();
	clock_gettime(CLOCK_REALTIME, &st->st_mtim);
	st->st_atim = st->st_ctim = st->st_mtim;
}

static char *child_path(const char *dir, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s%s%s", dir, *dir ? "/" : "", name) < 0 ? NULL : path;
}

/* What users make and remove; all else stands as long as the mount. */
static bool comes_and_goes(const char *path)
{
	return !strncmp(path, "allocations/", 12) || !strncmp(path, "segments/", 9);
}

static void lookup_path(fuse_req_t req, const char *path)
{
	struct fuse_entry_param e = {0};
	struct tree_found f;

	if (path_resolve(path, &f)) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	e.ino = inode_get(path);
	if (!e.ino) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	attr_of(&f, e.ino, &e.attr);
	e.entry_timeout = e.attr_timeout = comes_and_goes(path) ? 0 : 1;
	if (fuse_reply_entry(req, &e))
		inode_forget(e.ino, 1);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	char *dir, *path;

	if (is_shm(parent)) {
		shm_ops.lookup(req, parent, name);
		return;
	}
	if (strlen(name) > NAME_MAX_LEN) {
		fuse_reply_err(req, ENAMETOOLONG);
		return;
	}
	if (parent == FUSE_ROOT_ID && !strcmp(name, "shm")) {
		struct fuse_entry_param e = {.ino = SHM_ROOT_INO, .entry_timeout = 1};

		shm_root_attr(&e.attr);
		fuse_reply_entry(req, &e);
		return;
	}
	dir = inode_path(parent);
	path = dir ? child_path(dir, name) : NULL;
	if (path)
		lookup_path(req, path);
	else
		fuse_reply_err(req, dir ? ENOMEM : ENOENT);
	free(path);
	free(dir);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t times)
{
	if (is_shm(ino) && ino != SHM_ROOT_INO) {
		shm_ops.forget(req, ino, times);
		return;
	}
	if (ino != FUSE_ROOT_ID && !is_shm(ino))
		inode_forget(ino, times);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct tree_found f;
	struct stat st;
	char *path;

	if (is_shm(ino)) {
		shm_ops.getattr(req, ino, fi);
		return;
	}
	path = inode_path(ino);
	if (!path || path_resolve(path, &f)) {
		fuse_reply_err(req, ENOENT);
	} else {
		attr_of(&f, ino, &st);
		fuse_reply_attr(req, &st, 0);
	}
	free(path);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int what,
		       struct fuse_file_info *fi)
{
	struct tree_found f;
	char *path;
	int err = 0;

	if (is_shm(ino)) {
		shm_ops.setattr(req, ino, attr, what, fi);
		return;
	}
	path = inode_path(ino);
	if (!path || path_resolve(path, &f))
		err = ENOENT;
	else if (what & ~(FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW |
			  FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_CTIME))
		err = EPERM; /* modes and owners are the table's */
	else if ((what & FUSE_SET_ATTR_SIZE) && (f.is_dir || !node_writable(f.node)))
		err = EACCES;
	else if ((what & FUSE_SET_ATTR_SIZE) && f.node->truncate)
		f.node->truncate(&f.at);
	free(path);
	if (err)
		fuse_reply_err(req, err);
	else
		op_getattr(req, ino, fi); /* ">" truncates what has no length */
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct tree_found f;
	char *path, *text = NULL;
	size_t len;
	FILE *to;

	if (is_shm(ino)) {
		shm_ops.readlink(req, ino);
		return;
	}
	path = inode_path(ino);
	to = open_memstream(&text, &len);
	if (!path || !to || path_resolve(path, &f) || f.is_dir || !S_ISLNK(f.node->mode)) {
		if (to)
			fclose(to);
		fuse_reply_err(req, EINVAL);
	} else {
		f.node->show(&f.at, to);
		fclose(to);
		fuse_reply_readlink(req, text);
	}
	free(text);
	free(path);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct tree_found f;
	struct handle *h = NULL;
	char *path;
	int err = 0, access = fi->flags & O_ACCMODE;

	if (is_shm(ino)) {
		shm_ops.open(req, ino, fi);
		return;
	}
	path = inode_path(ino);
	if (!path || path_resolve(path, &f))
		err = ENOENT;
	else if (f.is_dir)
		err = EISDIR;
	else if ((access != O_RDONLY && !node_writable(f.node)) ||
		 (access != O_WRONLY && !node_readable(f.node)))
		err = EACCES; /* for root too */
	else if (!(h = handle_open(path)))
		err = ENOMEM;
	else if (f.node->pipe && !(h->pipe = calloc(1, sizeof(*h->pipe))))
		err = ENOMEM;
	free(path);
	if (err) {
		if (h)
			handle_close(h);
		fuse_reply_err(req, err);
		return;
	}
	fi->nonseekable = f.node->pipe;
	fi->fh = (uint64_t)(uintptr_t)h;
	fi->direct_io = 1;
	fi->noflush = !f.node->stream && !f.node->replies;
	if (fuse_reply_open(req, fi))
		handle_close(h);
}

static struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (is_shm(ino)) {
		shm_ops.release(req, ino, fi);
		return;
	}
	handle_close(handle_of(fi));
	fuse_reply_err(req, 0);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	const char *data = NULL;
	struct handle *h;
	char *copy = NULL;
	int n;

	if (is_shm(ino)) {
		shm_ops.read(req, ino, size, off, fi);
		return;
	}
	h = handle_of(fi);
	if (h->pipe) {
		pipe_read(req, h->pipe, size, fi->flags & O_NONBLOCK);
		return;
	}
	pthread_mutex_lock(&h->lock);
	n = handle_read(h, size, off, &data);
	if (n > 0) {
		copy = malloc((size_t)n);
		if (copy)
			memcpy(copy, data, (size_t)n);
		else
			n = -ENOMEM;
	}
	pthread_mutex_unlock(&h->lock);
	/* once it is answered, the reader may close, and another thread frees the handle */
	if (n < 0)
		fuse_reply_err(req, -n);
	else
		fuse_reply_buf(req, copy, (size_t)n);
	free(copy);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	struct handle *h;
	int n;

	if (is_shm(ino)) {
		shm_ops.write(req, ino, buf, size, off, fi);
		return;
	}
	h = handle_of(fi);
	rig_caller = (struct caller){fuse_req_ctx(req)->pid, fuse_req_ctx(req)->uid};
	tracing_note_task(rig_caller.pid);
	pthread_mutex_lock(&h->lock);
	n = handle_write(h, buf, size);
	pthread_mutex_unlock(&h->lock);
	if (n < 0)
		fuse_reply_err(req, -n);
	else
		fuse_reply_write(req, (size_t)n);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h;
	char *path;

	if (is_shm(ino)) {
		shm_ops.opendir(req, ino, fi);
		return;
	}
	path = inode_path(ino);
	h = path ? handle_open(path) : NULL;
	free(path);
	if (!h) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	handle_list(h);
	fi->fh = (uint64_t)(uintptr_t)h;
	if (fuse_reply_open(req, fi))
		handle_close(h);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	struct stat st = {.st_ino = 1};
	struct handle *h;
	size_t used = 0;
	char *buf;

	if (is_shm(ino)) {
		shm_ops.readdir(req, ino, size, off, fi);
		return;
	}
	h = handle_of(fi);
	buf = malloc(size);
	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	for (size_t i = (size_t)off; i < h->nr_names; i++) {
		size_t need = fuse_add_direntry(req, buf + used, size - used, h->name[i], &st,
						(off_t)i + 1);

		if (used + need > size)
			break;
		used += need;
	}
	fuse_reply_buf(req, buf, used);
	free(buf);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (!is_shm(ino))
		handle_close(handle_of(fi));
	fuse_reply_err(req, 0);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct tree_found f;
	char *dir, *path;
	int err = -EPERM;

	if (is_shm(parent)) {
		shm_ops.unlink(req, parent, name);
		return;
	}
	dir = inode_path(parent);
	path = dir ? child_path(dir, name) : NULL;
	if (path) {
		path_lock(path);
		if (tree_resolve(path, &f))
			err = -ENOENT;
		else if (!f.is_dir && f.node->remove)
			err = f.node->remove(&f.at);
		path_unlock(path);
	}
	free(path);
	free(dir);
	fuse_reply_err(req, -err);
}

static void op_rename(fuse_req_t req, fuse_ino_t from, const char *a, fuse_ino_t to, const char *b,
		      unsigned flags)
{
	if (is_shm(from) && is_shm(to))
		shm_ops.rename(req, from, a, to, b, flags);
	else
		fuse_reply_err(req, is_shm(from) || is_shm(to) ? EXDEV : EPERM);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	if (is_shm(ino) && is_shm(parent))
		shm_ops.link(req, ino, parent, name);
	else
		fuse_reply_err(req, is_shm(ino) || is_shm(parent) ? EXDEV : EPERM);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	if (is_shm(parent))
		shm_ops.symlink(req, target, parent, name);
	else
		fuse_reply_err(req, EPERM);
}

/* Requests that exist below shm/ alone. */
#define SHM_ONLY(op, ino, params, ...)                                                             \
	static void op_##op params                                                                 \
	{                                                                                          \
		if (is_shm(ino))                                                                   \
			shm_ops.op(__VA_ARGS__);                                                   \
		else                                                                               \
			fuse_reply_err(req, EPERM);                                                \
	}
SHM_ONLY(mknod, parent, (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev),
	 req, parent, name, mode, dev)
SHM_ONLY(fallocate, ino,
	 (fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi),
	 req, ino, mode, off, len, fi)
SHM_ONLY(lseek, ino,
	 (fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi), req, ino,
	 off, whence, fi)

/* Who writes to a file that is not there finds the nearest name in tracing/error_log. */
static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	char *dir, *near, *path, why[WHY_SIZE] = "there is no such file";

	if (is_shm(parent)) {
		shm_ops.create(req, parent, name, mode, fi);
		return;
	}
	dir = inode_path(parent);
	path = dir ? child_path(dir, name) : NULL;
	if (path) {
		path_lock(path);
		near = tree_nearest(dir, name);
		path_unlock(path);
		if (near)
			snprintf(why, sizeof(why), "there is no such file; the nearest is %s", near);
		free(near);
		handle_refuse(path, ENOENT, why);
	}
	free(path);
	free(dir);
	fuse_reply_err(req, ENOENT);
}

/* tasks/ and the like: the table says where, and what happens. */
static int make_or_remove(fuse_ino_t parent, const char *name, bool make)
{
	char *dir = inode_path(parent);
	const struct tree_dir *d = dir ? tree_dir_find(dir) : NULL;
	int err = dir ? -EPERM : -ENOENT;

	if (d) {
		pthread_mutex_lock(&rig.lock);
		err = make ? d->make(name) : d->remove(name);
		pthread_mutex_unlock(&rig.lock);
	}
	free(dir);
	return err;
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	int err;

	if (is_shm(parent)) {
		shm_ops.mkdir(req, parent, name, mode);
		return;
	}
	err = make_or_remove(parent, name, true);
	if (err)
		fuse_reply_err(req, -err);
	else
		op_lookup(req, parent, name);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	if (is_shm(parent))
		shm_ops.rmdir(req, parent, name);
	else
		fuse_reply_err(req, -make_or_remove(parent, name, false));
}

static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h;
	int err;

	if (is_shm(ino)) {
		shm_ops.flush(req, ino, fi);
		return;
	}
	h = handle_of(fi);
	rig_caller = (struct caller){fuse_req_ctx(req)->pid, fuse_req_ctx(req)->uid};
	tracing_note_task(rig_caller.pid);
	pthread_mutex_lock(&h->lock);
	err = handle_flush(h);
	pthread_mutex_unlock(&h->lock);
	fuse_reply_err(req, -err);
}

static void op_fsync(fuse_req_t req, fuse_ino_t, int, struct fuse_file_info *)
{
	fuse_reply_err(req, 0);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	shm_ops.statfs(req, ino);
}

/* Only trace_pipe makes anyone wait; all else is ready at any time. */
static void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		    struct fuse_pollhandle *ph)
{
	if (!is_shm(ino) && handle_of(fi)->pipe) {
		fuse_reply_poll(req, pipe_poll(ph));
		return;
	}
	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

const struct fuse_lowlevel_ops session_ops = {
	.init = op_init,
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
	.read = op_read,
	.write = op_write,
	.flush = op_flush,
	.release = op_release,
	.fsync = op_fsync,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_releasedir,
	.statfs = op_statfs,
	.create = op_create,
	.fallocate = op_fallocate,
	.lseek = op_lseek,
	.poll = op_poll,
};
