/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_layout.c: which pageblock of a zone has which type, and which are free as a whole. Only
 * that is decided here which decides whether the counts fit; what lies inside a block comes later.
 *
 * The rules of the buddy system: a free block of order 10 is an aligned pair of one type. Of a
 * pair that is not, both halves may be free only if their types never merge. Below that, each
 * block that is partly in use is a tree of halves, and of two halves at most one is free; so on
 * each level the free blocks are at most as many as the nodes above that are partly in use, and
 * any choice of nodes leaves the same number for the next level. That makes fitting a sum.
 *
 * From low to high: pageblocks in use with single free ones between them, free pairs, holes.
 */
#include "lab/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

/* Types that merge are one group: none of their blocks may be free beside another. */
enum { GROUP_MERGES, NR_GROUPS = NR_MIGRATETYPES - NR_PCP_TYPES + 1 };
static unsigned group_of(unsigned type)
{
	return type < NR_PCP_TYPES ? GROUP_MERGES : type - NR_PCP_TYPES + 1;
}

static pfn_t first_block(const struct import_zone *z)
{
	return z->start >> PAGEBLOCK_ORDER;
}

/* Frames of pageblock i that lie in the zone: from *lo to *hi, of 512. */
static void inside(const struct import_zone *z, uint64_t i, unsigned *lo, unsigned *hi)
{
	pfn_t base = (first_block(z) + i) << PAGEBLOCK_ORDER, end = z->start + z->spanned;

	*lo = z->start > base ? (unsigned)(z->start - base) : 0;
	*hi = end < base + PAGEBLOCK_PAGES ? (unsigned)(end - base) : PAGEBLOCK_PAGES;
}

bool import_partial(const struct import_zone *z, uint64_t i)
{
	unsigned lo, hi;

	if (i && i + 1 < z->nr_slots)
		return false;
	inside(z, i, &lo, &hi);
	return lo || hi < PAGEBLOCK_PAGES;
}

void import_pieces(const struct import_zone *z, uint64_t i, uint64_t piece[NR_SMALL])
{
	unsigned lo, hi;

	inside(z, i, &lo, &hi);
	memset(piece, 0, NR_SMALL * sizeof(*piece));
	while (lo < hi) {
		unsigned o = lo ? (unsigned)__builtin_ctz(lo) : PAGEBLOCK_ORDER - 1;

		while (lo + (1u << o) > hi)
			o--;
		piece[o]++;
		lo += 1u << o;
	}
}

bool shape9_fits(const struct shape9 *s, const uint64_t free[NR_SMALL], uint64_t *used)
{
	uint64_t open = s->open;

	for (int o = NR_SMALL - 1; o >= 0; o--) {
		if (free[o] > open + s->piece[o])
			return false;
		open = 2 * open + s->piece[o] - free[o];
	}
	*used = open;
	return true;
}

uint64_t import_open_needed(const uint64_t free[NR_SMALL])
{
	uint64_t above = 0, need = 0; /* above: nodes of this level that larger free blocks took */

	for (int o = NR_SMALL - 1; o >= 0; o--) {
		unsigned per_block =
			1u << (NR_SMALL - 1 - o); /* nodes of order o + 1 in a pageblock */
		uint64_t n = (free[o] + above + per_block - 1) / per_block;

		/* a free block of order o takes 1 of the nodes of order o, 2 of the next level, …
		 */
		need = free[o] && n > need ? n : need;
		above = 2 * above + free[o];
	}
	return need;
}

static uint64_t blocks_needed(const struct import_zone *z, unsigned t)
{
	return 2 * z->list[t][MAX_ORDER] + z->list[t][PAGEBLOCK_ORDER] +
	       import_open_needed(z->list[t]);
}

/*
 * Kernels before 6.10 keep free blocks on another list than their pageblock's; and the counts of
 * blocks are read later than the lists. Pageblocks of types with many to spare step in.
 */
