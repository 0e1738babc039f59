/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buddyinfo.c: the free blocks of another machine, to compare ours with. */
#include <pagerig/lab.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(char *why, size_t size, unsigned line, const char *what, const char *word)
{
	snprintf(why, size, "line %u: %s '%.60s'", line, what, word);
	return -EINVAL;
}

static struct zone *zone_by_name(const struct pr_machine *m, unsigned long node, const char *name)
{
	for (unsigned i = 0; i < m->arena->nr_zones; i++)
		if (m->zones[i].node == node && !strcmp(pr_zone_name[m->zones[i].type], name))
			return &m->zones[i];
	return NULL;
}

static bool count(const char *word, uint64_t *n)
{
	char *end;

	if (!word || !isdigit((unsigned char)*word))
		return false;
	errno = 0;
	*n = strtoull(word, &end, 10);
	return !*end && !errno && *n < 1ull << 40;
}

/* "Node 0, zone   Normal   8845   3014 …" */
static int one_zone(struct pr_machine *m, char *line, unsigned nr, struct pr_free_blocks *to,
		    char *why, size_t size)
{
	static const char *const head[] = {"Node", NULL, "zone", NULL};
	char *rest = line, *word[4];
	const struct zone *z;
	uint64_t node;

	for (unsigned i = 0; i < 4; i++) {
		word[i] = strtok_r(rest, " \t,\r", &rest);
		if (!word[i] || (head[i] && strcmp(word[i], head[i])))
			return refuse(why, size, nr, "not 'Node N, zone NAME' but",
				      word[i] ? word[i] : "");
	}
	z = count(word[1], &node) ? zone_by_name(m, node, word[3]) : NULL;
	if (!z)
		return refuse(why, size, nr, "this machine's node has no zone", word[3]);
	to += z - m->zones;
	for (unsigned o = 0; o < NR_ORDERS; o++) {
		const char *text = strtok_r(rest, " \t\r", &rest);

		if (!count(text, &to->blocks[o]))
			return refuse(why, size, nr, "a count of blocks is missing at",
				      text ? text : "the end");
	}
	if (strtok_r(rest, " \t\r", &rest))
		return refuse(why, size, nr, "more than 11 orders of zone", word[3]);
	to->known = true;
	return 0;
}

int pr_buddyinfo_parse(struct pr_machine *m, const char *text, size_t len,
		       struct pr_free_blocks *to, char *why, size_t size)
{
	char *copy, *rest, *line;
	unsigned nr = 0;
	int err = 0;

	if (memchr(text, 0, len)) {
		snprintf(why, size, "a NUL byte in the text");
		return -EINVAL;
	}
	copy = strndup(text, len);
	if (!copy)
		return -ENOMEM;
	for (rest = copy; !err && (line = strsep(&rest, "\n"));) {
		nr++;
		if (line[strspn(line, " \t\r")])
			err = one_zone(m, line, nr, to, why, size);
	}
	free(copy);
	return err;
}
