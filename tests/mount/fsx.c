/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fsx FILE MEGABYTES SECONDS [SEED]: two processes change one file at random, by write, mapping, punch,
 * truncate and the rest, each in regions of its own; what they did stands in a model beside it, and
 * every byte that is read is compared. Truncations are made while the other one stands still.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, REGION_PAGES = 7, MAX_OP = 16 * PAGE, NR_FDS = 2 };

static struct shared {
	pthread_rwlock_t lock;
	uint64_t size;
	unsigned long done[2];
} *shared;
static unsigned char *model, *map;
static uint64_t max_size, state, seed;
static int fd, direct, who;
static const char *file;

static void fail(const char *what, uint64_t at)
{
	fprintf(stderr, "fsx: process %d, operation %lu: %s at %#llx (size %#llx): %s\nagain: fsx FILE MB SECONDS %llu\n",
		who, shared->done[who], what, (unsigned long long)at, (unsigned long long)shared->size,
		strerror(errno), (unsigned long long)seed);
	exit(1);
}

static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

/* A piece of this process's regions. */
static uint64_t choose(uint64_t *len)
{
	uint64_t regions = max_size / (REGION_PAGES * PAGE) / 2, start, off, room = REGION_PAGES * PAGE;

	start = (below(regions) * 2 + (uint64_t)who) * room;
	off = below(room);
	*len = 1 + below(room - off);
	if (!below(3)) { /* whole pages */
		off = off / PAGE * PAGE;
		*len = (room - off) / PAGE * PAGE;
	}
	return start + off;
}

static void compare(const unsigned char *got, uint64_t off, uint64_t len, const char *what)
{
	if (!memcmp(got, model + off, len))
		return;
	for (uint64_t i = 0; i < len; i++)
		if (got[i] != model[off + i]) {
			fprintf(stderr, "fsx: got %02x, expected %02x\n", got[i], model[off + i]);
			errno = 0;
			fail(what, off + i);
		}
}

static void fill(unsigned char *p, uint64_t len)
{
	uint64_t kind = below(4), x = below(1u << 30);

	if (!kind) { /* pages of one word, now and then of zeroes */
		memset(p, x & 1 ? (int)(x >> 8) : 0, len);
		return;
	}
	for (uint64_t i = 0; i < len; i++)
		p[i] = (unsigned char)(x + i * (kind + 2) + (i >> 8));
}

static unsigned char *buffer(void)
{
	static unsigned char *b;

	if (!b && posix_memalign((void **)&b, PAGE, MAX_OP))
		fail("memory", 0);
	return b;
}

static void do_write(int to, uint64_t off, uint64_t len)
{
	unsigned char *b = buffer();

	if (off + len > shared->size) /* growing is done alone */
		return;
	fill(b, len);
	if (pwrite(to, b, len, (off_t)off) != (ssize_t)len)
		fail("write", off);
	memcpy(model + off, b, len);
}

static void do_read(int from, uint64_t off, uint64_t len)
{
	unsigned char *b = buffer();
	uint64_t want = off >= shared->size ? 0 : off + len > shared->size ? shared->size - off : len;
	ssize_t n = pread(from, b, len, (off_t)off);

	if (n != (ssize_t)want)
		fail("short read", off);
	compare(b, off, want, "read");
}

static void do_store(uint64_t off, uint64_t len)
{
	if (off + len > shared->size)
		return;
	fill(model + off, len);
	memcpy(map + off, model + off, len);
}

static void do_load(uint64_t off, uint64_t len)
{
	if (off + len <= shared->size)
		compare(map + off, off, len, "load");
}

static void do_fallocate(int mode, uint64_t off, uint64_t len)
{
	if (off + len > shared->size)
		return;
	if (fallocate(fd, mode, (off_t)off, (off_t)len))
		fail("fallocate", off);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		memset(model + off, 0, len);
}

static void do_msync(uint64_t off, uint64_t len)
{
	off = off / PAGE * PAGE;
	if (msync(map + off, len, below(2) ? MS_SYNC : MS_ASYNC))
		fail("msync", off);
}

