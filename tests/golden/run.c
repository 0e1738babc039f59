/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.c: the commands of a recording, carried out by the engine, line for line. */
#include "golden.h"

#include "base/lists.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 24 };

struct command {
	char *word[MAX_WORDS];
	unsigned words;
	unsigned long id;
	unsigned nid;
	struct pr_request r;
};

static bool starts(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* The next word of a line, and the place behind it; its length is 0 at the end. */
static size_t next_word(const char **p, const char **word)
{
	*p += strspn(*p, " ");
	*word = *p;
	*p += strcspn(*p, " ");
	return (size_t)(*p - *word);
}

/* Zonelists are compared but for the zones of nodes that were not dumped: we have none there. */
static bool same_zonelist(const struct golden *g, const char *ours, const char *theirs)
{
	const char *a, *b;
	size_t alen = next_word(&ours, &a), blen;

	while ((blen = next_word(&theirs, &b))) {
		if (alen == blen && !strncmp(a, b, blen))
			alen = next_word(&ours, &a);
		else if (*b != 'n' || !golden_unknown_node(g, (unsigned)atoi(b + 1)))
			return false;
	}
	return !alen;
}

static bool same_line(const struct golden *g, const char *ours, const char *theirs)
{
	if (starts(ours, " ZONELIST ") && starts(theirs, " ZONELIST "))
		return same_zonelist(g, ours, theirs);
	return !strcmp(ours, theirs);
}

void golden_emit(struct golden *g, const char *ours)
{
	const char *theirs = g->at < g->nr ? g->line[g->at] : "(end)";

	if (g->sink) {
		g->sink(g, ours);
		return;
	}
	g->at++;
	if (same_line(g, ours, theirs))
		return;
	if (!g->differs_at)
		g->differs_at = g->at;
	if (g->shown++ < g->show)
		printf("differs %s %u: expected %s, got %s\n", g->name, g->at, theirs, ours);
}

static const char *value_of(const struct command *c, const char *key)
{
	size_t len = strlen(key);

	for (unsigned i = 0; i < c->words; i++)
		if (!strncmp(c->word[i], key, len) && c->word[i][len] == '=')
			return c->word[i] + len + 1;
	return NULL;
}

static long number_of(const struct command *c, const char *key, long otherwise)
{
	const char *v = value_of(c, key);

	return v ? strtol(v, NULL, 0) : otherwise;
}

static bool has(const struct command *c, const char *word)
{
	for (unsigned i = 0; i < c->words; i++)
		if (!strcmp(c->word[i], word))
			return true;
	return false;
}

static void brief_node(struct golden *g, FILE *f, unsigned nid)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (g->m.nodes[nid].zone[t] >= 0)
			golden_brief(g, f, &g->m.zones[g->m.nodes[nid].zone[t]]);
}

static bool do_alloc(struct golden *g, const struct command *c, unsigned long id)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	pfn_t pfn;
	bool ok = !pr_alloc(&g->m, &c->r, &pfn);

	fprintf(f, "A %lu o%u g=%x -> ", id, c->r.order, c->r.gfp);
	if (ok) {
		g->id[id] = (struct entry){pfn, (uint8_t)c->r.order, true};
		fprintf(f, "%llx", (unsigned long long)pfn);
		golden_brief(g, f, pr_zone_of(&g->m, pfn));
	} else {
		fprintf(f, "FAIL");
		brief_node(g, f, c->nid);
	}
	fclose(f);
	golden_emit(g, text);
	free(text);
	return ok;
}

static void do_free(struct golden *g, unsigned long id)
{
	struct entry *e = &g->id[id];
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!e->live) {
		fprintf(f, "F %lu none", id);
	} else {
		fprintf(f, "F %lu %llx o%u", id, (unsigned long long)e->pfn, e->order);
		if (pr_free(&g->m, e->pfn, e->order, g->cpu))
			fprintf(f, " refused");
		golden_brief(g, f, pr_zone_of(&g->m, e->pfn));
		e->live = false;
	}
	fclose(f);
	golden_emit(g, text);
	free(text);
}

static void count_line(struct golden *g, const char *what, unsigned long n)
{
	char text[64];

	snprintf(text, sizeof(text), "%s=%lu", what, n);
	golden_emit(g, text);
}

static void cmd_alloc(struct golden *g, struct command *c)
{
	if (g->id[c->id].live)
		golden_emit(g, "ERR busy");
	else
		do_alloc(g, c, c->id);
}

static void cmd_afill(struct golden *g, struct command *c)
{
	unsigned long max = (unsigned long)number_of(c, "max", MAX_IDS), i;

	for (i = 0; i < max && c->id + i < MAX_IDS && !(g->differs_at && !g->show); i++)
		if (!do_alloc(g, c, c->id + i))
			break;
	count_line(g, "AFILL got", i);
}

