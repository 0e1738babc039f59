/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_fault.c: page tables, faults, fork and the end of tasks on a small machine; no frame is
 * lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pagerig/mm.h>
#include <pagerig/reclaim.h>

#include "random.h"

#include "../vma/script.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, ANON = MAP_PRIVATE | MAP_ANONYMOUS, RW = PROT_READ | PROT_WRITE, PAGES = 8192 };

struct lab {
	struct small_machine s;
	struct pr_vm vm;
	int64_t free_before;
	int mm;
};

static int64_t free_pages(struct pr_machine *m)
{
	pr_lru_drain_all(m);
	pr_drain_all(m, 0);
	return pr_zone_free_snapshot(m, &m->zones[0]);
}

static void check(const struct lab *lab)
{
	char why[256];

	if (pr_vm_check(&lab->vm, why, sizeof(why)) || pr_check(&lab->s.m, why, sizeof(why)))
		fail_msg("%s", why);
}

static void attach(struct lab *lab, const struct pr_vm_spec *spec)
{
	size_t size = pr_vm_size(spec);
	void *arena = calloc(1, size);

	small_machine_make(&lab->s, 1, PAGES, ZONE_NORMAL, 1);
	lab->free_before = free_pages(&lab->s.m);
	assert_int_equal(pr_vm_create(&lab->vm, arena, size, spec), 0);
	assert_int_equal(pr_vm_attach(&lab->vm, &lab->s.m), 0);
	lab->mm = pr_mm_new(&lab->vm);
	assert_int_equal(lab->mm, 0);
}

static const struct pr_vm_spec usual = {8, 64, 4096, 512, PAGES, PAGES * 4};

static int begin(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	attach(lab, &usual);
	*state = lab;
	return 0;
}

/* All tasks end: every frame is free again. */
static int end(void **state)
{
	struct lab *lab = *state;

	check(lab);
	for (uint32_t i = 0; i < lab->vm.arena->nr_mms; i++)
		if (pr_mm(&lab->vm, (int)i))
			pr_mm_exit(&lab->vm, (int)i);
	check(lab);
	for (uint32_t f = 1; f <= lab->vm.arena->nr_files; f++)
		while (lab->vm.files[f].users)
			pr_file_put(&lab->vm, f);
	assert_int_equal(free_pages(&lab->s.m), lab->free_before);
	assert_int_equal(lab->vm.arena->committed, 0);
	check(lab);
	assert_int_equal(pr_vm_attach(&lab->vm, NULL), 0);
	free(lab->vm.arena);
	small_machine_free(&lab->s);
	free(lab);
	return 0;
}

static uint64_t map_flags(struct lab *lab, uint64_t pages, uint64_t flags, int file)
{
	int64_t at = pr_mmap(&lab->vm, lab->mm, 0, pages * PAGE, RW, flags, (uint32_t)file, 0);

	assert_true(at > 0);
	return (uint64_t)at;
}
static uint64_t map(struct lab *lab, uint64_t pages)
{
	return map_flags(lab, pages, ANON, PR_NO_FILE);
}
static void touch_in(struct lab *lab, int mm, uint64_t addr, bool write)
{
	assert_int_equal(pr_touch(&lab->vm, mm, addr, write), 0);
}
static pfn_t pfn_in(struct lab *lab, int mm, uint64_t addr)
{
	struct pr_walk w;

	pr_translate(&lab->vm, mm, addr, &w);
	return w.present ? w.pfn : 0;
}

static void a_walk_shows_each_level(void **state)
{
	struct lab *lab = *state;
	struct pr_mm *mm = pr_mm(&lab->vm, lab->mm);
	uint64_t a = map(lab, 4);
	struct pr_walk w;

	pr_translate(&lab->vm, lab->mm, a, &w);
	assert_false(w.present);
	assert_int_equal(w.levels, 0);
	touch_in(lab, lab->mm, a, false); /* the zero page */
	pr_translate(&lab->vm, lab->mm, a, &w);
	assert_true(w.present);
	assert_int_equal(w.pfn, PFN_NONE);
	assert_int_equal(w.levels, 4);
	assert_int_equal(w.level[0].index, a >> 39);
	assert_int_equal(w.level[3].index, a >> 12 & 511);
	assert_int_equal(w.level[0].entry >> 12 & 0xffffffffff, w.level[1].table);
	assert_int_equal(mm->tables, 4);
	assert_int_equal(mm->rss_anon, 0);
	touch_in(lab, lab->mm, a, true);
	pr_translate(&lab->vm, lab->mm, a, &w);
	assert_true(w.pfn != PFN_NONE);
	assert_int_equal(w.level[3].entry & (PTE_WRITE | PTE_DIRTY | PTE_ACCESSED | PTE_NX),
			 PTE_WRITE | PTE_DIRTY | PTE_ACCESSED | PTE_NX);
	assert_int_equal(mm->rss_anon, 1);
	assert_int_equal(mm->min_flt, 2);
	assert_int_equal(lab->free_before - free_pages(&lab->s.m), 5);
	/* without areas in their reach the tables go, but for the top one */
	assert_int_equal(pr_munmap(&lab->vm, lab->mm, a, 4 * PAGE), 0);
	assert_int_equal(mm->tables, 1);
}

