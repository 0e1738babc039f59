/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * write.c: what is written to the tree's files: one line a write, or a stream.
 *
 * A file that replies (control) takes longer writes too, but carries out one line of each: the
 * write comes back short, so the writer's next one begins with the next line, and each line has
 * its own errno. What `cat` cuts off in the middle of a line waits for the rest of it.
 */
#include "session/handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 4096, MAX_REPLY = 4 << 20 };

static int add_reply(struct handle *h, const char *text, size_t len)
{
	char *more = realloc(h->reply, h->reply_len + len + 1);

	if (!more)
		return -ENOMEM;
	memcpy(more + h->reply_len, text, len);
	h->reply = more;
	h->reply_len += len;
	return 0;
}

int handle_refuse(const char *path, int err, const char *why)
{
	rig_error("%s: %s: %s", path, strerrorname_np(err), why);
	return -err;
}

static int refuse(struct handle *h, const struct tree_found *f, int err, const char *why)
{
	char line[WHY_SIZE + 64];
	int n = snprintf(line, sizeof(line), "error %s %s\n", strerrorname_np(err), why);

	if (f->node->replies)
		add_reply(h, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
	return handle_refuse(h->path, err, why);
}

static int answer_ok(struct handle *h, const char *lines, size_t len)
{
	char head[32];
	unsigned nr = 0;
	int n;

	for (size_t i = 0; i < len; i++)
		nr += lines[i] == '\n';
	n = snprintf(head, sizeof(head), "ok %u\n", nr);
	return add_reply(h, head, (size_t)n) || add_reply(h, lines, len) ? -ENOMEM : 0;
}

/* One line, answered as "ok N" and N lines, or "error ERRNO sentence". */
static int one_line(struct handle *h, const struct tree_found *f, char *line)
{
	char why[WHY_SIZE] = "", *lines = NULL;
	size_t len = 0;
	FILE *reply = open_memstream(&lines, &len);
	int err;

	if (!reply)
		return -ENOMEM;
	if (!f->node->own_locks)
		pthread_mutex_lock(&rig.lock);
	err = f->node->store(&f->at, line, reply, why);
	if (!f->node->own_locks)
		pthread_mutex_unlock(&rig.lock);
	fclose(reply);
	if (err)
		refuse(h, f, -err, why);
	else if (f->node->replies)
		err = answer_ok(h, lines, len);
	free(lines);
	return err;
}

/* Carries out the first len bytes of buf, behind what was held, as one line. 0 or -errno. */
static int run_line(struct handle *h, const struct tree_found *f, const char *buf, size_t len)
{
	size_t held = h->held ? strlen(h->held) : 0;
	const char *bad = NULL;
	char line[MAX_LINE + 1];

	if (memchr(buf, 0, len))
		bad = "a NUL byte in a command";
	else if (held + len > MAX_LINE)
		bad = "a line has at most 4096 bytes";
	else if (memchr(buf, '\n', len))
		bad = "this file takes one line a write";
	if (!bad) {
		if (held)
			memcpy(line, h->held, held);
		memcpy(line + held, buf, len);
		line[held + len] = 0;
	}
	free(h->held);
	h->held = NULL;
	return bad ? refuse(h, f, EINVAL, bad) : one_line(h, f, line);
}

/* Puts half a line by; false if it is no half line of a longer write. */
static bool hold(struct handle *h, const char *buf, size_t size)
{
	if (h->rest != size || size > MAX_LINE || memchr(buf, 0, size))
		return false;
	h->held = strndup(buf, size);
	return h->held != NULL;
}

static int write_commands(struct handle *h, const struct tree_found *f, const char *buf,
			  size_t size)
{
	const char *newline = memchr(buf, '\n', size);
	size_t len = newline ? (size_t)(newline - buf) : size, used = len + (newline != NULL);
	int err;

	if (h->reply_len > MAX_REPLY)
		return handle_refuse(h->path, EAGAIN, "read the replies first");
	if (!newline && !h->held && hold(h, buf, size)) {
		h->rest = 0;
		return (int)size;
	}
	err = run_line(h, f, buf, len);
	h->rest = err ? 0 : size - used;
	return err ? err : (int)used;
}

static int stream(struct handle *h, const struct tree_found *f, const char *buf, size_t size)
{
	char why[WHY_SIZE] = "";
	int err;

	pthread_mutex_lock(&rig.lock);
	err = f->node->stream(h, buf, size, !h->streaming, why);
	pthread_mutex_unlock(&rig.lock);
	h->streaming = true;
	return err ? handle_refuse(h->path, -err, why) : (int)size;
}

int handle_write(struct handle *h, const char *buf, size_t size)
{
	struct tree_found f;
	int err = path_resolve(h->path, &f);

	if (err)
		return err;
	if (f.node->stream)
		return stream(h, &f, buf, size);
	if (f.node->replies)
		return write_commands(h, &f, buf, size);
	err = run_line(h, &f, buf, size - (size && buf[size - 1] == '\n'));
	return err ? err : (int)size;
}

static int run_held(struct handle *h, const struct tree_found *f)
{
	return h->held ? run_line(h, f, "", 0) : 0;
}

int handle_flush(struct handle *h)
{
	char why[WHY_SIZE] = "";
	struct tree_found f;
	int err;

	if ((!h->streaming && !h->held) || path_resolve(h->path, &f))
		return 0;
	if (h->held)
		return run_held(h, &f);
	pthread_mutex_lock(&rig.lock);
	err = f.node->stream_end(h, why);
	pthread_mutex_unlock(&rig.lock);
	return err ? handle_refuse(h->path, -err, why) : 0;
}

/* Replies are a stream: whole lines, the offset is ignored, never blocks. */
int handle_reply(struct handle *h, size_t size, const char **data)
{
	struct tree_found f;
	size_t n;

	if (h->held && !path_resolve(h->path, &f))
		run_held(h, &f); /* its answer says what became of it */
	n = h->reply_len < size ? h->reply_len : size;
	if (n < h->reply_len) {
		const char *last = memrchr(h->reply, '\n', n);

		n = last ? (size_t)(last - h->reply) + 1 : n;
	}
	free(h->text);
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