static void cmd_free(struct golden *g, struct command *c)
{
	do_free(g, c->id);
}

static void cmd_freer(struct golden *g, struct command *c)
{
	unsigned long end = c->words > 2 ? strtoul(c->word[2], NULL, 0) : c->id + 1, n = 0;
	unsigned long step = c->words > 3 ? strtoul(c->word[3], NULL, 0) : 1;

	for (unsigned long i = c->id; i < end && i < MAX_IDS; i += step)
		if (g->id[i].live) {
			do_free(g, i);
			n++;
		}
	count_line(g, "FREER n", n);
}

static void cmd_freerev(struct golden *g, struct command *c)
{
	unsigned long i = c->words > 2 ? strtoul(c->word[2], NULL, 0) : c->id + 1, n = 0;

	while (i-- > c->id)
		if (i < MAX_IDS && g->id[i].live) {
			do_free(g, i);
			n++;
		}
	count_line(g, "FREER n", n);
}

static void cmd_freeall(struct golden *g, struct command *)
{
	unsigned long n = 0;

	for (unsigned long i = 0; i < MAX_IDS; i++)
		if (g->id[i].live) {
			do_free(g, i);
			n++;
		}
	count_line(g, "FREEALL n", n);
}

/* What is live: ids, frames and orders. */
static void cmd_pfns(struct golden *g, struct command *)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "LIVE");
	for (unsigned long i = 0; i < MAX_IDS; i++)
		if (g->id[i].live)
			fprintf(f, " %lu=%llx/%u", i, (unsigned long long)g->id[i].pfn, g->id[i].order);
	fclose(f);
	golden_emit(g, text);
	free(text);
}

static void cmd_verbose(struct golden *g, struct command *c)
{
	g->terse = !c->id;
}

static void cmd_split(struct golden *g, struct command *c)
{
	unsigned long to = c->words > 2 ? strtoul(c->word[2], NULL, 0) : 0;
	struct entry e = g->id[c->id];
	char text[64];

	if (!e.live || to + (1ul << e.order) > MAX_IDS || pr_split(&g->m, e.pfn, e.order)) {
		golden_emit(g, "ERR split");
		return;
	}
	g->id[c->id].live = false;
	for (unsigned long i = 0; i < 1ul << e.order; i++)
		g->id[to + i] = (struct entry){e.pfn + i, 0, true};
	snprintf(text, sizeof(text), "SPLIT %llx o%u", (unsigned long long)e.pfn, e.order);
	golden_emit(g, text);
}

static void cmd_bulk(struct golden *g, struct command *c)
{
	unsigned n = (unsigned)number_of(c, "n", 1), got;
	pfn_t *pfns = calloc(n + 1, sizeof(*pfns));
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	got = pr_alloc_bulk(&g->m, &c->r, n, pfns);
	fprintf(f, "BULK got=%u :", got);
	for (unsigned i = 0; i < got; i++) {
		fprintf(f, " %llx", (unsigned long long)pfns[i]);
		g->id[c->id + i] = (struct entry){pfns[i], 0, true};
	}
	brief_node(g, f, c->nid);
	fclose(f);
	golden_emit(g, text);
	free(text);
	free(pfns);
}

static void cmd_drain(struct golden *g, struct command *)
{
	pr_drain_cpu(&g->m, g->cpu);
}

static void cmd_drainall(struct golden *g, struct command *)
{
	pr_drain_all(&g->m, g->cpu);
}

static void cmd_tick(struct golden *g, struct command *)
{
	pr_tick(&g->m, g->cpu);
	golden_emit(g, "TICK");
}

static void cmd_fold(struct golden *g, struct command *)
{
	pr_fold(&g->m, g->cpu);
	golden_emit(g, "FOLD");
}

static void cmd_cpu(struct golden *g, struct command *c)
{
	char text[32];

	g->cpu = (unsigned)c->id;
	snprintf(text, sizeof(text), "CPU %lu", c->id);
	golden_emit(g, text);
}

static void cmd_dump(struct golden *g, struct command *c)
{
	golden_dump_node(g, c->nid, true);
}

static void cmd_sum(struct golden *g, struct command *c)
{
	golden_dump_node(g, c->nid, false);
}

static void cmd_noboost(struct golden *g, struct command *c)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		if (g->m.nodes[c->nid].zone[t] >= 0)
			g->m.zones[g->m.nodes[c->nid].zone[t]].watermark_boost = 0;
}

static void cmd_ev0(struct golden *g, struct command *)
{
	for (unsigned e = 0; e < NR_EVENTS; e++)
		g->event[e] = pr_event(&g->m, (enum pr_event)e);
}