static void five_levels(void **state)
{
	struct lab *lab = *state;
	struct pr_walk w;
	uint64_t a;

	pr_mm(&lab->vm, lab->mm)->levels = 5;
	a = map(lab, 1);
	touch_in(lab, lab->mm, a, true);
	pr_translate(&lab->vm, lab->mm, a, &w);
	assert_int_equal(w.levels, 5);
	assert_true(w.present);
	assert_int_equal(pr_mm(&lab->vm, lab->mm)->tables, 5);
}

static void a_fork_copies_on_write(void **state)
{
	struct lab *lab = *state;
	uint64_t a = map(lab, 8);
	pfn_t before, other;
	int child;

	for (unsigned i = 0; i < 8; i++)
		touch_in(lab, lab->mm, a + i * PAGE, true);
	before = pfn_in(lab, lab->mm, a);
	child = pr_mm_fork(&lab->vm, lab->mm);
	assert_true(child > 0);
	check(lab);
	assert_int_equal(pfn_in(lab, child, a), before);
	assert_int_equal(pr_mm(&lab->vm, child)->rss_anon, 8);
	touch_in(lab, child, a, true); /* it gets its own */
	other = pfn_in(lab, child, a);
	assert_int_not_equal(other, before);
	assert_int_equal(pfn_in(lab, lab->mm, a), before);
	touch_in(lab, lab->mm, a, true); /* and the parent keeps its one, alone now */
	assert_int_equal(pfn_in(lab, lab->mm, a), before);
	touch_in(lab, child, a + PAGE, false);
	assert_int_equal(pfn_in(lab, child, a + PAGE), pfn_in(lab, lab->mm, a + PAGE));
	pr_mm_exit(&lab->vm, lab->mm);
	check(lab);
	assert_int_equal(pfn_in(lab, child, a), other);
	touch_in(lab, child, a + 2 * PAGE, true);
	lab->mm = child;
}

static void files_are_shared(void **state)
{
	struct lab *lab = *state;
	struct pr_mm *mm = pr_mm(&lab->vm, lab->mm);
	int file = pr_file_new(&lab->vm, "/lib/x", 64, true, true);
	uint64_t a = map_flags(lab, 64, MAP_SHARED, file),
		 b = map_flags(lab, 64, MAP_PRIVATE, file);
	pfn_t pfn;

	for (unsigned i = 0; i < 32; i++)
		touch_in(lab, lab->mm, a + i * PAGE, false);
	assert_int_equal(mm->maj_flt, 32);
	assert_int_equal(mm->rss_file, 32);
	touch_in(lab, lab->mm, b + 5 * PAGE, false); /* brings 16 pages that are in the cache */
	assert_int_equal(mm->rss_file, 48);
	assert_int_equal(mm->min_flt, 1);
	pfn = pfn_in(lab, lab->mm, a + 5 * PAGE);
	assert_int_equal(pfn_in(lab, lab->mm, b + 5 * PAGE), pfn);
	touch_in(lab, lab->mm, b + 5 * PAGE, true);
	assert_int_not_equal(pfn_in(lab, lab->mm, b + 5 * PAGE), pfn);
	assert_int_equal(mm->rss_anon, 1);
	assert_int_equal(pr_touch(&lab->vm, lab->mm, b + 63 * PAGE, true), 0);
	check(lab);
	assert_int_equal(pr_munmap(&lab->vm, lab->mm, a, 64 * PAGE), 0);
	assert_int_equal(pr_munmap(&lab->vm, lab->mm, b, 64 * PAGE), 0);
	assert_int_equal(mm->rss_file + mm->rss_anon, 0);
	/* the cache stays as long as the file */
	assert_true(lab->free_before - free_pages(&lab->s.m) >= 33);
}

static void moved_pages_keep_their_frames(void **state)
{
	struct lab *lab = *state;
	uint64_t a = map(lab, 4);
	pfn_t pfn[4];
	int64_t b;

	for (unsigned i = 0; i < 4; i++) {
		touch_in(lab, lab->mm, a + i * PAGE, true);
		pfn[i] = pfn_in(lab, lab->mm, a + i * PAGE);
	}
	b = pr_mremap(&lab->vm, lab->mm, a, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		      0x100000000);
	assert_int_equal(b, 0x100000000);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pfn_in(lab, lab->mm, (uint64_t)b + i * PAGE), pfn[i]);
	assert_int_equal(pr_madvise(&lab->vm, lab->mm, (uint64_t)b, 2 * PAGE, MADV_DONTNEED), 0);
	assert_int_equal(pr_mm(&lab->vm, lab->mm)->rss_anon, 2);
	assert_int_equal(pr_mlock(&lab->vm, lab->mm, (uint64_t)b, 8 * PAGE), 0);
	assert_int_equal(pr_mm(&lab->vm, lab->mm)->rss_anon, 8);
}

