/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * talk FILE first|second: two processes that have nothing in common but a page of FILE, which each of
 * them maps for itself. The first writes a sentence into it, the second reads it there and answers.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, SENTENCE = 200 };

struct page {
	atomic_int sentences; /* how many were written */
	char sentence[2][SENTENCE];
};
_Static_assert(sizeof(struct page) <= PAGE, "one page");

static struct page *map(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	void *p = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, PAGE))
		p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static int await(struct page *p, int sentences)
{
	const struct timespec millisecond = {.tv_nsec = 1000000};

	for (int ms = 0; ms < 10000; ms++) {
		if (atomic_load(&p->sentences) >= sentences)
			return 0;
		nanosleep(&millisecond, NULL);
	}
	fprintf(stderr, "talk: nobody answers\n");
	return 1;
}

static void say(struct page *p, int i, const char *what)
{
	snprintf(p->sentence[i], SENTENCE, "%s process %d", what, (int)getpid());
	printf("process %d writes: %s\n", (int)getpid(), p->sentence[i]);
	fflush(stdout);
	atomic_store(&p->sentences, i + 1);
}

static int hear(struct page *p, int i)
{
	if (await(p, i + 1))
		return 1;
	printf("process %d reads:  %s\n", (int)getpid(), p->sentence[i]);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct page *p;

	if (argc != 3 || (strcmp(argv[2], "first") && strcmp(argv[2], "second"))) {
		fprintf(stderr, "usage: talk FILE first|second\n");
		return 2;
	}
	p = map(argv[1]);
	if (!p) {
		perror(argv[1]);
		return 1;
	}
	if (!strcmp(argv[2], "first")) {
		say(p, 0, "hello from");
		return hear(p, 1);
	}
	if (hear(p, 0))
		return 1;
	say(p, 1, "and hello back from");
	return 0;
}
