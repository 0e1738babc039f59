/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab.h: machine descriptions in (shapes, copies of /proc), traces through. Parsers of the engine; files are the host's. */
#ifndef PAGERIG_LAB_H
#define PAGERIG_LAB_H

#include <pagerig/alloc.h>

/*
 * "64M", "2x4G", "4x64G,cpus=8,movable=25%,distance=10:21:21:10" into a spec (spec->zone is
 * malloc'ed; pr_spec_free). 0 or -EINVAL / -ERANGE with a sentence in why.
 */
int pr_spec_parse(const char *shape, struct pr_spec *spec, char *why, size_t size);
void pr_spec_free(struct pr_spec *spec);

/*
 * A machine as its /proc told: texts of zoneinfo, buddyinfo and pagetypeinfo (Linux 6.x for x86-64
 * and other machines of 4 KiB pages), sysctls, and, where known, which CPUs and distances nodes
 * have. Zones, limits, watermarks and per-CPU counts come from zoneinfo; free blocks by order and
 * type and pageblocks by type from pagetypeinfo. Which frames they are /proc does not say: they
 * are placed so that a free block lies in pageblocks of its type and no two buddies are free.
 */
struct pr_text {
	const char *name; /* as messages shall call it */
	const char *text; /* NUL-terminated */
	size_t len;
};
enum pr_extra_kind {
	PR_EXTRA_SYSCTL,   /* key: the name below sys/vm; unknown ones are left alone */
	PR_EXTRA_CPULIST,  /* of node: "0-3,8" */
	PR_EXTRA_DISTANCE, /* of node: "10 20" */
};
struct pr_import_extra {
	enum pr_extra_kind kind;
	const char *key;
	unsigned node;
	struct pr_text file;
};
struct pr_import_files {
	struct pr_text zoneinfo, buddyinfo, pagetypeinfo;
	const struct pr_import_extra *extra;
	unsigned nr_extra;
	bool clock_stopped;
};
struct pr_import;
/*
 * Reads and judges all of it. 0; -EINVAL with "file:line: reason" in why for what can't be read or
 * can't be; -ENOMEM. The texts must stay until pr_import_fill is done.
 */
int pr_import_new(const struct pr_import_files *files, struct pr_import **im, char *why, size_t size);
/* What to create the machine from (pages_by_hand is set); lives as long as im. */
const struct pr_spec *pr_import_spec(const struct pr_import *im);
/* Brings a machine that was just made from that spec into the state of the files. */
int pr_import_fill(const struct pr_import *im, struct pr_machine *m, char *why, size_t size);
/* Is it a sysctl that a description may hold? Others are left alone. */
bool pr_import_sysctl(const char *name);
/* i-th sentence on where the files disagree and what was taken; NULL behind the last. */
const char *pr_import_warning(const struct pr_import *im, unsigned i);
void pr_import_free(struct pr_import *im);

/*
 * The text of tracefs, fed in pieces of any size: kmem:mm_page_alloc and mm_page_free drive the
 * machine, each one allocation or free with the trace's order, gfp and CPU (modulo the machine's).
 * A freed frame that the trace did not allocate is freed from what is in use since the machine
 * began: the frame of that number if it is, else a neighbour (lab/boot.h). mm_page_free_batched
 * always comes with an mm_page_free of the same frame (mm/page_alloc.c: free_unref_folios): counted.
 */
struct pr_replay;
/* NULL if the host is out of memory. */
struct pr_replay *pr_replay_new(struct pr_machine *m);
/*
 * 0, or -EINVAL with "line N: reason" in why (-ENOMEM: the host's memory); the events before it
 * were done, and every later piece gets the same answer.
 */
int pr_replay_feed(struct pr_replay *r, const char *text, size_t len, char *why, size_t size);
/* End of the text: -EINVAL if it stops inside a line. */
int pr_replay_end(struct pr_replay *r, char *why, size_t size);

/* Fields of the statistics that count, by the names that lab/replay prints. */
#define PR_REPLAY_COUNTS(X)                                                                        \
	X(lines)	     /* of the text */                                                      \
	X(events)	     /* lines that are events */                                            \
	X(allocs)	     /* allocations, each one of the engine */                              \
	X(frees)	     /* mm_page_free, each one of the engine */                             \
	X(batched)	     /* mm_page_free_batched: repeat a free */                              \
	X(others)	     /* events that move no page */                                         \
	X(failures)	     /* allocations that this machine could not serve */                    \
	X(recorded_failures) /* that the recorded kernel could not serve: left out */               \
	X(lost_events)	     /* that the recorder says it lost */                                   \
	X(lost_frees)	     /* frames allocated again without a free between: freed first */       \
	X(split_frees)	     /* frees of a part of a block */                                       \
	X(start_frees)	     /* frees of frames in use when the trace began */                      \
	X(start_pages)	     /* pages these gave back, from what was in use at the start here */    \
	X(unmatched_pages)   /* pages these could not give back: nothing in use was left */
struct pr_replay_stats {
#define X(name) uint64_t name;
	PR_REPLAY_COUNTS(X)
#undef X
	int64_t in_use;	      /* pages that the engine holds for the trace */
	int64_t trace_in_use; /* frames allocated by the trace's own events; equal but for failures */
};
/* The i-th count: its name, or NULL behind the last. */
const char *pr_replay_count(const struct pr_replay_stats *s, unsigned i, uint64_t *n);
void pr_replay_stats(const struct pr_replay *r, struct pr_replay_stats *s);
/* Free blocks of a zone (index) and order when the replay began. */
uint64_t pr_replay_start_blocks(const struct pr_replay *r, unsigned zone, unsigned order);
/* Gives back the pages that the replay still holds. */
void pr_replay_free(struct pr_replay *r);

/* Free blocks of one zone by order, as buddyinfo has them. */
struct pr_free_blocks {
	bool known;
	uint64_t blocks[NR_ORDERS];
};
/*
 * The text of /proc/buddyinfo into to[], one for each zone of m (zeroed by the caller; zones that
 * the text leaves out stay unknown). 0, -ENOMEM, or -EINVAL with "line N: …" in why.
 */
int pr_buddyinfo_parse(struct pr_machine *m, const char *text, size_t len, struct pr_free_blocks *to,
		       char *why, size_t size);

#endif
