/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_import_random.c: what any machine of the engine prints can be imported again, to the block;
 * and texts that were damaged at random are imported or refused with a sentence, never worse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "import_helper.h"
#include "random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned from_env(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);

	return value ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

/* One to three zones that start and end anywhere, in part without memory that is managed. */
static void random_machine(struct small_machine *s, struct rng *r)
{
	struct pr_zone_spec zone[3];
	struct pr_spec spec = {.nr_nodes = 1,
			       .nr_cpus = 1 + rng_below(r, 4),
			       .zone = zone,
			       .sysctl = PR_SYSCTL_DEFAULTS};
	pfn_t at = rng_below(r, 3000);

	for (unsigned t = 0; t < 3; t++) {
		uint64_t pages = 600 + rng_below(r, 9000);

		if (t == 1 && rng_below(r, 2))
			at = (at + PAGEBLOCK_PAGES) & ~(pfn_t)(PAGEBLOCK_PAGES - 1);
		zone[t] = (struct pr_zone_spec){.type = ZONE_DMA32 + t,
						.start_pfn = at,
						.spanned = pages,
						.present = pages,
						.managed = pages};
		at += pages + (rng_below(r, 2) ? rng_below(r, 2000) : 0);
	}
	spec.nr_zones = 1 + rng_below(r, 3);
	s->size = pr_machine_size(&spec);
	s->arena = calloc(1, s->size);
	assert_non_null(s->arena);
	assert_int_equal(pr_machine_create(&s->m, s->arena, s->size, &spec), 0);
}

/* Takes much, gives half of it back in any order. */
static void wear(struct small_machine *s, struct rng *r)
{
	static const gfp_t gfps[] = {GFP_KERNEL, GFP_HIGHUSER_MOVABLE,
				     GFP_KERNEL | __GFP_RECLAIMABLE, GFP_ATOMIC};
	static struct {
		pfn_t pfn;
		unsigned order;
	} live[20000];
	unsigned nr = 0, want = 1 + rng_below(r, 20000), keep = rng_below(r, 100);

	for (unsigned i = 0; i < want; i++) {
		struct pr_request q = PR_REQUEST(rng_below(r, 8) ? 0 : rng_below(r, NR_ORDERS),
						 gfps[rng_below(r, 4)] | __GFP_NOWARN);

		q.cpu = rng_below(r, s->m.arena->nr_cpus);
		if (!pr_alloc(&s->m, &q, &live[nr].pfn))
			live[nr++].order = q.order;
	}
	for (unsigned i = 0; i < nr; i++)
		if (rng_below(r, 100) >= keep)
			assert_int_equal(pr_free(&s->m, live[i].pfn, live[i].order,
						 rng_below(r, s->m.arena->nr_cpus)),
					 0);
}

static void same_text(unsigned seed, const char *name, const char *a, const char *b)
{
	if (strcmp(a, b))
		fail_msg("seed %u: %s differs; before:\n%s\nafter:\n%s", seed, name, a, b);
}

static void what_is_printed_can_be_imported(void **)
{
	unsigned first = from_env("SEED", 1), n = from_env("SEEDS", 200) / 2 + 1;

	for (unsigned seed = first; seed < first + n; seed++) {
		struct rng r = {seed * 2654435761u + 1};
		struct small_machine s;
		struct description before, after;
		struct imported i;
		char why[512];

		random_machine(&s, &r);
		wear(&s, &r);
		description_of(&before, &s.m);
		if (import_make(&i, &before, (size_t)1 << 30, why, sizeof(why)))
			fail_msg("seed %u is refused: %s", seed, why);
		if (pr_import_warning(i.im, 0))
			fail_msg("seed %u: %s", seed, pr_import_warning(i.im, 0));
		if (pr_check(&i.m, why, sizeof(why)))
			fail_msg("seed %u: %s", seed, why);
		description_of(&after, &i.m);
		for (unsigned t = 0; t < NR_TEXTS; t++)
			same_text(seed, text_name[t], before.text[t], after.text[t]);
		import_drop(&i);
		description_free(&before);
		description_free(&after);
		small_machine_free(&s);
	}
}

/* Another number, near or absurd, in place of the n-th of a text. */
static void change_number(struct rng *r, char **text)
{
	static const char *const odd[] = {"0",		"1",	  "-1", "99999999999999",
					  "4294967295", "100000", "x",	"18446744073709551616",
					  ">100000",	"512",	  ""};
	size_t len = strlen(*text), at = rng_below(r, (unsigned)len), digits;
	char *out;

	while ((*text)[at] && ((*text)[at] < '0' || (*text)[at] > '9'))
		at++;
	digits = strspn(*text + at, "0123456789");
	if (rng_below(r, 2)) {
		(*text)[at] = (*text)[at] ? (char)('0' + rng_below(r, 10)) : 0;
		return;
	}
	assert_int_not_equal(asprintf(&out, "%.*s%s%s", (int)at, *text, odd[rng_below(r, 11)],
				      *text + at + digits),
			     -1);
	free(*text);
	*text = out;
}

static void damage(struct rng *r, struct description *d)
{
	unsigned t = rng_below(r, NR_TEXTS);
	char **text = &d->text[t], *line, *end, *out;
	size_t len = strlen(*text), at = len ? rng_below(r, (unsigned)len) : 0;

	if (!len)
		return;
	line = *text + at;
	while (line > *text && line[-1] != '\n')
		line--;
	end = line + strcspn(line, "\n");
	switch (rng_below(r, 8)) {
	case 0: /* a byte */
		(*text)[at] = (char)(1 + rng_below(r, 255));
		break;
	case 1: /* the end */
		(*text)[at] = 0;
		break;
	case 2: /* a line goes */
		memmove(line, end, strlen(end) + 1);
		break;
	case 3: /* a line twice */
		assert_int_not_equal(asprintf(&out, "%.*s%.*s\n%s", (int)(line - *text), *text,
					      (int)(end - line), line, line),
				     -1);
		free(*text);
		*text = out;
		break;
	case 4: /* another file's text */
		out = strdup(d->text[rng_below(r, NR_TEXTS)]);
		free(*text);
		*text = out;
		break;
	default:
		change_number(r, text);
	}
}

static void damaged_texts_are_refused_or_read(void **)
{
	unsigned first = from_env("SEED", 1), n = from_env("SEEDS", 200) * 5, taken = 0,
		 refusals = 0;
	struct description fixture[4];

	for (unsigned f = 0; f < 4; f++)
		fixture_load(&fixture[f], fixture_name[f]);
	for (unsigned seed = first; seed < first + n; seed++) {
		struct rng r = {seed * 2654435761u + 1};
		struct description d;
		struct imported i;
		char why[512] = "";
		int err;

		description_copy(&d, &fixture[seed % 4]);
		for (unsigned k = 1 + rng_below(&r, 3); k; k--)
			damage(&r, &d);
		err = import_make(&i, &d, (size_t)400 << 20, why, sizeof(why));
		if (err && (err != -EINVAL || !strchr(why, ':') || strlen(why) < 15))
			fail_msg("seed %u: %d '%s'", seed, err, why);
		if (!err && i.arena && pr_check(&i.m, why, sizeof(why)))
			fail_msg("seed %u: %s", seed, why);
		taken += !err;
		refusals += err != 0;
		if (!err)
			import_drop(&i);
		description_free(&d);
	}
	/* the row has both kinds, else it tests nothing */
	assert_true(taken > n / 20 && refusals > n / 20);
	for (unsigned f = 0; f < 4; f++)
		description_free(&fixture[f]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_can_be_imported),
		cmocka_unit_test(damaged_texts_are_refused_or_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
