/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_import.c: libFuzzer on the reader of /proc. An input is zoneinfo, buddyinfo and pagetypeinfo,
 * with a form feed between them. Whatever it is: a sentence, or a machine that the checker likes.
 */
#include <pagerig/lab.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NR_TEXTS = 3 };
#define MAX_ARENA ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(const struct pr_import *im)
{
	size_t size = pr_machine_size(pr_import_spec(im));
	struct pr_machine m;
	char why[512] = "";
	void *arena;

	if (size > MAX_ARENA)
		return;
	arena = aligned_alloc(4096, size);
	if (!arena)
		return;
	memset(arena, 0, size);
	if (pr_machine_create(&m, arena, size, pr_import_spec(im)) ||
	    pr_import_fill(im, &m, why, sizeof(why)) || pr_check(&m, why, sizeof(why))) {
		fprintf(stderr, "taken, but wrong: %s\n", why);
		abort();
	}
	free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const name[NR_TEXTS] = {"zoneinfo", "buddyinfo", "pagetypeinfo"};
	char *copy = malloc(size + 1), *rest = copy, why[512] = "";
	struct pr_text text[NR_TEXTS];
	struct pr_import *im;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	copy[size] = 0;
	for (unsigned i = 0; i < NR_TEXTS; i++) {
		char *part = rest ? strsep(&rest, "\f") : "";

		text[i] = (struct pr_text){name[i], part, strlen(part)};
	}
	if (!pr_import_new(&(struct pr_import_files){text[0], text[1], text[2]}, &im, why, sizeof(why))) {
		fill(im);
		pr_import_free(im);
	} else if (!strchr(why, ':')) {
		fprintf(stderr, "refused without a sentence: '%s'\n", why);
		abort();
	}
	free(copy);
	return 0;
}
