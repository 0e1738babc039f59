/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shm/segment.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

pthread_mutex_t shm_lock = PTHREAD_MUTEX_INITIALIZER;
static struct segment *first, *root;
static uint64_t last_id;
static off_t last_cookie = 2;

struct segment *segment_by_ino(uint64_t ino)
{
	struct segment *s = first;

	while (s && s->id != (ino & ~SHM_INO))
		s = s->next;
	return s;
}

void segment_touch(struct segment *s)
{
	clock_gettime(CLOCK_REALTIME, &s->st.st_mtim);
	s->st.st_ctim = s->st.st_mtim;
}

struct segment *segment_new(mode_t mode, uid_t uid, gid_t gid)
{
	struct segment *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->id = ++last_id;
	s->st.st_mode = mode;
	s->st.st_uid = uid;
	s->st.st_gid = gid;
	s->st.st_nlink = S_ISDIR(mode) ? 1 : 0; /* a directory names itself */
	s->pages.owner = 0x80000000u | (uint32_t)s->id;
	segment_touch(s);
	s->st.st_atim = s->st.st_mtim;
	s->next = first;
	first = s;
	return s;
}

struct name *name_find(struct segment *dir, const char *text)
{
	struct name *n = dir->names;

	while (n && strcmp(n->text, text))
		n = n->next;
	return n;
}

int name_add(struct segment *dir, const char *text, struct segment *to)
{
	struct name *n, **at = &dir->names;

	if (strlen(text) > NAME_MAX)
		return -ENAMETOOLONG;
	n = calloc(1, sizeof(*n) + strlen(text) + 1);
	if (!n)
		return -ENOMEM;
	strcpy(n->text, text);
	n->to = to;
	n->cookie = ++last_cookie;
	while (*at) /* at the end: a listing that is under way stays right */
		at = &(*at)->next;
	*at = n;
	to->st.st_nlink++;
	if (S_ISDIR(to->st.st_mode)) {
		to->parent = dir;
		dir->st.st_nlink++;
	}
	segment_touch(dir);
	return 0;
}

void name_remove(struct segment *dir, struct name *n)
{
	struct name **at = &dir->names;

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	n->to->st.st_nlink--;
	if (S_ISDIR(n->to->st.st_mode))
		dir->st.st_nlink--;
	clock_gettime(CLOCK_REALTIME, &n->to->st.st_ctim);
	segment_touch(dir);
	free(n);
}

static void segment_free(struct segment *s)
{
	struct segment **at = &first;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	pages_drop(&s->pages, 0, UINT64_MAX);
	free(s->target);
	free(s);
}

void segment_put(struct segment *s)
{
	bool named = S_ISDIR(s->st.st_mode) ? s->st.st_nlink > 1 : s->st.st_nlink > 0;

	if (s != root && !named && !s->lookups && !s->opens)
		segment_free(s);
}

void segment_resize(struct segment *s, uint64_t size)
{
	uint64_t old = (uint64_t)s->st.st_size;

	if (size < old) {
		uint64_t tail = size % PR_PAGE_SIZE;
		char *page = tail ? page_at(&s->pages, size / PR_PAGE_SIZE) : NULL;

		pages_drop(&s->pages, (size + PR_PAGE_SIZE - 1) / PR_PAGE_SIZE, UINT64_MAX);
		if (page) /* what grows back is zero */
			memset(page + tail, 0, PR_PAGE_SIZE - tail);
	}
	s->st.st_size = (off_t)size;
	segment_touch(s);
}

void segment_attr(const struct segment *s, struct stat *st)
{
	*st = s->st;
	st->st_ino = s->id | SHM_INO;
	st->st_blksize = PR_PAGE_SIZE;
	st->st_blocks = (blkcnt_t)(s->pages.resident * (PR_PAGE_SIZE / 512));
}

int shm_init(uint64_t backing_limit)
{
	int err = pages_init(backing_limit);

	if (err)
		return err;
	root = segment_new(S_IFDIR | S_ISVTX | 0777, getuid(), getgid());
	if (!root)
		return -ENOMEM;
	root->parent = root;
	root->st.st_nlink = 2;
	return 0;
}

void shm_exit(void)
{
	while (first) {
		while (first->names) {
			struct name *n = first->names;

			first->names = n->next;
			free(n);
		}
		segment_free(first);
	}
	pages_exit();
}

void shm_root_attr(struct stat *st)
{
	pthread_mutex_lock(&shm_lock);
	segment_attr(root, st);
	pthread_mutex_unlock(&shm_lock);
}

static const char *name_of(const struct segment *s)
{
	for (const struct segment *dir = first; dir; dir = dir->next)
		for (const struct name *n = dir->names; n; n = n->next)
			if (n->to == s)
				return n->text;
	return "(deleted)";
}

static void fill(const struct segment *s, struct shm_segment_info *info)
{
	*info = (struct shm_segment_info){
		.ino = s->id, .size = (uint64_t)s->st.st_size, .resident = s->pages.resident,
		.minor_faults = s->minor_faults, .read_requests = s->reads,
		.write_requests = s->writes, .failed_faults = s->failed,
		.links = (uint32_t)s->st.st_nlink, .opens = s->opens,
	};
	snprintf(info->name, sizeof(info->name), "%s", name_of(s));
}

int shm_segment_at(unsigned i, struct shm_segment_info *info)
{
	int err = -ENOENT;

	pthread_mutex_lock(&shm_lock);
	for (const struct segment *s = first; s && err; s = s->next)
		if (S_ISREG(s->st.st_mode) && !i--) {
			fill(s, info);
			err = 0;
		}
	pthread_mutex_unlock(&shm_lock);
	return err;
}

int shm_segment_find(const char *name, struct shm_segment_info *info)
{
	struct name *n;

	pthread_mutex_lock(&shm_lock);
	n = name_find(root, name);
	if (n && S_ISREG(n->to->st.st_mode))
		fill(n->to, info);
	else
		n = NULL;
	pthread_mutex_unlock(&shm_lock);
	return n ? 0 : -ENOENT;
}
