/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/command.h"

#include "native/allocations.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COUNT = 1 << 24 };

enum key_bit {
	KEY_ORDER = 1 << 0,
	KEY_GFP = 1 << 1,
	KEY_NODE = 1 << 2,
	KEY_ZONE = 1 << 3,
	KEY_CPU = 1 << 4,
	KEY_COUNT = 1 << 5,
	KEY_NAME = 1 << 6,
};

struct args {
	const struct command_scope *scope;
	char *why;
	unsigned seen; /* enum key_bit of the keys that were given */
	char name[4096];
	const char *zone_name;
	unsigned long order, count, cpu;
	gfp_t gfp;
	int node, zone; /* -1: not given */
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct args *a, int err,
							const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->why, WHY_SIZE, fmt, ap);
	va_end(ap);
	return err;
}

/* --- keys --- */
static int number(struct args *a, const char *key, const char *value, unsigned long max,
		  unsigned long *n)
{
	char *end;

	errno = 0;
	*n = strtoul(value, &end, 0);
	if (*value < '0' || *value > '9' || *end)
		return refuse(a, -EINVAL, "%s='%.64s' is not a number", key, value);
	if (errno == ERANGE || *n > max)
		return refuse(a, -EINVAL, "%s=%.64s is over %lu", key, value, max);
	return 0;
}

static int set_order(struct args *a, const char *v)
{
	return number(a, "order", v, MAX_ORDER, &a->order);
}

