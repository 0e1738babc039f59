/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/frames.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_GROUPS = 1024 };

static uint32_t home(const struct frames *f, uint64_t nr)
{
	return (uint32_t)(nr * 0x9e3779b97f4a7c15ull >> 32) & f->slot_mask;
}

int frames_init(struct frames *f)
{
	*f = (struct frames){.max_groups = FIRST_GROUPS, .slot_mask = 2 * FIRST_GROUPS - 1};
	f->group = malloc(f->max_groups * sizeof(*f->group));
	f->slot = calloc(f->slot_mask + 1ull, sizeof(*f->slot));
	if (f->group && f->slot)
		return 0;
	frames_exit(f);
	return -ENOMEM;
}

void frames_exit(struct frames *f)
{
	free(f->group);
	free(f->slot);
	*f = (struct frames){0};
}

/* The slot that holds a group's index, or the empty one where it belongs. */
static uint32_t *find_slot(const struct frames *f, uint64_t nr)
{
	uint32_t i = home(f, nr);

	while (f->slot[i] && f->group[f->slot[i] - 1].nr != nr)
		i = (i + 1) & f->slot_mask;
	return &f->slot[i];
}

struct group *frames_group(const struct frames *f, uint64_t frame)
{
	uint32_t i = *find_slot(f, frame / GROUP_FRAMES);

	return i ? &f->group[i - 1] : NULL;
}

/* Twice the room. */
static int grow(struct frames *f)
{
	uint64_t nr = (f->slot_mask + 1ull) * 2;
	struct group *group;
	uint32_t *slot;

	if (f->max_groups > UINT32_MAX / 4)
		return -ENOMEM;
	group = realloc(f->group, 2ull * f->max_groups * sizeof(*group));
	if (!group)
		return -ENOMEM;
	f->group = group;
	slot = calloc(nr, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(f->slot);
	f->slot = slot;
	f->slot_mask = (uint32_t)(nr - 1);
	f->max_groups *= 2;
	for (uint32_t i = 0; i < f->nr_groups; i++)
		*find_slot(f, f->group[i].nr) = i + 1;
	return 0;
}

struct group *frames_group_make(struct frames *f, uint64_t frame)
{
	uint32_t *slot = find_slot(f, frame / GROUP_FRAMES);

	if (*slot)
		return &f->group[*slot - 1];
	if (f->nr_groups == f->max_groups) {
		if (grow(f))
			return NULL;
		slot = find_slot(f, frame / GROUP_FRAMES);
	}
	*slot = ++f->nr_groups;
	f->group[*slot - 1] = (struct group){.nr = frame / GROUP_FRAMES};
	return &f->group[*slot - 1];
}

bool frames_live(const struct frames *f, uint64_t frame, unsigned order)
{
	for (uint64_t at = frame; at - frame < 1ull << order; at += GROUP_FRAMES) {
		const struct group *g = frames_group(f, at);

		if (g && (g->live & group_bits(at, order)))
			return true;
	}
	return false;
}

bool frames_head(const struct frames *f, uint64_t frame, uint64_t *head, block_t *b)
{
	if (!frames_live(f, frame, 0))
		return false;
	for (unsigned o = 0; o <= MAX_ORDER; o++) {
		const struct group *g;

		*head = frame & ~((1ull << o) - 1);
		g = frames_group(f, *head);
		*b = g ? g->head[*head & (GROUP_FRAMES - 1)] : 0;
		if (*b && block_order(*b) >= o)
			return true;
	}
	return false;
}

static void mark(struct frames *f, uint64_t frame, unsigned order, bool live)
{
	for (uint64_t at = frame; at - frame < 1ull << order; at += GROUP_FRAMES) {
		struct group *g = frames_group(f, at);

		if (g && live)
			g->live |= group_bits(at, order);
		else if (g)
			g->live &= ~group_bits(at, order);
	}
}

int frames_add(struct frames *f, uint64_t frame, block_t b)
{
	unsigned order = block_order(b);
	struct group *g;

	if (1u << order <= GROUP_FRAMES) {
		g = frames_group_make(f, frame);
		if (!g)
			return -ENOMEM;
		g->live |= group_bits(frame, order);
		g->head[frame & (GROUP_FRAMES - 1)] = b;
		return 0;
	}
	for (uint64_t at = frame; at - frame < 1ull << order; at += GROUP_FRAMES)
		if (!frames_group_make(f, at))
			return -ENOMEM;
	mark(f, frame, order, true);
	frames_group(f, frame)->head[frame & (GROUP_FRAMES - 1)] = b;
	return 0;
}

void frames_remove(struct frames *f, uint64_t frame, unsigned order)
{
	struct group *g = frames_group(f, frame);

	if (!g)
		return;
	g->head[frame & (GROUP_FRAMES - 1)] = 0;
	if (1u << order <= GROUP_FRAMES)
		g->live &= ~group_bits(frame, order);
	else
		mark(f, frame, order, false);
}
