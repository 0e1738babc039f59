/* SPDX-License-Identifier: GPL-2.0-or-later */
/* golden.h: a recording of the real kernel, a machine in its first state, and the comparison. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <pagerig/alloc.h>
#include <pagerig/compact.h>

#include <stdio.h>

enum { MAX_IDS = 1 << 18 };

struct entry {
	pfn_t pfn;
	uint8_t order;
	bool live;
};

/* User memory: the frames of a mapping; PFN_NONE where nothing was touched. */
enum { MAX_MAPS = 64 };
struct mapping {
	pfn_t *pfn;
	unsigned long pages;
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
	bool terse; /* results without the figures behind | */
	struct entry *id;
	struct mapping map[MAX_MAPS];
	bool elsewhere; /* nodes that were not dumped did work: the next counters have it, too */
	uint64_t event[NR_EVENTS]; /* at the last ev0 or ev */
	/* who gets our lines instead of the comparison, or NULL */
	void (*sink)(struct golden *g, const char *ours);
	void *sink_ctx;
};

/* load.c: from the text behind "# INITIAL" to a machine; leaves at behind "# OPS". 0 or -1. */
int golden_load(struct golden *g);
/* The number behind " key=" in a line, 0 if there is none. */
long golden_number(const char *line, const char *key, int base);

/* dump.c: what the recording module prints. */
void golden_brief(struct golden *g, FILE *to, const struct zone *z);
void golden_dump_node(struct golden *g, unsigned node, bool lists);
/* A node of the recording that was not dumped, so that the machine has no zone there. */
bool golden_unknown_node(const struct golden *g, unsigned node);

/* user.c: the commands of user space ("! …"), and the owner of its pages. */
void golden_user_command(struct golden *g, const char *line);
void golden_user_init(struct golden *g);
void golden_user_free(struct golden *g);
/* Prints one line of ours (dump.c). */
__attribute__((format(printf, 2, 3))) void golden_emitf(struct golden *g, const char *fmt, ...);

/* run.c: compares one line of ours with the next one recorded. */
void golden_emit(struct golden *g, const char *ours);
/* Carries out one command of a script ("alloc 3 order=0 …", "!sysctl …"). */
void golden_command(struct golden *g, const char *line);
void golden_run(struct golden *g);

#endif
