/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree.c: from a path to a node of the table, and from a directory to its names. */
#include "tree/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t word_len(const char *p)
{
	return strcspn(p, "/");
}

/* One word of a pattern against one word of a path. */
static bool match_word(const char *pattern, const char *path, struct place *at)
{
	size_t plen = word_len(pattern), len = word_len(path);
	char name[NAME_MAX_LEN + 1];

	if (*pattern != '{')
		return plen == len && !memcmp(pattern, path, len);
	if (len > NAME_MAX_LEN)
		return false;
	memcpy(name, path, len);
	name[len] = 0;
	return !wildcard_find(pattern, plen)->parse(at, name);
}

/*
 * How far a pattern goes with a path: what is left of the pattern behind it ("" if it is used
 * up), or NULL if they part.
 */
static const char *match(const char *pattern, const char *path, struct place *at)
{
	while (*path) {
		if (!*pattern || !match_word(pattern, path, at))
			return NULL;
		pattern += word_len(pattern);
		path += word_len(path);
		if (*path) {
			if (!*pattern)
				return NULL;
			path++;
		}
		if (*pattern)
			pattern++;
	}
	return pattern;
}

int tree_resolve(const char *path, struct tree_found *found)
{
	for (const struct tree_node *n = tree_table; n->pattern; n++) {
		struct place at = {0};
		const char *rest = match(n->pattern, path, &at);

		if (!rest)
			continue;
		*found = (struct tree_found){*rest != 0, *rest ? NULL : n, at};
		return 0;
	}
	return -ENOENT;
}

struct unique {
	void (*add)(void *ctx, const char *name);
	void *ctx;
};

/* Was this word of a pattern given by an earlier entry with the same beginning? */
static bool seen_before(const struct tree_node *n, const char *path, const char *rest)
{
	for (const struct tree_node *e = tree_table; e != n; e++) {
		struct place at = {0};
		const char *other = match(e->pattern, path, &at);

		if (other && *other && word_len(other) == word_len(rest) &&
		    !memcmp(other, rest, word_len(rest)))
			return true;
	}
	return false;
}

void tree_list(const char *path, void (*add)(void *ctx, const char *name), void *ctx)
{
	for (const struct tree_node *n = tree_table; n->pattern; n++) {
		struct place at = {0};
		const char *rest = match(n->pattern, path, &at);
		char name[NAME_MAX_LEN + 1];

		if (!rest || !*rest || seen_before(n, path, rest))
			continue;
		if (*rest == '{') {
			wildcard_find(rest, word_len(rest))->list(&at, add, ctx);
			continue;
		}
		memcpy(name, rest, word_len(rest));
		name[word_len(rest)] = 0;
		add(ctx, name);
	}
}

struct search {
	struct pr_near near;
	char *best;
};

static void try_name(void *ctx, const char *name)
{
	struct search *s = ctx;

	pr_near_try(&s->near, name);
	if (s->near.name != name)
		return;
	free(s->best); /* what is offered lives as long as this call */
	s->best = strdup(name);
	s->near.name = s->best;
}

char *tree_nearest(const char *dir, const char *name)
{
	struct search s = {.near = {.word = name, .len = strlen(name)}};

	tree_list(dir, try_name, &s);
	return s.best;
}

const struct tree_dir *tree_dir_find(const char *path)
{
	for (const struct tree_dir *d = tree_dirs; d->path; d++)
		if (!strcmp(d->path, path))
			return d;
	return NULL;
}

int tree_readme(const struct place *, FILE *to)
{
	fprintf(to, "pagerig: the Linux page allocator as files. One line each; {words} stand for names.\n"
		    "shm/ is ordinary shared memory: create, truncate, mmap; its pages are this machine's.\n\n");
	for (const struct tree_node *n = tree_table; n->pattern; n++)
		fprintf(to, "%c%c  %-56s %s\n", node_readable(n) ? 'r' : '-', node_writable(n) ? 'w' : '-', n->pattern,
			n->help);
	return 0;
}
