/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parity_fixed.c: tables of parity's calls, and a fixed row of steps after which times are compared. */
#include "parity.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const kind_names[NR_KINDS] = {
#define X(k, w) #k,
	KINDS(X)
#undef X
};
const unsigned kind_weights[NR_KINDS] = {
#define X(k, w) w,
	KINDS(X)
#undef X
};
const int open_flags[NR_OPEN_FLAGS] = {
	O_RDWR | O_CREAT, O_RDWR | O_CREAT, O_RDWR | O_CREAT, O_RDWR, O_RDONLY, O_RDWR | O_CREAT | O_EXCL,
	O_RDWR | O_CREAT | O_TRUNC, O_WRONLY | O_TRUNC, O_RDWR | O_APPEND, O_RDONLY | O_DIRECTORY,
	O_RDWR | O_NOFOLLOW, O_RDWR | O_TMPFILE, O_RDWR | O_TMPFILE | O_EXCL, O_PATH,
};
const int fallocate_modes[NR_FALLOCATE_MODES] = {
	0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE,
	FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_ZERO_RANGE,
};
const unsigned rename_flags[NR_RENAME_FLAGS] = {
	0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_NOREPLACE | RENAME_EXCHANGE, RENAME_WHITEOUT,
};
const unsigned node_types[NR_NODE_TYPES] = {S_IFREG, S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK};

/* A step works in the current directory; what it says is compared too. */
struct step {
	const char *name;
	long (*run)(void);
};

static int with(const char *name, int flags)
{
	int fd = open(name, flags, 0644);

	if (fd < 0)
		perror(name);
	return fd;
}

/* One call on an open file: its result or -errno. */
#define ON(fn, flags, call)                                                                        \
	static long fn(void)                                                                       \
	{                                                                                          \
		int fd = with("f", flags);                                                         \
		long ret = (call), err = errno;                                                    \
		close(fd);                                                                         \
		return ret < 0 ? -err : ret;                                                       \
	}
/* One call by name. */
#define BY(fn, call)                                                                               \
	static long fn(void)                                                                       \
	{                                                                                          \
		long ret = (call);                                                                 \
		return ret < 0 ? -errno : ret;                                                     \
	}
#define PUNCH (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

ON(create, O_RDWR | O_CREAT | O_EXCL, 0)
ON(write_one, O_WRONLY, pwrite(fd, "x", 1, 0))
ON(write_none, O_WRONLY, pwrite(fd, "", 0, 0))
ON(write_far, O_WRONLY, pwrite(fd, "y", 1, 5ll << 40))
ON(read_one, O_RDONLY, pread(fd, (char[4]){0}, 4, 0))
ON(grow, O_WRONLY, ftruncate(fd, 10000))
ON(grow_again, O_WRONLY, ftruncate(fd, 10000))
BY(truncate_same, truncate("f", 10000))
BY(truncate_less, truncate("f", 4097))
ON(punch, O_WRONLY, fallocate(fd, PUNCH, 0, 4096))
ON(punch_behind, O_WRONLY, fallocate(fd, PUNCH, 1 << 20, 4096))
ON(reserve, O_WRONLY, fallocate(fd, 0, 0, 20000))
ON(reserve_keep, O_WRONLY, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 40000))
ON(seek_data, O_RDONLY, lseek(fd, 8192, SEEK_DATA))
ON(seek_hole, O_RDONLY, lseek(fd, 0, SEEK_HOLE))
ON(seek_behind, O_RDONLY, lseek(fd, 1 << 30, SEEK_DATA))
ON(open_trunc, O_WRONLY | O_TRUNC, 0)
ON(sync_it, O_RDWR, fsync(fd))
ON(exec_bits, O_RDWR, fchmod(fd, 06755))
ON(write_suid, O_WRONLY, pwrite(fd, "z", 1, 0))
BY(chown_it, chown("f", 1000, 1001))
BY(chown_none, chown("f", (uid_t)-1, (gid_t)-1))
BY(set_times, utimensat(AT_FDCWD, "f", (struct timespec[]){{123, 456}, {789, 1000000001 - 2}}, 0))
BY(set_omit, utimensat(AT_FDCWD, "f", (struct timespec[]){{0, UTIME_OMIT}, {0, UTIME_NOW}}, 0))
BY(hard_link, link("f", "g"))
BY(rename_over, rename("g", "h"))
BY(rename_self, rename("h", "h"))
BY(link_again, link("f", "g"))
BY(rename_same, rename("f", "g"))
BY(unlink_one, unlink("h"))
BY(make_dir, mkdir("d", 02775))
BY(make_sub, mkdir("d/sub", 0755))
BY(move_dir, rename("d/sub", "sub"))
BY(into_itself, rename("d", "d/sub"))
BY(swap_kinds, syscall(SYS_renameat2, AT_FDCWD, "d", AT_FDCWD, "f", RENAME_EXCHANGE))
BY(swap_back, syscall(SYS_renameat2, AT_FDCWD, "d", AT_FDCWD, "f", RENAME_EXCHANGE))
BY(no_replace, syscall(SYS_renameat2, AT_FDCWD, "g", AT_FDCWD, "f", RENAME_NOREPLACE))
BY(bad_flags, syscall(SYS_renameat2, AT_FDCWD, "g", AT_FDCWD, "f", 1u << 20))
BY(whiteout, syscall(SYS_renameat2, AT_FDCWD, "g", AT_FDCWD, "w", RENAME_WHITEOUT))
BY(symlink_it, symlink("f", "s"))
BY(chmod_dir, chmod("d", 02777))
BY(remove_dir, rmdir("sub"))
BY(not_empty, rmdir("."))
BY(pipe_node, mknod("p", S_IFIFO | 0600, 0))
BY(setgid_chown, chown("d", 0, 1001))

