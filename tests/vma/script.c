/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "script.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const struct {
	const char *name;
	unsigned args, least;
} calls[NR_CALLS] = {
	[CALL_MMAP] = {"mmap", 6, 4},
	[CALL_MUNMAP] = {"munmap", 2, 2},
	[CALL_MPROTECT] = {"mprotect", 3, 3},
	[CALL_MREMAP] = {"mremap", 5, 4},
	[CALL_BRK] = {"brk", 1, 1},
	[CALL_MADVISE] = {"madvise", 3, 3},
	[CALL_MLOCK] = {"mlock", 2, 2},
	[CALL_MLOCK2] = {"mlock2", 3, 3},
	[CALL_MUNLOCK] = {"munlock", 2, 2},
	[CALL_MLOCKALL] = {"mlockall", 1, 1},
	[CALL_MUNLOCKALL] = {"munlockall", 0, 0},
	[CALL_WRITE] = {"write", 1, 1},
	[CALL_READ] = {"read", 1, 1},
};

#define N(x)                                                                                       \
	{                                                                                          \
#x, x                                                                              \
	}
static const struct {
	const char *name;
	uint64_t value;
} constants[] = {
	{"NULL", 0},
	N(PROT_NONE),
	N(PROT_READ),
	N(PROT_WRITE),
	N(PROT_EXEC),
	N(PROT_GROWSDOWN),
	N(PROT_GROWSUP),
	{"PROT_SEM", 8},
	N(MAP_SHARED),
	N(MAP_PRIVATE),
	{"MAP_SHARED_VALIDATE", 3},
	{"MAP_DROPPABLE", 8},
	N(MAP_FIXED),
	N(MAP_ANONYMOUS),
	N(MAP_ANON),
	N(MAP_32BIT),
	N(MAP_GROWSDOWN),
	N(MAP_DENYWRITE),
	N(MAP_EXECUTABLE),
	N(MAP_LOCKED),
	N(MAP_NORESERVE),
	N(MAP_POPULATE),
	N(MAP_NONBLOCK),
	N(MAP_STACK),
	N(MAP_HUGETLB),
	{"MAP_FIXED_NOREPLACE", 0x100000},
	N(MREMAP_MAYMOVE),
	N(MREMAP_FIXED),
	{"MREMAP_DONTUNMAP", 4},
	N(MADV_NORMAL),
	N(MADV_RANDOM),
	N(MADV_SEQUENTIAL),
	N(MADV_WILLNEED),
	N(MADV_DONTNEED),
	N(MADV_FREE),
	N(MADV_REMOVE),
	N(MADV_DONTFORK),
	N(MADV_DOFORK),
	N(MADV_MERGEABLE),
	N(MADV_UNMERGEABLE),
	N(MADV_HUGEPAGE),
	N(MADV_NOHUGEPAGE),
	N(MADV_DONTDUMP),
	N(MADV_DODUMP),
	N(MADV_WIPEONFORK),
	N(MADV_KEEPONFORK),
	N(MADV_COLD),
	N(MADV_PAGEOUT),
	{"MADV_POPULATE_READ", 22},
	{"MADV_POPULATE_WRITE", 23},
	{"MADV_DONTNEED_LOCKED", 24},
	{"MADV_COLLAPSE", 25},
	{"MLOCK_ONFAULT", 1},
	N(MCL_CURRENT),
	N(MCL_FUTURE),
	{"MCL_ONFAULT", 4},
};

const char *call_name(enum call_kind kind)
{
	return calls[kind].name;
}

unsigned call_args(enum call_kind kind)
{
	return calls[kind].args;
}

void call_print(const struct call *c, FILE *to)
{
	fprintf(to, "%s", call_name(c->kind));
	for (unsigned i = 0; i < call_args(c->kind); i++)
		fprintf(to, " %#llx", (unsigned long long)c->arg[i]);
}

/* Where a recorded address is in this task; others stay. */
static uint64_t translate(const struct script *s, uint64_t addr)
{
	for (unsigned i = s->nr_moved; i-- > 0;)
		if (addr - s->moved[i].from < s->moved[i].len)
			return addr - s->moved[i].from + s->moved[i].to;
	return addr;
}

