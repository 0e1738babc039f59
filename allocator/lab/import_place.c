/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_place.c: puts the blocks of a layout into a machine. Free blocks below pageblock order are
 * spread over many pageblocks of their type, as on a machine that has run for a while, but not over
 * all of a large one: each pageblock that holds some costs the host memory. Pages of per-CPU lists
 * are frames in use between them, scattered too, so that draining them does not give large blocks.
 */
#include "lab/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* MAX_PARTS: pageblocks that are touched without need, of a whole machine: 128 MiB of frames. */
enum { MAX_PARTS = 16384, PCP_STRIDE = 4 };

/* One pageblock partly in use, and how many free blocks of each order it holds. */
struct part {
	uint64_t slot;
	uint16_t free[NR_SMALL];
	uint16_t open; /* nodes in use on the level that is being shared out */
};

struct placing {
	const struct import_zone *z;
	struct pr_machine *m;
	unsigned type;
	struct part *part;
	uint64_t nr_parts, nr_open, max_parts;
	/* frames for per-CPU lists still wanted */
	unsigned cpu, nr_cpus;
	int wanted; /* of this cpu */
};

static pfn_t slot_pfn(const struct import_zone *z, uint64_t i)
{
	return ((z->start >> PAGEBLOCK_ORDER) + i) << PAGEBLOCK_ORDER;
}

static void place_blocks(const struct import_zone *z, struct pr_machine *m, int *err)
{
	for (uint64_t i = 0; i < z->nr_slots && !*err; i++) {
		unsigned use = z->slot[i] & SLOT_USE;
		enum migratetype t = z->slot[i] & SLOT_TYPE;
		pfn_t pfn = slot_pfn(z, i), in = pfn < z->start ? z->start : pfn;

		if (use == SLOT_ABSENT)
			*err = pr_set_block_absent(m, in);
		else if (t != MT_MOVABLE) /* as all blocks are at first */
			*err = pr_set_block_type(m, in, t);
	}
	for (uint64_t i = 0; i < z->nr_slots && !*err; i++) {
		unsigned use = z->slot[i] & SLOT_USE;

		if (use == SLOT_FREE9 || use == SLOT_FREE10)
			*err = pr_place_free(m, slot_pfn(z, i),
					     use == SLOT_FREE9 ? PAGEBLOCK_ORDER : MAX_ORDER,
					     z->slot[i] & SLOT_TYPE, true);
	}
}

static bool is_open(const struct placing *p, uint64_t i)
{
	return p->z->slot[i] == (SLOT_OPEN | p->type);
}

/* How many pageblocks share the free blocks: one each, but no more than the zone's share, but
 * enough. */
static uint64_t window(const struct placing *p)
{
	uint64_t n = 0, need = import_open_needed(p->z->list[p->type]);

	for (unsigned o = 0; o < NR_SMALL; o++)
		n += p->z->list[p->type][o];
	n = n < p->max_parts ? n : p->max_parts;
	need += need / 4; /* some room, else all blocks look the same */
	n = n > need ? n : need;
	return n < p->nr_open ? n : p->nr_open;
}

/* Picks the parts: every cut block, and n of the whole ones in even steps. */
static int pick(struct placing *p)
{
	uint64_t n, seen = 0, whole = 0;

	p->nr_open = p->nr_parts = 0;
	for (uint64_t i = 0; i < p->z->nr_slots; i++)
		p->nr_open += is_open(p, i);
	n = window(p);
	p->part = calloc(n + 2, sizeof(*p->part));
	if (!p->part)
		return -ENOMEM;
	for (uint64_t i = 0; i < p->z->nr_slots; i++)
		whole += is_open(p, i) && !import_partial(p->z, i);
	n = n < whole ? n : whole;
	for (uint64_t i = 0; i < p->z->nr_slots; i++) {
		bool partial = import_partial(p->z, i);

		if (!is_open(p, i))
			continue;
		if (!partial && whole && (seen + 1) * n / whole == seen * n / whole) {
			seen++;
			continue;
		}
		seen += !partial;
		p->part[p->nr_parts].slot = i;
		p->part[p->nr_parts++].open = !partial;
	}
	return 0;
}

