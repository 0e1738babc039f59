/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/command.h"

#include "native/allocations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COUNT = 1 << 24 };

struct args {
	char *why;
	char name[4096];
	unsigned long order, count, cpu;
	pfn_t pfn;
	bool has_pfn, has_order, all;
	gfp_t gfp;
	int node, zone;
};

/* --- the nearest word of a table --- */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[64];
	size_t la = strnlen(a, 63), lb = strlen(b);

	for (size_t i = 0; i <= la; i++)
		row[i] = (unsigned)i;
	for (size_t j = 1; j <= lb; j++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)j;
		for (size_t i = 1; i <= la; i++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[i];
			best = row[i] + 1 < best ? row[i] + 1 : best;
			row[i] = row[i - 1] + 1 < best ? row[i - 1] + 1 : best;
		}
	}
	return row[la];
}

static const char *nearest(const char *word, const char *(*name)(unsigned i))
{
	const char *best = NULL;
	unsigned least = UINT32_MAX;

	for (unsigned i = 0; name(i); i++)
		if (distance(word, name(i)) < least) {
			least = distance(word, name(i));
			best = name(i);
		}
	return best;
}

/* --- keys --- */
static int number(struct args *a, const char *key, const char *value, unsigned long max,
		  unsigned long *n)
{
	char *end;

	errno = 0;
	*n = strtoul(value, &end, 0);
	if (end == value || *end || strchr(value, '-') || errno == ERANGE) {
		snprintf(a->why, WHY_SIZE, "%s='%.64s' is not a number", key, value);
		return -EINVAL;
	}
	if (*n > max) {
		snprintf(a->why, WHY_SIZE, "%s=%.64s is over %lu", key, value, max);
		return -EINVAL;
	}
	return 0;
}

static int set_order(struct args *a, const char *v)
{
	a->has_order = true;
	return number(a, "order", v, MAX_ORDER, &a->order);
}

static int set_count(struct args *a, const char *v)
{
	int err = number(a, "count", v, MAX_COUNT, &a->count);

	if (!err && !a->count) {
		snprintf(a->why, WHY_SIZE, "count=0 asks for nothing");
		return -EINVAL;
	}
	return err;
}

static int set_cpu(struct args *a, const char *v)
{
	return number(a, "cpu", v, rig.m.arena->nr_cpus - 1, &a->cpu);
}

static int set_node(struct args *a, const char *v)
{
	unsigned long n;
	int err = number(a, "node", v, rig.m.arena->nr_nodes - 1, &n);

	if (!err)
		a->node = (int)n;
	return err;
}

static int set_pfn(struct args *a, const char *v)
{
	unsigned long n;
	int err = number(a, "pfn", v, ~0ul, &n);

	a->pfn = n;
	a->has_pfn = true;
	return err;
}

static int set_gfp(struct args *a, const char *v)
{
	const char *bad, *near;

	if (!pr_gfp_parse(v, &a->gfp, &bad, &near))
		return 0;
	snprintf(a->why, WHY_SIZE, "unknown gfp flag '%.*s'; the nearest is %s",
		 (int)strcspn(bad, "|,"), bad, near);
	return -EINVAL;
}

static const char *zone_name(unsigned i)
{
	return i < NR_ZONE_TYPES ? pr_zone_name[i] : NULL;
}

static int set_zone(struct args *a, const char *v)
{
	int node = a->node < 0 ? 0 : a->node;

	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (!strcmp(v, pr_zone_name[t]) && rig.m.nodes[node].zone[t] >= 0) {
			a->zone = rig.m.nodes[node].zone[t];
			return 0;
		}
	snprintf(a->why, WHY_SIZE, "node %d has no zone '%.64s'; the nearest name is %s", node, v,
		 nearest(v, zone_name));
	return -EINVAL;
}

static int set_name(struct args *a, const char *v)
{
	if (!*v) {
		snprintf(a->why, WHY_SIZE, "name= needs a name");
		return -EINVAL;
	}
	snprintf(a->name, sizeof(a->name), "%s", v);
	return 0;
}

static const struct key {
	const char *name;
	int (*set)(struct args *a, const char *value);
} keys[] = {{"order", set_order}, {"gfp", set_gfp},   {"node", set_node}, {"zone", set_zone},
	    {"cpu", set_cpu},	  {"count", set_count}, {"name", set_name}, {"pfn", set_pfn}};
enum { NR_KEYS = sizeof(keys) / sizeof(keys[0]) };

static const char *key_name(unsigned i)
{
	return i < NR_KEYS ? keys[i].name : NULL;
}

