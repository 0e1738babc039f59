/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allocations: what users allocated by name. All under rig.lock. */
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include "rig.h"

#include <stdio.h>

struct allocation {
	struct allocation *next;
	char name[256];
	struct pr_request request;
	unsigned count;
	pfn_t *pfn; /* count first frames */
};

struct allocation *allocation_find(const char *name);
void allocations_list(void (*add)(void *ctx, const char *name), void *ctx);
/*
 * Takes count blocks under a name ("" finds one), all or none. 0, -EEXIST, -ENOMEM, -EINVAL with a
 * sentence in why (WHY_SIZE bytes); *made is the new allocation.
 */
int allocation_make(const char *name, const struct pr_request *r, unsigned count,
		    struct allocation **made, char *why);
/* Gives its pages back by CPU cpu. */
void allocation_free(struct allocation *a, unsigned cpu);
/* Forgets all of them, at the end of the daemon. */
void allocations_exit(void);
void allocation_print(const struct allocation *a, FILE *to);

#endif
