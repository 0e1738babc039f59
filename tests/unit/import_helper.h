/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_helper.h: descriptions of machines as texts, and machines from them, for tests. */
#ifndef TESTS_IMPORT_HELPER_H
#define TESTS_IMPORT_HELPER_H

#include <pagerig/lab.h>

enum { ZONEINFO, BUDDYINFO, PAGETYPEINFO, NR_TEXTS };
extern const char *const text_name[NR_TEXTS];

/* A description; its texts are malloc'ed. */
struct description {
	char *text[NR_TEXTS];
	struct pr_import_extra extra[8];
	unsigned nr_extra;
};
/* Of tests/fixtures/machines.tar.xz; name is one of fixture_name. */
extern const char *const fixture_name[4];
void fixture_load(struct description *d, const char *name);
/* As that machine's /proc would print them, in Linux 6.12's formats. */
void description_of(struct description *d, const struct pr_machine *m);
void description_copy(struct description *to, const struct description *from);
void description_free(struct description *d);
/* Replaces the n-th (from 0) occurrence of `from` in a text; fails the test if there is none. */
void description_edit(struct description *d, unsigned text, unsigned n, const char *from,
		      const char *to);

/* Bytes of arena: enough for every fixture. */
#define IMPORT_LARGE ((size_t)1 << 30)

struct imported {
	struct pr_import *im;
	struct pr_machine m;
	void *arena; /* NULL: refused, or larger than the limit */
	size_t size;
};
/* Imports, makes and fills; the error of pr_import_new. Arenas above max_size are not made. */
int import_make(struct imported *i, const struct description *d, size_t max_size, char *why,
		size_t size);
/* Must succeed, and the checker must like it. */
void imports(struct imported *i, const struct description *d);
void import_drop(struct imported *i);

#endif
