/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_vma.c: address spaces: the engine beside this machine's kernel, call by call, and the limits
 * and errors that need no kernel to be known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../vma/script.h"

#include "rng.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, ANON = MAP_PRIVATE | MAP_ANONYMOUS, RW = PROT_READ | PROT_WRITE };

static void check(const struct pr_vm *vm)
{
	char why[256];

	if (pr_vm_check(vm, why, sizeof(why)))
		fail_msg("%s", why);
}

/* One random row of calls in both; the maps after each are equal. */
static void compare(uint64_t seed, unsigned count)
{
	static char real_text[1 << 20], text[1 << 20];
	static struct script script;
	struct rng rng = {seed * 2 + 1};
	struct real real;
	struct pr_vm vm;
	int mm = window_task(&vm, &default_window);

	assert_true(mm >= 0);
	assert_int_equal(real_start(&real, &default_window), 0);
	memset(&script, 0, sizeof(script));
	for (unsigned i = 0; i < count; i++) {
		struct call c;
		int64_t want, got;

		random_call(&rng, &default_window, real.brk, &c);
		if (!call_is_612(&vm, mm, &c))
			continue;
		want = real_call(&real, &c);
		got = script_call(&script, &vm, mm, &c);
		real_maps(&real, &default_window, real_text, sizeof(real_text));
		window_maps(&vm, mm, &default_window, text, sizeof(text));
		if (!same_answer(&c, got, want) || strcmp(real_text, text)) {
			real_end(&real);
			fail_msg("call %u is different; to see it: build/tests/vma-run -k -r %llu "
				 "%u",
				 i, (unsigned long long)seed, count);
		}
		check(&vm);
	}
	real_end(&real);
	pr_mm_exit(&vm, mm);
	check(&vm);
	assert_int_equal(vm.arena->committed, 0);
	free(vm.arena);
}

static void the_kernel_says_the_same(void **)
{
	const char *seed = getenv("SEED");

	if (real_release() < 612) {
		print_message("this kernel is older than 6.12: not compared\n");
		skip();
	}
	compare(seed ? strtoull(seed, NULL, 0) : 1, 10000);
}

static void the_kernel_says_the_same_of_other_rows(void **)
{
	if (real_release() < 612)
		skip();
	for (uint64_t seed = 100; seed < 110; seed++)
		compare(seed, 1000);
}

/* --- rules one by one --- */
static struct pr_vm vm;
static int mm;

static int begin(void **)
{
	mm = window_task(&vm, NULL);
	return mm < 0;
}
static int end(void **)
{
	check(&vm);
	pr_mm_exit(&vm, mm);
	check(&vm);
	assert_int_equal(vm.arena->committed, 0);
	free(vm.arena);
	return 0;
}

static uint64_t map(uint64_t pages)
{
	int64_t at = pr_mmap(&vm, mm, 0, pages * PAGE, RW, ANON, PR_NO_FILE, 0);

	assert_true(at > 0);
	return (uint64_t)at;
}

static void areas_merge_and_split(void **)
{
	uint64_t a = map(4);

	assert_int_equal(a, 0x7ffff7fff000 - 4 * PAGE);
	assert_int_equal(map(4), a - 4 * PAGE);
	assert_int_equal(pr_mm(&vm, mm)->map_count, 1);
	assert_int_equal(pr_mprotect(&vm, mm, a, PAGE, PROT_READ), 0);
	assert_int_equal(pr_mm(&vm, mm)->map_count, 3);
	assert_int_equal(pr_mprotect(&vm, mm, a, PAGE, RW), 0);
	assert_int_equal(pr_mm(&vm, mm)->map_count, 1);
	assert_int_equal(pr_munmap(&vm, mm, a, PAGE), 0);
	assert_int_equal(pr_mm(&vm, mm)->map_count, 2);
	assert_int_equal(pr_touch(&vm, mm, a, false), -EFAULT);
	assert_int_equal(pr_touch(&vm, mm, a - 1, true), 0);
}