static uint64_t piece_of(const struct placing *p, const struct part *part, unsigned o)
{
	uint64_t piece[NR_SMALL];

	if (!import_partial(p->z, part->slot))
		return 0;
	import_pieces(p->z, part->slot, piece);
	return piece[o];
}

/* Level by level, each part in proportion to its room: then none gets more than it has. */
static void share_out(struct placing *p)
{
	for (int o = NR_SMALL - 1; o >= 0; o--) {
		uint64_t room = 0, before = 0, n = p->z->list[p->type][o];

		for (uint64_t i = 0; i < p->nr_parts; i++)
			room += p->part[i].open + piece_of(p, &p->part[i], (unsigned)o);
		for (uint64_t i = 0; i < p->nr_parts; i++) {
			struct part *part = &p->part[i];
			uint64_t piece = piece_of(p, part, (unsigned)o), mine = part->open + piece;

			part->free[o] =
				!room ? 0
				      : (uint16_t)((before + mine) * n / room - before * n / room);
			before += mine;
			part->open = (uint16_t)(2 * part->open + piece - part->free[o]);
		}
	}
}

/* Offsets of the nodes in use of one level, inside a pageblock. */
struct nodes {
	uint16_t at[PAGEBLOCK_PAGES];
	unsigned nr;
};

/* One level down: free blocks of order o go below evenly spaced nodes, the rest stays in use. */
static int descend(struct placing *p, const struct part *part, unsigned o, struct nodes *nodes,
		   const uint16_t *piece, unsigned nr_pieces, bool place)
{
	pfn_t base = slot_pfn(p->z, part->slot);
	unsigned room = nodes->nr + nr_pieces, n = part->free[o];
	struct nodes below = {.nr = 0};

	for (unsigned i = 0; i < room; i++) {
		bool whole = i >= nodes->nr;
		unsigned at = whole ? piece[i - nodes->nr] : nodes->at[i];
		bool here = (i + 1) * n / room > i * n / room;

		/* of two halves now the lower, now the upper is free */
		unsigned half = whole || !(i & 1) ? 0 : 1u << o;

		if (here && place) {
			int err = pr_place_free(p->m, base + at + half, o, p->type, true);

			if (err)
				return err;
		}
		if (!here)
			below.at[below.nr++] = (uint16_t)at;
		if (!whole && (!here || half == 0))
			below.at[below.nr++] = (uint16_t)(at + (1u << o));
		if (!whole && here && half)
			below.at[below.nr++] = (uint16_t)at;
	}
	*nodes = below;
	return 0;
}

/* Walks the tree of a pageblock; leaves are its frames in use, if wanted. */
static int walk(struct placing *p, const struct part *part, bool place, struct nodes *leaves)
{
	unsigned lo = 0, hi = PAGEBLOCK_PAGES, last = NR_SMALL;
	struct nodes *nodes = leaves;
	pfn_t base = slot_pfn(p->z, part->slot), end = p->z->start + p->z->spanned;
	bool partial = import_partial(p->z, part->slot);

	for (unsigned o = NR_SMALL; o-- > 0;)
		if (part->free[o])
			last = o;
	nodes->nr = !partial;
	nodes->at[0] = 0;
	if (partial) {
		lo = p->z->start > base ? (unsigned)(p->z->start - base) : 0;
		hi = end < base + PAGEBLOCK_PAGES ? (unsigned)(end - base) : PAGEBLOCK_PAGES;
	}
	for (unsigned o = NR_SMALL; o-- > 0;) {
		uint16_t piece[2];
		unsigned n = 0;
		int err;

		if (place && o < last)
			break;
		/* the pieces of import_pieces, by order: at most one at each end */
		for (unsigned at = lo, k; partial && at < hi; at += 1u << k) {
			k = at ? (unsigned)__builtin_ctz(at) : PAGEBLOCK_ORDER - 1;
			while (at + (1u << k) > hi)
				k--;
			if (k == o)
				piece[n++] = (uint16_t)at;
		}
		err = descend(p, part, o, nodes, piece, n, place);
		if (err)
			return err;
	}
	return 0;
}