/* What a directory with setgid gives to those made in it. */
static long inherit(void)
{
	struct stat st, st2;

	if (mkdir("d/in", 0755) || stat("d/in", &st) || close(open("d/file", O_CREAT | O_WRONLY, 0644)) ||
	    stat("d/file", &st2))
		return -errno;
	return (long)(st.st_mode & 07777) << 32 | st.st_gid << 16 | (st2.st_gid & 0xffff);
}

/* A file without a name, its links, and its name. */
static long nameless(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);
	struct stat st, st2;
	char path[64];

	if (fd < 0 || write(fd, "content", 7) != 7 || fstat(fd, &st))
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) || fstat(fd, &st2))
		return -errno;
	close(fd);
	return st.st_nlink * 100 + st2.st_nlink * 10 + (long)st2.st_size;
}

static long nameless_excl(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0640);
	char path[64];

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, AT_FDCWD, "never", AT_SYMLINK_FOLLOW) && !close(fd))
		return -errno;
	return 0;
}

/* A store through a mapping, and the end of the file moved over it. */
static long map_and_cut(void)
{
	int fd = with("f", O_RDWR);
	unsigned char *p;
	long ret;

	if (ftruncate(fd, 3 * 4096))
		return -errno;
	p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	memset(p, 7, 3 * 4096);
	if (ftruncate(fd, 5000) || ftruncate(fd, 3 * 4096))
		return -errno;
	ret = p[4999] * 100 + p[5000] * 10 + p[8192];
	munmap(p, 3 * 4096);
	close(fd);
	return ret;
}

static long long_list(void)
{
	char name[32];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "d/n%d", i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "d/n%d", i);
		if (unlink(name))
			return -errno;
	}
	return 0;
}

#define STEP(f) {#f, f}
static const struct step steps[] = {
	STEP(create), STEP(write_one), STEP(write_none), STEP(grow), STEP(grow_again), STEP(truncate_same),
	STEP(truncate_less), STEP(write_far), STEP(punch), STEP(punch_behind), STEP(truncate_less),
	STEP(reserve), STEP(reserve_keep), STEP(seek_data), STEP(seek_hole), STEP(seek_behind), STEP(sync_it),
	STEP(open_trunc), STEP(open_trunc), STEP(exec_bits), STEP(write_suid), STEP(exec_bits), STEP(chown_it),
	STEP(exec_bits), STEP(grow), STEP(chown_none), STEP(set_times), STEP(set_omit), STEP(hard_link),
	STEP(rename_over), STEP(rename_self), STEP(link_again), STEP(rename_same), STEP(unlink_one),
	STEP(make_dir), STEP(make_sub), STEP(move_dir), STEP(into_itself), STEP(swap_kinds), STEP(swap_back),
	STEP(no_replace), STEP(bad_flags), STEP(whiteout), STEP(symlink_it), STEP(chmod_dir), STEP(setgid_chown),
	STEP(inherit), STEP(remove_dir), STEP(not_empty), STEP(pipe_node), STEP(nameless), STEP(nameless_excl),
	STEP(map_and_cut), STEP(long_list), STEP(read_one),
};
static const char *const watched[] = {".", "f", "g", "h", "d", "d/sub", "sub", "s", "w", "p", "named"};
enum { NR_WATCHED = sizeof(watched) / sizeof(watched[0]) };

struct seen {
	struct stat st[NR_WATCHED];
	bool there[NR_WATCHED];
};

static void look(struct seen *s)
{
	for (unsigned i = 0; i < NR_WATCHED; i++)
		s->there[i] = !lstat(watched[i], &s->st[i]);
}

static bool moved(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
}

static void describe(const struct seen *before, const struct seen *after, long ret, char *text, size_t size)
{
	size_t n = (size_t)snprintf(text, size, "%ld", ret);

	for (unsigned i = 0; i < NR_WATCHED && n < size; i++) {
		const struct stat *a = &before->st[i], *b = &after->st[i];

		if (!after->there[i])
			continue;
		n += (size_t)snprintf(text + n, size - n, " | %s %o %lu %u:%u", watched[i], b->st_mode,
				      (unsigned long)b->st_nlink, b->st_uid, b->st_gid);
		if (!S_ISDIR(b->st_mode))
			n += (size_t)snprintf(text + n, size - n, " size %lld blocks %ld", (long long)b->st_size,
					      (long)b->st_blocks);
		if (before->there[i] && a->st_ino == b->st_ino)
			n += (size_t)snprintf(text + n, size - n, "%s%s",
					      moved(a->st_mtim, b->st_mtim) ? " mtime" : "",
					      moved(a->st_ctim, b->st_ctim) ? " ctime" : "");
	}
}

static void run_step(const struct step *step, int dir, char *text, size_t size)
{
	struct seen before, after;
	long ret;

	if (fchdir(dir))
		exit(2);
	look(&before);
	usleep(11000); /* Linux's file times go by ticks */
	ret = step->run();
	look(&after);
	describe(&before, &after, ret, text, size);
}

int fixed_row(int tmpfs, int shm)
{
	static char a[8000], b[8000];
	int bad = 0;

	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		run_step(&steps[i], tmpfs, a, sizeof(a));
		run_step(&steps[i], shm, b, sizeof(b));
		if (!strcmp(a, b))
			continue;
		fprintf(stderr, "step %u, %s:\n  tmpfs: %s\n  shm:   %s\n", i, steps[i].name, a, b);
		bad = 1;
	}
	return bad | (chdir("/") != 0);
}