/* Two that were written apart do not become one; in 6.12 nor do a written and an unwritten one. */
static void written_areas_stay_apart(void **)
{
	uint64_t a = map(8);

	vm.arena->sysctl.rules = 0;
	assert_int_equal(pr_munmap(&vm, mm, a + 3 * PAGE, PAGE), 0);
	assert_int_equal(pr_touch(&vm, mm, a, true), 0);
	assert_int_equal(pr_touch(&vm, mm, a + 4 * PAGE, true), 0);
	assert_int_equal(pr_mmap(&vm, mm, a + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED, PR_NO_FILE, 0),
			 a + 3 * PAGE);
	assert_int_equal(pr_mm(&vm, mm)->map_count, 2);
}

static void map_count_is_limited(void **)
{
	uint64_t a = map(200);
	unsigned i;

	vm.arena->sysctl.max_map_count = 20;
	for (i = 1; i < 200; i += 2)
		if (pr_mprotect(&vm, mm, a + i * PAGE, PAGE, PROT_READ))
			break;
	assert_int_equal(pr_mprotect(&vm, mm, a + i * PAGE, PAGE, PROT_READ), -ENOMEM);
	assert_int_equal(pr_mm(&vm, mm)->map_count, 20);
	/* one that cuts nothing in three is still done */
	assert_int_equal(pr_munmap(&vm, mm, a + 100 * PAGE, PAGE), -ENOMEM);
	assert_int_equal(pr_munmap(&vm, mm, a + 100 * PAGE, 100 * PAGE), 0);
}

static void promises_are_limited(void **)
{
	uint64_t limit;
	int64_t a;

	vm.arena->sysctl.total_pages = 100000;
	assert_int_equal(pr_mmap(&vm, mm, 0, 100001ull * PAGE, RW, ANON, PR_NO_FILE, 0), -ENOMEM);
	a = pr_mmap(&vm, mm, 0, 100001ull * PAGE, RW, ANON | MAP_NORESERVE, PR_NO_FILE, 0);
	assert_true(a > 0);
	assert_int_equal(vm.arena->committed, 0);
	assert_int_equal(pr_munmap(&vm, mm, (uint64_t)a, 100001ull * PAGE), 0);
	vm.arena->sysctl.overcommit_memory = PR_OVERCOMMIT_NEVER;
	limit = pr_vm_commit_limit(&vm);
	assert_int_equal(limit, 50000);
	/* 8 MiB for root, and a 32nd of the task itself for others; MAP_NORESERVE is no way out */
	assert_int_equal(
		pr_mmap(&vm, mm, 0, (limit - 2048) * PAGE, RW, ANON | MAP_NORESERVE, PR_NO_FILE, 0),
		-ENOMEM);
	a = pr_mmap(&vm, mm, 0, (limit - 2049) * PAGE, RW, ANON, PR_NO_FILE, 0);
	assert_true(a > 0);
	assert_int_equal(vm.arena->committed, limit - 2049);
	assert_int_equal(pr_mmap(&vm, mm, 0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, PR_NO_FILE, 0),
			 -ENOMEM);
	/* what is only read is no promise, until it may be written */
	a = pr_mmap(&vm, mm, 0, PAGE, PROT_READ, ANON, PR_NO_FILE, 0);
	assert_true(a > 0);
	assert_int_equal(pr_mprotect(&vm, mm, (uint64_t)a, PAGE, RW), -ENOMEM);
}

static void resources_are_limited(void **)
{
	struct pr_mm *m = pr_mm(&vm, mm);
	uint64_t a = map(4);

	m->rlimit[PR_RLIMIT_AS] = 8 * PAGE;
	assert_int_equal(pr_mmap(&vm, mm, 0, 5 * PAGE, RW, ANON, PR_NO_FILE, 0), -ENOMEM);
	m->rlimit[PR_RLIMIT_AS] = PR_RLIM_INFINITY;
	m->rlimit[PR_RLIMIT_DATA] = 8 * PAGE;
	assert_int_equal(pr_mmap(&vm, mm, 0, 5 * PAGE, RW, ANON, PR_NO_FILE, 0), -ENOMEM);
	assert_true(pr_mmap(&vm, mm, 0, 5 * PAGE, PROT_READ, ANON, PR_NO_FILE, 0) > 0);
	m->rlimit[PR_RLIMIT_MEMLOCK] = 2 * PAGE;
	assert_int_equal(pr_mlock(&vm, mm, a, 3 * PAGE), -ENOMEM);
	assert_int_equal(pr_mlock(&vm, mm, a, 2 * PAGE), 0);
	assert_int_equal(pr_mlock(&vm, mm, a, 2 * PAGE), 0); /* they are locked already */
	assert_int_equal(pr_mmap(&vm, mm, 0, PAGE, PROT_READ, ANON | MAP_LOCKED, PR_NO_FILE, 0),
			 -EAGAIN);
	m->rlimit[PR_RLIMIT_MEMLOCK] = 0;
	assert_int_equal(pr_mlockall(&vm, mm, MCL_CURRENT), -EPERM);
	assert_int_equal(pr_mmap(&vm, mm, PAGE, PAGE, RW, ANON | MAP_FIXED, PR_NO_FILE, 0), -EPERM);
}