static int retype(struct pr_import *im, struct import_zone *z)
{
	char w[48];

	for (unsigned t = 0; t < NR_MIGRATETYPES; t++) {
		uint64_t need = blocks_needed(z, t), had = z->blocks[t];

		while (z->blocks[t] < need) {
			unsigned from = NR_MIGRATETYPES;
			uint64_t most = 0, n;

			for (unsigned f = 0; f < NR_MIGRATETYPES; f++) {
				uint64_t needs = blocks_needed(z, f);

				if (z->blocks[f] > needs && z->blocks[f] - needs > most) {
					most = z->blocks[f] - needs;
					from = f;
				}
			}
			if (from == NR_MIGRATETYPES)
				return import_bad(im, &im->files.pagetypeinfo,
						  z->list_line[t] ? z->list_line[t]
								  : z->blocks_line,
						  "%s: the free blocks of type %s need %llu "
						  "pageblocks, line %u "
						  "counts %llu, and no other type has any to spare",
						  import_where(z, w), pr_migratetype_name[t],
						  (ull)need, z->blocks_line, (ull)had);
			n = need - z->blocks[t] < most ? need - z->blocks[t] : most;
			z->blocks[from] -= n;
			z->blocks[t] += n;
		}
		if (need > had &&
		    import_warn(im,
				"%s:%u: %s: the free blocks of type %s need %llu pageblocks, but "
				"it counts "
				"%llu: %llu of other types are taken for it",
				im->files.pagetypeinfo.name, z->blocks_line, import_where(z, w),
				pr_migratetype_name[t], (ull)need, (ull)had, (ull)(need - had)))
			return -ENOMEM;
	}
	return 0;
}

struct layout {
	struct pr_import *im;
	struct import_zone *z;
	uint64_t open[NR_MIGRATETYPES]; /* not placed yet */
	uint64_t free9[NR_GROUPS][NR_MIGRATETYPES];
	uint64_t nr_free9, nr_free10, nr_open, absent;
	uint64_t pairs, lone; /* whole pairs; whole blocks without a whole partner */
	uint64_t partial[2];  /* blocks that the zone's ends cut */
	unsigned nr_partial;
};

/* The partner of block i if both are whole and in the zone. */
static bool whole_pair(const struct import_zone *z, uint64_t i, uint64_t *first)
{
	uint64_t odd = (first_block(z) + i) & 1;

	if (odd && !i)
		return false;
	*first = i - odd;
	return *first + 1 < z->nr_slots && !import_partial(z, *first) &&
	       !import_partial(z, *first + 1);
}

static void count_room(struct layout *l)
{
	uint64_t first, last = l->z->nr_slots - 1;

	if (import_partial(l->z, 0))
		l->partial[l->nr_partial++] = 0;
	if (last && import_partial(l->z, last))
		l->partial[l->nr_partial++] = last;
	for (uint64_t i = 0; i < l->z->nr_slots; i++) {
		if (import_partial(l->z, i))
			continue;
		if (!whole_pair(l->z, i, &first))
			l->lone++;
		else if (first == i)
			l->pairs++;
	}
}

static void count_parts(struct layout *l)
{
	uint64_t all = 0;

	for (unsigned t = 0; t < NR_MIGRATETYPES; t++) {
		const struct import_zone *z = l->z;

		l->nr_free10 += z->list[t][MAX_ORDER];
		l->nr_free9 += z->list[t][PAGEBLOCK_ORDER];
		l->free9[group_of(t)][t] = z->list[t][PAGEBLOCK_ORDER];
		l->open[t] = z->blocks[t] - 2 * z->list[t][MAX_ORDER] - z->list[t][PAGEBLOCK_ORDER];
		l->nr_open += l->open[t];
		all += z->blocks[t];
	}
	l->absent = l->z->nr_slots - all;
}