/* Moves on to the next CPU that wants pages. */
static bool next_wanted(struct placing *p)
{
	while (!p->wanted && p->cpu + 1 < p->nr_cpus)
		p->wanted = p->z->cpu[++p->cpu].count;
	return p->wanted > 0;
}

/* Frames in use of one pageblock onto per-CPU lists: every fourth at first, then the others. */
static int take_pcp(struct placing *p, const struct part *part, bool first_pass)
{
	enum migratetype list = p->type < NR_PCP_TYPES ? p->type : MT_MOVABLE;
	struct nodes leaves;
	int err = walk(p, part, false, &leaves);

	for (unsigned i = 0; i < leaves.nr && !err && next_wanted(p); i++) {
		if (first_pass != !(i % PCP_STRIDE))
			continue;
		err = pr_place_pcp(p->m, slot_pfn(p->z, part->slot) + leaves.at[i], 0, list,
				   p->cpu);
		p->wanted--;
	}
	return err;
}

/* The blocks of this type that hold free ones, then those that are all in use. */
static int place_pcp(struct placing *p, bool first_pass)
{
	uint64_t k = 0;
	int err = 0;

	for (uint64_t i = 0; i < p->nr_parts && !err && next_wanted(p); i++)
		err = take_pcp(p, &p->part[i], first_pass);
	for (uint64_t i = 0; i < p->z->nr_slots && !err && next_wanted(p); i++) {
		struct part whole = {.slot = i};

		if (!is_open(p, i))
			continue;
		while (k < p->nr_parts && p->part[k].slot < i)
			k++;
		if (k == p->nr_parts || p->part[k].slot != i)
			err = take_pcp(p, &whole, first_pass);
	}
	return err;
}

int import_place(const struct pr_import *im, const struct import_zone *z, struct pr_machine *m)
{
	/* types in the order in which per-CPU lists take from them; isolated pages are on none */
	static const enum migratetype order[] = {MT_MOVABLE, MT_UNMOVABLE,  MT_RECLAIMABLE,
						 MT_CMA,     MT_HIGHATOMIC, MT_ISOLATE};
	struct placing p[NR_MIGRATETYPES];
	struct placing at = {.z = z, .m = m, .nr_cpus = im->nr_cpus, .cpu = (unsigned)-1};
	struct nodes scratch;
	int err = 0;

	memset(p, 0, sizeof(p));
	place_blocks(z, m, &err);
	for (unsigned k = 0; k < NR_MIGRATETYPES && !err; k++) {
		p[k] = (struct placing){.z = z,
					.m = m,
					.type = order[k],
					.max_parts = MAX_PARTS / im->spec.nr_zones};
		err = pick(&p[k]);
		if (err)
			break;
		share_out(&p[k]);
		for (uint64_t i = 0; i < p[k].nr_parts && !err; i++)
			err = walk(&p[k], &p[k].part[i], true, &scratch);
	}
	for (unsigned k = 0; k < 2 * (NR_MIGRATETYPES - 1) && !err; k++) {
		struct placing *t = &p[k % (NR_MIGRATETYPES - 1)];

		t->nr_cpus = at.nr_cpus;
		t->cpu = at.cpu;
		t->wanted = at.wanted;
		err = place_pcp(t, k < NR_MIGRATETYPES - 1);
		at.cpu = t->cpu;
		at.wanted = t->wanted;
	}
	for (unsigned k = 0; k < NR_MIGRATETYPES; k++)
		free(p[k].part);
	return err;
}