static void stacks_grow(void **)
{
	uint64_t top = 0x7ffff0000000, a = map(1);

	assert_int_equal(pr_mmap(&vm, mm, top - PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN,
				 PR_NO_FILE, 0),
			 top - PAGE);
	assert_int_equal(pr_touch(&vm, mm, top - 10 * PAGE, true), 0);
	assert_int_equal(pr_vma(&vm, pr_vma_find(&vm, mm, top - 1))->start, top - 10 * PAGE);
	assert_int_equal(pr_touch(&vm, mm, top - (8 << 20) - 1, true), -EFAULT); /* RLIMIT_STACK */
	/* others keep away from it, and it from them */
	assert_int_equal(pr_mmap(&vm, mm, top - 200 * PAGE, PAGE, RW, ANON, PR_NO_FILE, 0),
			 a - PAGE);
	assert_int_equal(
		pr_mmap(&vm, mm, top - 300 * PAGE, PAGE, RW, ANON | MAP_FIXED, PR_NO_FILE, 0),
		top - 300 * PAGE);
	assert_int_equal(pr_touch(&vm, mm, top - 100 * PAGE, true), -EFAULT);
}

static void files_have_permissions(void **)
{
	int ro = pr_file_new(&vm, "/lib/x", 4, true, false),
	    wo = pr_file_new(&vm, "/y", 4, false, true);
	int64_t a;

	assert_true(ro > 0 && wo > 0);
	assert_int_equal(pr_mmap(&vm, mm, 0, PAGE, RW, MAP_SHARED, (uint32_t)ro, 0), -EACCES);
	assert_int_equal(pr_mmap(&vm, mm, 0, PAGE, PROT_READ, MAP_PRIVATE, (uint32_t)wo, 0),
			 -EACCES);
	assert_int_equal(pr_mmap(&vm, mm, 0, PAGE, PROT_READ, MAP_PRIVATE, (uint32_t)ro, 1),
			 -EINVAL);
	a = pr_mmap(&vm, mm, 0, 8 * PAGE, PROT_READ, MAP_SHARED, (uint32_t)ro, 0);
	assert_true(a > 0);
	assert_int_equal(pr_mprotect(&vm, mm, (uint64_t)a, PAGE, RW), -EACCES);
	assert_int_equal(pr_touch(&vm, mm, (uint64_t)a + 3 * PAGE, false), 0);
	assert_int_equal(pr_touch(&vm, mm, (uint64_t)a + 4 * PAGE, false), -EIO);
	pr_file_put(&vm, (uint32_t)ro);
	pr_file_put(&vm, (uint32_t)wo);
	assert_int_equal(vm.files[ro].users, 1); /* the mapping's */
}

/* The arena is a value: a copy elsewhere goes on by itself. */
static void a_copy_goes_on(void **)
{
	uint64_t a = map(4);
	void *copy = malloc(vm.arena->size);
	struct pr_vm other;

	memcpy(copy, vm.arena, vm.arena->size);
	assert_int_equal(pr_vm_open(&other, copy, vm.arena->size), 0);
	assert_int_equal(pr_munmap(&other, mm, a, 4 * PAGE), 0);
	check(&other);
	assert_int_equal(pr_touch(&other, mm, a, true), -EFAULT);
	assert_int_equal(pr_touch(&vm, mm, a, true), 0);
	other.arena->version++;
	assert_int_equal(pr_vm_open(&other, copy, vm.arena->size), -EINVAL);
	free(copy);
}

