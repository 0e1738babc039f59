/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program.c: a real program's calls, between what it had in its maps after exec and what it had in
 * the end. What the kernel itself puts there ([vdso] and the like) only takes up room.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A line of /proc/PID/maps. */
struct maps_line {
	uint64_t start, end, offset;
	char perms[8], name[128];
};

static bool maps_parse(const char *line, struct maps_line *m)
{
	unsigned long long start, end, offset;

	m->name[0] = 0;
	if (sscanf(line, "%llx-%llx %7[rwxps-] %llx %*x:%*x %*u %127[^\n]", &start, &end, m->perms,
		   &offset, m->name) < 4 ||
	    strlen(m->perms) != 4)
		return false;
	m->start = start;
	m->end = end;
	m->offset = offset;
	return true;
}

static bool of_kernel(const struct maps_line *m)
{
	return m->name[0] == '[' && strcmp(m->name, "[heap]");
}

int script_place(struct script *s, struct pr_vm *vm, int mm, const char *line)
{
	uint64_t flags = MAP_FIXED | MAP_PRIVATE, prot;
	struct maps_line m;
	int file = PR_NO_FILE;

	if (!maps_parse(line, &m))
		return 0;
	if (m.start >= pr_mm(vm, mm)->task_size)
		return 1;
	prot = (m.perms[0] == 'r' ? PROT_READ : 0u) | (m.perms[1] == 'w' ? PROT_WRITE : 0u) |
	       (m.perms[2] == 'x' ? PROT_EXEC : 0u);
	if (m.name[0] == '/' ||
	    (of_kernel(&m) && strcmp(m.name, "[stack]"))) /* the kernel's never merge */
		file = script_file(s, vm, m.name);
	if (!strcmp(m.name, "[stack]"))
		flags |= MAP_GROWSDOWN;
	if (file < 0)
		return file;
	if (pr_mmap(vm, mm, m.start, m.end - m.start, prot, flags | (file ? 0 : MAP_ANONYMOUS),
		    (uint32_t)file, m.offset) < 0)
		return -EINVAL;
	return 1;
}

/* The next area that is not the kernel's, as expected; false: it is another, or none. */
static bool same_area(const struct pr_vm *vm, int mm, const struct maps_line *want, char *line,
		      size_t size)
{
	uint32_t v = pr_vma_find(vm, mm, want->start);
	struct maps_line got;

	snprintf(line, size, "nothing");
	if (!v)
		return false;
	pr_vma_print(vm, mm, v, line, size);
	line[strcspn(line, "\n")] = 0;
	return maps_parse(line, &got) && got.start == want->start && got.end == want->end &&
	       got.offset == want->offset && !strcmp(got.perms, want->perms) &&
	       !strcmp(got.name, want->name);
}

static int compare_end(FILE *in, struct pr_vm *vm, int mm, char *why, size_t size)
{
	char line[512], got[512];
	struct maps_line want;
	unsigned lines = 0;

	while (fgets(line, sizeof(line), in)) {
		if (!maps_parse(line, &want) || want.start >= pr_mm(vm, mm)->task_size)
			continue;
		lines++;
		if (!of_kernel(&want) && !same_area(vm, mm, &want, got, sizeof(got))) {
			line[strcspn(line, "\n")] = 0;
			snprintf(why, size, "the program had %.150s, here is %.150s", line, got);
			return -EILSEQ;
		}
	}
	if (lines != pr_mm(vm, mm)->map_count) {
		snprintf(why, size, "the program had %u areas, here are %u", lines,
			 pr_mm(vm, mm)->map_count);
		return -EILSEQ;
	}
	return lines ? 0 : -EINVAL;
}

/* A program's heap begins where its first brk(NULL) says. */
static void note_heap(struct pr_mm *mm, const struct call *c)
{
	if (c->kind == CALL_BRK && !c->arg[0] && c->has_recorded && mm->map_count &&
	    mm->brk == mm->start_brk)
		mm->start_brk = mm->brk = c->recorded;
}

int program_run(struct script *s, struct pr_vm *vm, int mm, FILE *in, char *why, size_t size)
{
	char line[1024];
	struct call c;

	while (fgets(line, sizeof(line), in)) {
		int got;

		if (!strncmp(line, "# end", 5))
			return compare_end(in, vm, mm, why, size);
		got = script_place(s, vm, mm, line);
		if (got)
			continue;
		got = script_parse(s, line, &c, why, size);
		if (got < 0)
			return got;
		if (!got)
			continue;
		note_heap(pr_mm(vm, mm), &c);
		{
			int64_t answer = script_call(s, vm, mm, &c);

			script_result(s, &c, answer);
			if (c.has_recorded && (c.recorded_failed ? answer >= 0 : answer < 0)) {
				line[strcspn(line, "\n")] = 0;
				snprintf(why, size, "%.150s: here it is %lld", line,
					 (long long)answer);
				return -EILSEQ;
			}
		}
	}
	snprintf(why, size, "there is no '# end' with the program's last maps");
	return -EINVAL;
}