static bool word_value(const struct script *s, const char *word, size_t len, uint64_t *value)
{
	for (unsigned i = s->nr_names; i-- > 0;)
		if (strlen(s->names[i].name) == len && !memcmp(s->names[i].name, word, len)) {
			*value = s->names[i].value;
			return true;
		}
	for (unsigned i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (strlen(constants[i].name) == len && !memcmp(constants[i].name, word, len)) {
			*value = constants[i].value;
			return true;
		}
	return false;
}

static bool term(const struct script *s, const char **p, uint64_t *value)
{
	const char *start = *p;
	char *end;

	if (isdigit((unsigned char)*start)) {
		static const char units[] = "KMG";
		const char *unit;

		*value = strtoull(start, &end, 0);
		unit = *end ? strchr(units, *end) : NULL;
		if (unit) {
			*value <<= 10 * (unit - units + 1);
			end++;
		}
		*p = end;
		return true;
	}
	while (isalnum((unsigned char)**p) || **p == '_')
		++*p;
	return *p > start && word_value(s, start, (size_t)(*p - start), value);
}

/* a, a+4096, -1, PROT_READ|PROT_WRITE, 3<<MAP_HUGE_SHIFT is not needed here. */
static bool expression(const struct script *s, const char **p, uint64_t *value)
{
	uint64_t more;
	bool minus = **p == '-';

	*p += minus;
	if (!term(s, p, value))
		return false;
	if (minus)
		*value = -*value;
	while (**p == '|' || **p == '+' || **p == '-') {
		char op = *(*p)++;

		if (!term(s, p, &more))
			return false;
		*value = op == '|' ? *value | more : op == '+' ? *value + more : *value - more;
	}
	return true;
}

static const char *skip(const char *p)
{
	while (*p && (isspace((unsigned char)*p) || *p == ',' || *p == '('))
		p++;
	return p;
}

/* "/" "* comments *" "/" that strace puts into arguments, and the rest of a word. */
static const char *skip_remark(const char *p)
{
	if (!strncmp(p, "/*", 2)) {
		const char *end = strstr(p, "*/");

		p = end ? skip(end + 2) : p + strlen(p);
	}
	if (*p == '<') /* fd 3</lib/libc.so> of strace -y */
		while (*p && *p != ',' && *p != ')')
			p++;
	return p;
}

static bool is_address(enum call_kind kind, unsigned arg)
{
	return arg == 0 ? kind != CALL_MLOCKALL : kind == CALL_MREMAP && arg == 4;
}

static const char *prefix(const char *p) /* of strace: "[pid 12] ", "12 ", "12:00:00.1 " */
{
	p = skip(p);
	if (!strncmp(p, "[pid", 4) && strchr(p, ']'))
		p = skip(strchr(p, ']') + 1);
	while (isdigit((unsigned char)*p) || *p == ':' || *p == '.')
		p++;
	return skip(p);
}

static int find_call(const char *word, size_t len)
{
	for (int k = 0; k < NR_CALLS; k++)
		if (strlen(calls[k].name) == len && !memcmp(calls[k].name, word, len))
			return k;
	if (len == 5 && !memcmp(word, "touch", 5))
		return CALL_WRITE;
	if (len == 13 && !memcmp(word, "pkey_mprotect", 13))
		return CALL_MPROTECT;
	return -1;
}

static int complain(char *why, size_t size, const char *what, const char *word)
{
	snprintf(why, size, "%s '%.*s'", what, (int)strcspn(word, " \t\n,)"), word);
	return -EINVAL;
}

int script_parse(struct script *s, const char *line, struct call *c, char *why, size_t size)
{
	const char *p = prefix(line), *word = p;
	unsigned n;
	int kind;

	*c = (struct call){.kind = CALL_MMAP};
	if (!*p || *p == '#' || !strncmp(p, "+++", 3) || !strncmp(p, "---", 3))
		return 0;
	while (isalnum((unsigned char)*p) || *p == '_')
		p++;
	if (*skip(p) == '=' && p > word) {
		snprintf(c->name, sizeof(c->name), "%.*s", (int)(p - word), word);
		word = p = skip(skip(p) + 1);
		while (isalnum((unsigned char)*p) || *p == '_')
			p++;
	}
	kind = find_call(word, (size_t)(p - word));
	if (kind < 0)
		return complain(why, size, "unknown call", word);
	c->kind = (enum call_kind)kind;
	if (kind == CALL_MMAP)
		c->arg[4] = ~0ull;
	for (n = 0; n < calls[kind].args; n++) {
		const char *at = p = skip(p);

		if (!*p || *p == ')' || *p == '=' || *p == '#')
			break;
		if (!expression(s, &p, &c->arg[n]) || (*p && !strchr(" \t\n,)</=#", *p)))
			return complain(why, size, "no number, name or flag", at);
		if (is_address(c->kind, n))
			c->arg[n] = translate(s, c->arg[n]);
		if (*p == '<' && c->kind == CALL_MMAP && n == 4)
			snprintf(c->path, sizeof(c->path), "%.*s", (int)strcspn(p + 1, ">"), p + 1);
		p = skip_remark(skip(p));
	}
	if (n < calls[kind].least)
		return complain(why, size, "too few arguments for", word);
	p = strrchr(p, '=');
	if (p) {
		c->recorded_failed = *skip(p + 1) == '-';
		c->recorded = strtoull(skip(p + 1), NULL, 0);
		c->has_recorded = isdigit((unsigned char)*skip(p + 1)) || c->recorded_failed;
	}
	return 1;
}

static void note_moved(struct script *s, uint64_t from, uint64_t len, uint64_t to)
{
	if (s->nr_moved < sizeof(s->moved) / sizeof(s->moved[0])) {
		s->moved[s->nr_moved].from = from;
		s->moved[s->nr_moved].len = len;
		s->moved[s->nr_moved++].to = to;
	}
}

void script_result(struct script *s, const struct call *c, int64_t result)
{
	if (*c->name && s->nr_names < sizeof(s->names) / sizeof(s->names[0])) {
		memcpy(s->names[s->nr_names].name, c->name, sizeof(c->name));
		s->names[s->nr_names++].value = (uint64_t)result;
	}
	if (!c->has_recorded || c->recorded_failed || result < 0)
		return;
	if (c->kind == CALL_BRK && !s->nr_moved)
		note_moved(s, c->recorded, 1ull << 36, (uint64_t)result);
	else if (c->kind == CALL_MMAP)
		note_moved(s, c->recorded, c->arg[1], (uint64_t)result);
	else if (c->kind == CALL_MREMAP)
		note_moved(s, c->recorded, c->arg[2], (uint64_t)result);
}

int script_file(struct script *s, struct pr_vm *vm, const char *name)
{
	unsigned i;
	int f;

	for (i = 0; i < sizeof(s->files) / sizeof(s->files[0]) && s->files[i]; i++)
		if (!strcmp(vm->files[s->files[i]].name, name))
			return (int)s->files[i];
	f = i < sizeof(s->files) / sizeof(s->files[0]) ? pr_file_new(vm, name, 1 << 20, true, true)
						       : -ENFILE;
	if (f > 0)
		s->files[i] = (uint32_t)f;
	return f;
}

static int file_of(struct script *s, struct pr_vm *vm, const struct call *c)
{
	char name[32];

	if (c->arg[4] >= 1 << 20)
		return -EBADF;
	snprintf(name, sizeof(name), "fd%u", (unsigned)c->arg[4]);
	return script_file(s, vm, *c->path ? c->path : name);
}

int64_t script_call(struct script *s, struct pr_vm *vm, int mm, const struct call *c)
{
	const uint64_t *a = c->arg;
	int file = PR_NO_FILE;

	switch (c->kind) {
	case CALL_MMAP:
		if (!(a[3] & MAP_ANONYMOUS)) {
			file = file_of(s, vm, c);
			if (file < 0)
				return file;
		}
		return pr_mmap(vm, mm, a[0], a[1], a[2], a[3], (uint32_t)file, a[5]);
	case CALL_MUNMAP:
		return pr_munmap(vm, mm, a[0], a[1]);
	case CALL_MPROTECT:
		return pr_mprotect(vm, mm, a[0], a[1], a[2]);
	case CALL_MREMAP:
		return pr_mremap(vm, mm, a[0], a[1], a[2], a[3], a[4]);
	case CALL_BRK:
		return pr_brk(vm, mm, a[0]);
	case CALL_MADVISE:
		return pr_madvise(vm, mm, a[0], a[1], (int)a[2]);
	case CALL_MLOCK:
		return pr_mlock(vm, mm, a[0], a[1]);
	case CALL_MLOCK2:
		return pr_mlock2(vm, mm, a[0], a[1], a[2]);
	case CALL_MUNLOCK:
		return pr_munlock(vm, mm, a[0], a[1]);
	case CALL_MLOCKALL:
		return pr_mlockall(vm, mm, a[0]);
	case CALL_MUNLOCKALL:
		return pr_munlockall(vm, mm);
	default:
		return pr_touch(vm, mm, a[0], c->kind == CALL_WRITE);
	}
}
