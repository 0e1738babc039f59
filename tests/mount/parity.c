/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parity TMPFS SHM [SEED [CALLS]]: one generated row of system calls, each made in both directories,
 * results, errnos, attributes and contents compared call by call. Silent when both answer alike.
 *
 *   parity --differences     the differences that are known, each with its reason
 */
#include "parity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { PAGE = 4096, SLOTS = 6, READ_INODES = 4096 };

struct side {
	int dir;
	int fd[SLOTS];
};
static struct side tmpfs, shm;

/* Inodes of the tmpfs of which holes may have been read: see HOLES in the table. */
static ino_t was_read[READ_INODES];
static unsigned nr_read;
static unsigned long differed[NR_REASONS];

const char *const reasons[NR_REASONS] = {
	[HOLES] = "st_blocks, SEEK_DATA and SEEK_HOLE after a read: FUSE can't tell read(2) from a "
		  "fault, so a hole that is read takes a page, as a mapped one does in a tmpfs too",
	[ZERO_RANGE] = "fallocate(FALLOC_FL_ZERO_RANGE): a tmpfs says EOPNOTSUPP, here it is done",
	[ATIME] = "atime: the kernel keeps FUSE files without atime, a tmpfs has relatime",
	[DIRECTORY] = "lseek(SEEK_DATA, SEEK_HOLE) on a directory: the kernel answers for FUSE by st_size, a "
		      "tmpfs says EINVAL; st_size of directories itself is not compared",
	[SETGID] = "setgid without group execute: the kernel leaves it to FUSE files when they are "
		   "written by others (fuse_setattr), a tmpfs file loses it",
};

static uint64_t state;
static unsigned below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % n;
}

static const char *const names[] = {
	"a", "b", "c", "d", "d/a", "d/b", "d/e", "d/e/f", "d/e/f/g", "e", "e/a", "l", "d/l", "a/x", ".", "d/..",
	"nothing/a",
	"a-name-of-255-bytes-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};
enum { NR_NAMES = sizeof(names) / sizeof(names[0]) };
static const int64_t offsets[] = {0, 1, 100, 4095, 4096, 4097, 8192, 10000, 65536, 1 << 20, (1ll << 32) + 5,
				  (3ll << 40), (1ll << 62), INT64_MAX - 4096, -1};
enum { NR_OFFSETS = sizeof(offsets) / sizeof(offsets[0]) };

static bool is_marked(ino_t ino)
{
	for (unsigned i = 0; i < nr_read; i++)
		if (was_read[i] == ino)
			return true;
	return false;
}

static void mark_read(int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && !is_marked(st.st_ino) && nr_read < READ_INODES)
		was_read[nr_read++] = st.st_ino;
}

static void say(struct answer *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	a->len += (size_t)vsnprintf(a->text + a->len, sizeof(a->text) - a->len, fmt, ap);
	va_end(ap);
}

static void say_result(struct answer *a, long ret)
{
	say(a, "%ld %s", ret, ret < 0 ? strerrorname_np(errno) : "");
}

static void say_stat(struct answer *a, const struct stat *st)
{
	a->blocks = st->st_blocks;
	a->ino = st->st_ino;
	say(a, " mode %o nlink %lu uid %u gid %u rdev %lx blksize %ld", st->st_mode, (unsigned long)st->st_nlink,
	    st->st_uid, st->st_gid, (unsigned long)st->st_rdev, (long)st->st_blksize);
	if (!S_ISDIR(st->st_mode))
		say(a, " size %lld", (long long)st->st_size);
}

static uint64_t sum(const void *p, size_t n)
{
	const unsigned char *c = p;
	uint64_t h = 1469598103934665603ull;

	while (n--)
		h = (h ^ *c++) * 1099511628211ull;
	return h;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void say_list(struct answer *a, int dirfd, const char *name)
{
	char *list[512], line[300];
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY), n = 0;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	say_result(a, d ? 0 : -1);
	for (struct dirent *e; d && (e = readdir(d)) && n < 512;) {
		snprintf(line, sizeof(line), "%s:%d", e->d_name, e->d_type);
		list[n++] = strdup(line);
	}
	qsort(list, (size_t)n, sizeof(*list), by_name);
	for (int i = 0; i < n; i++) {
		say(a, " %.40s", list[i]);
		free(list[i]);
	}
	if (d)
		closedir(d);
}

static void do_map(struct answer *a, int fd, const struct call *c)
{
	size_t len = (size_t)c->len % (16 * PAGE) + 1;
	off_t at = offsets[c->off] > 0 && offsets[c->off] < 1 << 20 ? offsets[c->off] / PAGE * PAGE : 0;
	struct stat st;
	char *p;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < at + (off_t)len) {
		say(a, "not mapped");
		return;
	}
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);
	say_result(a, p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED)
		return;
	mark_read(fd);
	say(a, " before %llx", (unsigned long long)sum(p, len));
	memset(p + len / 2, (int)c->len, len - len / 2);
	if (c->flag & 1)
		say_result(a, msync(p, len, MS_SYNC));
	munmap(p, len);
}

