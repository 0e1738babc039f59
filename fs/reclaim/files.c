/* SPDX-License-Identifier: GPL-2.0-or-later */
/* files.c: nodes/{node}/{lru,kswapd,reclaim} and proc/sys/vm/drop_caches. */
#include "reclaim/reclaim.h"

#include <errno.h>
#include <pagerig/reclaim.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

int node_lru(const struct place *at, FILE *to)
{
	static const char *const names[NR_LRU_LISTS] = {"inactive_anon", "active_anon",
							"inactive_file", "active_file",
							"unevictable"};
	const struct lruvec *v = &rig.m.nodes[at->node].lru;

	for (unsigned l = 0; l < NR_LRU_LISTS; l++)
		fprintf(to, "%s %llu\n", names[l], (ull)pr_lru_pages(&rig.m, at->node, (enum lru_list)l));
	fprintf(to, "anon_cost %llu\nfile_cost %llu\nnonresident_age %llu\ndirty %llu\nwriteback %llu\n"
		    "mapped_anon %llu\nmapped_file %llu\n",
		(ull)v->cost[0], (ull)v->cost[1], (ull)v->nonresident_age, (ull)v->dirty,
		(ull)v->writeback, (ull)v->mapped[0], (ull)v->mapped[1]);
	fprintf(to, "workingset_refault_anon %llu\nworkingset_refault_file %llu\n"
		    "workingset_activate_anon %llu\nworkingset_activate_file %llu\n"
		    "workingset_restore_anon %llu\nworkingset_restore_file %llu\n",
		(ull)v->refaulted[0], (ull)v->refaulted[1], (ull)v->activated[0],
		(ull)v->activated[1], (ull)v->restored[0], (ull)v->restored[1]);
	return 0;
}

int node_kswapd(const struct place *at, FILE *to)
{
	static const char *const states[] = {"asleep", "napping", "balancing"};
	const struct node *n = &rig.m.nodes[at->node];

	fprintf(to, "state %s\n", states[n->kswapd.state]);
	if (n->kswapd.state == KSWAPD_BALANCING)
		fprintf(to, "order %d\nhighest %s\npriority %d\nreclaimed %llu\n", n->kswapd.alloc_order,
			pr_zone_name[n->kswapd.highest], n->kswapd.priority,
			(ull)n->kswapd.reclaimed);
	if (n->kswapd_highest != NR_ZONE_TYPES)
		fprintf(to, "wanted_order %d\nwanted_highest %s\n", n->kswapd_order,
			pr_zone_name[n->kswapd_highest]);
	fprintf(to, "wakeups %llu\nfailures %d\n", (ull)n->kswapd_wakeups, n->kswapd_failures);
	return 0;
}

/* "512M", "4096", in bytes as memory.reclaim; pages are left over as a whole one. */
static int parse_bytes(const char *word, uint64_t *pages, char *why)
{
	static const char units[] = "KMGT";
	char *end;
	const char *unit;
	uint64_t n;

	errno = 0;
	n = strtoull(word, &end, 10);
	unit = *end ? strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
	if (end == word || *word == '-' || (*end && (!unit || end[1]))) {
		snprintf(why, WHY_SIZE, "'%.64s' is not a size such as 16M", word);
		return -EINVAL;
	}
	if (errno || n >> (unit ? 24 : 60)) {
		snprintf(why, WHY_SIZE, "'%.64s' is more than any machine has", word);
		return -EINVAL;
	}
	if (unit)
		n <<= 10 * (unit - units + 1);
	*pages = (n + PR_PAGE_SIZE - 1) / PR_PAGE_SIZE;
	return 0;
}

int node_reclaim_store(const struct place *at, char *line, FILE *, char *why)
{
	enum { MAX_SWAPPINESS = 200 };
	int swappiness = -1, err;
	uint64_t pages, done;
	char *word = strsep(&line, " ");

	err = parse_bytes(word, &pages, why);
	while (!err && (word = strsep(&line, " "))) {
		char *end = "x";

		if (!*word)
			continue;
		if (!strncmp(word, "swappiness=", 11))
			swappiness = (int)strtol(word + 11, &end, 10);
		if (*end || end == word + 11 || swappiness < 0 || swappiness > MAX_SWAPPINESS) {
			snprintf(why, WHY_SIZE, "'%.64s' is not swappiness=0…200", word);
			err = -EINVAL;
		}
	}
	if (err)
		return err;
	err = pr_reclaim_node(&rig.m, (unsigned)at->node, 0, pages, swappiness, &done);
	if (err)
		snprintf(why, WHY_SIZE, "%llu of %llu pages could be reclaimed", (ull)done, (ull)pages);
	return err;
}

int drop_caches_store(const struct place *, char *line, FILE *, char *why)
{
	enum { STOP_LOGGING = 4 };
	char *end;
	long what = strtol(line, &end, 10);

	if (end == line || *end || what < 1 || what > STOP_LOGGING) {
		snprintf(why, WHY_SIZE, "'%.64s' is not 1 (pages), 2 (shrinkers), 3 (both) or 4", line);
		return -EINVAL;
	}
	pr_drop_caches(&rig.m, (unsigned)what, 0);
	return 0;
}
