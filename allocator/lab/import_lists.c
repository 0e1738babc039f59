/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_lists.c: free blocks by order (buddyinfo), by order and type, and pageblocks by type
 * (pagetypeinfo), and what to take where the two differ because the machine went on running
 * between them.
 */
#include "lab/import.h"

#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

/* Zone of a line; *z NULL if zoneinfo has no memory in it. */
static int line_zone(struct reader *r, struct import_zone **z)
{
	unsigned node;
	char *name;
	int type, err = reader_zone(r, &node, &name);

	if (err)
		return err;
	type = import_zone_type(name);
	*z = type == ZONE_NONE || node >= r->im->nr_nodes ? NULL : import_zone(r->im, node, type);
	if (*z && !(*z)->populated)
		*z = NULL;
	return 0;
}

/* A line of a zone that has no memory: right if it counts nothing. */
static int expect_zeros(struct reader *r, unsigned from)
{
	uint64_t n;

	for (unsigned i = from; i < r->nr_words; i++)
		if (!import_number(r->word[i], &n) || n)
			return reader_bad(
				r,
				"node %s zone %s counts '%.40s', but zoneinfo has no memory there",
				r->word[1], r->word[3], r->word[i]);
	return 0;
}

int import_buddyinfo(struct pr_import *im)
{
	struct reader r = {.im = im, .file = &im->files.buddyinfo};
	struct import_zone *z;
	int err = 0;

	while (!err && reader_next(&r, &err)) {
		err = line_zone(&r, &z);
		if (err)
			break;
		if (r.nr_words != 4 + NR_ORDERS)
			return reader_bad(&r, "%u counts; pagerig's orders are 0 to %d",
					  r.nr_words - 4, MAX_ORDER);
		if (!z) {
			err = expect_zeros(&r, 4);
			continue;
		}
		if (z->buddy_line)
			return reader_bad(&r, "this zone was in line %u already", z->buddy_line);
		z->buddy_line = r.line;
		for (unsigned o = 0; o < NR_ORDERS; o++)
			if (!import_number(r.word[4 + o], &z->buddy[o]))
				return reader_bad(&r, "'%.40s' is not a number of blocks",
						  r.word[4 + o]);
	}
	return err;
}

enum section { SECTION_NONE, SECTION_FREE, SECTION_BLOCKS, SECTION_MIXED };

struct types {
	struct reader r;
	enum section section;
	int column[MAX_WORDS]; /* type of each column of "Number of blocks"; -1: not ours */
	unsigned nr_columns;
};

static int type_of(const char *name)
{
	for (int t = 0; t < NR_MIGRATETYPES; t++)
		if (!strcmp(pr_migratetype_name[t], name))
			return t;
	return -1;
}

/* "Node 0, zone Normal, type Movable 1 2 …" */
static int free_line(struct types *t)
{
	struct reader *r = &t->r;
	struct import_zone *z;
	int type, err = line_zone(r, &z);

	if (err)
		return err;
	if (r->nr_words != 6 + NR_ORDERS || strcmp(r->word[4], "type"))
		return reader_bad(r, "expected 'type NAME' and the counts of orders 0 to %d",
				  MAX_ORDER);
	type = type_of(r->word[5]);
	if (!z || type < 0)
		return expect_zeros(r, 6);
	if (z->list_line[type])
		return reader_bad(r, "this zone and type were in line %u already",
				  z->list_line[type]);
	z->list_line[type] = r->line;
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		const char *word = r->word[6 + o];

		if (!import_number(word + (*word == '>'), &z->list[type][o]))
			return reader_bad(r, "'%.40s' is not a number of blocks", word);
		if (*word == '>')
			z->capped[type] |= (uint16_t)(1u << o);
	}
	return 0;
}

