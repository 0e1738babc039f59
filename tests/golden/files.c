/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files.h"

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *files_read(const char *path)
{
	char *text = NULL;
	size_t size = 0, got;
	FILE *in = fopen(path, "r"), *out;
	char buf[65536];

	if (!in)
		return NULL;
	out = open_memstream(&text, &size);
	while ((got = fread(buf, 1, sizeof(buf), in)))
		fwrite(buf, 1, got, out);
	fclose(in);
	fclose(out);
	return text;
}

char **files_lines(char *text, unsigned *nr)
{
	unsigned max = 1;
	char **line, *one;

	for (const char *p = text; *p; p++)
		max += *p == '\n';
	line = calloc(max, sizeof(*line));
	*nr = 0;
	while ((one = strsep(&text, "\n")))
		if (text)
			line[(*nr)++] = one;
	return line;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

enum { MAX_FILES = 2000 };
static char *found[MAX_FILES];
static unsigned nr_found;
static const char *wanted;

static bool ends(const char *path, const char *with)
{
	size_t len = strlen(path), tail = strlen(with);

	return len > tail && !strcmp(path + len - tail, with);
}

static int note(const char *path, const struct stat *, int type, struct FTW *)
{
	if (type == FTW_F && ends(path, wanted) && nr_found < MAX_FILES)
		found[nr_found++] = strdup(path);
	return 0;
}

static int erase(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

static int each_of_archive(const char *path, void (*run)(const char *path))
{
	char dir[] = "/tmp/golden-XXXXXX", *command = NULL;
	int err = 0;

	if (!mkdtemp(dir) || asprintf(&command, "tar -xJf '%s' -C %s", path, dir) < 0 ||
	    system(command)) {
		printf("%s can't be unpacked\n", path);
		err = -1;
	} else {
		nftw(dir, note, 16, FTW_PHYS);
		qsort(found, nr_found, sizeof(*found), compare);
		for (unsigned i = 0; i < nr_found; i++) {
			run(found[i]);
			free(found[i]);
		}
		nr_found = 0;
	}
	nftw(dir, erase, 16, FTW_PHYS | FTW_DEPTH);
	free(command);
	return err;
}

int files_each(char *const *paths, int nr, const char *ending, void (*run)(const char *path))
{
	int err = 0;

	wanted = ending;
	for (int i = 0; i < nr; i++) {
		if (ends(paths[i], ".tar.xz"))
			err |= each_of_archive(paths[i], run);
		else
			run(paths[i]);
	}
	return err;
}
