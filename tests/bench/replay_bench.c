/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay_bench.c: how fast a recorded trace is parsed and applied, and where the time goes.
 *   replay-bench [-m SHAPE] [-r ROUNDS] TRACE
 * Times are of this thread's CPU. The text is in memory before the clock starts; each round begins
 * with a fresh machine, and runs all of it, the parser alone and the table of frames alone, so that
 * noise meets all alike.
 */
#include <pagerig/lab.h>

#include "lab/frames.h"
#include "lab/trace_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROUNDS = 101, PIECE = 1 << 20, BATCH = 64 };

static void die(const char *what, const char *why)
{
	fprintf(stderr, "replay-bench: %s: %s\n", what, why);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* others on this core are not our cost */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct text {
	char *at;
	size_t len;
	struct trace_event *event; /* allocations and frees */
	size_t nr_events;
};

static void read_text(struct text *t, const char *name)
{
	FILE *f = fopen(name, "r");
	size_t room = 0;

	if (!f)
		die(name, strerror(errno));
	while (!feof(f) && !ferror(f)) {
		if (room - t->len < PIECE) {
			room = room ? room * 2 : 4 * PIECE;
			t->at = realloc(t->at, room);
			if (!t->at)
				die(name, "no memory for the text");
		}
		t->len += fread(t->at + t->len, 1, PIECE, f);
	}
	if (ferror(f))
		die(name, "it cannot be read");
	fclose(f);
}

/* Finds and parses all lines; keeps the events if `keep`. */
static double parse(struct text *t, bool keep)
{
	static struct trace_parser parser;
	const char *p = t->at, *end = p + t->len, *newline;
	struct trace_event e, *to = keep ? t->event : &e;
	double start = now();

	for (; p < end && (newline = memchr(p, '\n', (size_t)(end - p))); p = newline + 1) {
		const char *bad = memchr(p, 0, (size_t)(newline - p)) ? "a NUL byte" : NULL;

		if (!bad)
			bad = trace_line_parse(&parser, p, newline, to);
		if (bad)
			die("this trace has a bad line", bad);
		if (keep && (to->kind == TRACE_FREE || (to->kind == TRACE_ALLOC && to->frame)))
			to = &t->event[++t->nr_events];
	}
	return now() - start;
}

static void table_event(struct frames *f, const struct trace_event *e)
{
	uint64_t head;
	block_t b;

	if (e->kind == TRACE_FREE) {
		if (frames_head(f, e->frame, &head, &b))
			frames_remove(f, head, block_order(b));
		return;
	}
	for (uint64_t i = 0; frames_live(f, e->frame, e->order) && i < 1ull << e->order; i++)
		if (frames_head(f, e->frame + i, &head, &b))
			frames_remove(f, head, block_order(b));
	if (frames_add(f, e->frame, block_make(1, e->order)))
		die("table", "no memory");
}

static double table(const struct text *t)
{
	struct frames f;
	double start = now();

	if (frames_init(&f))
		die("table", "no memory");
	for (size_t i = 0; i < t->nr_events; i += BATCH) {
		size_t end = i + BATCH < t->nr_events ? i + BATCH : t->nr_events;

		for (size_t j = i; j < end; j++)
			frames_prefetch(&f, t->event[j].frame);
		for (size_t j = i; j < end; j++)
			table_event(&f, &t->event[j]);
	}
	frames_exit(&f);
	return now() - start;
}

static double replay(const struct text *t, const char *shape, struct pr_replay_stats *s)
{
	char why[256] = "no memory for the machine";
	struct pr_spec spec;
	struct pr_machine m;
	struct pr_replay *r;
	double start, took;
	size_t size;
	void *arena;

	if (pr_spec_parse(shape, &spec, why, sizeof(why)))
		die(shape, why);
	size = pr_machine_size(&spec);
	arena = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena == MAP_FAILED || pr_machine_create(&m, arena, size, &spec) ||
	    !(r = pr_replay_new(&m)))
		die(shape, why);
	start = now();
	for (size_t at = 0; at < t->len; at += PIECE)
		if (pr_replay_feed(r, t->at + at, t->len - at < PIECE ? t->len - at : PIECE, why,
				   sizeof(why)))
			die("trace", why);
	took = now() - start;
	pr_replay_stats(r, s);
	if (pr_replay_end(r, why, sizeof(why)))
		die("trace", why);
	pr_replay_free(r);
	munmap(arena, size);
	pr_spec_free(&spec);
	return took;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

static void report(const struct text *t, const struct pr_replay_stats *s, double best, double all,
		   double parsing, double tables)
{
	double lines = (double)s->lines, moves = (double)(s->allocs + s->frees),
	       rest = all - parsing - tables;

	printf("lines %llu, events %llu, allocations and frees %llu, failures %llu, pages in use "
	       "%lld (trace: %lld)\n",
	       (unsigned long long)s->lines, (unsigned long long)s->events,
	       (unsigned long long)(s->allocs + s->frees), (unsigned long long)s->failures,
	       (long long)s->in_use, (long long)s->trace_in_use);
	printf("all        %7.1f ms, best %7.1f  %6.2f M events/s  %6.2f M allocations and frees/s "
	       " %5.0f MB/s\n",
	       all * 1e3, best * 1e3, (double)s->events / all / 1e6, moves / all / 1e6,
	       (double)t->len / all / 1e6);
	printf("parse      %7.1f ms  %6.1f ns a line\n", parsing * 1e3, parsing * 1e9 / lines);
	printf("table      %7.1f ms  %6.1f ns an allocation or free\n", tables * 1e3,
	       tables * 1e9 / moves);
	printf("engine     %7.1f ms  %6.1f ns an allocation or free (the rest)\n", rest * 1e3,
	       rest * 1e9 / moves);
}

int main(int argc, char **argv)
{
	static double all[MAX_ROUNDS], parsing[MAX_ROUNDS], tables[MAX_ROUNDS];
	const char *shape = "6G,cpus=2";
	struct pr_replay_stats s = {0};
	struct text t = {0};
	int rounds = 5, c;
	double middle;

	while ((c = getopt(argc, argv, "m:r:")) != -1) {
		if (c == 'm')
			shape = optarg;
		else if (c == 'r')
			rounds = atoi(optarg);
		else
			return 2;
	}
	if (optind != argc - 1 || rounds < 1 || rounds > MAX_ROUNDS)
		die("usage", "replay-bench [-m SHAPE] [-r ROUNDS] TRACE");
	read_text(&t, argv[optind]);
	t.event = calloc(t.len / 20 + 2, sizeof(*t.event));
	if (!t.event)
		die("trace", "no memory for its events");
	parse(&t, true);
	for (int i = 0; i < rounds; i++) {
		all[i] = replay(&t, shape, &s);
		parsing[i] = parse(&t, false);
		tables[i] = table(&t);
	}
	printf("medians of %d rounds on %s:\n", rounds, shape);
	middle = median(all, (unsigned)rounds); /* sorts: the best is first now */
	report(&t, &s, all[0], middle, median(parsing, (unsigned)rounds),
	       median(tables, (unsigned)rounds));
	free(t.event);
	free(t.at);
	return 0;
}
