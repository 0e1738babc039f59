/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shm-client DIR TEST: what processes do with shared memory in DIR; silent when all is well.
 *   share   two processes exchange data through one mapping
 *   sigbus  touching behind a truncation
 *   unlink  data lives as long as it is mapped
 *   full    touching until there is no memory: SIGBUS, and write(2) ENOSPC
 *   random  a seeded row of operations beside a model in memory
 *   hold    keeps a dirty mapping until it is killed
 *   stamp   a file of MEGABYTES whose pages say where they are; verify: are they all there?
 *   page    both, and the file is removed
 *   thrash  stores all over a file of MEGABYTES until it is killed
 *   race    for SECONDS stores, truncations, punches and unlinks of the same files
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, RANDOM_SIZE = 64 * PAGE };

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #x,        \
				strerror(errno));                                                  \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static sigjmp_buf bus;

static void on_bus(int)
{
	siglongjmp(bus, 1);
}

/* Does touching this byte raise SIGBUS? */
static int touch_fails(volatile char *p)
{
	if (sigsetjmp(bus, 1))
		return 1;
	*p = 1;
	return 0;
}

static int make_file(const char *name, off_t size)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK(!ftruncate(fd, size));
	return fd;
}

static char *map(int fd, size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void test_share(void)
{
	enum { ROUNDS = 2000 };
	int fd = make_file("share", PAGE), status;
	volatile int *mine = (volatile int *)map(fd, PAGE);
	pid_t child = fork();

	if (!child) { /* by its own open and mapping */
		int other = open("share", O_RDWR);
		volatile int *p = (volatile int *)map(other, PAGE);

		for (int i = 0; i < ROUNDS; i++) {
			while (__atomic_load_n(&p[0], __ATOMIC_ACQUIRE) != 2 * i + 1)
				;
			p[1] = i;
			__atomic_store_n(&p[0], 2 * i + 2, __ATOMIC_RELEASE);
		}
		_exit(0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		__atomic_store_n(&mine[0], 2 * i + 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&mine[0], __ATOMIC_ACQUIRE) != 2 * i + 2)
			;
		CHECK(mine[1] == i);
	}
	CHECK(waitpid(child, &status, 0) == child && !status);
	CHECK(!unlink("share"));
}

static void test_sigbus(void)
{
	int fd = make_file("sigbus", 4 * PAGE);
	char *p = map(fd, 4 * PAGE);

	memset(p, 7, 4 * PAGE);
	CHECK(!ftruncate(fd, PAGE + 10));
	CHECK(!touch_fails(p) && !touch_fails(p + PAGE));
	CHECK(touch_fails(p + 2 * PAGE) && touch_fails(p + 3 * PAGE));
	CHECK(!ftruncate(fd, 4 * PAGE)); /* what grows back is zero */
	CHECK(p[PAGE + 9] == 7 && p[PAGE + 10] == 0 && p[2 * PAGE] == 0);
	CHECK(!unlink("sigbus"));
}

static void test_unlink(void)
{
	int fd = make_file("unlink", 16 * PAGE);
	char *p = map(fd, 16 * PAGE);

	memset(p, 5, 16 * PAGE);
	CHECK(!unlink("unlink"));
	CHECK(!close(fd));
	CHECK(!msync(p, 16 * PAGE, MS_SYNC));
	for (int i = 0; i < 16 * PAGE; i += 100)
		CHECK(p[i] == 5);
	CHECK(!munmap(p, 16 * PAGE));
}

static void test_full(void)
{
	enum { PAGES = 1 << 16 };
	int fd = make_file("full", (off_t)PAGES * PAGE), fd2;
	char *p = map(fd, (size_t)PAGES * PAGE), buf[PAGE] = "x";
	long i = 0;

	while (i < PAGES && !touch_fails(p + i * PAGE))
		i++;
	CHECK(i > 100 && i < PAGES);
	fd2 = make_file("full2", 0);
	while (write(fd2, buf, PAGE) == PAGE)
		;
	CHECK(errno == ENOSPC);
	CHECK(!touch_fails(p)); /* what is there stays */
	CHECK(!close(fd2) && !unlink("full2"));
	CHECK(!ftruncate(fd, PAGE));
	CHECK(!unlink("full"));
	CHECK(!munmap(p, (size_t)PAGES * PAGE));
}

static uint64_t state = 88172645463325252ull;
static unsigned below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % n;
}

static char model[RANDOM_SIZE];
static unsigned size;

static void resize_model(unsigned to)
{
	if (to < size)
		memset(model + to, 0, size - to);
	size = to;
}

static void fill(char *buf, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		buf[i] = (char)below(256);
}