/* Moved by other pages of the recording's kernel as well, or not of the kernel at all. */
static bool event_compared(const char *name)
{
	static const char *const not[] = {"pgalloc_", "pgfree", "pgfault", "kswapd_wake", "alloc_fail",
					  "pgactivate"};

	for (unsigned i = 0; i < sizeof(not) / sizeof(not[0]); i++)
		if (starts(name, not[i]))
			return false;
	return true;
}

static long event_delta(const struct golden *g, unsigned e)
{
	return (long)(pr_event(&g->m, (enum pr_event)e) - g->event[e]);
}

/* Our counter of a word "name=value", -1 if there is none. */
static int event_of(const char *word, size_t len)
{
	size_t name = strcspn(word, "=");

	for (unsigned e = 0; e < NR_EVENTS && name < len; e++)
		if (strlen(pr_event_name[e]) == name && !strncmp(word, pr_event_name[e], name))
			return (int)e;
	return -1;
}

/*
 * Prints the counters that changed: first in the recording's order with our values, then what it
 * has not. A counter that we do not have stays away, and so the line differs.
 */
static void cmd_ev(struct golden *g, struct command *c)
{
	const char *theirs = g->at < g->nr ? g->line[g->at] : "", *p = theirs, *word;
	bool seen[NR_EVENTS] = {false};
	char *text = NULL;
	size_t size, len;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "EV");
	for (next_word(&p, &word); (len = next_word(&p, &word));) {
		int e = event_of(word, len);

		if (!event_compared(word))
			fprintf(f, " %.*s", (int)len, word);
		else if (e >= 0 && event_delta(g, (unsigned)e))
			fprintf(f, " %s=%ld", pr_event_name[e], event_delta(g, (unsigned)e));
		if (e >= 0)
			seen[e] = true;
	}
	for (unsigned e = 0; e < NR_EVENTS; e++)
		if (event_delta(g, e) && !seen[e] && event_compared(pr_event_name[e]))
			fprintf(f, " %s=%ld", pr_event_name[e], event_delta(g, e));
	fclose(f);
	golden_emit(g, g->elsewhere && starts(theirs, "EV") ? theirs : text);
	g->elsewhere = false;
	free(text);
	cmd_ev0(g, c);
}

static void cmd_lrudrain(struct golden *g, struct command *)
{
	pr_lru_drain_all(&g->m);
}

static void cmd_extfrag(struct golden *g, struct command *c)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++) {
		const struct zone *z = &g->m.zones[g->m.nodes[c->nid].zone[t]];
		char text[512];
		int len;

		if (g->m.nodes[c->nid].zone[t] < 0)
			continue;
		len = snprintf(text, sizeof(text), "EXTFRAG %s fragindex:", pr_zone_name[t]);
		for (unsigned o = 0; o < NR_ORDERS; o++)
			len += snprintf(text + len, sizeof(text) - (size_t)len, " %d",
					pr_fragmentation_index(z, o));
		len += snprintf(text + len, sizeof(text) - (size_t)len, " extfrag_for_order:");
		for (unsigned o = 0; o < NR_ORDERS; o++)
			len += snprintf(text + len, sizeof(text) - (size_t)len, " %u",
					pr_extfrag_for_order(z, o));
		golden_emit(g, text);
	}
}

/* contig ID pfn= n= gfp=: a range by its frame numbers */
static void cmd_contig(struct golden *g, struct command *c)
{
	pfn_t pfn = (pfn_t)number_of(c, "pfn", 0);
	unsigned long n = (unsigned long)number_of(c, "n", 512);
	int err = pr_alloc_contig(&g->m, pfn, n, (enum migratetype)number_of(c, "mt", MT_MOVABLE),
				  c->r.gfp, g->cpu, 0);

	for (unsigned long i = 0; !err && i < n && c->id + i < MAX_IDS; i++)
		g->id[c->id + i] = (struct entry){pfn + i, 0, true};
	golden_emitf(g, "CONTIG %llx+%lu -> %d", (unsigned long long)pfn, n, err);
}

static int by_pfn(const void *a, const void *b)
{
	pfn_t x = *(const pfn_t *)a, y = *(const pfn_t *)b;

	return x < y ? -1 : x > y;
}

/* Puts a free list into ascending order. */
static void sort_list(struct golden *g, struct zone *z, unsigned order, enum migratetype mt)
{
	struct list *l = &z->area[order].list[mt];
	pfn_t *pfn = calloc(l->nr + 1, sizeof(*pfn));
	unsigned n = 0;

	for (uint32_t rel = l->first; rel != LINK_NONE;
	     rel = pr_list_next(&g->m, z, order, false, rel))
		pfn[n++] = z->start_pfn + rel;
	qsort(pfn, n, sizeof(*pfn), by_pfn);
	for (unsigned i = 0; i < n; i++) {
		list_remove(&g->m, z, l, rel_of(z, pfn[i]), order, false);
		list_push(&g->m, z, l, rel_of(z, pfn[i]), order, false, true);
	}
	free(pfn);
}