static void do_pwrite(struct answer *a, int fd, const struct call *c)
{
	static char buf[40000];
	size_t len = c->len % sizeof(buf);

	for (size_t i = 0; i < len; i++)
		buf[i] = (char)(c->len * 31 + i * 7);
	say_result(a, pwrite(fd, buf, len, offsets[c->off]));
}

static void do_pread(struct answer *a, int fd, const struct call *c)
{
	static char buf[40000];
	long n = pread(fd, buf, c->len % sizeof(buf), offsets[c->off]);

	mark_read(fd);
	say_result(a, n);
	if (n > 0)
		say(a, " %llx", (unsigned long long)sum(buf, (size_t)n));
}

static void do_open(struct answer *a, struct side *s, const struct call *c)
{
	int *fd = &s->fd[c->slot];

	if (*fd >= 0)
		close(*fd);
	*fd = openat(s->dir, names[c->name], open_flags[c->flag % NR_OPEN_FLAGS] | O_NONBLOCK, c->mode & 07777);
	say_result(a, *fd < 0 ? -1 : 0);
}

static void do_linkfd(struct answer *a, struct side *s, const struct call *c)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd[c->slot]);
	say_result(a, linkat(AT_FDCWD, path, s->dir, names[c->name], AT_SYMLINK_FOLLOW));
}

static void do_stat(struct answer *a, int dirfd, const char *name, int flags)
{
	struct stat st;
	int ret = fstatat(dirfd, name, &st, flags);

	say_result(a, ret);
	if (!ret)
		say_stat(a, &st);
}

static void do_statvfs(struct answer *a, int dirfd)
{
	struct statvfs st;
	int ret = fstatvfs(dirfd, &st);

	say_result(a, ret);
	say(a, " %lu %lu %lu %d", st.f_bsize, st.f_frsize, st.f_namemax, st.f_blocks >= st.f_bfree);
}

static void do_readlink(struct answer *a, int dirfd, const char *name)
{
	char buf[300];
	long n = readlinkat(dirfd, name, buf, sizeof(buf));

	say_result(a, n);
	if (n > 0)
		say(a, " %.*s", (int)n, buf);
}

static void make_call(const struct call *c, struct side *s, struct answer *a)
{
	const char *x = names[c->name], *y = names[c->name2];
	int fd = s->fd[c->slot];

	*a = (struct answer){.blocks = -1};
	errno = 0;
	switch (c->kind) {
	case OPEN: do_open(a, s, c); break;
	case PWRITE: do_pwrite(a, fd, c); break;
	case PREAD: do_pread(a, fd, c); break;
	case MAP: do_map(a, fd, c); break;
	case FTRUNCATE: say_result(a, ftruncate(fd, offsets[c->off])); break;
	case FALLOCATE:
		say_result(a, fallocate(fd, fallocate_modes[c->flag % NR_FALLOCATE_MODES], offsets[c->off],
					(off_t)c->len % 100000));
		break;
	case SEEK:
		a->seeks = true;
		say_result(a, lseek(fd, offsets[c->off], c->flag & 1 ? SEEK_DATA : SEEK_HOLE));
		break;
	case FSTAT: do_stat(a, fd, "", AT_EMPTY_PATH); break;
	case STAT: do_stat(a, s->dir, x, c->flag & 1 ? AT_SYMLINK_NOFOLLOW : 0); break;
	case LIST: say_list(a, s->dir, x); break;
	case MKDIR: say_result(a, mkdirat(s->dir, x, c->mode & 07777)); break;
	case RMDIR: say_result(a, unlinkat(s->dir, x, AT_REMOVEDIR)); break;
	case UNLINK: say_result(a, unlinkat(s->dir, x, 0)); break;
	case LINK: say_result(a, linkat(s->dir, x, s->dir, y, c->flag & 1 ? AT_SYMLINK_FOLLOW : 0)); break;
	case LINKFD: do_linkfd(a, s, c); break;
	case SYMLINK: say_result(a, symlinkat(x, s->dir, y)); break;
	case READLINK: do_readlink(a, s->dir, x); break;
	case RENAME:
		say_result(a, syscall(SYS_renameat2, s->dir, x, s->dir, y, rename_flags[c->flag % NR_RENAME_FLAGS]));
		break;
	case MKNOD:
		say_result(a, mknodat(s->dir, x, node_types[c->flag % NR_NODE_TYPES] | (c->mode & 0777), makedev(1, 7)));
		break;
	case CHMOD: say_result(a, fchmodat(s->dir, x, c->mode & 07777, 0)); break;
	case CHOWN:
		say_result(a, fchownat(s->dir, x, c->mode % 3 ? 1000 : (uid_t)-1, c->flag % 3 ? 1001 : (gid_t)-1,
				       AT_SYMLINK_NOFOLLOW));
		break;
	case ACCESS: say_result(a, faccessat(s->dir, x, c->flag & 7, AT_EACCESS)); break;
	case STATVFS: do_statvfs(a, s->dir); break;
	case FSYNC: say_result(a, fsync(fd)); break;
	case CLOSE: say_result(a, close(fd)); s->fd[c->slot] = -1; break;
	default: abort();
	}
}

