/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control.c: commands of tasks/{task}/control: VERB [KEY=VALUE]… */
#include "tasks/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_GAP = 1 << 21 };

struct args {
	struct task *t;
	FILE *reply;
	char *why;
	uint64_t size, map, from, count, cpu;
	int node;
	uint64_t nodemask;
	unsigned flags;
	bool has_map, has_count;
};

/* A number with a unit of bytes, or of nothing. */
static int number(struct args *a, const char *key, const char *value, uint64_t max, uint64_t *n)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;

	errno = 0;
	*n = strtoull(value, &end, 0);
	unit = *end ? strchr(units, *end) : NULL;
	if (end == value || *value == '-' || errno || (*end && (!unit || end[1]))) {
		snprintf(a->why, WHY_SIZE, "%s='%.64s' is not a number", key, value);
		return -EINVAL;
	}
	if (unit && *n >> 24 == 0)
		*n <<= 10 * (unit - units + 1);
	if (*n > max) {
		snprintf(a->why, WHY_SIZE, "%s=%.64s is over %llu", key, value,
			 (unsigned long long)max);
		return -EINVAL;
	}
	return 0;
}

static int set_size(struct args *a, const char *v)
{
	return number(a, "size", v, 1ull << 40, &a->size);
}

static int set_map(struct args *a, const char *v)
{
	a->has_map = true;
	return number(a, "map", v, UINT32_MAX, &a->map);
}

static int set_from(struct args *a, const char *v)
{
	return number(a, "from", v, PR_OWNER_ID_MAX, &a->from);
}

static int set_count(struct args *a, const char *v)
{
	a->has_count = true;
	return number(a, "count", v, PR_OWNER_ID_MAX, &a->count);
}

static int set_cpu(struct args *a, const char *v)
{
	return number(a, "cpu", v, rig.m.arena->nr_cpus - 1, &a->cpu);
}

static int set_node(struct args *a, const char *v)
{
	uint64_t n;
	int err = number(a, "node", v, rig.m.arena->nr_nodes - 1, &n);

	if (!err)
		a->node = (int)n;
	return err;
}

static int set_bind(struct args *a, const char *v)
{
	uint64_t n;
	int err = number(a, "bind", v, rig.m.arena->nr_nodes - 1, &n);

	if (!err) {
		a->node = (int)n;
		a->nodemask = 1ull << n;
	}
	return err;
}

static int set_kind(struct args *a, const char *v)
{
	static const struct {
		const char *name;
		unsigned flags;
	} kinds[] = {{"anon", 0}, {"file", PR_ROW_FILE}, {"exec", PR_ROW_FILE | PR_ROW_EXEC}};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(v, kinds[i].name)) {
			a->flags = kinds[i].flags;
			return 0;
		}
	snprintf(a->why, WHY_SIZE, "kind='%.64s' is none of anon, file, exec", v);
	return -EINVAL;
}

static const struct key {
	const char *name;
	int (*set)(struct args *a, const char *value);
} keys[] = {{"size", set_size}, {"map", set_map},   {"from", set_from}, {"count", set_count},
	    {"cpu", set_cpu},	{"node", set_node}, {"bind", set_bind}, {"kind", set_kind}};

/* --- verbs --- */
static int do_mmap(struct args *a)
{
	struct pr_row_spec spec = {.flags = a->flags, .node = a->node, .nodemask = a->nodemask};
	struct mapping *m;
	int row;

	spec.pages = (a->size + PR_PAGE_SIZE - 1) / PR_PAGE_SIZE;
	if (!spec.pages) {
		snprintf(a->why, WHY_SIZE, "mmap needs size=");
		return -EINVAL;
	}
	m = realloc(a->t->mapping, (a->t->nr + 1) * sizeof(*m));
	row = m ? pr_row_new(tasks_memory, &spec) : -ENOMEM;
	if (m)
		a->t->mapping = m;
	if (row < 0) {
		snprintf(a->why, WHY_SIZE, "there are no page tables for %llu pages more",
			 (unsigned long long)spec.pages);
		return row;
	}
	m[a->t->nr] = (struct mapping){a->t->next_address, spec.pages, spec.flags, row, true};
	a->t->next_address += (spec.pages * PR_PAGE_SIZE / ADDRESS_GAP + 2) * ADDRESS_GAP;
	fprintf(a->reply, "mapping %u %#llx\n", a->t->nr, (unsigned long long)m[a->t->nr].start);
	a->t->nr++;
	return 0;
}

/* The mapping that map= says, or the newest. */
static int find_mapping(struct args *a, struct mapping **m)
{
	uint64_t i = a->has_map ? a->map : (uint64_t)a->t->nr - 1;

	if (!a->t->nr || i >= a->t->nr || !a->t->mapping[i].live) {
		snprintf(a->why, WHY_SIZE, "this task has no such mapping; see its maps");
		return -EINVAL;
	}
	*m = &a->t->mapping[i];
	if (a->from > (*m)->pages || (a->has_count && a->count > (*m)->pages - a->from)) {
		snprintf(a->why, WHY_SIZE, "the mapping has %llu pages", (unsigned long long)(*m)->pages);
		return -EFAULT;
	}
	if (!a->has_count)
		a->count = (*m)->pages - a->from;
	return 0;
}

