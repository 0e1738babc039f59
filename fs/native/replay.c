/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "native/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef unsigned long long ull;

enum state { NONE, RUNNING, DONE, FAILED };
static struct {
	struct pr_replay *run;
	const void *writer; /* while it is running */
	enum state state;
	uint64_t busy_ns;
	char why[WHY_SIZE];
} replay;

enum { MAX_REFERENCE = 64 << 10 };
static struct {
	struct pr_free_blocks *zone; /* NULL: there is none */
	const void *writer;
	bool busy; /* it is not closed yet */
	char text[MAX_REFERENCE];
	size_t len;
} reference;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void replay_exit(void)
{
	pr_replay_free(replay.run);
	replay.run = NULL;
	replay.writer = NULL;
	replay.state = NONE;
	free(reference.zone);
	reference.zone = NULL;
}

static int busy(const char *what, char *why)
{
	snprintf(why, WHY_SIZE, "another writer's %s is not finished", what);
	return -EBUSY;
}

static int begin(const void *writer, char *why)
{
	pr_replay_free(replay.run);
	replay.busy_ns = 0;
	replay.state = NONE;
	replay.run = pr_replay_new(&rig.m);
	replay.writer = replay.run ? writer : NULL;
	if (replay.run)
		return 0;
	snprintf(why, WHY_SIZE, "the host has no memory for a replay");
	return -ENOMEM;
}

int replay_stream(const void *writer, const char *buf, size_t size, bool first, char *why)
{
	uint64_t start;
	int err;

	if (first ? replay.state == RUNNING : replay.writer != writer)
		return busy("replay", why);
	err = first ? begin(writer, why) : 0;
	if (err)
		return err;
	start = now_ns();
	err = pr_replay_feed(replay.run, buf, size, why, WHY_SIZE);
	replay.busy_ns += now_ns() - start;
	replay.state = err ? FAILED : RUNNING;
	if (err)
		snprintf(replay.why, sizeof(replay.why), "%s", why);
	return err;
}

int replay_end(const void *writer, char *why)
{
	int err;

	if (replay.writer != writer || replay.state != RUNNING)
		return 0;
	err = pr_replay_end(replay.run, why, WHY_SIZE);
	replay.state = err ? FAILED : DONE;
	if (err)
		snprintf(replay.why, sizeof(replay.why), "%s", why);
	return err;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* One order: blocks of all zones, or of those in the reference, and how far apart they are. */
struct row {
	uint64_t start, now, reference, error, error_of_nothing;
};

static struct row row_of(unsigned order)
{
	struct row row = {0};

	for (unsigned i = 0; i < rig.m.arena->nr_zones; i++) {
		uint64_t start = pr_replay_start_blocks(replay.run, i, order);
		uint64_t now = rig.m.zones[i].area[order].nr_free, want;

		if (reference.zone && !reference.zone[i].known)
			continue;
		row.start += start;
		row.now += now;
		if (!reference.zone)
			continue;
		want = reference.zone[i].blocks[order];
		row.reference += want;
		row.error += apart(now, want); /* zone by zone, or they would cancel out */
		row.error_of_nothing += apart(start, want);
	}
	return row;
}

static void show_blocks(FILE *to)
{
	struct row sum = {0};
	uint64_t pages = 0, pages_of_nothing = 0;

	for (unsigned o = 0; o < NR_ORDERS; o++) {
		struct row row = row_of(o);

		fprintf(to, "order%u start=%llu now=%llu", o, (ull)row.start, (ull)row.now);
		if (reference.zone)
			fprintf(to, " reference=%llu error=%llu error_of_nothing=%llu",
				(ull)row.reference, (ull)row.error, (ull)row.error_of_nothing);
		fputc('\n', to);
		sum.error += row.error;
		sum.error_of_nothing += row.error_of_nothing;
		pages += row.error << o;
		pages_of_nothing += row.error_of_nothing << o;
	}
	if (reference.zone)
		fprintf(to,
			"error_blocks %llu\nerror_blocks_of_nothing %llu\nerror_pages "
			"%llu\nerror_pages_of_nothing %llu\n",
			(ull)sum.error, (ull)sum.error_of_nothing, (ull)pages,
			(ull)pages_of_nothing);
}

int replay_show(const struct place *, FILE *to)
{
	static const char *const states[] = {"none", "running", "done", "failed"};
	struct pr_replay_stats s = {0};
	const char *name;
	uint64_t n;

	if (replay.run)
		pr_replay_stats(replay.run, &s);
	fprintf(to, "state %s%s%s\n", states[replay.state], replay.state == FAILED ? " " : "",
		replay.state == FAILED ? replay.why : "");
	for (unsigned i = 0; (name = pr_replay_count(&s, i, &n)); i++)
		fprintf(to, "%s %llu\n", name, (ull)n);
	fprintf(to, "pages_in_use %lld\npages_in_use_by_trace %lld\nevents_per_second %llu\n",
		(long long)s.in_use, (long long)s.trace_in_use,
		(ull)(replay.busy_ns ? s.events * 1000000000u / replay.busy_ns : 0));
	if (replay.run)
		show_blocks(to);
	return 0;
}

int reference_show(const struct place *, FILE *to)
{
	for (unsigned i = 0; reference.zone && i < rig.m.arena->nr_zones; i++) {
		const struct zone *z = &rig.m.zones[i];

		if (!reference.zone[i].known)
			continue;
		fprintf(to, "Node %u, zone %8s ", z->node, pr_zone_name[z->type]);
		for (unsigned o = 0; o < NR_ORDERS; o++)
			fprintf(to, "%6llu ", (ull)reference.zone[i].blocks[o]);
		fputc('\n', to);
	}
	return 0;
}

/* The text so far, up to `len`, into *zone (malloc'ed; NULL if it names no zone). */
static int reference_parse(size_t len, struct pr_free_blocks **zone, char *why)
{
	unsigned nr = rig.m.arena->nr_zones;
	bool any = false;
	int err;

	*zone = calloc(nr, sizeof(**zone));
	if (!*zone)
		return -ENOMEM;
	err = pr_buddyinfo_parse(&rig.m, reference.text, len, *zone, why, WHY_SIZE);
	for (unsigned i = 0; i < nr; i++)
		any |= (*zone)[i].known;
	if (err || !any) {
		free(*zone);
		*zone = NULL;
	}
	return err;
}

int reference_stream(const void *writer, const char *buf, size_t size, bool first, char *why)
{
	struct pr_free_blocks *zone;
	const char *last;
	int err;

	if (first ? reference.busy : reference.writer != writer)
		return busy("reference", why);
	if (first)
		reference.len = 0;
	reference.writer = writer;
	reference.busy = true;
	if (size > sizeof(reference.text) - reference.len) {
		snprintf(why, WHY_SIZE, "a buddyinfo of more than 64 KiB");
		reference.busy = false; /* the close has nothing to add */
		return -EFBIG;
	}
	memcpy(reference.text + reference.len, buf, size);
	reference.len += size;
	/* whole lines are looked at now: an error belongs to the write that made it */
	last = memrchr(reference.text, '\n', reference.len);
	err = reference_parse(last ? (size_t)(last - reference.text) : 0, &zone, why);
	free(zone);
	reference.busy = !err;
	return err;
}

int reference_end(const void *writer, char *why)
{
	struct pr_free_blocks *zone;
	int err;

	if (reference.writer != writer || !reference.busy)
		return 0;
	reference.busy = false;
	err = reference_parse(reference.len, &zone, why);
	if (err)
		return err;
	free(reference.zone);
	reference.zone = zone;
	return 0;
}