/* When all areas of the arena are in use calls fail and nothing is lost. */
static void a_full_arena_refuses(void **)
{
	struct pr_vm small;
	const struct pr_vm_spec spec = {.nr_mms = 1, .nr_files = 2, .nr_vmas = 8};
	size_t size = pr_vm_size(&spec);
	void *arena = calloc(1, size);
	int64_t a;

	assert_int_equal(pr_vm_create(&small, arena, size, &spec), 0);
	assert_int_equal(pr_mm_new(&small), 0);
	assert_int_equal(pr_mm_new(&small), -EAGAIN);
	a = pr_mmap(&small, 0, 0, 40 * PAGE, RW, ANON, PR_NO_FILE, 0);
	for (unsigned i = 1; i < 40; i += 2) {
		int64_t err = pr_mprotect(&small, 0, (uint64_t)a + i * PAGE, PAGE, PROT_READ);

		assert_true(err == 0 || err == -ENOMEM);
		check(&small);
	}
	assert_int_equal(small.arena->used_vmas, 8);
	pr_mm_exit(&small, 0);
	check(&small);
	free(arena);
}

static void scripts_are_read(void **)
{
	static struct script s;
	struct call c;
	char why[128];

	assert_int_equal(script_parse(&s, "  # nothing\n", &c, why, sizeof(why)), 0);
	assert_int_equal(
		script_parse(&s, "a = mmap 0 8K PROT_READ|PROT_WRITE 0x22\n", &c, why, sizeof(why)),
		1);
	script_result(&s, &c, 0x5000);
	assert_int_equal(script_parse(&s, "munmap a+4K 4096", &c, why, sizeof(why)), 1);
	assert_int_equal(c.arg[0], 0x6000);
	assert_int_equal(script_parse(&s,
				      "12 mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, "
				      "-1, 0) = 0x7f0000000000\n",
				      &c, why, sizeof(why)),
			 1);
	assert_int_equal(c.arg[3], MAP_PRIVATE | MAP_ANONYMOUS);
	script_result(&s, &c, 0x9000);
	assert_int_equal(script_parse(&s, "munmap(0x7f0000001000, 4096) = 0", &c, why, sizeof(why)),
			 1);
	assert_int_equal(c.arg[0], 0xa000);
	assert_int_equal(script_parse(&s, "mnmap 0 0", &c, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "unknown call 'mnmap'");
	assert_int_equal(script_parse(&s, "mprotect a 4096 PROT_REED", &c, why, sizeof(why)),
			 -EINVAL);
	assert_string_equal(why, "no number, name or flag 'PROT_REED'");
	assert_int_equal(script_parse(&s, "munmap a", &c, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "too few arguments for 'munmap'");
}

/* What real programs did: the task ends with their maps. */
static void programs_end_with_their_maps(void **)
{
	static const char *const programs[] = {"cat", "awk", "perl", "python"};

	for (unsigned i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct script *s = calloc(1, sizeof(*s));
		struct pr_vm task;
		int m = window_task(&task, NULL);
		char path[512], why[512];
		FILE *in;

		assert_true(m >= 0);
		snprintf(path, sizeof(path), PROGRAMS "/%s.txt", programs[i]);
		in = fopen(path, "r");
		assert_non_null(in);
		if (program_run(s, &task, m, in, why, sizeof(why)))
			fail_msg("%s: %s", programs[i], why);
		check(&task);
		fclose(in);
		free(task.arena);
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_says_the_same),
		cmocka_unit_test(the_kernel_says_the_same_of_other_rows),
		cmocka_unit_test_setup_teardown(areas_merge_and_split, begin, end),
		cmocka_unit_test_setup_teardown(written_areas_stay_apart, begin, end),
		cmocka_unit_test_setup_teardown(map_count_is_limited, begin, end),
		cmocka_unit_test_setup_teardown(promises_are_limited, begin, end),
		cmocka_unit_test_setup_teardown(resources_are_limited, begin, end),
		cmocka_unit_test_setup_teardown(stacks_grow, begin, end),
		cmocka_unit_test_setup_teardown(files_have_permissions, begin, end),
		cmocka_unit_test_setup_teardown(a_copy_goes_on, begin, end),
		cmocka_unit_test(a_full_arena_refuses),
		cmocka_unit_test(scripts_are_read),
		cmocka_unit_test(programs_end_with_their_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
