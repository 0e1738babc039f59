/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shm/index.h"

#include "shm/store.h"

#include <errno.h>
#include <string.h>

enum { BITS = 9, MAX_HEIGHT = 8 };

static uint64_t *entries(uint32_t node)
{
	return store_at(POOL_NODE, node);
}

/* Keys below one entry of a node at that height (1 is a leaf); 0 stands for 2^64. */
static uint64_t span(uint32_t height)
{
	return BITS * height < 64 ? 1ull << (BITS * height) : 0;
}

static unsigned at_height(uint64_t key, uint32_t height)
{
	return (unsigned)(key >> (BITS * (height - 1))) & (NODE_ENTRIES - 1);
}

static bool covers(const struct index *x, uint64_t key)
{
	return x->root && (!span(x->height) || key < span(x->height));
}

uint64_t index_get(const struct index *x, uint64_t key)
{
	uint32_t node = covers(x, key) ? x->root : 0;

	for (uint32_t h = x->height; node && h > 1; h--)
		node = (uint32_t)entries(node)[at_height(key, h)];
	return node ? entries(node)[key & (NODE_ENTRIES - 1)] : 0;
}

static uint32_t new_node(void)
{
	uint32_t node = store_get(POOL_NODE);

	if (node) {
		memset(entries(node), 0, NODE_ENTRIES * sizeof(uint64_t));
		*store_node_used(node) = 0;
	}
	return node;
}

static void put(uint32_t node, unsigned i, uint64_t value)
{
	uint64_t *e = &entries(node)[i];

	*store_node_used(node) = (uint16_t)(*store_node_used(node) + (value != 0) - (*e != 0));
	*e = value;
}

/* Nodes above the root until the key fits below it. */
static int grow(struct index *x, uint64_t key)
{
	while (!covers(x, key)) {
		uint32_t node = new_node();

		if (!node)
			return -ENOMEM;
		if (x->root)
			put(node, 0, x->root);
		x->height = x->root ? x->height + 1 : 1;
		x->root = node;
	}
	return 0;
}

/* Frees empty nodes on the way to key, from the leaf upwards. */
static void prune(struct index *x, uint64_t key)
{
	uint32_t path[MAX_HEIGHT + 1];
	uint32_t node = x->root, h;

	for (h = x->height; node; h--) {
		path[h] = node;
		if (h == 1)
			break;
		node = (uint32_t)entries(node)[at_height(key, h)];
	}
	if (!node)
		h++;
	for (; h <= x->height && !*store_node_used(path[h]); h++) {
		store_put(POOL_NODE, path[h]);
		if (h == x->height)
			x->root = x->height = 0;
		else
			put(path[h + 1], at_height(key, h + 1), 0);
	}
}

int index_set(struct index *x, uint64_t key, uint64_t value)
{
	uint32_t node;

	if (!value && !index_get(x, key))
		return 0;
	if (grow(x, key)) {
		if (x->root)
			prune(x, key);
		return -ENOMEM;
	}
	node = x->root;
	for (uint32_t h = x->height; h > 1; h--) {
		uint32_t below = (uint32_t)entries(node)[at_height(key, h)];

		if (!below) {
			below = new_node();
			if (!below) {
				prune(x, key);
				return -ENOMEM;
			}
			put(node, at_height(key, h), below);
		}
		node = below;
	}
	put(node, key & (NODE_ENTRIES - 1), value);
	if (!value)
		prune(x, key);
	return 0;
}

/* The same in one node whose first key is base; to if there is none. */
static uint64_t next_in(uint32_t node, uint32_t height, uint64_t base, uint64_t from, uint64_t to,
			bool (*is)(uint64_t))
{
	uint64_t step = height > 1 ? span(height - 1) : 1;

	for (unsigned i = from > base ? at_height(from, height) : 0; i < NODE_ENTRIES; i++) {
		uint64_t start = base + i * step, value = entries(node)[i], key;

		if (start >= to)
			break;
		if (height == 1 || !value) {
			if (is(value))
				return start > from ? start : from;
			continue;
		}
		key = next_in((uint32_t)value, height - 1, start, from, to, is);
		if (key < to)
			return key;
	}
	return to;
}

uint64_t index_next(const struct index *x, uint64_t from, uint64_t to, bool (*is)(uint64_t))
{
	uint64_t key = to;

	if (from >= to)
		return to;
	if (covers(x, from))
		key = next_in(x->root, x->height, 0, from, to, is);
	if (key < to)
		return key;
	/* what lies behind the tree is nothing */
	if (!is(0) || (x->root && !span(x->height)))
		return to;
	key = x->root ? span(x->height) : 0;
	key = key > from ? key : from;
	return key < to ? key : to;
}

struct drop {
	uint64_t from, to;
	void (*gone)(void *ctx, uint64_t key, uint64_t value);
	void *ctx;
};

/* True if the node is empty now and was given back. */
static bool drop_in(uint32_t node, uint32_t height, uint64_t base, const struct drop *d)
{
	uint64_t step = height > 1 ? span(height - 1) : 1;

	for (unsigned i = d->from > base ? at_height(d->from, height) : 0; i < NODE_ENTRIES; i++) {
		uint64_t start = base + i * step, value = entries(node)[i];

		if (start >= d->to)
			break;
		if (!value)
			continue;
		if (height == 1) {
			put(node, i, 0);
			d->gone(d->ctx, start, value);
		} else if (drop_in((uint32_t)value, height - 1, start, d)) {
			put(node, i, 0);
		}
	}
	if (*store_node_used(node))
		return false;
	store_put(POOL_NODE, node);
	return true;
}

void index_drop(struct index *x, uint64_t from, uint64_t to,
		void (*gone)(void *ctx, uint64_t key, uint64_t value), void *ctx)
{
	struct drop d = {from, to, gone, ctx};

	if (from < to && covers(x, from) && drop_in(x->root, x->height, 0, &d))
		x->root = x->height = 0;
}
