/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handle: one open file or directory of the tree: what it reads, the reply it collects. */
#ifndef HANDLE_H
#define HANDLE_H

#include "tree/tree.h"

#include <sys/types.h>

struct handle {
	struct handle *next, *prev; /* all that are open */
	pthread_mutex_t lock;
	char *path;
	/* what is read: generated at offset 0, kept for the following offsets */
	char *text;
	size_t len, base; /* base: offset of text[0], of a text that is made piece by piece */
	void *state;	  /* of node->more */
	bool ended;	  /* text goes to the end */
	/* nodes that reply */
	char *reply; /* lines not yet read */
	size_t reply_len;
	char *held;	/* half a line, the end of a longer write */
	size_t rest;	/* bytes that the last write left for the next one */
	struct pipe_reader *pipe; /* of a node that is a pipe */
	bool streaming; /* a stream was begun by this handle */
	/* directories: collected when it was opened */
	char **name;
	size_t nr_names;
};

/* Resolves a path under the right lock. 0 or -ENOENT. */
int path_resolve(const char *path, struct tree_found *found);
/* The lock that resolving a path wants. */
void path_lock(const char *path);
void path_unlock(const char *path);

struct handle *handle_open(const char *path);
void handle_close(struct handle *h);
/* Collects the names of a directory. */
void handle_list(struct handle *h);
/* Closes what is still open: an unmount drops releases that are on their way. */
void handles_exit(void);
/* At most size bytes from off; length, *data valid until the next call. -errno. Takes h->lock. */
int handle_read(struct handle *h, size_t size, off_t off, const char **data);

/* --- write.c --- */
/* What was carried out of a write: a number of bytes, or -errno. */
int handle_write(struct handle *h, const char *buf, size_t size);
/* At a close: 0 or -errno, of a command or a stream that stops in the middle. */
int handle_flush(struct handle *h);
/* The next lines of a reply: length, *data as in handle_read; 0 if there are none. */
int handle_reply(struct handle *h, size_t size, const char **data);
/* Notes in tracing/error_log why a file was refused; returns -err. */
int handle_refuse(const char *path, int err, const char *why);

#endif
