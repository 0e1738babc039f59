/* SPDX-License-Identifier: GPL-2.0-or-later */
/* random.h: small machines and random scripts from a seed, for tests. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <pagerig/alloc.h>

/* xorshift64*: the same row of numbers everywhere. */
struct rng {
	uint64_t s;
};
static inline uint64_t rng_next(struct rng *r)
{
	r->s ^= r->s >> 12;
	r->s ^= r->s << 25;
	r->s ^= r->s >> 27;
	return r->s * 2685821657736338717ull;
}
static inline unsigned rng_below(struct rng *r, unsigned n)
{
	return (unsigned)((rng_next(r) >> 33) % n);
}

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

/* Runs `ops` random operations; with check, the checker after each. Fails the test on a difference. */
void random_script(struct small_machine *s, uint64_t seed, unsigned ops, bool check);

#endif