/* Next free pageblock, of the group with the most left but not `other`; -1 if there is none. */
static int take_free9(struct layout *l, int other)
{
	uint64_t most = 0;
	int group = -1;

	for (int g = 0; g < NR_GROUPS; g++) {
		uint64_t n = 0;

		for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
			n += l->free9[g][t];
		if (g != other && n > most) {
			most = n;
			group = g;
		}
	}
	for (int t = 0; group >= 0 && t < NR_MIGRATETYPES; t++)
		if (l->free9[group][t]) {
			l->free9[group][t]--;
			l->nr_free9--;
			return t;
		}
	return -1;
}

/* Free pageblocks: beside a block that is none, or, if those run out, beside another group's. */
static int place_free9(struct layout *l, uint64_t mixed)
{
	uint64_t first, total = l->nr_free9, left = mixed;
	struct import_zone *z = l->z;
	char w[48];

	for (uint64_t i = 0; i < z->nr_slots && l->nr_free9; i++)
		if (!import_partial(z, i) && !whole_pair(z, i, &first))
			z->slot[i] = (uint8_t)(SLOT_FREE9 | take_free9(l, -1));
	for (uint64_t i = 0; i < z->nr_slots && left && l->nr_free9; i++) {
		int t, second;

		if (!whole_pair(z, i, &first) || first != i)
			continue;
		t = take_free9(l, -1);
		z->slot[i] = (uint8_t)(SLOT_FREE9 | t);
		if (l->nr_free9 >= left--) {
			second = take_free9(l, (int)group_of((unsigned)t));
			if (second >= 0)
				z->slot[i + 1] = (uint8_t)(SLOT_FREE9 | second);
		}
	}
	if (!l->nr_free9)
		return 0;
	return import_bad(
		l->im, &l->im->files.pagetypeinfo, z->list_line[MT_MOVABLE],
		"%s: %llu free blocks of order 9 do not fit beside %llu of order 10: the zone ends "
		"at frame %llu, and no two may be buddies",
		import_where(z, w), (ull)total, (ull)l->nr_free10, (ull)(z->start + z->spanned));
}

/* Pairs that come before the free ones: enough for the blocks in use and the single free ones. */
static uint64_t mixed_pairs(const struct layout *l)
{
	uint64_t single = l->nr_free9 > l->lone ? l->nr_free9 - l->lone : 0;
	uint64_t room = l->lone - (l->nr_free9 - single), most = l->pairs - l->nr_free10;
	uint64_t n = (single + (l->nr_open > room ? l->nr_open - room : 0) + 1) / 2;

	n = n > single ? n : single;
	return n < most ? n : most;
}

static void place_free10(struct layout *l, uint64_t skip)
{
	struct import_zone *z = l->z;
	uint64_t first, n = 0;
	unsigned t = 0;

	for (uint64_t i = 0; i < z->nr_slots; i++) {
		if (!whole_pair(z, i, &first) || first != i || skip) {
			skip -= skip && whole_pair(z, i, &first) && first == i;
			continue;
		}
		while (t < NR_MIGRATETYPES && n == z->list[t][MAX_ORDER]) {
			t++;
			n = 0;
		}
		if (t == NR_MIGRATETYPES)
			return;
		z->slot[i] = (uint8_t)(SLOT_FREE10 | t);
		z->slot[i + 1] = (uint8_t)(SLOT_SECOND | t);
		n++;
	}
}

enum { NO_TYPE = NR_MIGRATETYPES }; /* a cut block that counts as a hole */

/* Do all types fit if the cut blocks have these types? */
static bool try_partial(const struct layout *l, const unsigned type[2])
{
	uint64_t holes = 0, used;

	for (unsigned t = 0; t < NR_MIGRATETYPES; t++) {
		struct shape9 s = {.open = l->open[t]};

		for (unsigned i = 0; i < l->nr_partial; i++) {
			uint64_t piece[NR_SMALL];

			if (type[i] != t)
				continue;
			if (!s.open--)
				return false;
			import_pieces(l->z, l->partial[i], piece);
			for (unsigned o = 0; o < NR_SMALL; o++)
				s.piece[o] += piece[o];
		}
		if (!shape9_fits(&s, l->z->list[t], &used))
			return false;
	}
	for (unsigned i = 0; i < l->nr_partial; i++)
		holes += type[i] == NO_TYPE;
	return holes <= l->absent;
}

