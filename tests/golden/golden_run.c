/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * golden-run [-v] FILE…: replays recordings of the real kernel (.golden, or .tar.xz of them) on the
 * engine and compares each line. Exit status 0 only if all are exact.
 */
#include "golden.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned exact, total, show = 1;
static int broken;

static char *read_file(const char *path)
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

static void split_lines(struct golden *g, char *text)
{
	unsigned max = 1;
	char *line;

	for (const char *p = text; *p; p++)
		max += *p == '\n';
	g->line = calloc(max, sizeof(*g->line));
	while ((line = strsep(&text, "\n")))
		if (text)
			g->line[g->nr++] = line;
}

static void run_file(const char *path)
{
	const char *base = strrchr(path, '/');
	char *text = read_file(path);
	struct golden g = {.name = base ? base + 1 : path, .show = show};

	total++;
	if (!text) {
		printf("differs %s 0: it can't be read\n", path);
		return;
	}
	split_lines(&g, text);
	g.id = calloc(MAX_IDS, sizeof(*g.id));
	if (golden_load(&g))
		printf("differs %s 0: it has no state to start from\n", g.name);
	else
		golden_run(&g);
	if (g.arena && !g.differs_at) {
		printf("exact %s\n", g.name);
		exact++;
	}
	golden_user_free(&g);
	free(g.arena);
	free(g.id);
	free(g.line);
	free(text);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *found[1000];
static unsigned nr_found;

static int note(const char *path, const struct stat *, int type, struct FTW *)
{
	size_t len = strlen(path);

	if (type == FTW_F && len > 7 && !strcmp(path + len - 7, ".golden") && nr_found < 1000)
		found[nr_found++] = strdup(path);
	return 0;
}

static int erase(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

static void run_archive(const char *path)
{
	char dir[] = "/tmp/golden-XXXXXX", *command = NULL;

	if (!mkdtemp(dir) || asprintf(&command, "tar -xJf '%s' -C %s", path, dir) < 0 ||
	    system(command)) {
		printf("%s can't be unpacked\n", path);
		broken = 1;
	} else {
		nftw(dir, note, 16, FTW_PHYS);
		qsort(found, nr_found, sizeof(*found), compare);
		for (unsigned i = 0; i < nr_found; i++) {
			run_file(found[i]);
			free(found[i]);
		}
		nr_found = 0;
	}
	nftw(dir, erase, 16, FTW_PHYS | FTW_DEPTH);
	free(command);
}

int main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "v")) != -1) {
		if (opt != 'v')
			return 2;
		show = 6;
	}
	if (optind == argc) {
		fprintf(stderr, "usage: golden-run [-v] FILE.golden|FILE.tar.xz…\n");
		return 2;
	}
	for (int i = optind; i < argc; i++) {
		size_t len = strlen(argv[i]);

		if (len > 7 && !strcmp(argv[i] + len - 7, ".tar.xz"))
			run_archive(argv[i]);
		else
			run_file(argv[i]);
	}
	printf("%u of %u exact\n", exact, total);
	return broken || exact != total || !total;
}
