/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * real.c: this machine's kernel answers the calls. A child process fills its address space but for
 * the window with one shared mapping a gap, so that it is clear where the kernel puts things; then
 * it makes nothing but system calls.
 */
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOWEST = 65536, STACK_GAP = 1 << 20 };
#define HIGHEST 0x7ffffffff000ull

unsigned real_release(void)
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	uname(&u);
	sscanf(u.release, "%u.%u", &major, &minor);
	return major * 100 + minor;
}

bool real_pkeys(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *in = fopen("/proc/cpuinfo", "r");
	bool found = in && getdelim(&text, &size, 0, in) > 0 && strstr(text, " ospke");

	if (in)
		fclose(in);
	free(text);
	return found;
}

static const int numbers[NR_CALLS] = {
	[CALL_MMAP] = SYS_mmap,
	[CALL_MUNMAP] = SYS_munmap,
	[CALL_MPROTECT] = SYS_mprotect,
	[CALL_MREMAP] = SYS_mremap,
	[CALL_BRK] = SYS_brk,
	[CALL_MADVISE] = SYS_madvise,
	[CALL_MLOCK] = SYS_mlock,
	[CALL_MLOCK2] = SYS_mlock2,
	[CALL_MUNLOCK] = SYS_munlock,
	[CALL_MLOCKALL] = SYS_mlockall,
	[CALL_MUNLOCKALL] = SYS_munlockall,
};

static int zero_fd, pipe_fd[2];

/* A system call faults on behalf of the program: EFAULT instead of a signal. */
static int64_t touch(uint64_t addr, bool write_it)
{
	char c;

	if (write_it)
		return read(zero_fd, (void *)addr, 1) < 0 ? -errno : 0;
	if (write(pipe_fd[1], (void *)addr, 1) < 0)
		return -errno;
	return read(pipe_fd[0], &c, 1) < 0 ? -errno : 0;
}

static int64_t make_call(const struct call *c)
{
	const uint64_t *a = c->arg;
	long ret;

	if (c->kind == CALL_WRITE || c->kind == CALL_READ)
		return touch(a[0], c->kind == CALL_WRITE);
	ret = syscall(numbers[c->kind], a[0], a[1], a[2], a[3], a[4], a[5]);
	return ret == -1 ? -errno : ret;
}

static void fill(uint64_t start, uint64_t end)
{
	if (start < end &&
	    mmap((void *)start, end - start, PROT_NONE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		_exit(3);
}

static void fill_around(uint64_t start, uint64_t end, const struct window *w)
{
	uint64_t to = w->start + w->size;

	if (end <= w->start || start >= to) {
		fill(start, end);
		return;
	}
	fill(start, w->start);
	fill(to, end);
}

static char maps_text[1 << 20];

static size_t read_maps(const char *path)
{
	size_t used = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY);

	while (fd >= 0 && (n = read(fd, maps_text + used, sizeof(maps_text) - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	maps_text[used] = 0;
	return used;
}

static void fill_all(const struct window *w)
{
	uint64_t last = LOWEST;

	read_maps("/proc/self/maps");
	for (const char *line = maps_text; *line; line = strchr(line, '\n') + 1) {
		char *p;
		uint64_t start = strtoull(line, &p, 16), end = strtoull(p + 1, NULL, 16);
		const char *nl = strchr(line, '\n');
		bool stack = memmem(line, (size_t)(nl - line), "[stack]", 7);

		if (start >= HIGHEST)
			break;
		fill_around(last, stack ? start - STACK_GAP : start, w);
		last = end;
	}
	fill_around(last, HIGHEST, w);
}

/* Fields 26 to 51 of stat, by their numbers, are those of the program; the heap goes to the window.
 */
static bool move_heap(const struct window *w)
{
	static char text[4096];
	uint64_t f[52] = {0}, at = w->start + (8 << 20);
	struct prctl_mm_map map;
	int fd = open("/proc/self/stat", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *p = n > 0 ? strrchr(text, ')') : NULL;

	close(fd);
	if (!p)
		return false;
	p += 4; /* behind the state, field 3 */
	for (unsigned i = 4; i < 52; i++)
		f[i] = strtoull(p, &p, 10);
	map = (struct prctl_mm_map){.start_code = f[26],
				    .end_code = f[27],
				    .start_data = LOWEST,
				    .end_data = LOWEST,
				    .start_brk = at,
				    .brk = at,
				    .start_stack = f[28],
				    .arg_start = f[48],
				    .arg_end = f[49],
				    .env_start = f[50],
				    .env_end = f[51],
				    .exe_fd = (unsigned)-1};
	return !prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0);
}

static void serve(int from, int to, const struct window *w)
{
	struct call c;
	int64_t answer;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	zero_fd = open("/dev/zero", O_RDONLY);
	if (zero_fd < 0 || pipe(pipe_fd) || prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		_exit(2);
	fill_all(w);
	answer = move_heap(w);
	while (write(to, &answer, sizeof(answer)) == sizeof(answer) &&
	       read(from, &c, sizeof(c)) == sizeof(c))
		answer = make_call(&c);
	_exit(0);
}

int real_start(struct real *r, const struct window *w)
{
	int down[2], up[2];
	int64_t answer;

	if (pipe(down) || pipe(up))
		return -errno;
	r->pid = fork();
	if (r->pid < 0)
		return -errno;
	if (!r->pid) {
		close(down[1]);
		close(up[0]);
		serve(down[0], up[1], w);
	}
	close(down[0]);
	close(up[1]);
	r->to = down[1];
	r->from = up[0];
	if (read(r->from, &answer, sizeof(answer)) != sizeof(answer)) {
		real_end(r);
		return -EIO;
	}
	r->brk = answer;
	return 0;
}

int64_t real_call(struct real *r, const struct call *c)
{
	int64_t answer;

	if (write(r->to, c, sizeof(*c)) != sizeof(*c) ||
	    read(r->from, &answer, sizeof(answer)) != sizeof(answer))
		return -EPIPE;
	return answer;
}

void real_maps(const struct real *r, const struct window *w, char *buf, size_t size)
{
	char path[64];
	size_t used = 0;

	*buf = 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)r->pid);
	read_maps(path);
	for (const char *line = maps_text; *line; line = strchr(line, '\n') + 1) {
		char range[64], perms[8], offset[32], name[128] = "";
		uint64_t start = strtoull(line, NULL, 16);

		if (start < w->start || start >= w->start + w->size)
			continue;
		sscanf(line, "%63s %7s %31s %*s %*[0-9]%*[ ]%127[^\n]", range, perms, offset, name);
		used += (size_t)snprintf(buf + used, used < size ? size - used : 0, "%s %s %s %s\n",
					 range, perms, offset, name);
	}
}

void real_end(struct real *r)
{
	close(r->to);
	close(r->from);
	waitpid(r->pid, NULL, 0);
}
