/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault-bench fault ROUNDS PAGES FILE…    first touches of fresh pages of each file, in turn; the median of
 *                                         all rounds, a line a file: ns a page, p50 and p99 of one fault
 * fault-bench misses DIR PAGES FRAMES ACCESSES PATTERN
 *                                         touches pages of DIR/misses in that order and prints the order's
 *                                         misses under Belady's MIN and random replacement with so many frames
 * fault-bench churn DIR MEGABYTES         writes and reads back more than there is memory; pages a second
 * Patterns: loop, zipf, sort (the pages that a merge sort of the whole file touches).
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, MAX_FILES = 8 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static char *map_file(const char *path, size_t size, bool fresh)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	char *p;

	if (fd < 0)
		die(path);
	/* a file whose size is not ours to change has new pages where it was not touched yet */
	if (fresh && (ftruncate(fd, 0) || ftruncate(fd, (off_t)size)) && errno != ENOSYS && errno != EOPNOTSUPP)
		die("ftruncate");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	close(fd);
	return p;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Touches PAGES fresh pages; ns of each go to at. */
static void touch(const char *path, unsigned pages, double *at)
{
	size_t size = (size_t)pages * PAGE;
	volatile char *p = map_file(path, size, true);

	madvise((void *)(uintptr_t)p, size, MADV_RANDOM);
	for (unsigned i = 0; i < pages; i++) {
		double t = now();

		(void)p[(size_t)i * PAGE];
		at[i] = (now() - t) * 1e9;
	}
	/* the next round finds no page in the cache, whoever keeps it */
	munmap((void *)(uintptr_t)p, size);
	if (truncate(path, 0)) {
		int fd = open(path, O_RDWR);

		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
}

static int bench_fault(unsigned rounds, unsigned pages, char **file, unsigned files)
{
	double *all[MAX_FILES], *means[MAX_FILES];

	for (unsigned f = 0; f < files; f++) {
		all[f] = calloc((size_t)rounds * pages, sizeof(double));
		means[f] = calloc(rounds, sizeof(double));
	}
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned f = 0; f < files; f++) {
			double sum = 0, *at = all[f] + (size_t)r * pages;

			touch(file[f], pages, at);
			for (unsigned i = 0; i < pages; i++)
				sum += at[i];
			means[f][r] = sum / pages;
		}
	for (unsigned f = 0; f < files; f++) {
		size_t n = (size_t)rounds * pages;

		qsort(all[f], n, sizeof(double), by_value);
		qsort(means[f], rounds, sizeof(double), by_value);
		printf("%-40s mean %7.0f ns  p50 %7.0f  p99 %7.0f\n", file[f], means[f][rounds / 2],
		       all[f][n / 2], all[f][n * 99 / 100]);
	}
	return 0;
}

static uint64_t state = 88172645463325252ull;
static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

static void zipf(uint32_t *seq, size_t n, unsigned pages)
{
	double *sum = calloc(pages + 1, sizeof(double));
	uint32_t *page = calloc(pages, sizeof(*page));

	for (unsigned i = 0; i < pages; i++) {
		unsigned j = (unsigned)below(i + 1);

		sum[i + 1] = sum[i] + 1 / pow(i + 1, 0.9);
		page[i] = page[j];
		page[j] = i;
	}
	for (size_t k = 0; k < n; k++) {
		double x = (double)below(1ull << 40) / (double)(1ull << 40) * sum[pages];
		unsigned lo = 0, hi = pages;

		while (hi - lo > 1) {
			unsigned mid = (lo + hi) / 2;

			*(sum[mid] <= x ? &lo : &hi) = mid;
		}
		seq[k] = page[lo];
	}
	free(sum);
	free(page);
}

/* Bottom-up merge sort of one half into the other: runs of 8 pages upwards, then back. */
static void merge_sort(uint32_t *seq, size_t n, unsigned pages)
{
	unsigned half = pages / 2, from = 0, to = half;
	size_t k = 0;

	while (k < n)
		for (unsigned run = 8; run < half && k < n; run *= 2) {
			for (unsigned base = 0; base < half; base += 2 * run)
				for (unsigned i = 0; i < run && base + run + i < half && k + 4 < n; i++) {
					seq[k++] = from + base + i;
					seq[k++] = to + base + 2 * i;
					seq[k++] = from + base + run + i;
					seq[k++] = to + (base + 2 * i + 1) % half;
				}
			from = half - from;
			to = half - to;
			if (k + 4 >= n)
				while (k < n)
					seq[k++] = from;
		}
}

static int make_pattern(const char *pattern, uint32_t *seq, size_t n, unsigned pages)
{
	if (!strcmp(pattern, "loop"))
		for (size_t k = 0; k < n; k++)
			seq[k] = (uint32_t)(k % pages);
	else if (!strcmp(pattern, "zipf"))
		zipf(seq, n, pages);
	else if (!strcmp(pattern, "sort"))
		merge_sort(seq, n, pages);
	else
		return -1;
	return 0;
}

/* A heap of resident pages by next use, the furthest first; stale entries are skipped. */
struct entry {
	size_t next;
	uint32_t page;
};

static void push(struct entry *heap, size_t *nr, struct entry e)
{
	size_t i = (*nr)++;

	while (i && heap[(i - 1) / 2].next < e.next) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = e;
}