static int touch_all(struct args *a, bool write)
{
	uint64_t how[PR_TOUCH_MAJOR + 1] = {0};
	struct mapping *m;
	int err = find_mapping(a, &m), got;

	for (uint64_t i = 0; !err && i < a->count; i++) {
		got = pr_row_touch(tasks_memory, m->row, a->from + i, write, (unsigned)a->cpu);
		if (got < 0) {
			snprintf(a->why, WHY_SIZE, "no memory for page %llu",
				 (unsigned long long)(a->from + i));
			err = got;
		} else {
			how[got]++;
		}
	}
	tasks_writeback();
	if (!err)
		fprintf(a->reply, "present %llu minor %llu major %llu\n",
			(unsigned long long)how[PR_TOUCH_HIT], (unsigned long long)how[PR_TOUCH_MINOR],
			(unsigned long long)how[PR_TOUCH_MAJOR]);
	return err;
}

static int do_touch(struct args *a)
{
	return touch_all(a, false);
}

static int do_write(struct args *a)
{
	return touch_all(a, true);
}

static int lock_all(struct args *a, bool lock)
{
	struct mapping *m;
	int err = find_mapping(a, &m);

	if (err)
		return err;
	err = pr_row_mlock(tasks_memory, m->row, lock, (unsigned)a->cpu);
	if (err)
		snprintf(a->why, WHY_SIZE, "no memory for all of its pages");
	return err;
}

static int do_mlock(struct args *a)
{
	return lock_all(a, true);
}

static int do_munlock(struct args *a)
{
	return lock_all(a, false);
}

static int do_dontneed(struct args *a)
{
	struct mapping *m;
	int err = find_mapping(a, &m);

	for (uint64_t i = 0; !err && i < a->count; i++)
		err = pr_row_punch(tasks_memory, m->row, a->from + i, (unsigned)a->cpu);
	return err;
}

static int do_munmap(struct args *a)
{
	struct pr_row_stat s;
	struct mapping *m;
	int err = find_mapping(a, &m);

	if (err)
		return err;
	if (!pr_row_stat(tasks_memory, m->row, &s)) {
		a->t->minor += s.minor;
		a->t->major += s.major;
	}
	m->live = false;
	return pr_row_free(tasks_memory, m->row, (unsigned)a->cpu);
}

static int do_exit(struct args *a)
{
	task_end(a->t);
	return 0;
}

static int do_help(struct args *a);

static const struct verb {
	const char *name;
	int (*run)(struct args *a);
	const char *help;
} verbs[] = {
	{"mmap", do_mmap, "mmap size= [kind=anon|file|exec] [node=|bind=]"},
	{"touch", do_touch, "touch [map=] [from=] [count=] [cpu=]: reads pages of the newest mapping"},
	{"write", do_write, "write [map=] [from=] [count=] [cpu=]"},
	{"mlock", do_mlock, "mlock [map=]: its pages come in and stay"},
	{"munlock", do_munlock, "munlock [map=]"},
	{"dontneed", do_dontneed, "dontneed [map=] [from=] [count=]: gives pages back"},
	{"munmap", do_munmap, "munmap [map=]"},
	{"exit", do_exit, "exit: gives all back; the task is gone"},
	{"help", do_help, "help: this list"},
};

static int do_help(struct args *a)
{
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(a->reply, "%s\n", verbs[i].help);
	return 0;
}

static int parse_key(struct args *a, char *word)
{
	char *value = strchr(word, '=');
	struct pr_near near = {.word = word, .len = strcspn(word, "=")};

	if (value)
		*value++ = 0;
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (value && !strcmp(word, keys[i].name))
			return keys[i].set(a, value);
		pr_near_try(&near, keys[i].name);
	}
	snprintf(a->why, WHY_SIZE, "unknown word '%.64s'; the nearest is %s=", word, near.name);
	return -EINVAL;
}

int task_control(const struct place *at, char *line, FILE *reply, char *why)
{
	struct args a = {.t = task_find(at->name), .reply = reply, .why = why, .node = -1};
	char *word = strsep(&line, " \t");
	struct pr_near near = {.word = word, .len = strlen(word)};
	const struct verb *verb = NULL;
	int err = 0;

	if (!a.t)
		return -ENOENT;
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]) && !verb; i++) {
		if (!strcmp(word, verbs[i].name))
			verb = &verbs[i];
		pr_near_try(&near, verbs[i].name);
	}
	if (!verb) {
		snprintf(why, WHY_SIZE, "unknown command '%.64s'; the nearest is %s", word, near.name);
		return -EINVAL;
	}
	while (!err && (word = strsep(&line, " \t")))
		err = *word ? parse_key(&a, word) : 0;
	return err ? err : verb->run(&a);
}
