/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oracle-script SEED [IDS]: a random script as the recorder takes it; the first line names the
 * machine. The same seed gives the same script everywhere.
 */
#include "script.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
	struct script_plan plan = {.ids = 12000, .dumps = 1};
	const struct script_shape *shape;

	if (argc < 2) {
		fprintf(stderr, "usage: oracle-script SEED [IDS]\n");
		return 2;
	}
	plan.seed = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		plan.ids = (unsigned)strtoul(argv[2], NULL, 10);
	shape = plan.shape = &script_shapes[plan.seed % NR_SCRIPT_SHAPES];
	printf("# case=random_%llu shape=%s append=\"%s\" title=\"random script, seed %llu\"\n",
	       (unsigned long long)plan.seed, shape->name, shape->append, (unsigned long long)plan.seed);
	script_prologue(stdout, &plan);
	/* what the boot left behind settles, then everything stands in its place */
	printf("!sleep 2300\ncpu %u\ndrainall\nfold\ncpu 0\ndrainall\nfold\n", shape->cpus - 1);
	for (unsigned n = 1; n < shape->nodes; n++)
		printf("canon nid=%u\n", n);
	printf("# INITIAL\n");
	for (unsigned n = shape->sysctls ? 0 : 1; n < shape->nodes; n++)
		printf("%s nid=%u\n", n ? "dump" : "sum", n);
	printf("# OPS\n");
	script_operations(stdout, &plan);
	printf("# FINAL\n");
	for (unsigned n = 1; n < shape->nodes; n++)
		printf("dump nid=%u\n", n);
	return 0;
}
