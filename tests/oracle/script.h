/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script.h: random scripts of allocations and frees from a seed, in the words of the recordings. The
 * same script runs on the engine with its checker (tests/unit/test_script.c) and on the real
 * kernel (tests/oracle/run). It never looks at results: both sides get the same lines.
 */
#ifndef TESTS_SCRIPT_H
#define TESTS_SCRIPT_H

#include <pagerig/machine.h>

#include <stdio.h>

/* A zone of node 1 or 2; node 0 is the kernel's own and no script touches it. */
struct script_zone {
	unsigned node;
	enum zone_type type;
	unsigned mib;
};
/* A machine as QEMU makes it; name and options are those of the recordings' "# shape:" line. */
struct script_shape {
	const char *name, *append;
	unsigned cpus, nodes; /* nodes: with node 0 */
	struct script_zone zone[3]; /* mib 0: none */
	unsigned cma_mib;     /* of the first zone */
	unsigned sysctls;     /* may sysctls be written in the middle? */
};
enum { NR_SCRIPT_SHAPES = 14 };
extern const struct script_shape script_shapes[NR_SCRIPT_SHAPES];

struct script_plan {
	uint64_t seed;
	const struct script_shape *shape;
	unsigned ids;	/* blocks that may be asked for in all */
	unsigned dumps; /* 0: no state is printed in between */
};
/* The lines before "# INITIAL", and the operations. */
void script_prologue(FILE *out, const struct script_plan *plan);
void script_operations(FILE *out, const struct script_plan *plan);

#endif
