/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "native/allocations.h"

#include "tree/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct allocation *first;
static unsigned long serial;

struct allocation *allocation_find(const char *name)
{
	for (struct allocation *a = first; a; a = a->next)
		if (!strcmp(a->name, name))
			return a;
	return NULL;
}

void allocations_list(void (*add)(void *ctx, const char *name), void *ctx)
{
	for (struct allocation *a = first; a; a = a->next)
		add(ctx, a->name);
}

static int check_name(const char *name, char *why)
{
	if (strlen(name) > NAME_MAX_LEN) {
		snprintf(why, WHY_SIZE, "a name has at most %d bytes", NAME_MAX_LEN);
		return -ENAMETOOLONG;
	}
	if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) {
		snprintf(why, WHY_SIZE, "'%s' can't be the name of a file", name);
		return -EINVAL;
	}
	if (allocation_find(name)) {
		snprintf(why, WHY_SIZE, "there is an allocation '%s' already", name);
		return -EEXIST;
	}
	return 0;
}

static void give_back(struct allocation *a, unsigned blocks, unsigned cpu)
{
	while (blocks--)
		pr_free(&rig.m, a->pfn[blocks], a->request.order, cpu);
}

int allocation_make(const char *name, const struct pr_request *r, unsigned count,
		    struct allocation **made, char *why)
{
	struct allocation *a;
	int err = check_name(name, why);

	if (err)
		return err;
	a = calloc(1, sizeof(*a));
	if (a)
		a->pfn = calloc(count, sizeof(*a->pfn));
	if (!a || !a->pfn) {
		free(a);
		snprintf(why, WHY_SIZE, "the host has no memory for %u blocks", count);
		return -ENOMEM;
	}
	a->request = *r;
	a->count = count;
	for (unsigned i = 0; i < count && !err; i++) {
		err = pr_alloc(&rig.m, r, &a->pfn[i]);
		if (!err)
			continue;
		snprintf(why, WHY_SIZE, err == -ENOMEM
			 ? "block %u of %u could not be had; tracing/error_log has the report"
			 : "gfp flags that no zone or type goes with", i + 1, count);
		give_back(a, i, r->cpu);
	}
	if (err) {
		free(a->pfn);
		free(a);
		return err;
	}
	if (*name) {
		strcpy(a->name, name);
	} else {
		do
			snprintf(a->name, sizeof(a->name), "a%lu", ++serial);
		while (allocation_find(a->name));
	}
	a->next = first;
	first = a;
	*made = a;
	return 0;
}

void allocation_free(struct allocation *a, unsigned cpu)
{
	struct allocation **at = &first;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	give_back(a, a->count, cpu);
	free(a->pfn);
	free(a);
}

void allocations_exit(void)
{
	while (first)
		allocation_free(first, 0);
}

void allocation_print(const struct allocation *a, FILE *to)
{
	char gfp[256];

	pr_gfp_print(a->request.gfp, gfp, sizeof(gfp));
	fprintf(to, "name %s\norder %u\ncount %u\npages %llu\ngfp %s\ncpu %u\n", a->name,
		a->request.order, a->count, (unsigned long long)a->count << a->request.order, gfp,
		a->request.cpu);
	for (unsigned i = 0; i < a->count; i++) {
		const struct zone *z = pr_zone_of(&rig.m, a->pfn[i]);

		fprintf(to, "block %#llx node%u %s\n", (unsigned long long)a->pfn[i], z->node,
			pr_zone_name[z->type]);
	}
}
