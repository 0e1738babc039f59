/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import.h: a machine from its /proc, in four steps: import_text reads lines and words,
 * import_zoneinfo and import_lists fill a struct import_zone each populated zone, import_layout
 * gives each pageblock its part, import_place puts the blocks into a machine. import.c holds the
 * steps together.
 */
#ifndef LAB_IMPORT_H
#define LAB_IMPORT_H

#include <pagerig/lab.h>

enum { MAX_COLUMNS = 8, MAX_WORDS = 32, MAX_LINE = 512, ZONE_NONE = -1 };
/* Above any count of pages that a machine may have; sums of a few hundred fit 64 bits. */
#define IMPORT_MAX_NUMBER (1ull << 44)

struct import_cpu {
	bool seen;
	int count, high, batch, high_min, high_max,
		threshold; /* high_min, high_max: -1 if not told */
};

/* What a pageblock is for; the low bits of a slot hold its type. */
enum slot_use {
	SLOT_ABSENT = 0,     /* no memory */
	SLOT_OPEN = 1 << 3,  /* pages in use, and free blocks below pageblock order */
	SLOT_FREE9 = 2 << 3, /* one free block of pageblock order */
	SLOT_FREE10 = 3 << 3,
	SLOT_SECOND = 4 << 3, /* second half of a free block of order 10 */
	SLOT_USE = 7 << 3,
	SLOT_TYPE = 7,
};

struct import_zone {
	bool populated;
	unsigned node;
	enum zone_type type;
	unsigned line; /* of zoneinfo, where the zone starts */
	uint64_t free, boost, mark[NR_WMARK], spanned, present, managed, cma, start;
	uint64_t protection[MAX_COLUMNS];
	unsigned nr_protection;
	uint32_t seen; /* fields of zoneinfo that were there */
	struct import_cpu cpu[PR_MAX_CPUS];

	unsigned buddy_line, blocks_line, list_line[NR_MIGRATETYPES];
	uint64_t buddy[NR_ORDERS];		   /* free blocks by buddyinfo */
	uint64_t list[NR_MIGRATETYPES][NR_ORDERS]; /* by pagetypeinfo */
	uint16_t capped[NR_MIGRATETYPES];	   /* bit o: ">100000" */
	uint64_t blocks[NR_MIGRATETYPES];	   /* pageblocks by type */

	uint64_t nr_slots; /* pageblocks that the zone touches */
	uint8_t *slot;
};

struct pr_import {
	struct pr_import_files files;
	struct import_zone *zone; /* [node * NR_ZONE_TYPES + type] */
	unsigned nr_nodes, nr_cpus;
	uint64_t online;	 /* nodes that zoneinfo names */
	int column[MAX_COLUMNS]; /* zone type of each column of protection; ZONE_NONE: Device and so
				    on */
	unsigned nr_columns;
	struct pr_spec spec;
	char **warning;
	unsigned nr_warnings;
	char *why; /* during pr_import_new and pr_import_fill */
	size_t size;
};

/* --- import_text.c --- */
struct reader {
	struct pr_import *im;
	const struct pr_text *file;
	const char *at;
	unsigned line;
	char copy[MAX_LINE];
	char *word[MAX_WORDS];
	unsigned nr_words;
};
/* Next line that is not empty, as words; false at the end. *err is set if it can't be read. */
bool reader_next(struct reader *r, int *err);
/* "file:line: sentence" into why; returns -EINVAL. */
int reader_bad(const struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int import_bad(struct pr_import *im, const struct pr_text *file, unsigned line, const char *fmt,
	       ...) __attribute__((format(printf, 4, 5)));
int import_warn(struct pr_import *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A decimal number, nothing else, below IMPORT_MAX_NUMBER. */
bool import_number(const char *word, uint64_t *n);
/* "Node 0, zone Normal" in the first four words (with comma or not). -EINVAL with a sentence. */
int reader_zone(struct reader *r, unsigned *node, char **name);
/* enum zone_type of a name, ZONE_NONE if it is none of ours. */
int import_zone_type(const char *name);
const char *import_where(const struct import_zone *z, char buf[48]);

static inline struct import_zone *import_zone(const struct pr_import *im, unsigned node, int type)
{
	return &im->zone[node * NR_ZONE_TYPES + (unsigned)type];
}

/* --- import_zoneinfo.c, import_lists.c --- */
int import_zoneinfo(struct pr_import *im);
int import_buddyinfo(struct pr_import *im);
int import_pagetypeinfo(struct pr_import *im);
/* Completes capped counts, and says where the files differ. */
int import_compare(struct pr_import *im, struct import_zone *z);

/* --- import_layout.c --- */
enum { NR_SMALL = PAGEBLOCK_ORDER }; /* orders below a pageblock */
/*
 * A tree of blocks: open nodes (partly in use) of one order, and whole pieces, which may be free
 * themselves. One free block may lie below each open node, or in each piece.
 */
struct shape9 {
	uint64_t open;		  /* pageblocks partly in use */
	uint64_t piece[NR_SMALL]; /* pieces of a pageblock that the zone's end cuts */
};
/* True if free[o] blocks fit below s with no two free buddies; *used: frames left over. */
bool shape9_fits(const struct shape9 *s, const uint64_t free[NR_SMALL], uint64_t *used);
/* Fewest pageblocks partly in use that hold the free blocks below pageblock order. */
uint64_t import_open_needed(const uint64_t free[NR_SMALL]);
/* Pieces of the part of pageblock i that lies in the zone. */
void import_pieces(const struct import_zone *z, uint64_t i, uint64_t piece[NR_SMALL]);
bool import_partial(const struct import_zone *z, uint64_t i);
int import_layout(struct pr_import *im, struct import_zone *z);

/* --- import_place.c --- */
int import_place(const struct pr_import *im, const struct import_zone *z, struct pr_machine *m);

#endif
