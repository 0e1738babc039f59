/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page-bench [SCALE]: the workloads of workloads.h on the engine, as users get it: counters, locks and
 * exactness on. Prints "name median-ns/op failures operations", a line a workload, as the harness
 * around Linux's allocator does. SCALE divides the number of operations.
 */
#include <pagerig/alloc.h>

#include <pagerig/worker.h>

#include <linux/membarrier.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct pr_machine machine;
static gfp_t bench_gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;
static __thread unsigned my_cpu;

typedef unsigned wl_h; /* frame number + 1 */
#define WL_NULL 0u
#define WL_PFN(h) ((h) - 1)

static inline wl_h wl_alloc(int, int order)
{
	struct pr_request r = PR_REQUEST((unsigned)order, bench_gfp);
	pfn_t pfn;

	r.cpu = my_cpu;
	return pr_alloc(&machine, &r, &pfn) ? WL_NULL : (wl_h)pfn + 1;
}

static inline void wl_free(int, wl_h h, int order)
{
	if (pr_free(&machine, h - 1, (unsigned)order, my_cpu))
		abort();
}

static void *wl_mem(unsigned long long n)
{
	return calloc(1, n);
}

static void wl_memfree(void *p, unsigned long long)
{
	free(p);
}

enum { MAX_NAMES = 64, MAX_SAMPLES = 4096 };
static struct row {
	char name[40];
	double ns[MAX_SAMPLES];
	unsigned nr;
	unsigned long long fails, ops;
} rows[MAX_NAMES];
static unsigned nr_rows;
static double ns_per_cycle;

static void wl_emit(const char *name, unsigned ops, unsigned long long cycles,
		    unsigned long long fails)
{
	struct row *r = rows;

	while (r < rows + nr_rows && strcmp(r->name, name))
		r++;
	if (r == rows + nr_rows) {
		if (nr_rows == MAX_NAMES)
			abort();
		nr_rows++;
		snprintf(r->name, sizeof(r->name), "%s", name);
	}
	if (!ops || r->nr == MAX_SAMPLES)
		return;
	r->ns[r->nr++] = (double)cycles * ns_per_cycle / ops;
	r->fails += fails;
	r->ops += ops;
}

#include "workloads.h"

static void fence(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		abort();
}

static void work(void)
{
	if (!syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) &&
	    pr_worker_begin(fence))
		abort();
}

static double clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void calibrate(void)
{
	unsigned long long c = wl_tsc();
	double t = clock_ns();

	while (clock_ns() < t + 5e7)
		;
	ns_per_cycle = (clock_ns() - t) / (double)(wl_tsc() - c);
}

static void make_machine(uint64_t pages)
{
	struct pr_zone_spec zone = {.type = ZONE_NORMAL, .start_pfn = 1 << 20, .spanned = pages,
				    .present = pages, .managed = pages};
	struct pr_spec spec = {.nr_nodes = 1, .nr_cpus = 2, .nr_zones = 1, .zone = &zone,
			       .sysctl = PR_SYSCTL_DEFAULTS};
	size_t size = pr_machine_size(&spec);
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED || pr_machine_create(&machine, mem, size, &spec))
		abort();
}

/* Holds memory back until as much is free as the kernel has beside us. */
static void trim(int64_t want)
{
	struct pr_request r = PR_REQUEST(MAX_ORDER, GFP_NOWAIT);
	pfn_t pfn;

	while (pr_zone_free_snapshot(&machine, &machine.zones[0]) > want + 1024)
		if (pr_alloc(&machine, &r, &pfn))
			break;
}

static void bulk_interface(void)
{
	enum { N = 64 };
	struct pr_request req = PR_REQUEST(0, GFP_KERNEL);
	static pfn_t pfn[N];

	for (unsigned rep = 0; rep < 5; rep++) {
		unsigned long long took = 0, gave = 0, t;
		unsigned n = 0, k;

		for (unsigned i = 0; i < 1000; i++) {
			t = wl_tsc();
			k = pr_alloc_bulk(&machine, &req, N, pfn);
			took += wl_tsc() - t;
			n += k;
			t = wl_tsc();
			while (k)
				if (pr_free(&machine, pfn[--k], 0, 0))
					abort();
			gave += wl_tsc() - t;
		}
		wl_emit("x_bulkapi64_alloc", n, took, 0);
		wl_emit("x_bulkapi64_free", n, gave, 0);
	}
}

