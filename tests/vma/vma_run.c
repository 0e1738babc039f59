/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vma-run [-k] [-w] [-p] [SCRIPT]: runs a script of memory system calls in a task of the engine and
 * prints what each answers, its errno, and the maps afterwards. Without SCRIPT, or for -, it reads
 * standard input.
 *
 * One call a line; blank lines and what follows # count for nothing:
 *
 *     mmap ADDR LEN PROT FLAGS [FD OFFSET]      munmap ADDR LEN          mprotect ADDR LEN PROT
 *     mremap ADDR OLD_LEN NEW_LEN FLAGS [NEW]   brk ADDR                 madvise ADDR LEN ADVICE
 *     mlock ADDR LEN   mlock2 ADDR LEN FLAGS    munlock ADDR LEN         mlockall FLAGS munlockall
 *     write ADDR (or touch)   read ADDR         the program writes or reads one byte there
 *
 * Numbers are decimal, 0x…, or with K, M, G; flags as in <sys/mman.h>, joined by |. "a = mmap …"
 * gives the result a name, and later lines may say a+8K. Lines of strace are taken as well:
 * "mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000"; addresses it
 * recorded then stand for what the task got. A descriptor is a file of 4 GiB named after it.
 *
 * -w: the task has nothing but 16 MiB of free addresses at 0x200000000000; all else is taken.
 * -k: so, and the calls are also made by a process on this machine's kernel; where an answer or the
 * maps differ both are printed, and the exit status is 1. Anonymous mappings only. -r SEED COUNT:
 * instead of a script, so many random calls; with -k up to the first difference.
 */
#include "script.h"

#include "../unit/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: vma-run [-k] [-w] [-p] [-r SEED COUNT | SCRIPT]\n"
	"Runs a script of memory system calls in a task of the engine; prints result, errno and "
	"maps of each.\n"
	"One call a line:\n"
	"  mmap ADDR LEN PROT FLAGS [FD OFFSET]     munmap ADDR LEN         mprotect ADDR LEN "
	"PROT\n"
	"  mremap ADDR OLD_LEN NEW_LEN FLAGS [NEW]  brk ADDR                madvise ADDR LEN "
	"ADVICE\n"
	"  mlock ADDR LEN   mlock2 ADDR LEN FLAGS   munlock ADDR LEN        mlockall FLAGS   "
	"munlockall\n"
	"  write ADDR   read ADDR                   one byte there; # begins a remark\n"
	"Numbers: decimal, 0x, with K M G, or flags joined by |. 'a = mmap ...' names a result: "
	"munmap a+4K 4K.\n"
	"Lines of strace are taken as they are.\n"
	"  -w  only 16 MiB at 0x200000000000 are free, as with -k\n"
	"  -k  this machine's kernel makes the calls, too; differences are printed, and the exit "
	"status is 1\n"
	"  -p  a program: its first maps, its calls, '# end', its last maps; are the task's the "
	"same?\n"
	"  -r  random calls instead of a script\n";

enum { MAPS_SIZE = 1 << 20 };

struct run {
	struct script script;
	struct pr_vm vm;
	struct real real;
	const struct window *window;
	int mm;
	bool kernel, program;
	unsigned line, differences;
	char maps[2][MAPS_SIZE];
};

static void print_answer(const char *who, const struct call *c, int64_t answer)
{
	bool failed = answer < 0 && answer > -4096;

	printf("%s", who);
	call_print(c, stdout);
	if (failed)
		printf(" = -1 errno %d %s (%s)\n", (int)-answer, strerrorname_np((int)-answer),
		       strerror((int)-answer));
	else
		printf(" = %#llx errno 0\n", (unsigned long long)answer);
}

static void print_maps(struct run *r)
{
	char line[256];

	for (uint32_t v = pr_vma_find(&r->vm, r->mm, r->window ? r->window->start : 0); v;
	     v = pr_vma(&r->vm, v)->next) {
		if (r->window && pr_vma(&r->vm, v)->start >= r->window->start + r->window->size)
			break;
		pr_vma_print(&r->vm, r->mm, v, line, sizeof(line));
		fputs(line, stdout);
	}
	putchar('\n');
}

static void run_call(struct run *r, const struct call *c)
{
	char why[256];
	int64_t answer = script_call(&r->script, &r->vm, r->mm, c), real;

	script_result(&r->script, c, answer);
	print_answer("", c, answer);
	print_maps(r);
	if (pr_vm_check(&r->vm, why, sizeof(why))) {
		fprintf(stderr, "vma-run: line %u: the engine is inconsistent: %s\n", r->line, why);
		exit(2);
	}
	if (!r->kernel)
		return;
	real = real_call(&r->real, c);
	real_maps(&r->real, r->window, r->maps[0], MAPS_SIZE);
	window_maps(&r->vm, r->mm, r->window, r->maps[1], MAPS_SIZE);
	if (same_answer(c, answer, real) && !strcmp(r->maps[0], r->maps[1]))
		return;
	r->differences++;
	print_answer("DIFFERENT, the kernel says: ", c, real);
	printf("%s\n", r->maps[0]);
}

static int run_script(struct run *r, const char *path)
{
	FILE *in = !path || !strcmp(path, "-") ? stdin : fopen(path, "r");
	char line[1024], why[256];
	struct call c;

	if (!in) {
		fprintf(stderr, "vma-run: %s: %s\n", path, strerror(errno));
		return 2;
	}
	if (r->program) {
		int err = program_run(&r->script, &r->vm, r->mm, in, why, sizeof(why));

		print_maps(r);
		puts(err ? why : "equal");
		return err == -EILSEQ ? 1 : err ? 2 : 0;
	}
	while (fgets(line, sizeof(line), in)) {
		int got = script_parse(&r->script, line, &c, why, sizeof(why));

		r->line++;
		if (got < 0) {
			fprintf(stderr, "vma-run: line %u: %s\n", r->line, why);
			return 2;
		}
		if (got)
			run_call(r, &c);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct run r;
	struct rng rng = {0};
	unsigned long count = 0;
	const char *path = NULL;
	int i, err = 0;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			fputs(usage, stdout);
			return 0;
		} else if (!strcmp(argv[i], "-k") || !strcmp(argv[i], "-w")) {
			r.kernel |= argv[i][1] == 'k';
			r.window = &default_window;
		} else if (!strcmp(argv[i], "-p")) {
			r.program = true;
		} else if (!strcmp(argv[i], "-r") && i + 2 < argc) {
			rng.s = strtoull(argv[i + 1], NULL, 0) * 2 + 1;
			count = strtoul(argv[i + 2], NULL, 0);
			r.window = &default_window;
			i += 2;
		} else if ((argv[i][0] != '-' || !argv[i][1]) && !path) {
			path = argv[i];
		} else {
			fputs(usage, stderr);
			return 2;
		}
	}
	r.mm = window_task(&r.vm, r.window);
	if (r.mm < 0 || (r.kernel && real_start(&r.real, r.window))) {
		fprintf(stderr, "vma-run: no task, or no process with a window\n");
		return 2;
	}
	if (count)
		for (struct call c; count-- && !r.differences;) {
			random_call(&rng, r.window, !r.kernel || r.real.brk, &c);
			if (call_is_612(&r.vm, r.mm, &c))
				run_call(&r, &c);
		}
	else
		err = run_script(&r, path);
	if (r.kernel) {
		real_end(&r.real);
		printf("%u differences\n", r.differences);
	}
	free(r.vm.arena);
	return err ? err : r.differences ? 1 : 0;
}