static int parse_arg(struct args *a, char *word)
{
	char *value = strchr(word, '=');

	if (value) {
		*value++ = 0;
		for (unsigned i = 0; i < NR_KEYS; i++)
			if (!strcmp(word, keys[i].name))
				return keys[i].set(a, value);
	}
	snprintf(a->why, WHY_SIZE, "unknown word '%.64s'; the nearest is %s=", word,
		 nearest(word, key_name));
	return -EINVAL;
}

/* --- verbs --- */
static int do_alloc(struct args *a, FILE *reply)
{
	struct pr_request r = PR_REQUEST((unsigned)a->order, a->gfp);
	struct allocation *made;
	int err;

	r.node = a->node;
	r.cpu = (unsigned)a->cpu;
	r.only_zone = a->zone;
	r.owner = 1;
	err = allocation_make(a->name, &r, (unsigned)a->count, &made, a->why);
	if (err)
		return err;
	fprintf(reply, "%s", made->name);
	for (unsigned i = 0; i < made->count && i < 64; i++)
		fprintf(reply, " %#llx", (unsigned long long)made->pfn[i]);
	fprintf(reply, "%s\n", made->count > 64 ? " …" : "");
	return 0;
}

static int do_free(struct args *a, FILE *reply)
{
	struct allocation *named;

	if (!*a->name) {
		snprintf(a->why, WHY_SIZE, "free needs name=");
		return -EINVAL;
	}
	named = allocation_find(a->name);
	if (!named) {
		snprintf(a->why, WHY_SIZE, "there is no allocation '%.200s'", a->name);
		return -ENOENT;
	}
	allocation_free(named, (unsigned)a->cpu);
	return 0;
}

static int do_drain(struct args *a, FILE *reply)
{
	pr_drain_all(&rig.m, (unsigned)a->cpu);
	return 0;
}

static int do_tick(struct args *a, FILE *reply)
{
	fprintf(reply, "%d changes\n", pr_tick(&rig.m, (unsigned)a->cpu));
	return 0;
}

static int do_help(struct args *a, FILE *reply);

static const struct verb {
	const char *name;
	int (*run)(struct args *a, FILE *reply);
	const char *help;
} verbs[] = {
	{"alloc", do_alloc, "alloc [order=] [gfp=] [node=] [zone=] [cpu=] [count=] [name=]"},
	{"free", do_free, "free name= [cpu=]"},
	{"drain", do_drain, "drain [cpu=]: empties all per-CPU lists"},
	{"tick", do_tick, "tick [cpu=]: the vmstat tick of a CPU"},
	{"help", do_help, "help: this list"},
};
enum { NR_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static int do_help(struct args *a, FILE *reply)
{
	for (unsigned i = 0; i < NR_VERBS; i++)
		fprintf(reply, "%s\n", verbs[i].help);
	return 0;
}

static const char *verb_name(unsigned i)
{
	return i < NR_VERBS ? verbs[i].name : NULL;
}

static const struct verb *find_verb(const char *word, char *why)
{
	for (unsigned i = 0; i < NR_VERBS; i++)
		if (!strcmp(word, verbs[i].name))
			return &verbs[i];
	snprintf(why, WHY_SIZE, "unknown command '%.64s'; the nearest is %s", word,
		 nearest(word, verb_name));
	return NULL;
}

int command_run(char *line, const struct command_scope *scope, FILE *reply, char *why)
{
	struct args *a = calloc(1, sizeof(*a));
	const struct verb *verb = NULL;
	char *word;
	int err = 0;

	if (!a)
		return -ENOMEM;
	*a = (struct args){.why = why, .count = 1, .gfp = GFP_KERNEL, .node = scope->node,
			   .zone = scope->zone};
	if (scope->verb)
		verb = find_verb(scope->verb, why);
	while (!err && (word = strsep(&line, " \t"))) {
		if (!*word)
			continue;
		if (!verb)
			err = (verb = find_verb(word, why)) ? 0 : -EINVAL;
		else
			err = parse_arg(a, word);
	}
	if (!err && !verb) {
		snprintf(why, WHY_SIZE, "an empty line; try help");
		err = -EINVAL;
	}
	if (!err && scope->node >= 0 && a->node != scope->node) {
		snprintf(why, WHY_SIZE, "this file is node %d's", scope->node);
		err = -EINVAL;
	}
	if (!err && scope->zone >= 0 && a->zone != scope->zone) {
		snprintf(why, WHY_SIZE, "this file is another zone's");
		err = -EINVAL;
	}
	if (!err)
		err = verb->run(a, reply);
	free(a);
	return err;
}
