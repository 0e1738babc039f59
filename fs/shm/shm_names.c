/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shm_names.c: requests that look up, make, move and remove names below shm/. */
#include "shm/shm_ops.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { WHITEOUT_DEV = 0 };

/* Counts the kernel's reference, unless the answer did not arrive. */
static void reply_entry(fuse_req_t req, struct segment *s, struct fuse_file_info *fi)
{
	struct fuse_entry_param e = {.ino = segment_node(s), .entry_timeout = 1};

	segment_attr(s, &e.attr);
	s->lookups++;
	if (fi)
		s->opens++;
	if (fi ? fuse_reply_create(req, &e, fi) : fuse_reply_entry(req, &e)) {
		s->lookups--;
		s->opens -= fi != NULL;
		segment_put(s);
	}
}

static int check_dir(const struct segment *dir, const char *text)
{
	if (!dir || !dir->nlink) /* one that was removed */
		return ENOENT;
	return strlen(text) > NAME_MAX ? ENAMETOOLONG : 0;
}

void shm_lookup(fuse_req_t req, fuse_ino_t parent, const char *text)
{
	struct segment *dir;
	struct name *n;
	int err;

	pthread_mutex_lock(&shm_lock);
	dir = segment_by_node(parent);
	err = check_dir(dir, text);
	n = err ? NULL : name_find(dir, text);
	if (n)
		reply_entry(req, segment_at(n->to), NULL);
	else
		fuse_reply_err(req, err ? err : ENOENT);
	pthread_mutex_unlock(&shm_lock);
}

static int set_target(struct segment *s, const char *target)
{
	size_t len = strlen(target);

	if (len >= NODE_ENTRIES * sizeof(uint64_t))
		return ENAMETOOLONG;
	s->target = store_get(POOL_NODE);
	if (!s->target)
		return ENOSPC;
	memcpy(store_at(POOL_NODE, s->target), target, len + 1);
	s->size = len;
	return 0;
}

/* O_TMPFILE: FUSE_TMPFILE comes as a FUSE_CREATE of the name that no file can have. */
static bool is_nameless(const char *text)
{
	return !strcmp(text, "/");
}

static int make(struct segment *dir, const char *text, mode_t mode, dev_t dev, const char *target,
		const struct fuse_ctx *ctx, struct segment **made)
{
	int err = check_dir(dir, text);
	struct segment *s;

	if (err)
		return err;
	if (name_find(dir, text))
		return EEXIST;
	s = segment_new(dir, mode, ctx->uid, ctx->gid);
	if (!s)
		return ENOSPC;
	s->rdev = dev;
	if (target)
		err = set_target(s, target);
	if (!err && !is_nameless(text))
		err = -name_add(dir, text, s);
	if (err) {
		s->nlink = 0;
		segment_put(s);
		return err;
	}
	*made = s;
	return 0;
}

static void make_and_reply(fuse_req_t req, fuse_ino_t parent, const char *text, mode_t mode,
			   dev_t dev, const char *target, struct fuse_file_info *fi)
{
	struct segment *s;
	int err;

	pthread_mutex_lock(&shm_lock);
	err = make(segment_by_node(parent), text, mode, dev, target, fuse_req_ctx(req), &s);
	if (err) {
		fuse_reply_err(req, err);
	} else {
		if (fi)
			fi->keep_cache = 1;
		reply_entry(req, s, fi);
	}
	pthread_mutex_unlock(&shm_lock);
}

void shm_create(fuse_req_t req, fuse_ino_t parent, const char *text, mode_t mode,
		struct fuse_file_info *fi)
{
	make_and_reply(req, parent, text, S_IFREG | (mode & 07777), 0, NULL, fi);
}

void shm_mknod(fuse_req_t req, fuse_ino_t parent, const char *text, mode_t mode, dev_t dev)
{
	make_and_reply(req, parent, text, mode, dev, NULL, NULL);
}

void shm_mkdir(fuse_req_t req, fuse_ino_t parent, const char *text, mode_t mode)
{
	make_and_reply(req, parent, text, S_IFDIR | (mode & 07777), 0, NULL, NULL);
}

void shm_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *text)
{
	make_and_reply(req, parent, text, S_IFLNK | 0777, 0, target, NULL);
}

void shm_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *text)
{
	struct segment *s, *dir;
	int err;

	pthread_mutex_lock(&shm_lock);
	s = segment_by_node(ino);
	dir = segment_by_node(parent);
	err = s ? check_dir(dir, text) : ENOENT;
	if (!err && name_find(dir, text))
		err = EEXIST;
	if (!err)
		err = -name_add(dir, text, s);
	if (err) {
		fuse_reply_err(req, err);
	} else {
		segment_changed(s);
		reply_entry(req, s, NULL);
	}
	pthread_mutex_unlock(&shm_lock);
}

/* A name goes; what it stood for too, if that was the last of its references. */
static void drop_name(struct name *n)
{
	struct segment *s = segment_at(n->to);

	name_remove(n);
	if (S_ISDIR(s->mode))
		s->nlink = 0;
	segment_put(s);
}

