/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab.h: machine descriptions in, traces through. Parsers of the engine; files are the host's. */
#ifndef PAGERIG_LAB_H
#define PAGERIG_LAB_H

#include <pagerig/alloc.h>

/*
 * "64M", "2x4G", "4x64G,cpus=8,movable=25%,distance=10:21:21:10" into a spec (spec->zone is
 * malloc'ed; pr_spec_free). 0 or -EINVAL / -ERANGE with a sentence in why.
 */
int pr_spec_parse(const char *shape, struct pr_spec *spec, char *why, size_t size);
void pr_spec_free(struct pr_spec *spec);

/* Texts of /proc's files (NUL-terminated); vm holds "name value\n" lines of sys/vm; any but
 * zoneinfo may be NULL. */
struct pr_import {
	const char *zoneinfo, *buddyinfo, *pagetypeinfo, *vm;
	uint32_t nr_nodes; /* of the node directories; 0: unknown */
	uint8_t distance[PR_MAX_NODES][PR_MAX_NODES];
};
/*
 * First step: the spec (pages_by_hand set). Second, after pr_machine_create: places blocks so that
 * buddyinfo and pagetypeinfo print the same, sets watermarks, protection, per-CPU figures.
 * Errors: -EINVAL with "file:line: reason" in why. Warnings about skew go to warn (may be empty).
 */
int pr_import_spec(const struct pr_import *in, struct pr_spec *spec, char *why, size_t size);
int pr_import_place(struct pr_machine *m, const struct pr_import *in, char *why, size_t size,
		    char *warn, size_t warn_size);

/* The text of tracefs, fed in pieces of any size; kmem:mm_page_alloc and mm_page_free drive m. */
struct pr_replay;
struct pr_replay *pr_replay_new(struct pr_machine *m);
/* 0, or -EINVAL with "line N: reason" in why; events before it were done. */
int pr_replay_feed(struct pr_replay *r, const char *text, size_t len, char *why, size_t size);
/* End of the text: -EINVAL if it stops inside a line. */
int pr_replay_end(struct pr_replay *r, char *why, size_t size);
struct pr_replay_stats {
	uint64_t lines, events, allocs, frees, batched, skipped, failures;
	uint64_t boot_frees;	   /* frames freed that the trace had not allocated */
	int64_t in_use, trace_in_use; /* pages: the engine's change and the trace's own; equal */
};
void pr_replay_stats(const struct pr_replay *r, struct pr_replay_stats *s);
/* Pages that the replay still holds are given back; the machine lives on. */
void pr_replay_free(struct pr_replay *r);

#endif