/* Reclaim takes clean pages of files out of the tables, and they come back. */
static void reclaim_finds_the_tables(void **state)
{
	struct lab *lab = *state;
	struct pr_mm *mm = pr_mm(&lab->vm, lab->mm);
	int file = pr_file_new(&lab->vm, "/big", PAGES, true, true);
	uint64_t a = map_flags(lab, PAGES, MAP_SHARED, file), done = 0;

	for (unsigned i = 0; i < 1000; i++)
		touch_in(lab, lab->mm, a + i * PAGE, false);
	pr_lru_drain_all(&lab->s.m);
	for (unsigned tries = 0; tries < 4 && done < 200; tries++) {
		uint64_t n = 0;

		(void)pr_reclaim_node(&lab->s.m, 0, 0, 200, -1, &n);
		done += n;
		check(lab);
	}
	assert_true(done >= 200);
	assert_int_equal(mm->rss_file, 1000 - done);
	for (unsigned i = 0; i < 1000; i++)
		touch_in(lab, lab->mm, a + i * PAGE, false);
	assert_int_equal(mm->rss_file, 1000);
	/* more than there is: old ones make room */
	for (unsigned i = 0; i < PAGES; i++)
		touch_in(lab, lab->mm, a + i * PAGE, false);
	check(lab);
}

static void memory_runs_out(void **state)
{
	struct lab *lab = *state;
	uint64_t a = map(lab, PAGES * 2), i;
	int64_t err = 0;

	for (i = 0; i < PAGES * 2 && !err; i++)
		err = pr_touch(&lab->vm, lab->mm, a + i * PAGE, true);
	assert_int_equal(err, -ENOMEM);
	assert_true(i > PAGES / 2);
	check(lab);
	assert_int_equal(pr_munmap(&lab->vm, lab->mm, a, i / 2 * PAGE), 0);
	touch_in(lab, lab->mm, a + (PAGES * 2 - 1) * PAGE, true);
}

/* Tables, pages or reverse mappings of the arena run out: -ENOMEM, and nothing is lost. */
static void small_arenas_refuse(void **)
{
	static const struct pr_vm_spec specs[] = {
		{2, 4, 64, 3, 64, 64},
		{2, 4, 64, 16, 5, 64},
		{2, 4, 64, 16, 64, 5},
		{2, 4, 64, 6, 64, 64},
	};

	for (unsigned k = 0; k < sizeof(specs) / sizeof(specs[0]); k++) {
		struct lab *lab = calloc(1, sizeof(*lab));
		void *state = lab;
		unsigned failed = 0;
		uint64_t a;

		attach(lab, &specs[k]);
		a = map(lab, 2048);
		for (unsigned i = 0; i < 2048; i += 100)
			failed += pr_touch(&lab->vm, lab->mm, a + i * PAGE, true) == -ENOMEM;
		assert_true(failed);
		check(lab);
		assert_true(pr_mm_fork(&lab->vm, lab->mm) != 0);
		end(&state);
	}
}

/* Random calls in several tasks that fork and end. */
static void random_tasks(void **state)
{
	struct lab *lab = *state;
	const struct window w = {0x200000000000, 4 << 20};
	static struct script script;
	struct rng rng = {77};

	pr_mm(&lab->vm, 0)->privileged = true;
	for (unsigned i = 0; i < 6000; i++) {
		int mm = (int)rng_below(&rng, 4);
		struct call c;

		if (!pr_mm(&lab->vm, mm)) {
			for (int from = 0; from < 8; from++)
				if (pr_mm(&lab->vm, from)) {
					assert_true(pr_mm_fork(&lab->vm, from) != from);
					break;
				}
			continue;
		}
		if (mm && rng_below(&rng, 200) == 0) {
			pr_mm_exit(&lab->vm, mm);
		} else {
			random_call(&rng, &w, false, &c);
			(void)script_call(&script, &lab->vm, mm, &c);
			for (unsigned t = 0; t < 4; t++)
				(void)pr_touch(&lab->vm, mm,
					       w.start + w.size - 1 - rng_below(&rng, 600) * PAGE,
					       rng_below(&rng, 2));
		}
		if (i % 16 == 0)
			check(lab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_walk_shows_each_level, begin, end),
		cmocka_unit_test_setup_teardown(five_levels, begin, end),
		cmocka_unit_test_setup_teardown(a_fork_copies_on_write, begin, end),
		cmocka_unit_test_setup_teardown(files_are_shared, begin, end),
		cmocka_unit_test_setup_teardown(moved_pages_keep_their_frames, begin, end),
		cmocka_unit_test_setup_teardown(reclaim_finds_the_tables, begin, end),
		cmocka_unit_test_setup_teardown(memory_runs_out, begin, end),
		cmocka_unit_test(small_arenas_refuse),
		cmocka_unit_test_setup_teardown(random_tasks, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