static int place_partial(struct layout *l)
{
	struct import_zone *z = l->z;
	unsigned type[2];
	char w[48];

	for (type[0] = 0; type[0] <= NO_TYPE; type[0]++)
		for (type[1] = 0; type[1] <= (l->nr_partial > 1 ? NO_TYPE : 0u); type[1]++) {
			if (!try_partial(l, type))
				continue;
			for (unsigned i = 0; i < l->nr_partial; i++)
				if (type[i] != NO_TYPE) {
					z->slot[l->partial[i]] = (uint8_t)(SLOT_OPEN | type[i]);
					l->open[type[i]]--;
					l->nr_open--;
				}
			return 0;
		}
	return import_bad(
		l->im, &l->im->files.pagetypeinfo, z->blocks_line,
		"%s: the free blocks do not fit into frames %llu to %llu, whatever the types of "
		"the pageblocks that the zone's ends cut",
		import_where(z, w), (ull)z->start, (ull)(z->start + z->spanned));
}

static void place_open(struct layout *l)
{
	static const enum migratetype order[] = {MT_UNMOVABLE, MT_RECLAIMABLE, MT_HIGHATOMIC,
						 MT_ISOLATE,   MT_MOVABLE,     MT_CMA};
	struct import_zone *z = l->z;
	unsigned k = 0;

	for (uint64_t i = 0; i < z->nr_slots; i++) {
		if (z->slot[i] || import_partial(z, i))
			continue;
		while (k < NR_MIGRATETYPES && !l->open[order[k]])
			k++;
		if (k == NR_MIGRATETYPES)
			return;
		z->slot[i] = (uint8_t)(SLOT_OPEN | order[k]);
		l->open[order[k]]--;
	}
}

int import_layout(struct pr_import *im, struct import_zone *z)
{
	struct layout l = {.im = im, .z = z};
	uint64_t all = 0, mixed;
	char w[48];
	int err;

	z->nr_slots = ((z->start + z->spanned - 1) >> PAGEBLOCK_ORDER) - first_block(z) + 1;
	for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
		all += z->blocks[t];
	if (all > z->nr_slots)
		return import_bad(im, &im->files.pagetypeinfo, z->blocks_line,
				  "%s: %llu pageblocks, but "
				  "frames %llu to %llu are %llu",
				  import_where(z, w), (ull)all, (ull)z->start,
				  (ull)(z->start + z->spanned), (ull)z->nr_slots);
	if (z->managed > all * PAGEBLOCK_PAGES)
		return import_bad(im, &im->files.pagetypeinfo, z->blocks_line,
				  "%s: %llu pageblocks hold "
				  "at most %llu pages, but %llu are managed (%s:%u)",
				  import_where(z, w), (ull)all, (ull)all * PAGEBLOCK_PAGES,
				  (ull)z->managed, im->files.zoneinfo.name, z->line);
	err = retype(im, z);
	if (err)
		return err;
	z->slot = calloc(z->nr_slots, 1);
	if (!z->slot)
		return -ENOMEM;
	count_room(&l);
	count_parts(&l);
	if (l.nr_free10 > l.pairs)
		return import_bad(im, &im->files.pagetypeinfo, z->list_line[MT_MOVABLE],
				  "%s: %llu free blocks of order 10, but only %llu lie whole "
				  "between frames %llu "
				  "and %llu",
				  import_where(z, w), (ull)l.nr_free10, (ull)l.pairs, (ull)z->start,
				  (ull)(z->start + z->spanned));
	err = l.nr_partial ? place_partial(&l) : 0;
	if (err)
		return err;
	mixed = mixed_pairs(&l);
	err = place_free9(&l, mixed);
	if (err)
		return err;
	place_free10(&l, mixed);
	place_open(&l);
	return 0;
}
