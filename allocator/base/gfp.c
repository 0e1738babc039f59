/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gfp.c: the names of the engine: gfp flags, migrate types, zones, counters. One table each. */
#include <pagerig/machine.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const pr_migratetype_name[NR_MIGRATETYPES] = {
	"Unmovable", "Movable", "Reclaimable", "HighAtomic", "CMA", "Isolate",
};
const char pr_migratetype_letter[NR_MIGRATETYPES + 1] = "UMRHCI";
const char *const pr_zone_name[NR_ZONE_TYPES] = {"DMA", "DMA32", "Normal", "Movable"};

#define X(e, n) n,
const char *const pr_event_name[NR_EVENTS] = {PR_EVENTS(X)};
#undef X

#define NAME(n) {#n, n}
/* Compound names first and the larger before the smaller: printing takes the first that fits. */
static const struct gfp_name {
	const char *name;
	gfp_t bits;
} names[] = {
	NAME(GFP_TRANSHUGE),	   NAME(GFP_TRANSHUGE_LIGHT),  NAME(GFP_HIGHUSER_MOVABLE),
	NAME(GFP_HIGHUSER),	   NAME(GFP_USER),	       NAME(GFP_KERNEL),
	NAME(GFP_NOFS),		   NAME(GFP_ATOMIC),	       NAME(GFP_NOIO),
	NAME(GFP_NOWAIT),	   {"GFP_DMA", __GFP_DMA},     {"GFP_DMA32", __GFP_DMA32},
	NAME(__GFP_RECLAIM),	   NAME(__GFP_HIGHMEM),	       NAME(__GFP_MOVABLE),
	NAME(__GFP_RECLAIMABLE),   NAME(__GFP_HIGH),	       NAME(__GFP_IO),
	NAME(__GFP_FS),		   NAME(__GFP_ZERO),	       NAME(__GFP_DIRECT_RECLAIM),
	NAME(__GFP_KSWAPD_RECLAIM), NAME(__GFP_WRITE),	       NAME(__GFP_NOWARN),
	NAME(__GFP_RETRY_MAYFAIL), NAME(__GFP_NOFAIL),	       NAME(__GFP_NORETRY),
	NAME(__GFP_MEMALLOC),	   NAME(__GFP_COMP),	       NAME(__GFP_NOMEMALLOC),
	NAME(__GFP_HARDWALL),	   NAME(__GFP_THISNODE),       NAME(__GFP_ACCOUNT),
	{"GFP_KERNEL_ACCOUNT", GFP_KERNEL | __GFP_ACCOUNT},    {"__GFP_DMA", __GFP_DMA},
	{"__GFP_DMA32", __GFP_DMA32},  NAME(__GFP_ZEROTAGS),	       NAME(__GFP_NO_OBJ_EXT),
	NAME(__GFP_SKIP_ZERO),	   NAME(__GFP_SKIP_KASAN),     NAME(__GFP_NOLOCKDEP),
};
enum { NR_NAMES = sizeof(names) / sizeof(names[0]), ALL_BITS = 0x1ffffff & ~0x200 };

static const char *nearest(const char *word, size_t len)
{
	struct pr_near near = {.word = word, .len = len};

	for (unsigned i = 0; i < NR_NAMES; i++)
		pr_near_try(&near, names[i].name);
	return near.name;
}

static bool word_bits(const char *word, size_t len, gfp_t *bits)
{
	char number[16], *end;
	unsigned long value;

	for (unsigned i = 0; i < NR_NAMES; i++)
		if (strlen(names[i].name) == len && !memcmp(names[i].name, word, len)) {
			*bits = names[i].bits;
			return true;
		}
	if (len == strlen("none") && !memcmp(word, "none", len)) { /* as the kernel prints 0 */
		*bits = 0;
		return true;
	}
	if (!len || len >= sizeof(number) || !isdigit((unsigned char)*word))
		return false;
	memcpy(number, word, len);
	number[len] = 0;
	value = strtoul(number, &end, 0);
	*bits = (gfp_t)value;
	return !*end && !(value & ~(unsigned long)ALL_BITS);
}

int pr_gfp_parse(const char *text, gfp_t *gfp, const char **bad, const char **near)
{
	gfp_t result = 0;
	const char *p = text;

	for (;;) {
		bool take_away = *p == '~';
		const char *word = p + take_away;
		size_t len = strcspn(word, "|,");
		gfp_t bits;

		if (!word_bits(word, len, &bits)) {
			if (bad)
				*bad = word;
			if (near)
				*near = nearest(word, len);
			return -EINVAL;
		}
		result = take_away ? result & ~bits : result | bits;
		p = word + len;
		if (!*p)
			break;
		p++;
	}
	*gfp = result;
	return 0;
}

int pr_gfp_print(gfp_t gfp, char *buf, size_t size)
{
	const char *bar = "";
	size_t len = 0;
	int n;

	if (!gfp)
		return snprintf(buf, size, "0");
	for (unsigned i = 0; i < NR_NAMES && gfp; i++) {
		if (!names[i].bits || (gfp & names[i].bits) != names[i].bits)
			continue;
		n = snprintf(len < size ? buf + len : NULL, len < size ? size - len : 0, "%s%s", bar,
			     names[i].name);
		len += (size_t)n;
		gfp &= ~names[i].bits;
		bar = "|";
	}
	if (gfp)
		len += (size_t)snprintf(len < size ? buf + len : NULL, len < size ? size - len : 0,
					"%s%#x", bar, gfp);
	return (int)len;
}