static void open_all(void)
{
	fd = open(file, O_RDWR | O_CREAT, 0600);
	direct = open(file, O_RDWR | O_DIRECT);
	map = fd < 0 ? MAP_FAILED : mmap(NULL, max_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (direct < 0 || map == MAP_FAILED)
		fail("open", 0);
}

/* All closed and unmapped: what was dirty must be there afterwards. */
static void reopen(void)
{
	if (munmap(map, max_size) || close(fd) || close(direct))
		fail("close", 0);
	open_all();
}

/* Alone: another size. Behind the end the model is zero. */
static void resize(void)
{
	uint64_t to = below(2) ? max_size - below(max_size / 4) : below(max_size);

	if (below(4)) /* mostly near the end, so that data lives for a while */
		to = max_size - below(max_size / 16);
	if (ftruncate(fd, (off_t)to))
		fail("ftruncate", to);
	if (to < shared->size)
		memset(model + to, 0, shared->size - to);
	shared->size = to;
	if (below(2))
		reopen();
}

/* Alone: all of it, the other's too. */
static void check_all(void)
{
	uint64_t end = shared->size;

	for (uint64_t off = 0; off < end; off += MAX_OP)
		compare(map + off, off, end - off < MAX_OP ? end - off : MAX_OP, "check");
}

static void operation(void)
{
	uint64_t len, off = choose(&len), what = below(1000);
	bool alone = what < 3;

	if (alone)
		pthread_rwlock_wrlock(&shared->lock);
	else
		pthread_rwlock_rdlock(&shared->lock);
	if (!what)
		check_all();
	else if (alone)
		resize();
	else if (what < 8)
		reopen();
	else if (what < 250)
		do_store(off, len);
	else if (what < 500)
		do_load(off, len);
	else if (what < 650)
		do_write(fd, off, len);
	else if (what < 800)
		do_read(fd, off, len);
	else if (what < 840)
		do_fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len);
	else if (what < 870)
		do_fallocate(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, off, len);
	else if (what < 900)
		do_fallocate(FALLOC_FL_KEEP_SIZE, off, len);
	else if (what < 940)
		do_msync(off, len);
	else if (what < 970)
		do_read(direct, off / PAGE * PAGE, (len + PAGE - 1) / PAGE * PAGE);
	else
		do_write(direct, off / PAGE * PAGE, off % PAGE + len >= PAGE ? PAGE : len);
	pthread_rwlock_unlock(&shared->lock);
	shared->done[who]++;
}

static void *share(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("fsx: mmap");
		exit(2);
	}
	return p;
}

static int run(int number, double seconds)
{
	struct timespec t;
	double end;

	who = number;
	state = seed * 2654435761u + (uint64_t)number * 977 + 88172645463325252ull;
	open_all();
	clock_gettime(CLOCK_MONOTONIC, &t);
	end = (double)t.tv_sec + (double)t.tv_nsec / 1e9 + seconds;
	do {
		operation();
		clock_gettime(CLOCK_MONOTONIC, &t);
	} while ((double)t.tv_sec + (double)t.tv_nsec / 1e9 < end);
	pthread_rwlock_wrlock(&shared->lock);
	check_all();
	pthread_rwlock_unlock(&shared->lock);
	return 0;
}

static void on_bus(int)
{
	static const char text[] = "fsx: SIGBUS\n";

	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(3);
	_exit(3);
}

int main(int argc, char **argv)
{
	pthread_rwlockattr_t attr;
	int status = 0, one, bad = 0;
	pid_t child;

	if (argc < 4) {
		fprintf(stderr, "usage: fsx FILE MEGABYTES SECONDS [SEED]\n");
		return 2;
	}
	file = argv[1];
	max_size = strtoull(argv[2], NULL, 0) << 20;
	seed = argc > 4 ? strtoull(argv[4], NULL, 0) : 1;
	shared = share(sizeof(*shared));
	model = share(max_size + MAX_OP);
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&shared->lock, &attr);
	signal(SIGBUS, on_bus);
	fd = open(file, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)max_size)) {
		perror(file);
		return 2;
	}
	close(fd);
	shared->size = max_size;
	child = fork();
	if (!child)
		_exit(run(1, strtod(argv[3], NULL)));
	bad = run(0, strtod(argv[3], NULL));
	while ((one = waitpid(child, &status, 0)) < 0 && errno == EINTR)
		;
	if (one != child || status)
		bad = 1;
	if (getenv("VERBOSE"))
		printf("%lu and %lu operations\n", shared->done[0], shared->done[1]);
	return bad;
}
