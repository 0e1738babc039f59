/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words.c: the known word that is nearest to one that a user wrote, for messages. */
#include <pagerig/types.h>

#include <ctype.h>
#include <string.h>

enum { MAX_LEN = 63 };

static bool differ(char a, char b)
{
	return toupper((unsigned char)a) != toupper((unsigned char)b);
}

/* Letters to change, add or drop to make b of a; longer words count as far as MAX_LEN. */
static unsigned distance(const char *a, size_t alen, const char *b)
{
	unsigned row[MAX_LEN + 1];
	size_t blen = strlen(b);

	alen = alen < MAX_LEN ? alen : MAX_LEN;
	for (size_t i = 0; i <= alen; i++)
		row[i] = (unsigned)i;
	for (size_t j = 1; j <= blen; j++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)j;
		for (size_t i = 1; i <= alen; i++) {
			unsigned best = diagonal + differ(a[i - 1], b[j - 1]);

			diagonal = row[i];
			best = row[i] + 1 < best ? row[i] + 1 : best;
			row[i] = row[i - 1] + 1 < best ? row[i - 1] + 1 : best;
		}
	}
	return row[alen];
}

void pr_near_try(struct pr_near *near, const char *name)
{
	unsigned d = distance(near->word, near->len, name);

	if (!near->name || d < near->distance) {
		near->distance = d;
		near->name = name;
	}
}
