/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handle: one open file or directory of the tree: what it reads, the reply it collects. */
#ifndef HANDLE_H
#define HANDLE_H

#include "tree/tree.h"

struct handle {
	struct handle *next, *prev; /* all that are open */
	pthread_mutex_t lock;
	char *path;
	char *text; /* generated at offset 0, kept for the following offsets */
	size_t len;
	char *reply; /* lines not yet read, of nodes that reply */
	size_t reply_len;
	bool streaming; /* a stream was begun by this handle */
	char **name; /* of a directory, collected when it was opened */
	size_t nr_names;
};

/* Resolves a path under the right lock. 0 or -ENOENT. */
int path_resolve(const char *path, struct tree_found *found);
/* The lock that a node's functions want. */
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
/* At a close: 0 or -errno, of a stream that stops in the middle. */
int handle_flush(struct handle *h);
/* All of a write: size or -errno. */
int handle_write(struct handle *h, const char *buf, size_t size);

#endif
