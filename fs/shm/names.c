/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shm/names.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <xxhash.h>

enum { LONG_NAME = 1u << 31, FIRST_COOKIE = 3 };
static_assert(NAME_HEAD + NAME_MAX + 1 <= LONG_NAME_SIZE, "the longest name fits");

static struct name *name_at(uint32_t ref)
{
	return ref & LONG_NAME ? store_at(POOL_LONG_NAME, ref & ~LONG_NAME)
			       : store_at(POOL_SHORT_NAME, ref);
}

static uint32_t *bucket(uint32_t dir, const char *text, size_t len)
{
	return &store_buckets()[XXH3_64bits_withSeed(text, len, dir) % NAME_BUCKETS];
}

struct name *name_find(const struct segment *dir, const char *text)
{
	size_t len = strlen(text);
	uint32_t ref = *bucket(dir->id, text, len);

	for (; ref; ref = name_at(ref)->next) {
		struct name *n = name_at(ref);

		if (n->dir == dir->id && n->len == len && !memcmp(n->text, text, len))
			return n;
	}
	return NULL;
}

static uint32_t name_new(size_t len)
{
	bool is_long = NAME_HEAD + len + 1 > SHORT_NAME_SIZE;
	uint32_t number = store_get(is_long ? POOL_LONG_NAME : POOL_SHORT_NAME);

	return number && is_long ? number | LONG_NAME : number;
}

static void name_free(uint32_t ref)
{
	store_put(ref & LONG_NAME ? POOL_LONG_NAME : POOL_SHORT_NAME, ref & ~LONG_NAME);
}

static void take_link(struct segment *dir, struct segment *to)
{
	if (S_ISDIR(to->mode)) {
		to->parent = dir->id;
		dir->nlink++;
	} else {
		to->nlink++;
	}
}

int name_add(struct segment *dir, const char *text, struct segment *to)
{
	size_t len = strlen(text);
	uint32_t ref, *head = bucket(dir->id, text, len);
	struct name *n;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	ref = name_new(len);
	if (!ref)
		return -ENOSPC;
	n = name_at(ref);
	*n = (struct name){.next = *head, .self = ref, .dir = dir->id, .to = to->id};
	n->cookie = FIRST_COOKIE + dir->last_cookie++;
	n->len = (uint8_t)len;
	memcpy(n->text, text, len + 1);
	if (index_set(&dir->names, n->cookie, ref)) {
		name_free(ref);
		return -ENOSPC;
	}
	*head = ref;
	dir->nr_names++;
	dir->size += DIRENT_SIZE;
	take_link(dir, to);
	segment_modified(dir);
	return 0;
}

void name_remove(struct name *n)
{
	struct segment *dir = segment_at(n->dir), *to = segment_at(n->to);
	uint32_t *at = bucket(n->dir, n->text, n->len), ref = n->self;

	while (*at != ref)
		at = &name_at(*at)->next;
	*at = n->next;
	index_set(&dir->names, n->cookie, 0);
	dir->nr_names--;
	dir->size -= DIRENT_SIZE;
	if (S_ISDIR(to->mode))
		dir->nlink--;
	else
		to->nlink--;
	segment_changed(to);
	segment_modified(dir);
	name_free(ref);
}

static bool is_name(uint64_t ref)
{
	return ref != 0;
}

struct name *name_next(const struct segment *dir, uint64_t cookie)
{
	uint64_t end = FIRST_COOKIE + dir->last_cookie;
	uint64_t at = index_next(&dir->names, cookie + 1, end, is_name);

	return at < end ? name_at((uint32_t)index_get(&dir->names, at)) : NULL;
}

void names_exchange(struct name *a, struct name *b)
{
	struct segment *d1 = segment_at(a->dir), *d2 = segment_at(b->dir);
	struct segment *s = segment_at(a->to), *t = segment_at(b->to);

	a->to = t->id;
	b->to = s->id;
	if (S_ISDIR(s->mode)) {
		s->parent = d2->id;
		d1->nlink--;
		d2->nlink++;
	}
	if (S_ISDIR(t->mode)) {
		t->parent = d1->id;
		d2->nlink--;
		d1->nlink++;
	}
	segment_changed(s);
	segment_changed(t);
	segment_modified(d1);
	segment_modified(d2);
}
