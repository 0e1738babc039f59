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

/*
 * The text of tracefs, fed in pieces of any size: kmem:mm_page_alloc and mm_page_free drive the
 * machine, each one allocation or free with the trace's order, gfp and CPU (modulo the machine's).
 */
struct pr_replay;
/* NULL if the host is out of memory. */
struct pr_replay *pr_replay_new(struct pr_machine *m);
/* 0, or -EINVAL with "line N: reason" in why; the events before it were done. */
int pr_replay_feed(struct pr_replay *r, const char *text, size_t len, char *why, size_t size);
/* End of the text: -EINVAL if it stops inside a line. */
int pr_replay_end(struct pr_replay *r, char *why, size_t size);
struct pr_replay_stats {
	uint64_t lines, allocs, frees;
	uint64_t batched;	/* mm_page_free_batched, which repeat a free */
	uint64_t unknown_frees; /* of frames that were allocated before the trace began: left out */
	uint64_t failures;	/* allocations that the machine could not serve */
	int64_t in_use;		/* pages that the engine holds for the trace */
	int64_t trace_in_use;	/* the same by the trace's own events; equal but for failures */
};
void pr_replay_stats(const struct pr_replay *r, struct pr_replay_stats *s);
/* Gives back the pages that the replay still holds. */
void pr_replay_free(struct pr_replay *r);

#endif
