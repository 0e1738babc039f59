/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree: the one table of nodes from which lookup, listing, attributes and README come.
 *
 * A node is named by a pattern such as "nodes/{node}/zones/{zone}/alloc". A word in braces is a
 * wildcard: it parses one name into struct place and lists all names there are. Directories are
 * not in the table: they are the beginnings of its patterns.
 */
#ifndef TREE_H
#define TREE_H

#include "rig.h"

#include <stdio.h>
#include <sys/stat.h>

enum { NAME_MAX_LEN = 255, WHY_SIZE = 512 };

/* What the wildcards of a path stand for. */
struct place {
	int node, zone, order, type, cpu, event; /* zone: index into zones[] */
	const char *system; /* of trace events */
	pfn_t pfn;
	char name[NAME_MAX_LEN + 1]; /* allocation, segment, sysctl */
};

struct tree_node {
	const char *pattern;
	mode_t mode; /* S_IFREG or S_IFLNK with permissions; write permission goes with store */
	const char *help;
	/* Prints the content. 0 or -errno. */
	int (*show)(const struct place *at, FILE *to);
	/*
	 * Instead of show, for what may be huge: prints a piece. 1: there is more, 0: that was all,
	 * or -errno. *state is NULL at first and free()d by the caller. rig.lock is held during each
	 * piece, not between them.
	 */
	int (*more)(const struct place *at, void **state, FILE *to);
	/* Carries out one line (no newline). 0 or -errno with a sentence in why; lines for a
	 * reader go to reply. */
	int (*store)(const struct place *at, char *line, FILE *reply, char *why);
	int (*remove)(const struct place *at); /* rm; 0 or -errno */
	/* Instead of store: takes pieces of any size; first: of this writer, an open file. */
	int (*stream)(const void *writer, const char *buf, size_t size, bool first, char *why);
	/* At each close of its descriptors; 0 or -errno with a sentence. */
	int (*stream_end)(const void *writer, char *why);
	void (*truncate)(const struct place *at); /* ">" empties it, before it is written */
	bool pipe;	/* trace_pipe: reading waits and consumes */
	bool replies;	/* what store says is read back on the same open file */
	bool own_locks; /* show, more and store are called without rig.lock */
};
extern const struct tree_node tree_table[];

struct tree_found {
	bool is_dir;
	const struct tree_node *node; /* of a file or link */
	struct place at;
};
/* path without slashes at its ends, "" is the root. Call with rig.lock, and without shm's. */
int tree_resolve(const char *path, struct tree_found *found);
/* Calls add for each name in a directory. */
void tree_list(const char *path, void (*add)(void *ctx, const char *name), void *ctx);
/* The name in a directory (malloc'ed) that is nearest to one that is not there, or NULL. */
char *tree_nearest(const char *dir, const char *name);
static inline bool node_readable(const struct tree_node *n)
{
	return n->show || n->more || n->replies || n->pipe;
}
static inline bool node_writable(const struct tree_node *n)
{
	return n->store || n->stream;
}
/* Directories in which mkdir and rmdir make and remove names; NULL behind the last. */
struct tree_dir {
	const char *path, *help;
	int (*make)(const char *name);
	int (*remove)(const char *name);
};
extern const struct tree_dir tree_dirs[];
const struct tree_dir *tree_dir_find(const char *path);
/* Prints a line for each node: the tree's README. */
int tree_readme(const struct place *at, FILE *to);

/* names.c: "a\\040b" and "a b". 0; -EINVAL: no such escape; -ENAMETOOLONG: over size - 1 bytes. */
int name_unescape(const char *text, char *name, size_t size);
void name_print(const char *name, FILE *to);

/* wildcards.c */
struct wildcard {
	const char *word; /* with its braces */
	int (*parse)(struct place *at, const char *name);
	void (*list)(const struct place *at, void (*add)(void *ctx, const char *name), void *ctx);
};
const struct wildcard *wildcard_find(const char *word, size_t len);

#endif
