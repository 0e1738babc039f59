/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * golden-run [-v] FILE…: replays recordings of the real kernel (.golden, or .tar.xz of them) on the
 * engine and compares each line. Exit status 0 only if all are exact.
 */
#include "golden.h"

#include "files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned exact, total, show = 1;

static void run_file(const char *path)
{
	const char *base = strrchr(path, '/');
	char *text = files_read(path);
	struct golden g = {.name = base ? base + 1 : path, .show = show};

	total++;
	if (!text) {
		printf("differs %s 0: it can't be read\n", path);
		return;
	}
	g.line = files_lines(text, &g.nr);
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

int main(int argc, char **argv)
{
	int opt, broken;

	while ((opt = getopt(argc, argv, "v")) != -1) {
		if (opt != 'v')
			return 2;
		show = 6;
	}
	if (optind == argc) {
		fprintf(stderr, "usage: golden-run [-v] FILE.golden|FILE.tar.xz…\n");
		return 2;
	}
	broken = files_each(argv + optind, argc - optind, ".golden", run_file);
	printf("%u of %u exact\n", exact, total);
	return broken || exact != total || !total;
}