static int fallocate_mode(const struct call *c)
{
	return fallocate_modes[c->flag % NR_FALLOCATE_MODES];
}

static bool same_but_setgid(const char *t, const char *s)
{
	const char *tm = strstr(t, " mode "), *sm = strstr(s, " mode ");
	unsigned long a = tm ? strtoul(tm + 6, (char **)&tm, 8) : 0;
	unsigned long b = sm ? strtoul(sm + 6, (char **)&sm, 8) : 0;

	return tm && sm && !strcmp(tm, sm) && b == (a | S_ISGID) && !(b & S_IXGRP);
}

/* Why two answers may differ; NR_REASONS: they may not. */
static enum reason excuse(const struct call *c, const struct answer *t, const struct answer *s)
{
	struct stat st;

	if (c->kind == FALLOCATE && (fallocate_mode(c) & FALLOC_FL_ZERO_RANGE))
		return ZERO_RANGE;
	if (t->seeks && !fstat(tmpfs.fd[c->slot], &st) && S_ISDIR(st.st_mode))
		return DIRECTORY;
	if (t->seeks && !fstat(tmpfs.fd[c->slot], &st) && is_marked(st.st_ino))
		return HOLES;
	if (same_but_setgid(t->text, s->text))
		return SETGID;
	if (!strcmp(t->text, s->text) && is_marked(t->ino) && s->blocks >= t->blocks)
		return HOLES;
	return NR_REASONS;
}

static bool same(const struct answer *t, const struct answer *s)
{
	return !strcmp(t->text, s->text) && t->blocks == s->blocks;
}

static bool compare(const struct call *c, unsigned long nr, uint64_t seed)
{
	struct answer t, s;
	enum reason why;

	make_call(c, &tmpfs, &t);
	make_call(c, &shm, &s);
	if (same(&t, &s))
		return true;
	why = excuse(c, &t, &s);
	if (why < NR_REASONS) {
		differed[why]++;
		return true;
	}
	fprintf(stderr, "call %lu: %s name %.20s name2 %.20s slot %u off %lld len %u mode %o flag %u as %u\n"
			"  tmpfs: %s blocks %ld\n  shm:   %s blocks %ld\nagain: parity TMPFS SHM %llu\n",
		nr, kind_names[c->kind], names[c->name], names[c->name2], c->slot, (long long)offsets[c->off],
		c->len, c->mode, c->flag, geteuid(), t.text, (long)t.blocks, s.text, (long)s.blocks,
		(unsigned long long)seed);
	return false;
}

static void choose(struct call *c)
{
	unsigned total = 0, at;

	for (unsigned k = 0; k < NR_KINDS; k++)
		total += kind_weights[k];
	at = below(total);
	c->kind = 0;
	while (at >= kind_weights[c->kind])
		at -= kind_weights[c->kind++];
	c->name = below(NR_NAMES);
	c->name2 = below(NR_NAMES);
	c->slot = below(SLOTS);
	c->off = below(3) ? below(10) : below(NR_OFFSETS);
	c->len = below(1u << 30);
	c->mode = below(4) ? 0666 | below(8) << 6 : below(4096 * 2);
	c->flag = below(64);
	/* what a tmpfs refuses and we do would make the two unlike; it is tried on its own */
	if (c->kind == FALLOCATE && (fallocate_mode(c) & FALLOC_FL_ZERO_RANGE))
		c->flag = 0;
}

/* Now and then somebody else, so that permissions matter. */
static void change_user(void)
{
	uid_t to = below(2) ? 0 : 1000;

	if (seteuid(0) || setegid(to ? 1001 : 0) || seteuid(to)) {
		perror("parity: seteuid");
		exit(2);
	}
}

static int open_side(struct side *s, const char *path)
{
	s->dir = open(path, O_RDONLY | O_DIRECTORY);
	for (unsigned i = 0; i < SLOTS; i++)
		s->fd[i] = -1;
	if (s->dir < 0)
		perror(path);
	return s->dir < 0;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	unsigned long calls = argc > 4 ? strtoul(argv[4], NULL, 0) : 20000;
	struct call c;

	if (argc == 2 && !strcmp(argv[1], "--differences")) {
		for (unsigned r = 0; r < NR_REASONS; r++)
			printf("%s\n", reasons[r]);
		return 0;
	}
	if (argc < 3 || open_side(&tmpfs, argv[1]) || open_side(&shm, argv[2])) {
		fprintf(stderr, "usage: parity TMPFS SHM [SEED [CALLS]] | --differences\n");
		return 2;
	}
	umask(022);
	if (fixed_row(tmpfs.dir, shm.dir))
		return 1;
	state = seed * 2654435761u + 88172645463325252ull;
	for (unsigned long n = 0; n < calls; n++) {
		if (!below(50))
			change_user();
		choose(&c);
		if (!compare(&c, n, seed))
			return 1;
	}
	return seteuid(0);
}