static struct entry pop(struct entry *heap, size_t *nr)
{
	struct entry top = heap[0], e = heap[--*nr];
	size_t i = 0, c;

	while ((c = 2 * i + 1) < *nr) {
		if (c + 1 < *nr && heap[c + 1].next > heap[c].next)
			c++;
		if (heap[c].next <= e.next)
			break;
		heap[i] = heap[c];
		i = c;
	}
	heap[i] = e;
	return top;
}

static size_t belady(const uint32_t *seq, size_t n, unsigned pages, unsigned frames)
{
	size_t *next = calloc(n, sizeof(*next)), *last = calloc(pages, sizeof(*last)), misses = 0, nr = 0;
	size_t *due = calloc(pages, sizeof(*due));
	struct entry *heap = calloc(n + 1, sizeof(*heap));
	bool *in = calloc(pages, 1);
	unsigned used = 0;

	for (unsigned p = 0; p < pages; p++)
		last[p] = n;
	for (size_t k = n; k--;) {
		next[k] = last[seq[k]];
		last[seq[k]] = k;
	}
	for (size_t k = 0; k < n; k++) {
		uint32_t p = seq[k];

		if (!in[p]) {
			misses++;
			while (used == frames) {
				struct entry e = pop(heap, &nr);

				if (in[e.page] && due[e.page] == e.next) {
					in[e.page] = false;
					used--;
				}
			}
			in[p] = true;
			used++;
		}
		due[p] = next[k];
		push(heap, &nr, (struct entry){next[k], p});
	}
	free(next), free(last), free(due), free(heap), free(in);
	return misses;
}

static size_t at_random(const uint32_t *seq, size_t n, unsigned pages, unsigned frames)
{
	uint32_t *held = calloc(frames, sizeof(*held));
	bool *in = calloc(pages, 1);
	size_t misses = 0;
	unsigned used = 0;

	for (size_t k = 0; k < n; k++) {
		uint32_t p = seq[k];
		unsigned slot = used < frames ? used : (unsigned)below(frames);

		if (in[p])
			continue;
		misses++;
		if (used == frames)
			in[held[slot]] = false;
		else
			used++;
		held[slot] = p;
		in[p] = true;
	}
	free(held), free(in);
	return misses;
}

static size_t first_touches(const uint32_t *seq, size_t n, unsigned pages)
{
	bool *seen = calloc(pages, 1);
	size_t nr = 0;

	for (size_t k = 0; k < n; k++) {
		nr += !seen[seq[k]];
		seen[seq[k]] = true;
	}
	free(seen);
	return nr;
}

static int bench_misses(const char *dir, unsigned pages, unsigned frames, size_t n, const char *pattern)
{
	uint32_t *seq = calloc(n, sizeof(*seq));
	char path[4096];
	double t;
	char *p;

	if (make_pattern(pattern, seq, n, pages))
		return 2;
	snprintf(path, sizeof(path), "%s/misses", dir);
	p = map_file(path, (size_t)pages * PAGE, true);
	madvise(p, (size_t)pages * PAGE, MADV_RANDOM);
	t = now();
	for (size_t k = 0; k < n; k++) { /* no page is of one word, so that each needs its slot */
		p[(size_t)seq[k] * PAGE] = (char)(k + 1);
		p[(size_t)seq[k] * PAGE + 9] = (char)k;
	}
	t = now() - t;
	printf("seconds %.2f first %zu belady %zu random %zu\n", t, first_touches(seq, n, pages),
	       belady(seq, n, pages, frames), at_random(seq, n, pages, frames));
	munmap(p, (size_t)pages * PAGE);
	free(seq);
	return 0;
}

static int bench_churn(const char *dir, unsigned megabytes)
{
	size_t n = (size_t)megabytes << 20;
	char path[4096];
	uint64_t *p;
	double t;

	snprintf(path, sizeof(path), "%s/churn", dir);
	p = (uint64_t *)(void *)map_file(path, n, true);
	t = now();
	for (size_t i = 0; i < n / 8; i++)
		p[i] = i * 2654435761u;
	printf("written %.0f pages a second\n", (double)(n / PAGE) / (now() - t));
	t = now();
	for (size_t i = 0; i < n / 8; i += 64)
		if (p[i] != i * 2654435761u)
			return 1;
	printf("read back %.0f pages a second\n", (double)(n / PAGE) / (now() - t));
	munmap(p, n);
	return unlink(path) != 0;
}

static unsigned number(const char *s)
{
	return (unsigned)strtoul(s, NULL, 0);
}

int main(int argc, char **argv)
{
	if (argc > 4 && argc <= 4 + MAX_FILES && !strcmp(argv[1], "fault"))
		return bench_fault(number(argv[2]), number(argv[3]), argv + 4, (unsigned)argc - 4);
	if (argc == 7 && !strcmp(argv[1], "misses"))
		return bench_misses(argv[2], number(argv[3]), number(argv[4]), number(argv[5]), argv[6]);
	if (argc == 4 && !strcmp(argv[1], "churn"))
		return bench_churn(argv[2], number(argv[3]));
	fprintf(stderr, "usage: fault-bench fault ROUNDS PAGES FILE… | misses DIR PAGES FRAMES ACCESSES PATTERN | "
			"churn DIR MEGABYTES\n");
	return 2;
}