/* "Number of blocks type Unmovable Movable …" */
static int blocks_header(struct types *t)
{
	struct reader *r = &t->r;

	t->nr_columns = 0;
	for (unsigned i = 4; i < r->nr_words; i++) {
		int type = type_of(r->word[i]);

		t->column[t->nr_columns++] = type;
		if (type >= 0)
			r->im->spec.type_names |= (uint8_t)(1 << type);
	}
	t->section = SECTION_BLOCKS;
	return t->nr_columns ? 0 : reader_bad(r, "no types in the header");
}

static int blocks_line(struct types *t)
{
	struct reader *r = &t->r;
	struct import_zone *z;
	uint64_t n;
	int err = line_zone(r, &z);

	if (err)
		return err;
	if (r->nr_words != 4 + t->nr_columns)
		return reader_bad(r, "%u counts for %u types", r->nr_words - 4, t->nr_columns);
	if (!z)
		return expect_zeros(r, 4);
	if (z->blocks_line)
		return reader_bad(r, "this zone was in line %u already", z->blocks_line);
	z->blocks_line = r->line;
	for (unsigned i = 0; i < t->nr_columns; i++) {
		if (!import_number(r->word[4 + i], &n))
			return reader_bad(r, "'%.40s' is not a number of pageblocks",
					  r->word[4 + i]);
		if (t->column[i] >= 0)
			z->blocks[t->column[i]] = n;
		else if (n)
			return reader_bad(r, "%s pageblocks of a type that pagerig does not know",
					  r->word[4 + i]);
	}
	return 0;
}

/* Sizes must be those of this engine. */
static int size_line(struct reader *r, int expected, const char *what)
{
	uint64_t n;

	if (!import_number(r->word[r->nr_words - 1], &n) || n != (uint64_t)expected)
		return reader_bad(r, "%s is '%.40s'; pagerig's is %d", what,
				  r->word[r->nr_words - 1], expected);
	return 0;
}

static int free_header(struct types *t)
{
	t->section = SECTION_FREE;
	return size_line(&t->r, MAX_ORDER, "the largest order");
}

static int block_order(struct types *t)
{
	return size_line(&t->r, PAGEBLOCK_ORDER, "the page block order");
}

static int block_pages(struct types *t)
{
	return size_line(&t->r, PAGEBLOCK_PAGES, "pages per block");
}

static int mixed_header(struct types *t)
{
	t->section = SECTION_MIXED; /* of page_owner: follows from what is in use */
	return 0;
}

static const struct {
	const char *word[4];
	int (*line)(struct types *t);
} headers[] = {
	{{"Page", "block", "order:"}, block_order},
	{{"Pages", "per", "block:"}, block_pages},
	{{"Free", "pages", "count", "per"}, free_header},
	{{"Number", "of", "blocks", "type"}, blocks_header},
	{{"Number", "of", "mixed", "blocks"}, mixed_header},
};

static int types_line(struct types *t)
{
	for (unsigned i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		unsigned w = 0;

		while (w < 4 && headers[i].word[w] && w < t->r.nr_words &&
		       !strcmp(headers[i].word[w], t->r.word[w]))
			w++;
		if (w == 4 || !headers[i].word[w])
			return headers[i].line(t);
	}
	switch (t->section) {
	case SECTION_FREE:
		return free_line(t);
	case SECTION_BLOCKS:
		return blocks_line(t);
	case SECTION_MIXED:
		return 0;
	default:
		return reader_bad(&t->r, "'%.40s' is no line of pagetypeinfo", t->r.word[0]);
	}
}

int import_pagetypeinfo(struct pr_import *im)
{
	struct types t = {.r = {.im = im, .file = &im->files.pagetypeinfo}};
	int err = 0;

	while (!err && reader_next(&t.r, &err))
		err = types_line(&t);
	if (!err && !im->spec.type_names)
		err = import_bad(im, t.r.file, 0,
				 "no 'Number of blocks type'; is the file cut off?");
	return err;
}

