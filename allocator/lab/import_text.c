/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_text.c: lines, words and numbers of a /proc file, and sentences about them. */
#include "lab/import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int vbad(struct pr_import *im, const char *name, unsigned line, const char *fmt, va_list ap)
{
	int n = line ? snprintf(im->why, im->size, "%s:%u: ", name, line)
		     : snprintf(im->why, im->size, "%s: ", name);

	if (n >= 0 && (size_t)n < im->size)
		vsnprintf(im->why + n, im->size - (size_t)n, fmt, ap);
	return -EINVAL;
}

int reader_bad(const struct reader *r, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = vbad(r->im, r->file->name, r->line, fmt, ap);
	va_end(ap);
	return err;
}

int import_bad(struct pr_import *im, const struct pr_text *file, unsigned line, const char *fmt,
	       ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = vbad(im, file->name, line, fmt, ap);
	va_end(ap);
	return err;
}

int import_warn(struct pr_import *im, const char *fmt, ...)
{
	char **more = realloc(im->warning, (im->nr_warnings + 1) * sizeof(*more));
	char text[512];
	va_list ap;

	if (!more)
		return -ENOMEM;
	im->warning = more;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	more[im->nr_warnings] = strdup(text);
	return more[im->nr_warnings] ? (im->nr_warnings++, 0) : -ENOMEM;
}

static void split(struct reader *r)
{
	char *rest = r->copy, *word;

	r->nr_words = 0;
	while (r->nr_words < MAX_WORDS && (word = strsep(&rest, " \t\r")))
		if (*word)
			r->word[r->nr_words++] = word;
}

bool reader_next(struct reader *r, int *err)
{
	*err = 0;
	if (!r->line) {
		r->at = r->file->text;
		if (strlen(r->at) != r->file->len) {
			*err = import_bad(r->im, r->file, 0, "holds a NUL byte");
			return false;
		}
	}
	while (*r->at) {
		size_t len = strcspn(r->at, "\n");

		r->line++;
		if (len >= MAX_LINE) {
			*err = reader_bad(r, "a line of %zu bytes; at most %d", len, MAX_LINE - 1);
			return false;
		}
		memcpy(r->copy, r->at, len);
		r->copy[len] = 0;
		r->at += len + (r->at[len] == '\n');
		split(r);
		if (r->nr_words)
			return true;
	}
	return false;
}

bool import_number(const char *word, uint64_t *n)
{
	if (!*word || strspn(word, "0123456789") != strlen(word) || strlen(word) > 15)
		return false;
	*n = strtoull(word, NULL, 10);
	return *n < IMPORT_MAX_NUMBER;
}

int reader_zone(struct reader *r, unsigned *node, char **name)
{
	uint64_t n;
	size_t len;

	if (r->nr_words < 4 || strcmp(r->word[0], "Node") || strcmp(r->word[2], "zone"))
		return reader_bad(r, "expected 'Node N, zone NAME', found '%.40s'", r->word[0]);
	len = strlen(r->word[1]);
	if (len && r->word[1][len - 1] == ',')
		r->word[1][len - 1] = 0;
	if (!import_number(r->word[1], &n))
		return reader_bad(r, "'%.40s' is not the number of a node", r->word[1]);
	if (n >= PR_MAX_NODES)
		return reader_bad(r, "node %s: at most %d nodes, from 0", r->word[1], PR_MAX_NODES);
	len = strlen(r->word[3]);
	if (r->word[3][len - 1] == ',')
		r->word[3][len - 1] = 0;
	*node = (unsigned)n;
	*name = r->word[3];
	return 0;
}

int import_zone_type(const char *name)
{
	for (int t = 0; t < NR_ZONE_TYPES; t++)
		if (!strcmp(pr_zone_name[t], name))
			return t;
	return ZONE_NONE;
}

const char *import_where(const struct import_zone *z, char buf[48])
{
	snprintf(buf, 48, "node %u zone %s", z->node, pr_zone_name[z->type]);
	return buf;
}
