/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_replay.c: libFuzzer on lab/replay's text. The first byte says how large the pieces are in
 * which the rest is fed. After each text the machine must be whole, and after giving back, as full
 * as the text's frees left it.
 */
#include <pagerig/lab.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES = 4096, START = 0x1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Half of the frames are free, in blocks of 8; the others in use since the start. */
static void make(struct pr_machine *m, void **arena)
{
	struct pr_zone_spec zone = {.type = ZONE_NORMAL,
				    .start_pfn = START,
				    .spanned = PAGES,
				    .present = PAGES,
				    .managed = PAGES};
	struct pr_spec spec = {
		.nr_nodes = 1, .nr_cpus = 2, .nr_zones = 1, .zone = &zone, .pages_by_hand = true};
	size_t size;

	spec.sysctl = (struct sysctl_vm){.user_min_free_kbytes = -1,
					 .watermark_scale_factor = 10,
					 .watermark_boost_factor = 15000,
					 .lowmem_reserve_ratio = {256, 256, 32, 0}};
	size = pr_machine_size(&spec);
	*arena = aligned_alloc(4096, size);
	if (!*arena)
		abort();
	memset(*arena, 0, size);
	if (pr_machine_create(m, *arena, size, &spec))
		abort();
	for (pfn_t p = START; p < START + PAGES; p += 16)
		if (pr_place_free(m, p, 3, MT_MOVABLE, true))
			abort();
}

static int64_t taken(const struct pr_machine *m)
{
	int64_t n = (int64_t)m->zones[0].managed - pr_zone_free_snapshot(m, &m->zones[0]);

	for (unsigned cpu = 0; cpu < m->arena->nr_cpus; cpu++)
		n -= pr_pcp(m, &m->zones[0], cpu)->count;
	return n;
}

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_replay: %s\n", what);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size ? (data[0] & 15 ? (size_t)data[0] : 1u << 16) : 1;
	struct pr_replay_stats s;
	struct pr_machine m;
	struct pr_replay *r;
	char why[256] = "";
	int64_t start;
	void *arena;

	make(&m, &arena);
	start = taken(&m);
	r = pr_replay_new(&m);
	must(r != NULL, "no replay");
	for (size_t at = 1; at < size; at += piece)
		if (pr_replay_feed(r, (const char *)data + at,
				   size - at < piece ? size - at : piece, why, sizeof(why)))
			break;
	(void)pr_replay_end(r, why, sizeof(why));
	must(!pr_check(&m, why, sizeof(why)), why);
	pr_replay_stats(r, &s);
	must(taken(&m) - start == s.in_use - (int64_t)s.start_pages,
	     "pages in use differ from the machine's");
	must(s.failures || s.in_use == s.trace_in_use, "pages in use differ from the trace's");
	pr_replay_free(r);
	must(!pr_check(&m, why, sizeof(why)), why);
	must(taken(&m) == start - (int64_t)s.start_pages, "pages were not given back");
	free(arena);
	return 0;
}