static int remove_name(fuse_ino_t parent, const char *text, bool want_dir)
{
	struct segment *dir = segment_by_node(parent), *s;
	struct name *n = dir ? name_find(dir, text) : NULL;

	if (!n)
		return ENOENT;
	s = segment_at(n->to);
	if (S_ISDIR(s->mode) != want_dir)
		return want_dir ? ENOTDIR : EISDIR;
	if (s->nr_names)
		return ENOTEMPTY;
	drop_name(n);
	return 0;
}

void shm_unlink(fuse_req_t req, fuse_ino_t parent, const char *text)
{
	int err;

	pthread_mutex_lock(&shm_lock);
	err = remove_name(parent, text, false);
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_err(req, err);
}

void shm_rmdir(fuse_req_t req, fuse_ino_t parent, const char *text)
{
	int err;

	pthread_mutex_lock(&shm_lock);
	err = remove_name(parent, text, true);
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_err(req, err);
}

/* May what is named a take the place of old? */
static int check_replace(const struct segment *s, const struct segment *old)
{
	if (S_ISDIR(old->mode) && !S_ISDIR(s->mode))
		return EISDIR;
	if (!S_ISDIR(old->mode) && S_ISDIR(s->mode))
		return ENOTDIR;
	return old->nr_names ? ENOTEMPTY : 0;
}

/* Adds the new name first, so that a failure leaves all as it was. */
static int put_at(struct segment *d1, struct name *a, struct segment *d2, struct name *b,
		  const char *text)
{
	struct segment *s = segment_at(a->to), *was_in = S_ISDIR(s->mode) ? d1 : NULL;
	struct segment *old = b ? segment_at(b->to) : NULL;
	int err = old ? check_replace(s, old) : 0;

	if (err)
		return err;
	if (old)
		drop_name(b); /* makes room for the name */
	err = -name_add(d2, text, s);
	if (err)
		return err;
	name_remove(a);
	if (was_in)
		s->parent = d2->id;
	return 0;
}

static int whiteout(struct segment *dir, const char *text, const struct fuse_ctx *ctx)
{
	struct segment *s;

	return make(dir, text, S_IFCHR, WHITEOUT_DEV, NULL, ctx, &s);
}

static int move(struct segment *d1, const char *from, struct segment *d2, const char *to,
		unsigned flags, const struct fuse_ctx *ctx)
{
	struct name *a = d1 && d2 ? name_find(d1, from) : NULL, *b;
	int err;

	if (!a)
		return ENOENT;
	err = check_dir(d2, to);
	if (err)
		return err;
	b = name_find(d2, to);
	if (flags & RENAME_EXCHANGE) {
		if (!b)
			return ENOENT;
		names_exchange(a, b);
		return 0;
	}
	if (b && (flags & RENAME_NOREPLACE))
		return EEXIST;
	if (b && b->to == a->to)
		return 0;
	err = put_at(d1, a, d2, b, to);
	if (!err && (flags & RENAME_WHITEOUT))
		err = whiteout(d1, from, ctx);
	return err;
}

void shm_rename(fuse_req_t req, fuse_ino_t from, const char *a, fuse_ino_t to, const char *b,
		unsigned flags)
{
	int err;

	pthread_mutex_lock(&shm_lock);
	err = move(segment_by_node(from), a, segment_by_node(to), b, flags, fuse_req_ctx(req));
	pthread_mutex_unlock(&shm_lock);
	fuse_reply_err(req, err);
}

static size_t add_entry(fuse_req_t req, char *buf, size_t size, const char *text,
			const struct segment *s, off_t next)
{
	struct stat st;

	segment_attr(s, &st);
	return fuse_add_direntry(req, buf, size, text, &st, next);
}

/* Entries behind off, as many as there is room for. */
static size_t list(fuse_req_t req, const struct segment *dir, char *buf, size_t size, off_t off)
{
	size_t used = 0, need;

	if (off < 1)
		used += add_entry(req, buf, size, ".", dir, 1);
	if (off < 2)
		used += add_entry(req, buf + used, size - used, "..", segment_at(dir->parent), 2);
	for (struct name *n = name_next(dir, off < 2 ? 2 : (uint64_t)off); n;
	     n = name_next(dir, n->cookie)) {
		need = add_entry(req, buf + used, size - used, n->text, segment_at(n->to),
				 (off_t)n->cookie);
		if (used + need > size)
			break;
		used += need;
	}
	return used;
}

void shm_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *)
{
	char *buf = malloc(size);
	struct segment *dir;
	size_t used = 0;

	pthread_mutex_lock(&shm_lock);
	dir = buf ? segment_by_node(ino) : NULL;
	if (dir && dir->nlink)
		used = list(req, dir, buf, size, off);
	pthread_mutex_unlock(&shm_lock);
	if (dir)
		fuse_reply_buf(req, buf, used);
	else
		fuse_reply_err(req, buf ? ENOENT : ENOMEM);
	free(buf);
}
