/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_report.c: the report of a failed allocation has every line of the kernel's, in its words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

#include <ctype.h>
#include <errno.h>
#include <pagerig/lab.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * What Linux 6.12 printed on a machine of two nodes, numbers as 0 and migrate types left out: the
 * zones of node 0 are DMA and DMA32, of node 1 DMA32.
 */
static const char *const kernel_says[] = {
	"page allocation failure: order:0, mode:0(GFP_KERNEL|__GFP_NORETRY), "
	"nodemask=(null),cpuset=/,mems_allowed=0-0",
	"Mem-Info:",
	"active_anon:0 inactive_anon:0 isolated_anon:0",
	" active_file:0 inactive_file:0 isolated_file:0",
	" unevictable:0 dirty:0 writeback:0",
	" slab_reclaimable:0 slab_unreclaimable:0",
	" mapped:0 shmem:0 pagetables:0",
	" sec_pagetables:0 bounce:0",
	" kernel_misc_reclaimable:0",
	" free:0 free_pcp:0 free_cma:0",
#define NODE                                                                                       \
	"Node 0 active_anon:0kB inactive_anon:0kB active_file:0kB inactive_file:0kB "              \
	"unevictable:0kB "                                                                         \
	"isolated(anon):0kB isolated(file):0kB mapped:0kB dirty:0kB writeback:0kB shmem:0kB "      \
	"shmem_thp:0kB shmem_pmdmapped:0kB anon_thp:0kB writeback_tmp:0kB kernel_stack:0kB "       \
	"pagetables:0kB sec_pagetables:0kB all_unreclaimable? no"
	NODE,
	NODE,
#define ZONE(name)                                                                                 \
	"Node 0 " name " free:0kB boost:0kB min:0kB low:0kB high:0kB reserved_highatomic:0KB "     \
	"active_anon:0kB inactive_anon:0kB active_file:0kB inactive_file:0kB unevictable:0kB "     \
	"writepending:0kB present:0kB managed:0kB mlocked:0kB bounce:0kB free_pcp:0kB "            \
	"local_pcp:0kB "                                                                           \
	"free_cma:0kB",                                                                            \
		"lowmem_reserve[]: 0 0 0 0"
	ZONE("DMA"),
	ZONE("DMA0"),
	ZONE("DMA0"),
#define AREAS(name)                                                                                \
	"Node 0 " name ": 0*0kB 0*0kB 0*0kB 0*0kB 0*0kB 0*0kB 0*0kB 0*0kB 0*0kB 0*0kB 0*0kB = 0kB"
	AREAS("DMA"),
	AREAS("DMA0"),
	AREAS("DMA0"),
	"0 total pagecache pages",
	"0 pages in swap cache",
	"Free swap  = 0kB",
	"Total swap = 0kB",
	"0 pages RAM",
	"0 pages HighMem/MovableOnly",
	"0 pages reserved",
	"0 pages cma reserved",
};

struct test_machine {
	struct pr_machine m;
	void *arena;
	size_t size;
	char *text; /* the newest report */
};

static void keep(void *ctx, const struct pr_request *, const char *text)
{
	struct test_machine *t = ctx;

	free(t->text);
	t->text = strdup(text);
}

static void make(struct test_machine *t, const char *shape)
{
	struct pr_spec spec;
	char why[256];

	*t = (struct test_machine){0};
	assert_int_equal(pr_spec_parse(shape, &spec, why, sizeof(why)), 0);
	t->size = pr_machine_size(&spec);
	t->arena = mmap(NULL, t->size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(t->arena != MAP_FAILED);
	assert_int_equal(pr_machine_create(&t->m, t->arena, t->size, &spec), 0);
	pr_spec_free(&spec);
	t->m.host.ctx = t;
	t->m.host.report = keep;
}

static void destroy(struct test_machine *t)
{
	free(t->text);
	munmap(t->arena, t->size);
}

static int exhaust(struct test_machine *t, struct pr_request r)
{
	pfn_t pfn;
	int err;

	r.gfp &= ~__GFP_NOWARN;
	do
		err = pr_alloc(&t->m, &r, &pfn);
	while (!err);
	return err;
}

/* "123", "0x12ab" to "0"; " (UME)" to nothing. */
static void simplify(char *line)
{
	char *to = line;

	for (char *p = line; *p;) {
		if (isdigit((unsigned char)*p)) {
			strtoull(p, &p, 0);
			*to++ = '0';
		} else if (!strncmp(p, " (", 2) && strspn(p + 2, "UMEHCI") &&
			   p[2 + strspn(p + 2, "UMEHCI")] == ')') {
			p = strchr(p, ')') + 1;
		} else {
			*to++ = *p++;
		}
	}
	*to = 0;
}

static void every_line_of_the_kernel(void **)
{
	enum { LINES = sizeof(kernel_says) / sizeof(kernel_says[0]) };
	struct test_machine t;
	char *rest, *line;
	unsigned n = 0;

	make(&t, "2x64M");
	assert_int_equal(exhaust(&t, PR_REQUEST(0, GFP_KERNEL | __GFP_NORETRY)), -ENOMEM);
	assert_non_null(t.text);
	for (rest = t.text; (line = strsep(&rest, "\n")) && *line; n++) {
		simplify(line);
		assert_true(n < LINES);
		assert_string_equal(line, kernel_says[n]);
	}
	assert_int_equal(n, LINES);
	destroy(&t);
}

static void figures_are_the_machines(void **)
{
	struct test_machine t;
	unsigned long long free, areas = 0, sum;
	const struct zone *z;
	char *p;

	make(&t, "64M");
	exhaust(&t, PR_REQUEST(3, GFP_KERNEL));
	z = &t.m.zones[1];
	p = strstr(t.text, "Node 0 DMA32 free:");
	assert_non_null(p);
	free = strtoull(p + strlen("Node 0 DMA32 free:"), NULL, 10);
	assert_int_equal(free, z->free_pages * 4);
	p = strstr(t.text, "Node 0 DMA32: ");
	assert_non_null(p);
	for (unsigned o = 0; o < NR_ORDERS; o++)
		areas += z->area[o].nr_free << o;
	sum = strtoull(strstr(p, "= ") + 2, NULL, 10);
	assert_int_equal(sum, areas * 4);
	destroy(&t);
}

/* Zones that the request could not use, and nodes that it was not allowed, are not shown. */
static void only_what_matters_is_shown(void **)
{
	struct test_machine t;
	struct pr_request r = PR_REQUEST(10, GFP_KERNEL | __GFP_DMA);

	make(&t, "2x64M");
	exhaust(&t, r);
	assert_non_null(strstr(t.text, "Node 0 DMA free:"));
	assert_null(strstr(t.text, "DMA32 free:"));
	r = PR_REQUEST(10, GFP_KERNEL);
	r.nodemask = 2;
	r.node = 1;
	exhaust(&t, r);
	assert_non_null(strstr(t.text, "nodemask=1,cpuset=/,mems_allowed=0-1\n"));
	assert_non_null(strstr(t.text, "Node 1 DMA32 free:"));
	assert_null(strstr(t.text, "Node 0 DMA32 free:"));
	r.gfp = GFP_ATOMIC; /* who can't wait sees all: it may go anywhere */
	exhaust(&t, r);
	assert_non_null(strstr(t.text, "Node 0 DMA32 free:"));
	destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_of_the_kernel),
		cmocka_unit_test(figures_are_the_machines),
		cmocka_unit_test(only_what_matters_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
