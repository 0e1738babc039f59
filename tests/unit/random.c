/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <stdlib.h>
#include <string.h>

void small_machine_make(struct small_machine *s, unsigned nodes, uint64_t pages, enum zone_type type,
			unsigned cpus)
{
	struct pr_zone_spec zone[PR_MAX_NODES];
	struct pr_spec spec = {.nr_nodes = nodes, .nr_cpus = cpus, .nr_zones = nodes, .zone = zone};

	for (unsigned n = 0; n < nodes; n++)
		zone[n] = (struct pr_zone_spec){.node = n, .type = type,
						.start_pfn = 0x1000 + n * pages, .spanned = pages,
						.present = pages, .managed = pages};
	for (unsigned c = 0; c < cpus; c++)
		spec.cpu_node[c] = c % nodes;
	spec.sysctl = (struct sysctl_vm){.user_min_free_kbytes = -1, .watermark_scale_factor = 10,
					 .watermark_boost_factor = 15000,
					 .lowmem_reserve_ratio = {256, 256, 32, 0}};
	s->size = pr_machine_size(&spec);
	assert_int_not_equal(s->size, 0);
	s->arena = aligned_alloc(4096, s->size);
	assert_non_null(s->arena);
	memset(s->arena, 0, s->size);
	assert_int_equal(pr_machine_create(&s->m, s->arena, s->size, &spec), 0);
}

void small_machine_free(struct small_machine *s)
{
	free(s->arena);
}
