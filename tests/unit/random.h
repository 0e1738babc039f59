/* SPDX-License-Identifier: GPL-2.0-or-later */
/* random.h: small machines for tests, and random numbers from a seed. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <pagerig/alloc.h>

#include "rng.h"

/* A machine of `nodes` nodes of `pages` frames each in one zone, with its arena; free both by
 * small_machine_free. */
struct small_machine {
	struct pr_machine m;
	void *arena;
	size_t size;
};
void small_machine_make(struct small_machine *s, unsigned nodes, uint64_t pages, enum zone_type type,
			unsigned cpus);
void small_machine_free(struct small_machine *s);

#endif