/* --- two threads, each a CPU of the machine --- */
struct racer {
	pthread_t thread;
	unsigned cpu;
	bool mixed;
	struct wl_stream stream;
	unsigned long long cycles[200];
	unsigned n;
};
static pthread_barrier_t start;
static int stop;

static void run_mixed(struct racer *e)
{
	unsigned long long fails = 0, t;
	wl_u32 at = e->stream.warm;

	wl_run(0, e->stream.ops, at, e->stream.slot, &fails);
	pthread_barrier_wait(&start);
	while (e->n < 200 && at + CH <= e->stream.total && !__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		t = wl_tsc();
		wl_run(0, e->stream.ops + at, CH, e->stream.slot, &fails);
		e->cycles[e->n++] = wl_tsc() - t;
		at += CH;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	wl_drain(0, &e->stream, at);
}

static void run_pairs(struct racer *e)
{
	pthread_barrier_wait(&start);
	while (e->n < 200 && !__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned long long t = wl_tsc();

		for (unsigned i = 0; i < CH; i++) {
			wl_h h = wl_alloc(0, 0);

			if (h)
				wl_free(0, h, 0);
		}
		e->cycles[e->n++] = wl_tsc() - t;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
}

static void *race(void *arg)
{
	struct racer *e = arg;

	my_cpu = e->cpu;
	work();
	if (e->mixed)
		run_mixed(e);
	else
		run_pairs(e);
	pr_worker_end();
	return NULL;
}

static void threads(const char *name, unsigned nr, int min_order, int max_order, int scale)
{
	static struct racer racer[2];

	memset(racer, 0, sizeof(racer));
	stop = 0;
	pthread_barrier_init(&start, NULL, nr);
	for (unsigned i = 0; i < nr; i++) {
		racer[i].cpu = i;
		racer[i].mixed = min_order >= 0;
		if (racer[i].mixed &&
		    wl_mk(&racer[i].stream, (WL_ARENA_PAGES / 10) * 4, min_order, max_order,
			  0xABCDEF01234567ull * (i + 1), 1200000 / (unsigned)scale))
			abort();
	}
	for (unsigned i = 0; i < nr; i++)
		if (pthread_create(&racer[i].thread, NULL, race, &racer[i]))
			abort();
	for (unsigned i = 0; i < nr; i++)
		pthread_join(racer[i].thread, NULL);
	for (unsigned i = 0; i < nr; i++) {
		for (unsigned j = 0; j < racer[i].n; j++)
			wl_emit(name, CH, racer[i].cycles[j], 0);
		if (racer[i].mixed)
			wl_rm(&racer[i].stream);
	}
	pthread_barrier_destroy(&start);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_rows(void)
{
	for (struct row *r = rows; r < rows + nr_rows; r++) {
		if (!r->nr)
			continue;
		qsort(r->ns, r->nr, sizeof(*r->ns), compare);
		printf("%-32s %9.1f %8llu %10llu\n", r->name, r->ns[r->nr / 2], r->fails, r->ops);
	}
}

int main(int argc, char **argv)
{
	int scale = argc > 1 ? atoi(argv[1]) : 1;

	if (scale < 1) {
		fprintf(stderr, "usage: page-bench [SCALE]   SCALE divides the operations\n");
		return 2;
	}
	calibrate();
	work();
	make_machine((2ull << 30) / PR_PAGE_SIZE);
	trim(WL_ARENA_PAGES);
	wl_all(scale);
	threads("e_a1", 1, -1, 0, scale);
	threads("e_a2", 2, -1, 0, scale);
	threads("e_c1", 1, 0, 10, scale);
	threads("e_c2", 2, 0, 10, scale);
	threads("e_c4_1", 1, 4, 10, scale);
	threads("e_c4_2", 2, 4, 10, scale);
	bulk_interface();
	bench_gfp = GFP_NOWAIT | __GFP_NOWARN;
	wl_frag(300000);
	print_rows();
	return 0;
}
