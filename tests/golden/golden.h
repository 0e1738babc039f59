/* SPDX-License-Identifier: GPL-2.0-or-later */
/* golden.h: a recording of the real kernel, a machine in its first state, and the comparison. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <pagerig/alloc.h>

#include <stdio.h>

enum { MAX_IDS = 1 << 20 };

struct entry {
	pfn_t pfn;
	uint8_t order;
	bool live;
};

struct golden {
	const char *name;
	char **line;
	unsigned nr, at;     /* lines, and the next one to be read or compared */
	unsigned differs_at; /* 1 + first line that differed, 0: none */
	unsigned shown, show; /* differences printed, and how many to print */
	struct pr_machine m;
	void *arena;
	size_t size;
	unsigned cpu;
	struct entry *id;
	uint64_t event[NR_EVENTS]; /* at the last ev0 or ev */
};

/* load.c: from the text behind "# INITIAL" to a machine; leaves at behind "# OPS". 0 or -1. */
int golden_load(struct golden *g);
/* The number behind " key=" in a line, 0 if there is none. */
long golden_number(const char *line, const char *key, int base);

/* dump.c: what the recording module prints. */
void golden_brief(struct golden *g, FILE *to, const struct zone *z);
void golden_dump_node(struct golden *g, unsigned node, bool lists);

/* run.c: compares one line of ours with the next one recorded. */
void golden_emit(struct golden *g, const char *ours);
void golden_run(struct golden *g);

#endif