static int set_count(struct args *a, const char *v)
{
	int err = number(a, "count", v, MAX_COUNT, &a->count);

	return !err && !a->count ? refuse(a, -EINVAL, "count=0 asks for nothing") : err;
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

static int set_gfp(struct args *a, const char *v)
{
	const char *bad, *near;

	if (!pr_gfp_parse(v, &a->gfp, &bad, &near))
		return 0;
	return refuse(a, -EINVAL, "unknown gfp flag '%.*s'; the nearest is %s",
		      (int)strcspn(bad, "|,"), bad, near);
}

static int set_zone(struct args *a, const char *v)
{
	a->zone_name = v; /* whose zone it is, the node says, which may come later */
	return 0;
}

static int set_name(struct args *a, const char *v)
{
	if (!*v)
		return refuse(a, -EINVAL, "name= needs a name");
	if (name_unescape(v, a->name, sizeof(a->name)))
		return refuse(a, -EINVAL,
			      "name='%.64s': a backslash begins three octal digits, as in "
			      "a\\040b",
			      v);
	return 0;
}

static const struct key {
	const char *name;
	enum key_bit bit;
	int (*set)(struct args *a, const char *value);
} keys[] = {
	{"order=", KEY_ORDER, set_order}, {"gfp=", KEY_GFP, set_gfp},
	{"node=", KEY_NODE, set_node},	  {"zone=", KEY_ZONE, set_zone},
	{"cpu=", KEY_CPU, set_cpu},	  {"count=", KEY_COUNT, set_count},
	{"name=", KEY_NAME, set_name},
};
enum { NR_KEYS = sizeof(keys) / sizeof(keys[0]) };

/* --- verbs --- */
static int do_alloc(struct args *a, FILE *reply)
{
	struct pr_request r = PR_REQUEST((unsigned)a->order, a->gfp);
	struct allocation *made;
	int err;

	r.node = a->node;
	r.cpu = (unsigned)a->cpu;
	r.only_zone = a->zone;
	err = allocation_make(a->name, &r, (unsigned)a->count, &made, a->why);
	if (err)
		return err;
	name_print(made->name, reply);
	for (unsigned i = 0; i < made->count && i < 64; i++)
		fprintf(reply, " %#llx", (unsigned long long)made->pfn[i]);
	fprintf(reply, "%s\n", made->count > 64 ? " ..." : "");
	return 0;
}

static int do_free(struct args *a, FILE *)
{
	struct allocation *named;

	if (!*a->name)
		return refuse(a, -EINVAL, "free needs name=");
	named = allocation_find(a->name);
	if (!named) {
		const char *near = allocation_nearest(a->name);

		return refuse(a, -ENOENT, "there is no allocation '%.128s'%s%.128s", a->name,
			      near ? "; the nearest is " : "", near ? near : "");
	}
	if (!allocation_within(named, a->scope->node, a->scope->zone))
		return refuse(a, -EINVAL,
			      "'%.128s' has blocks elsewhere: remove its file in allocations/",
			      a->name);
	allocation_free(named, (unsigned)a->cpu);
	return 0;
}

static int do_drain(struct args *a, FILE *)
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
	unsigned keys; /* enum key_bit of those it takes */
	const char *help;
} verbs[] = {
	{"alloc", do_alloc,
	 KEY_ORDER | KEY_GFP | KEY_NODE | KEY_ZONE | KEY_CPU | KEY_COUNT | KEY_NAME,
	 "takes count blocks (1), all or none, and answers with name and first frames"},
	{"free", do_free, KEY_CPU | KEY_NAME, "gives an allocation back"},
	{"drain", do_drain, KEY_CPU, "empties the lists of all CPUs; cpu= runs it"},
	{"tick", do_tick, KEY_CPU, "the vmstat tick of a CPU"},
	{"help", do_help, 0, "this list"},
};
enum { NR_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static int do_help(struct args *, FILE *reply)
{
	for (unsigned i = 0; i < NR_VERBS; i++) {
		fputs(verbs[i].name, reply);
		for (unsigned k = 0; k < NR_KEYS; k++)
			if (verbs[i].keys & keys[k].bit)
				fprintf(reply, " [%s]", keys[k].name);
		fprintf(reply, ": %s\n", verbs[i].help);
	}
	return 0;
}

/* --- a line --- */
static const struct verb *find_verb(const struct args *a, const char *word)
{
	struct pr_near near = {.word = word, .len = strlen(word)};

	for (unsigned i = 0; i < NR_VERBS; i++) {
		if (!strcmp(word, verbs[i].name))
			return &verbs[i];
		pr_near_try(&near, verbs[i].name);
	}
	refuse(a, 0, "unknown command '%.64s'; the nearest is %s", word, near.name);
	return NULL;
}

static int parse_key(struct args *a, const struct verb *verb, const char *word)
{
	size_t len = strcspn(word, "=") + 1;
	struct pr_near near = {.word = word, .len = len};

	for (unsigned i = 0; i < NR_KEYS; i++) {
		if (!(verb->keys & keys[i].bit))
			continue;
		if (!strncmp(word, keys[i].name, len)) {
			if (a->seen & keys[i].bit)
				return refuse(a, -EINVAL, "%s is given twice", keys[i].name);
			a->seen |= keys[i].bit;
			return keys[i].set(a, word + len);
		}
		pr_near_try(&near, keys[i].name);
	}
	return near.name
		       ? refuse(a, -EINVAL, "unknown word '%.64s'; the nearest that %s takes is %s",
				word, verb->name, near.name)
		       : refuse(a, -EINVAL, "%s takes no words: '%.64s'", verb->name, word);
}

static int find_zone(struct args *a)
{
	int node = a->node >= 0 ? a->node : (int)rig.m.arena->cpu_node[a->cpu];
	struct pr_near near = {.word = a->zone_name, .len = strlen(a->zone_name)};

	for (unsigned t = 0; t < NR_ZONE_TYPES; t++) {
		if (rig.m.nodes[node].zone[t] < 0)
			continue;
		if (!strcmp(a->zone_name, pr_zone_name[t])) {
			a->zone = rig.m.nodes[node].zone[t];
			return 0;
		}
		pr_near_try(&near, pr_zone_name[t]);
	}
	return refuse(a, -EINVAL, "node %d has no zone '%.64s'; the nearest is %s", node,
		      a->zone_name, near.name ? near.name : "on another node");
}

/* Zone and node, by what the line says and what the file that was written to fixes. */
static int place(struct args *a)
{
	const struct command_scope *scope = a->scope;
	int err = a->zone_name ? find_zone(a) : 0;

	if (err)
		return err;
	if (scope->node >= 0 && a->node >= 0 && a->node != scope->node)
		return refuse(a, -EINVAL, "node=%d: this file is node %d's", a->node, scope->node);
	if (scope->zone >= 0 && a->zone >= 0 && a->zone != scope->zone)
		return refuse(a, -EINVAL, "zone=%s: this file is %s's", a->zone_name,
			      pr_zone_name[rig.m.zones[scope->zone].type]);
	if (scope->node >= 0)
		a->node = scope->node;
	if (scope->zone >= 0)
		a->zone = scope->zone;
	return 0;
}

static int parse(struct args *a, char *line, const struct verb **verb)
{
	char *word;
	int err;

	if (a->scope->verb)
		*verb = find_verb(a, a->scope->verb);
	while ((word = strsep(&line, " \t"))) {
		if (!*word)
			continue;
		if (!*verb) {
			*verb = find_verb(a, word);
			if (!*verb)
				return -EINVAL;
			continue;
		}
		err = parse_key(a, *verb, word);
		if (err)
			return err;
	}
	return *verb ? place(a) : refuse(a, -EINVAL, "an empty line; try help");
}

int command_run(char *line, const struct command_scope *scope, FILE *reply, char *why)
{
	struct args *a = calloc(1, sizeof(*a));
	const struct verb *verb = NULL;
	int err;

	if (!a)
		return -ENOMEM;
	*a = (struct args){
		.scope = scope, .why = why, .count = 1, .gfp = GFP_KERNEL, .node = -1, .zone = -1};
	err = parse(a, line, &verb);
	if (!err && verb)
		err = verb->run(a, reply);
	free(a);
	return err;
}