static int check_lines(struct pr_import *im, const struct import_zone *z)
{
	char w[48];

	if (!z->buddy_line)
		return import_bad(im, &im->files.buddyinfo, 0, "no line for %s (%s:%u)",
				  import_where(z, w), im->files.zoneinfo.name, z->line);
	if (!z->blocks_line)
		return import_bad(im, &im->files.pagetypeinfo, 0,
				  "no number of blocks for %s (%s:%u)", import_where(z, w),
				  im->files.zoneinfo.name, z->line);
	for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
		if ((im->spec.type_names & 1u << t) && !z->list_line[t])
			return import_bad(im, &im->files.pagetypeinfo, 0,
					  "no line for %s, type %s (%s:%u)", import_where(z, w),
					  pr_migratetype_name[t], im->files.zoneinfo.name, z->line);
	return 0;
}

/* What the others leave of buddyinfo's count; if two types are capped, the first takes the rest. */
static void complete(struct import_zone *z, unsigned o)
{
	uint64_t others = 0, rest;
	int first = -1;

	for (int t = 0; t < NR_MIGRATETYPES; t++) {
		others += z->list[t][o];
		if ((z->capped[t] & 1u << o) && (first < 0 || t == MT_MOVABLE))
			first = t;
	}
	if (first < 0)
		return;
	rest = z->buddy[o] > others ? z->buddy[o] - others : 0;
	z->list[first][o] += rest;
}

static uint64_t sum_of(const struct import_zone *z, unsigned o)
{
	uint64_t n = 0;

	for (unsigned t = 0; t < NR_MIGRATETYPES; t++)
		n += z->list[t][o];
	return n;
}

static int warn_differences(struct pr_import *im, const struct import_zone *z)
{
	char w[48], orders[300] = "";
	int64_t blocks = 0, pages = 0;
	size_t len = 0;

	for (unsigned o = 0; o < NR_ORDERS; o++) {
		int64_t d = (int64_t)z->buddy[o] - (int64_t)sum_of(z, o);

		if (!d)
			continue;
		blocks += d < 0 ? -d : d;
		pages += d * (1ll << o);
		len += (size_t)snprintf(orders + len, sizeof(orders) - len,
					"%sorder %u: %llu against %llu", len ? ", " : "", o,
					(ull)z->buddy[o], (ull)sum_of(z, o));
		if (len >= sizeof(orders))
			len = sizeof(orders) - 1;
	}
	if (!blocks)
		return 0;
	return import_warn(
		im,
		"%s: buddyinfo and pagetypeinfo differ by %lld blocks (%+lld pages): %s; "
		"pagetypeinfo is taken",
		import_where(z, w), (long long)blocks, (long long)pages, orders);
}

int import_compare(struct pr_import *im, struct import_zone *z)
{
	uint64_t by_type = 0, by_buddy = 0, most = 0;
	unsigned line = 0; /* of the type with the most */
	char w[48];
	int err = check_lines(im, z);

	if (err)
		return err;
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		complete(z, o);
		by_type += sum_of(z, o) << o;
		by_buddy += z->buddy[o] << o;
	}
	for (unsigned t = 0; t < NR_MIGRATETYPES; t++) {
		uint64_t pages = 0;

		for (unsigned o = 0; o < NR_ORDERS; o++)
			pages += z->list[t][o] << o;
		if (pages > most) {
			most = pages;
			line = z->list_line[t];
		}
	}
	if (by_buddy > z->managed)
		return import_bad(im, &im->files.buddyinfo, z->buddy_line,
				  "%s: %llu pages are free, but "
				  "%llu managed (%s:%u)",
				  import_where(z, w), (ull)by_buddy, (ull)z->managed,
				  im->files.zoneinfo.name, z->line);
	if (by_type > z->managed)
		return import_bad(im, &im->files.pagetypeinfo, line,
				  "%s: %llu pages are free, but %llu "
				  "managed (%s:%u)",
				  import_where(z, w), (ull)by_type, (ull)z->managed,
				  im->files.zoneinfo.name, z->line);
	return warn_differences(im, z);
}
