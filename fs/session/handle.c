/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 4096 };

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
	free(h->text);
	free(h->reply);
	free(h);
}

void handles_exit(void)
{
	while (open_handles)
		handle_close(open_handles);
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

static int generate(struct handle *h)
{
	struct tree_found f;
	FILE *to;
	int err;

	free(h->text);
	h->text = NULL;
	h->len = 0;
	to = open_memstream(&h->text, &h->len);
	if (!to)
		return -ENOMEM;
	path_lock(h->path);
	err = tree_resolve(h->path, &f);
	if (!err)
		err = f.is_dir ? -EISDIR : f.node->show ? f.node->show(&f.at, to) : 0;
	path_unlock(h->path);
	fclose(to);
	return err;
}

/* Replies are a stream: whole lines, the offset is ignored, never blocks. */
static int read_reply(struct handle *h, size_t size, const char **data)
{
	size_t n = h->reply_len < size ? h->reply_len : size;

	free(h->text);
	h->text = NULL;
	if (n < h->reply_len) {
		const char *last = memrchr(h->reply, '\n', n);

		n = last ? (size_t)(last - h->reply) + 1 : n;
	}
	h->text = malloc(n + 1);
	if (!h->text)
		return -ENOMEM;
	if (n)
		memcpy(h->text, h->reply, n);
	if (n)
		memmove(h->reply, h->reply + n, h->reply_len - n);
	h->reply_len -= n;
	*data = h->text;
	return (int)n;
}

int handle_read(struct handle *h, size_t size, off_t off, const char **data)
{
	struct tree_found f;
	int err = path_resolve(h->path, &f);

	if (err)
		return err;
	if (!f.is_dir && f.node->replies)
		return read_reply(h, size, data);
	if (!off || !h->text)
		err = generate(h);
	if (err)
		return err;
	if ((size_t)off >= h->len)
		return 0;
	*data = h->text + off;
	return (int)(h->len - (size_t)off < size ? h->len - (size_t)off : size);
}

static void add_reply(struct handle *h, const char *text)
{
	size_t len = strlen(text);
	char *more = realloc(h->reply, h->reply_len + len + 1);

	if (!more)
		return;
	memcpy(more + h->reply_len, text, len);
	h->reply = more;
	h->reply_len += len;
}

/* One line, answered as "ok N" and N lines, or "error ERRNO sentence". */
static int one_line(struct handle *h, const struct tree_found *f, char *line)
{
	char why[WHY_SIZE] = "", *lines = NULL, head[WHY_SIZE + 64];
	size_t len = 0;
	FILE *reply = open_memstream(&lines, &len);
	unsigned nr = 0;
	int err;

	if (!reply)
		return -ENOMEM;
	if (!f->node->own_locks)
		pthread_mutex_lock(&rig.lock);
	err = f->node->store(&f->at, line, reply, why);
	if (!f->node->own_locks)
		pthread_mutex_unlock(&rig.lock);
	fclose(reply);
	for (size_t i = 0; i < len; i++)
		nr += lines[i] == '\n';
	if (err) {
		rig_error("%s: %s: %s", h->path, strerrorname_np(-err), why);
		snprintf(head, sizeof(head), "error %s %s\n", strerrorname_np(-err), why);
	} else {
		snprintf(head, sizeof(head), "ok %u\n", nr);
	}
	if (f->node->replies) {
		add_reply(h, head);
		if (!err)
			add_reply(h, lines);
	}
	free(lines);
	return err;
}

static int refuse(struct handle *h, const struct tree_found *f, int err, const char *why)
{
	char line[128];

	rig_error("%s: %s: %s", h->path, strerrorname_np(err), why);
	snprintf(line, sizeof(line), "error %s %s\n", strerrorname_np(err), why);
	if (f->node->replies)
		add_reply(h, line);
	return -err;
}

/* What is wrong with a write as a whole, or NULL. */
static const char *bad_write(const struct tree_found *f, const char *buf, size_t size)
{
	const char *newline = memchr(buf, '\n', size);

	if (memchr(buf, 0, size))
		return "a NUL byte in a command";
	if (newline && newline + 1 < buf + size && !f->node->replies)
		return "this file takes one line a write";
	for (const char *p = buf; p < buf + size;) {
		const char *end = memchr(p, '\n', (size_t)(buf + size - p));

		if (!end)
			end = buf + size;
		if (end - p > MAX_LINE)
			return "a line has at most 4096 bytes";
		p = end + 1;
	}
	return NULL;
}

static int stream(struct handle *h, const struct tree_found *f, const char *buf, size_t size)
{
	char why[WHY_SIZE] = "";
	int err;

	pthread_mutex_lock(&rig.lock);
	err = f->node->stream(h, buf, size, !h->streaming, why);
	pthread_mutex_unlock(&rig.lock);
	h->streaming = true;
	if (err)
		rig_error("%s: %s: %s", h->path, strerrorname_np(-err), why);
	return err ? err : (int)size;
}

int handle_flush(struct handle *h)
{
	char why[WHY_SIZE] = "";
	struct tree_found f;
	int err;

	if (!h->streaming || path_resolve(h->path, &f))
		return 0;
	pthread_mutex_lock(&rig.lock);
	err = f.node->stream_end(h, why);
	pthread_mutex_unlock(&rig.lock);
	if (err)
		rig_error("%s: %s: %s", h->path, strerrorname_np(-err), why);
	return err;
}

int handle_write(struct handle *h, const char *buf, size_t size)
{
	struct tree_found f;
	int err = path_resolve(h->path, &f), failed = 0;
	char *copy, *rest, *line;
	const char *bad;

	if (err)
		return err;
	if (f.node->stream)
		return stream(h, &f, buf, size);
	bad = bad_write(&f, buf, size);
	if (bad)
		return refuse(h, &f, EINVAL, bad);
	copy = strndup(buf, size);
	if (!copy)
		return -ENOMEM;
	if (size && copy[size - 1] == '\n')
		copy[size - 1] = 0;
	for (rest = copy; (line = strsep(&rest, "\n"));) {
		err = one_line(h, &f, line);
		if (err)
			failed = err;
	}
	free(copy);
	return failed ? failed : (int)size;
}