/* A node in its canonical state: lists sorted, what is learned from earlier use forgotten. */
static void cmd_canon(struct golden *g, struct command *c)
{
	for (unsigned t = 0; t < NR_ZONE_TYPES; t++) {
		struct zone *z = &g->m.zones[g->m.nodes[c->nid].zone[t]];

		if (g->m.nodes[c->nid].zone[t] < 0)
			continue;
		for (unsigned o = 0; o < NR_ORDERS; o++)
			for (unsigned mt = 0; mt < NR_MIGRATETYPES; mt++)
				sort_list(g, z, o, (enum migratetype)mt);
		z->watermark_boost = 0;
		z->flags &= ~(uint32_t)(ZONE_BOOSTED_WATERMARK | ZONE_BELOW_HIGH);
		z->compact.considered = z->compact.defer_shift = 0;
		z->compact.order_failed = 0;
		for (unsigned cpu = 0; cpu < g->m.arena->nr_cpus; cpu++) {
			struct pcp *p = pr_pcp(&g->m, z, cpu);

			p->high = p->high_min;
			p->alloc_factor = p->expire = 0;
			p->free_count = 0;
			p->flags &= (uint8_t)~PCPF_PREV_FREE_HIGH_ORDER;
		}
	}
	g->m.nodes[c->nid].kswapd_order = 0;
	g->m.nodes[c->nid].kswapd_highest = NR_ZONE_TYPES;
}

static const struct {
	const char *name;
	void (*run)(struct golden *g, struct command *c);
} commands[] = {
	{"alloc", cmd_alloc},	{"afill", cmd_afill},	    {"free", cmd_free},
	{"freer", cmd_freer},	{"freerev", cmd_freerev},   {"split", cmd_split},
	{"bulk", cmd_bulk},	{"drain", cmd_drain},	    {"drainall", cmd_drainall},
	{"tick", cmd_tick},	{"fold", cmd_fold},	    {"cpu", cmd_cpu},
	{"dump", cmd_dump},	{"sum", cmd_sum},	    {"noboost", cmd_noboost},
	{"ev0", cmd_ev0},	{"ev", cmd_ev},		    {"lrudrain", cmd_lrudrain},
	{"verbose", cmd_verbose}, {"freeall", cmd_freeall}, {"pfns", cmd_pfns}, {"canon", cmd_canon},
	{"extfrag", cmd_extfrag}, {"contig", cmd_contig},
};

static void parse_request(struct golden *g, struct command *c)
{
	const char *gfp = value_of(c, "gfp"), *nodes = value_of(c, "nodes");

	c->nid = (unsigned)number_of(c, "nid", 1);
	c->id = c->words > 1 ? strtoul(c->word[1], NULL, 0) : 0;
	c->r = PR_REQUEST((unsigned)number_of(c, "order", 0), GFP_NOWAIT);
	if (gfp && pr_gfp_parse(gfp, &c->r.gfp, NULL, NULL))
		golden_emit(g, "ERR gfp");
	if (has(c, "thisnode"))
		c->r.gfp |= __GFP_THISNODE;
	c->r.node = (int)c->nid;
	c->r.cpu = g->cpu;
	c->r.lru = has(c, "lru");
	c->r.memalloc = has(c, "memalloc");
	/* "irqoff" changes nothing: a CPU's lists are closed only while it holds their lock itself */
	for (; nodes && *nodes; nodes++)
		if (*nodes >= '0' && *nodes <= '9')
			c->r.nodemask |= 1ull << (*nodes - '0');
}

static void run_command(struct golden *g, const char *line)
{
	char *copy = strdup(line), *rest = copy, *word;
	struct command c = {.words = 0};

	while ((word = strsep(&rest, " \t")) && c.words < MAX_WORDS)
		if (*word)
			c.word[c.words++] = word;
	parse_request(g, &c);
	for (unsigned i = 0; c.words && c.id < MAX_IDS && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(c.word[0], commands[i].name)) {
			commands[i].run(g, &c);
			free(copy);
			return;
		}
	golden_emit(g, "(a command that this runner does not know)");
	free(copy);
}

void golden_command(struct golden *g, const char *line)
{
	if (*line == '!')
		golden_user_command(g, line + 1);
	else
		run_command(g, line);
}

void golden_run(struct golden *g)
{
	while (g->at < g->nr && !(g->differs_at && g->shown >= g->show)) {
		const char *line = g->line[g->at];

		g->at++;
		if (starts(line, "END"))
			return;
		if (starts(line, "> "))
			run_command(g, line + 2);
		else if (starts(line, "! "))
			golden_user_command(g, line + 2);
		else if (*line != '#') {
			g->at--;
			golden_emit(g, "(nothing)");
		}
	}
	if (!g->differs_at)
		golden_emit(g, "(the recording stops without END)");
}
