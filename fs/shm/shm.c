/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shm.c: the beginning and the end of shm/, and what the tree shows of it. */
#include "shm/shm.h"

#include "shm/io.h"
#include "shm/names.h"
#include "shm/swap.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int shm_init(uint64_t backing_limit)
{
	struct segment *root;
	int err = store_init(frames_span(), swap_slots());

	if (err)
		return err;
	err = shm_frames_init(frames_span(), backing_limit);
	if (!err)
		err = swap_init();
	if (err)
		return err;
	root = segment_new(NULL, S_IFDIR | S_ISVTX | 0777, getuid(), getgid());
	if (!root)
		return -ENOMEM;
	root->parent = root->id;
	return 0;
}

int shm_start(struct fuse_session *se)
{
	int err = reclaim_start(se);

	rig.m.host.wake_kswapd = reclaim_wake;
	return err ? err : pager_start();
}

void shm_stop(void)
{
	rig.m.host.wake_kswapd = NULL;
	reclaim_stop();
	pager_stop();
}

void shm_exit(void)
{
	shm_frames_exit();
	store_exit();
	swap_exit();
}

void shm_root_attr(struct stat *st)
{
	pthread_mutex_lock(&shm_lock);
	segment_attr(segment_at(SHM_ROOT_ID), st);
	pthread_mutex_unlock(&shm_lock);
}

/* Bytes that /proc/mounts would not show as they are, and the slash. */
static void escape(char *to, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n + 5 < size; text++) {
		if (strchr(" \t\n\\/", *text))
			n += (size_t)snprintf(to + n, size - n, "\\%03o", (unsigned char)*text);
		else
			to[n++] = *text;
	}
	to[n] = 0;
}

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' && p[2] <= '7';
}

static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\' && is_octal(s + 1)) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

struct walk {
	void (*file)(const struct walk *w, const struct segment *s, const char *path);
	void (*add)(void *ctx, const char *name);
	void *ctx;
	uint32_t id; /* the one that is looked for */
	char **found;
};

/* path: of the directory, with its slash. */
static void walk_dir(const struct segment *dir, const char *path, const struct walk *w)
{
	for (struct name *n = name_next(dir, 2); n; n = name_next(dir, n->cookie)) {
		const struct segment *s = segment_at(n->to);
		char *full = NULL;

		if (asprintf(&full, "%s%s%s", path, n->text, S_ISDIR(s->mode) ? "/" : "") < 0)
			return;
		if (S_ISDIR(s->mode))
			walk_dir(s, full, w);
		else if (S_ISREG(s->mode))
			w->file(w, s, full);
		free(full);
	}
}

/* Names that would be too long when escaped are left out. */
static void list_file(const struct walk *w, const struct segment *, const char *path)
{
	char shown[1024];

	escape(shown, sizeof(shown), path);
	if (strlen(shown) <= NAME_MAX)
		w->add(w->ctx, shown);
}

void shm_segments_list(void (*add)(void *ctx, const char *name), void *ctx)
{
	pthread_mutex_lock(&shm_lock);
	walk_dir(segment_at(SHM_ROOT_ID), "", &(struct walk){list_file, .add = add, .ctx = ctx});
	pthread_mutex_unlock(&shm_lock);
}

static void is_it(const struct walk *w, const struct segment *s, const char *path)
{
	if (s->id == w->id && !*w->found)
		*w->found = strdup(path);
}

char *shm_segment_path(uint32_t id)
{
	char *path = NULL;

	pthread_mutex_lock(&shm_lock);
	walk_dir(segment_at(SHM_ROOT_ID), "", &(struct walk){is_it, .id = id, .found = &path});
	pthread_mutex_unlock(&shm_lock);
	return path;
}

static const struct segment *find(const char *shown)
{
	struct segment *s = segment_at(SHM_ROOT_ID);
	char path[1024], *rest = path, *word;

	snprintf(path, sizeof(path), "%s", shown);
	unescape(path);
	while (s && (word = strsep(&rest, "/"))) {
		struct name *n = name_find(s, word);

		s = n ? segment_at(n->to) : NULL;
	}
	return s && S_ISREG(s->mode) ? s : NULL;
}

bool shm_segment_exists(const char *name)
{
	bool found;

	pthread_mutex_lock(&shm_lock);
	found = find(name) != NULL;
	pthread_mutex_unlock(&shm_lock);
	return found;
}

int shm_segment_stat(const char *name, FILE *to)
{
	const struct segment *s;

	pthread_mutex_lock(&shm_lock);
	s = find(name);
	if (s) {
		const struct pages *p = &s->pages;
		const struct {
			const char *name;
			uint64_t value;
		} lines[] = {
			{"ino", s->ino}, {"size", s->size}, {"resident", p->resident},
			{"swapped", p->elsewhere}, {"minor", p->minor}, {"major", p->major},
			{"refault", p->refault}, {"swapped_out", p->swapped_out},
			{"swapped_in", p->swapped_in}, {"failed", p->failed}, {"reads", s->reads},
			{"writes", s->writes}, {"links", s->nlink}, {"opens", s->opens},
		};

		for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
			fprintf(to, "%s %llu\n", lines[i].name, (unsigned long long)lines[i].value);
	}
	pthread_mutex_unlock(&shm_lock);
	return s ? 0 : -ENOENT;
}

int shm_swaps(FILE *to)
{
	pthread_mutex_lock(&shm_lock);
	swap_print(to);
	pthread_mutex_unlock(&shm_lock);
	return 0;
}

int shm_swap_stat(FILE *to)
{
	pthread_mutex_lock(&shm_lock);
	fprintf(to, "total %llu\nfree %llu\nfilled %llu\n", (unsigned long long)swap_slots(),
		(unsigned long long)swap_free_slots(), (unsigned long long)shm_filled);
	pthread_mutex_unlock(&shm_lock);
	return 0;
}

unsigned shm_page_cluster(void)
{
	return page_cluster;
}

void shm_set_page_cluster(unsigned n)
{
	page_cluster = n;
}
