/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "native/replay.h"

#include <errno.h>
#include <time.h>

typedef unsigned long long ull;

static struct pr_replay *replay;
static uint64_t busy_ns;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void replay_exit(void)
{
	pr_replay_free(replay);
	replay = NULL;
}

int replay_stream(const char *buf, size_t size, bool first, char *why)
{
	uint64_t start = now_ns();
	int err;

	if (first) {
		replay_exit();
		busy_ns = 0;
		replay = pr_replay_new(&rig.m);
	}
	if (!replay) {
		snprintf(why, WHY_SIZE, "the host has no memory for a replay");
		return -ENOMEM;
	}
	err = pr_replay_feed(replay, buf, size, why, WHY_SIZE);
	busy_ns += now_ns() - start;
	return err;
}

int replay_end(char *why)
{
	return replay ? pr_replay_end(replay, why, WHY_SIZE) : 0;
}

int replay_show(const struct place *at, FILE *to)
{
	struct pr_replay_stats s = {0};
	uint64_t events;

	if (replay)
		pr_replay_stats(replay, &s);
	events = s.allocs + s.frees + s.batched;
	fprintf(to, "lines %llu\nevents %llu\nallocs %llu\nfrees %llu\nbatched %llu\nunknown_frees %llu\n"
		    "failures %llu\npages_in_use %lld\npages_in_use_by_trace %lld\nevents_per_second %llu\n",
		(ull)s.lines, (ull)events, (ull)s.allocs, (ull)s.frees, (ull)s.batched,
		(ull)s.unknown_frees, (ull)s.failures, (long long)s.in_use,
		(long long)s.trace_in_use, (ull)(busy_ns ? events * 1000000000u / busy_ns : 0));
	return 0;
}