static void one_operation(int fd, char *p)
{
	static char buf[RANDOM_SIZE];
	unsigned off = below(RANDOM_SIZE), len = 1 + below(RANDOM_SIZE - off);

	switch (below(7)) {
	case 0: /* write */
		fill(buf, len);
		CHECK(pwrite(fd, buf, len, off) == (ssize_t)len);
		memcpy(model + off, buf, len);
		if (off + len > size)
			size = off + len;
		break;
	case 1: /* read */
		len = off >= size ? 0 : off + len > size ? size - off : len;
		CHECK(pread(fd, buf, sizeof(buf) - off, off) == (ssize_t)(off < size ? size - off : 0));
		CHECK(!memcmp(buf, model + off, len));
		break;
	case 2: /* store through the mapping */
		if (off + len > size)
			break;
		fill(buf, len);
		memcpy(p + off, buf, len);
		memcpy(model + off, buf, len);
		break;
	case 3: /* load through the mapping */
		if (off + len <= size)
			CHECK(!memcmp(p + off, model + off, len));
		break;
	case 4:
		CHECK(!ftruncate(fd, off));
		resize_model(off);
		break;
	case 5:
		CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len));
		if (off < size)
			memset(model + off, 0, off + len > size ? size - off : len);
		break;
	default:
		CHECK(!msync(p, RANDOM_SIZE, below(2) ? MS_SYNC : MS_ASYNC));
	}
}

static void test_random(void)
{
	int fd = make_file("random", 0);
	char *p = map(fd, RANDOM_SIZE);

	if (getenv("SEED"))
		state = strtoull(getenv("SEED"), NULL, 10) * 2 + 1;
	for (int i = 0; i < 4000; i++)
		one_operation(fd, p);
	CHECK(!unlink("random"));
}

static void test_hold(void)
{
	char *p = map(make_file("hold", PAGE), PAGE);

	for (;; usleep(1000))
		p[0]++;
}

static unsigned megabytes; /* or seconds: the third word */

/* Pages that say where they are. */
static void test_stamp(void)
{
	size_t n = (size_t)megabytes << 20;
	uint64_t *p = (uint64_t *)(void *)map(make_file("stamp", (off_t)n), n);

	for (size_t i = 0; i < n / sizeof(*p); i++)
		p[i] = i * 2654435761u;
	CHECK(!msync(p, n, MS_SYNC));
	CHECK(!munmap(p, n));
}

static void test_verify(void)
{
	size_t n = (size_t)megabytes << 20, lost = 0, wrong = 0;
	int fd = open("stamp", O_RDONLY);
	uint64_t page[PAGE / 8];

	for (size_t i = 0; i < n / PAGE; i++) {
		if (pread(fd, page, PAGE, (off_t)i * PAGE) != PAGE) {
			CHECK(errno == EIO);
			lost++;
			continue;
		}
		for (size_t k = 0; k < PAGE / 8; k++)
			if (page[k] != (i * PAGE / 8 + k) * 2654435761u) {
				wrong++;
				break;
			}
	}
	printf("lost %zu wrong %zu\n", lost, wrong);
}

/* The same from both sides of one mapping, more than there is memory. */
static void test_page(void)
{
	test_stamp();
	test_verify();
	CHECK(!unlink("stamp"));
}

static void test_thrash(void)
{
	size_t n = (size_t)megabytes << 20;
	char *p = map(make_file("thrash", (off_t)n), n);

	for (;;)
		p[(size_t)below(1u << 30) * 3 % n] += 1;
}

/* Stores, truncations, punches, unlinks of the same files by several processes at once. */
static void race(unsigned seconds)
{
	enum { FILES = 3, SIZE = 256 * PAGE };
	char name[] = "race0";
	time_t end = time(NULL) + seconds;

	while (time(NULL) < end) {
		int fd;
		char *p;

		name[4] = (char)('0' + below(FILES));
		fd = open(name, O_RDWR | O_CREAT, 0600);
		CHECK(fd >= 0);
		p = map(fd, SIZE);
		for (int i = 0; i < 200; i++) {
			off_t at = (off_t)below(SIZE / PAGE) * PAGE;

			switch (below(8)) {
			case 0: CHECK(!ftruncate(fd, at + 100)); break;
			case 1: CHECK(!ftruncate(fd, SIZE)); break;
			case 2: CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, 3 * PAGE)); break;
			case 3: unlink(name); break;
			default: touch_fails(p + at);
			}
		}
		CHECK(!munmap(p, SIZE) && !close(fd));
	}
}

static void test_race(void)
{
	int status, bad = 0;

	for (unsigned i = 0; i < 3; i++)
		if (!fork()) {
			state += i * 1000003;
			race(megabytes);
			_exit(0);
		}
	megabytes = 40; /* and memory gets short meanwhile */
	test_page();
	while (wait(&status) > 0)
		bad |= status;
	CHECK(!bad);
	for (char name[] = "race0"; name[4] < '3'; name[4]++)
		unlink(name);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {{"share", test_share}, {"sigbus", test_sigbus}, {"unlink", test_unlink},
	     {"full", test_full},   {"random", test_random}, {"hold", test_hold},
	     {"stamp", test_stamp}, {"verify", test_verify}, {"page", test_page},
	     {"thrash", test_thrash}, {"race", test_race}};

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_bus};

	if (argc < 3 || argc > 4 || chdir(argv[1])) {
		fprintf(stderr, "usage: shm-client DIR TEST [MEGABYTES or SECONDS]\n");
		return 2;
	}
	megabytes = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 0) : 1;
	sigaction(SIGBUS, &action, NULL);
	for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (!strcmp(argv[2], tests[i].name)) {
			tests[i].run();
			return 0;
		}
	fprintf(stderr, "shm-client: no test '%s'\n", argv[2]);
	return 2;
}
