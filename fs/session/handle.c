/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/handle.h"

#include "tracing/tracing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 1 << 20 }; /* bytes kept of a text that is made piece by piece */

static struct handle *open_handles;
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;

/* shm takes rig.lock inside its own; so what asks shm is called without rig.lock. */
static bool asks_shm(const char *path)
{
	return !strncmp(path, "segments", 8);
}

void path_lock(const char *path)
{
	if (!asks_shm(path))
		pthread_mutex_lock(&rig.lock);
}

void path_unlock(const char *path)
{
	if (!asks_shm(path))
		pthread_mutex_unlock(&rig.lock);
}

int path_resolve(const char *path, struct tree_found *found)
{
	int err;

	path_lock(path);
	err = tree_resolve(path, found);
	path_unlock(path);
	return err;
}

struct handle *handle_open(const char *path)
{
	struct handle *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->path = strdup(path);
	if (!h->path) {
		free(h);
		return NULL;
	}
	pthread_mutex_init(&h->lock, NULL);
	pthread_mutex_lock(&list_lock);
	h->next = open_handles;
	if (open_handles)
		open_handles->prev = h;
	open_handles = h;
	pthread_mutex_unlock(&list_lock);
	return h;
}

void handle_close(struct handle *h)
{
	pthread_mutex_lock(&list_lock);
	if (h->next)
		h->next->prev = h->prev;
	*(h->prev ? &h->prev->next : &open_handles) = h->next;
	pthread_mutex_unlock(&list_lock);
	for (size_t i = 0; i < h->nr_names; i++)
		free(h->name[i]);
	free(h->name);
	pthread_mutex_destroy(&h->lock);
	free(h->path);
	if (h->pipe)
		pipe_close(h->pipe);
	free(h->text);
	free(h->state);
	free(h->reply);
	free(h->held);
	free(h);
}

void handles_exit(void)
{
	while (open_handles)
		handle_close(open_handles); /* NOLINT(clang-analyzer-unix.Malloc): it unlinks */
}

static void add_name(void *ctx, const char *name)
{
	struct handle *h = ctx;
	char **more = realloc(h->name, (h->nr_names + 1) * sizeof(*more));

	if (!more)
		return;
	h->name = more;
	h->name[h->nr_names] = strdup(name);
	h->nr_names += h->name[h->nr_names] != NULL;
}

void handle_list(struct handle *h)
{
	add_name(h, ".");
	add_name(h, "..");
	path_lock(h->path);
	tree_list(h->path, add_name, h);
	path_unlock(h->path);
	if (!*h->path)
		add_name(h, "shm");
}

static void begin(struct handle *h)
{
	free(h->text);
	free(h->state);
	h->text = h->state = NULL;
	h->len = h->base = 0;
	h->ended = false;
}

/* The next piece, or all, of what a node prints. Resolved anew: it may be gone. */
static int print_piece(struct handle *h, FILE *to)
{
	struct tree_found f;
	int err;

	path_lock(h->path);
	err = tree_resolve(h->path, &f);
	if (!err && f.is_dir)
		err = -EISDIR;
	if (!err && f.node->own_locks) {
		path_unlock(h->path);
		if (f.node->more)
			return f.node->more(&f.at, &h->state, to);
		return f.node->show ? f.node->show(&f.at, to) : 0;
	}
	if (!err && f.node->more)
		err = f.node->more(&f.at, &h->state, to);
	else if (!err && f.node->show)
		err = f.node->show(&f.at, to);
	path_unlock(h->path);
	return err;
}

static int add_piece(struct handle *h)
{
	char *piece = NULL, *more;
	size_t len = 0;
	FILE *to = open_memstream(&piece, &len);
	int err = to ? print_piece(h, to) : -ENOMEM;

	if (to && fclose(to))
		err = -ENOMEM;
	more = err < 0 ? NULL : realloc(h->text, h->len + len + 1);
	if (more) {
		memcpy(more + h->len, piece, len);
		h->text = more;
		h->len += len;
		h->ended = !err;
	}
	free(piece);
	return err < 0 ? err : more ? 0 : -ENOMEM;
}

static void forget_before(struct handle *h, size_t off)
{
	size_t n = off - h->base < h->len ? off - h->base : h->len;

	memmove(h->text, h->text + n, h->len - n);
	h->base += n;
	h->len -= n;
}

int handle_read(struct handle *h, size_t size, off_t off, const char **data)
{
	size_t from = (size_t)off, there;
	struct tree_found f;
	int err = path_resolve(h->path, &f);

	if (err)
		return err;
	if (!f.is_dir && f.node->replies)
		return handle_reply(h, size, data);
	if (!from || !h->text || from < h->base)
		begin(h);
	while (!h->ended && h->base + h->len < from + size) {
		err = add_piece(h);
		if (err)
			return err;
		if (h->len > WINDOW && !h->ended)
			forget_before(h, from);
	}
	if (from >= h->base + h->len)
		return 0;
	there = h->base + h->len - from;
	*data = h->text + (from - h->base);
	return (int)(there < size ? there : size);
}
