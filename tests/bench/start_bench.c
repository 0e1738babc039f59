/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start-bench [SHAPE]…: how long the engine takes to make a machine, what memory that takes, and what
 * its first allocations cost: a thousand of order 0 and a hundred of order 10, medians of five
 * machines. Without shapes: 1G, 1T, 16T.
 */
#include <pagerig/alloc.h>
#include <pagerig/lab.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, NR_SMALL = 1000, NR_LARGE = 100 };

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double resident_kb(void)
{
	unsigned long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu %lu", &size, &resident) != 2)
		abort();
	fclose(f);
	return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* ns an allocation, of the first n of an order. */
static double first(struct pr_machine *m, unsigned order, unsigned n)
{
	struct pr_request r = PR_REQUEST(order, GFP_KERNEL | __GFP_NOWARN);
	double start = now_ns();
	pfn_t pfn;

	for (unsigned i = 0; i < n; i++)
		if (pr_alloc(m, &r, &pfn))
			abort();
	return (now_ns() - start) / n;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), compare);
	return v[ROUNDS / 2];
}

static int measure(const char *shape)
{
	double ms[ROUNDS], kb[ROUNDS], small[ROUNDS], large[ROUNDS];
	char why[256];

	for (unsigned i = 0; i < ROUNDS; i++) {
		double before = resident_kb(), start = now_ns();
		struct pr_machine m;
		struct pr_spec spec;
		size_t size;
		void *arena;

		if (pr_spec_parse(shape, &spec, why, sizeof(why))) {
			fprintf(stderr, "start-bench: %s\n", why);
			return 1;
		}
		size = pr_machine_size(&spec);
		arena = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (arena == MAP_FAILED || pr_machine_create(&m, arena, size, &spec))
			abort();
		ms[i] = (now_ns() - start) / 1e6;
		kb[i] = resident_kb() - before;
		small[i] = first(&m, 0, NR_SMALL);
		large[i] = first(&m, MAX_ORDER, NR_LARGE);
		munmap(arena, size);
		pr_spec_free(&spec);
	}
	printf("%-20s %10.2f %12.0f %14.0f %14.0f\n", shape, median(ms), median(kb), median(small),
	       median(large));
	return 0;
}

int main(int argc, char **argv)
{
	static char *const usual[] = {"1G", "1T", "16T", NULL};
	int err = 0;

	printf("%-20s %10s %12s %14s %14s\n", "machine", "start ms", "resident kB", "order 0 ns",
	       "order 10 ns");
	for (char *const *shape = argc > 1 ? argv + 1 : usual; *shape && !err; shape++)
		err = measure(*shape);
	return err;
}
