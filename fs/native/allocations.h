/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allocations: what users allocated by name. All under rig.lock. */
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include "tree/tree.h"

/* How the engine came by the blocks: what its counters gained meanwhile. */
struct decision {
	uint64_t kswapd_wakes, direct_reclaims;
};

struct allocation {
	struct allocation *next, *prev; /* all, newest first */
	struct allocation *next_name, *next_id;
	char name[NAME_MAX_LEN + 1];
	uint32_t id; /* the owner mark of its frames */
	struct pr_request request;
	struct decision decision;
	unsigned count;
	pfn_t *pfn; /* count first frames */
};

struct allocation *allocation_find(const char *name);
/* The one that owns frames with this mark, or NULL. */
struct allocation *allocation_by_id(uint32_t id);
/* The name that is nearest to one that is none, or NULL. */
const char *allocation_nearest(const char *name);
/* Do all its blocks lie in this node and zone (-1: any)? */
bool allocation_within(const struct allocation *a, int node, int zone);
void allocations_list(void (*add)(void *ctx, const char *name), void *ctx);
/*
 * Takes count blocks under a name ("" finds one), all or none. 0; -EEXIST, -ENOMEM, -EINVAL,
 * -ENAMETOOLONG with a sentence in why (WHY_SIZE bytes); *made is the new allocation.
 */
int allocation_make(const char *name, const struct pr_request *r, unsigned count,
		    struct allocation **made, char *why);
/* Gives its pages back by CPU cpu. */
void allocation_free(struct allocation *a, unsigned cpu);
/* Forgets all of them, at the end of the daemon. */
/* pr_host.migrate: a movable block of an allocation has another frame from now on. */
int allocation_migrate(void *ctx, uint32_t owner, pfn_t from, pfn_t to, unsigned order);
void allocations_exit(void);
/* A node's `more` and `remove`. */
int allocation_more(const struct place *at, void **state, FILE *to);
int allocation_remove(const struct place *at);

#endif
