/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.c: recorded events drive the allocator. The trace's frames are only names here: a table
 * says which block of the engine stands for each.
 */
#include <pagerig/lab.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 1024, GFP_CACHE = 256, FIRST_SLOTS = 1 << 16 };

/* Open addressing, linear probing; key is the trace's frame + 1, 0 for an empty slot. */
struct slot {
	uint64_t key;
	pfn_t pfn; /* PFN_NONE: the engine had none */
	uint32_t order;
};

struct pr_replay {
	struct pr_machine *m;
	struct pr_replay_stats stats;
	struct slot *slot;
	uint64_t nr_slots, used;
	struct {
		char text[200];
		gfp_t gfp;
	} cache[GFP_CACHE];
	char carry[MAX_LINE];
	size_t carried;
	char *why;
	size_t why_size;
};

struct event {
	uint64_t pfn;
	unsigned order, cpu;
	gfp_t gfp;
};

struct pr_replay *pr_replay_new(struct pr_machine *m)
{
	struct pr_replay *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->m = m;
	r->nr_slots = FIRST_SLOTS;
	r->slot = calloc(r->nr_slots, sizeof(*r->slot));
	if (!r->slot) {
		free(r);
		return NULL;
	}
	return r;
}

void pr_replay_free(struct pr_replay *r)
{
	if (!r)
		return;
	for (uint64_t i = 0; i < r->nr_slots; i++)
		if (r->slot[i].key && r->slot[i].pfn != PFN_NONE)
			pr_free(r->m, r->slot[i].pfn, r->slot[i].order, 0);
	free(r->slot);
	free(r);
}

void pr_replay_stats(const struct pr_replay *r, struct pr_replay_stats *s)
{
	*s = r->stats;
}

static uint64_t home(const struct pr_replay *r, uint64_t key)
{
	return (key * 0x9e3779b97f4a7c15ull >> 20) & (r->nr_slots - 1);
}

static struct slot *find(const struct pr_replay *r, uint64_t key)
{
	uint64_t i = home(r, key);

	while (r->slot[i].key && r->slot[i].key != key)
		i = (i + 1) & (r->nr_slots - 1);
	return &r->slot[i];
}

static bool grow(struct pr_replay *r)
{
	struct slot *old = r->slot;
	uint64_t nr = r->nr_slots;

	r->slot = calloc(nr * 2, sizeof(*old));
	if (!r->slot) {
		r->slot = old;
		return false;
	}
	r->nr_slots = nr * 2;
	for (uint64_t i = 0; i < nr; i++)
		if (old[i].key)
			*find(r, old[i].key) = old[i];
	free(old);
	return true;
}

/* Empties a slot and moves up those behind it that would not be found any more. */
static void erase(struct pr_replay *r, struct slot *s)
{
	uint64_t hole = (uint64_t)(s - r->slot), mask = r->nr_slots - 1;

	for (uint64_t i = (hole + 1) & mask; r->slot[i].key; i = (i + 1) & mask)
		if (((i - home(r, r->slot[i].key)) & mask) >= ((i - hole) & mask)) {
			r->slot[hole] = r->slot[i];
			hole = i;
		}
	r->slot[hole].key = 0;
	r->used--;
}

static int refuse(struct pr_replay *r, const char *reason)
{
	snprintf(r->why, r->why_size, "line %llu: %s", (unsigned long long)r->stats.lines, reason);
	return -EINVAL;
}

static void give_back(struct pr_replay *r, struct slot *s, unsigned cpu)
{
	if (s->pfn != PFN_NONE) {
		pr_free(r->m, s->pfn, s->order, cpu);
		r->stats.in_use -= 1ll << s->order;
	}
	r->stats.trace_in_use -= 1ll << s->order;
	erase(r, s);
}

static int do_alloc(struct pr_replay *r, const struct event *e)
{
	struct pr_request req = PR_REQUEST(e->order, e->gfp | __GFP_NOWARN);
	struct slot *s = find(r, e->pfn + 1);

	if (s->key) /* its free is not in the trace */
		give_back(r, s, e->cpu);
	if (r->used * 2 >= r->nr_slots && !grow(r))
		return refuse(r, "the host has no memory for the table of frames");
	req.node = -1;
	req.cpu = e->cpu;
	req.lru = (e->gfp & __GFP_MOVABLE) != 0;
	s = find(r, e->pfn + 1);
	*s = (struct slot){e->pfn + 1, PFN_NONE, e->order};
	r->used++;
	r->stats.allocs++;
	r->stats.trace_in_use += 1ll << e->order;
	if (pr_alloc(r->m, &req, &s->pfn)) {
		s->pfn = PFN_NONE;
		r->stats.failures++;
	} else {
		r->stats.in_use += 1ll << e->order;
	}
	return 0;
}

static int do_free(struct pr_replay *r, const struct event *e)
{
	struct slot *s = find(r, e->pfn + 1);

	r->stats.frees++;
	if (s->key)
		give_back(r, s, e->cpu);
	else
		r->stats.unknown_frees++;
	return 0;
}

static int do_batched(struct pr_replay *r, const struct event *e)
{
	r->stats.batched++;
	return 0;
}

/* gfp by name, through a cache: a trace has a few dozen different ones. */
static bool parse_gfp(struct pr_replay *r, const char *text, gfp_t *gfp)
{
	size_t len = strlen(text);
	unsigned h = (unsigned)len;

	for (size_t i = 0; i < len; i++)
		h = h * 31 + (unsigned char)text[i];
	h %= GFP_CACHE;
	if (!strcmp(r->cache[h].text, text)) {
		*gfp = r->cache[h].gfp;
		return true;
	}
	if (len >= sizeof(r->cache[h].text) || pr_gfp_parse(text, gfp, NULL, NULL))
		return false;
	memcpy(r->cache[h].text, text, len + 1);
	r->cache[h].gfp = *gfp;
	return true;
}

/* The number behind " key=" (hexadecimal with 0x); false if there is none. */
static bool field(const char *line, const char *key, uint64_t *n)
{
	const char *p = strstr(line, key);
	char *end;

	if (!p || !isdigit((unsigned char)p[strlen(key)]))
		return false;
	*n = strtoull(p + strlen(key), &end, 0);
	return !*end || *end == ' ';
}

static const struct kind {
	const char *name;
	int (*run)(struct pr_replay *r, const struct event *e);
	bool has_order, has_gfp;
} kinds[] = {
	{" mm_page_alloc: ", do_alloc, true, true},
	{" mm_page_free: ", do_free, true, false},
	{" mm_page_free_batched: ", do_batched, false, false},
};

static int one_event(struct pr_replay *r, const char *line, const struct kind *k, const char *args)
{
	const char *cpu = strchr(line, '['), *gfp;
	struct event e = {0};
	uint64_t n;

	if (!field(args, " pfn=", &e.pfn))
		return refuse(r, "no pfn=");
	if (!cpu || cpu > args || !isdigit((unsigned char)cpu[1]))
		return refuse(r, "no CPU in brackets");
	e.cpu = (unsigned)(strtoul(cpu + 1, NULL, 10) % r->m->arena->nr_cpus);
	if (k->has_order) {
		if (!field(args, " order=", &n) || n > MAX_ORDER)
			return refuse(r, "no order= from 0 to 10");
		e.order = (unsigned)n;
	}
	if (k->has_gfp) {
		gfp = strstr(args, " gfp_flags=");
		if (!gfp || !parse_gfp(r, gfp + strlen(" gfp_flags="), &e.gfp))
			return refuse(r, "gfp_flags= with unknown names");
		if (!e.pfn) /* the recorded kernel had none either */
			return 0;
	}
	return k->run(r, &e);
}

static int one_line(struct pr_replay *r, char *line)
{
	const char *event;

	r->stats.lines++;
	if (*line == '#' || !*line)
		return 0;
	event = strstr(line, " mm_page_");
	for (unsigned i = 0; event && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strncmp(event, kinds[i].name, strlen(kinds[i].name)))
			return one_event(r, line, &kinds[i], event + strlen(kinds[i].name) - 1);
	return strstr(line, ": ") ? 0 : refuse(r, "this is no event of tracefs");
}

int pr_replay_feed(struct pr_replay *r, const char *text, size_t len, char *why, size_t size)
{
	int err = 0;

	r->why = why;
	r->why_size = size;
	while (len && !err) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t)(newline - text) : len;

		if (memchr(text, 0, n) || r->carried + n >= MAX_LINE) {
			r->stats.lines++;
			return refuse(r, n && memchr(text, 0, n) ? "a NUL byte" : "longer than 1023 bytes");
		}
		memcpy(r->carry + r->carried, text, n);
		r->carried += n;
		if (newline) {
			r->carry[r->carried] = 0;
			r->carried = 0;
			err = one_line(r, r->carry);
			n++;
		}
		text += n;
		len -= n;
	}
	return err;
}

int pr_replay_end(struct pr_replay *r, char *why, size_t size)
{
	if (!r->carried)
		return 0;
	snprintf(why, size, "line %llu: the text stops inside a line",
		 (unsigned long long)r->stats.lines + 1);
	return -EINVAL;
}
