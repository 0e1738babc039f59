/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parity.h: the calls that parity makes, and what it keeps of an answer. */
#ifndef PARITY_H
#define PARITY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define KINDS(X)                                                                                   \
	X(OPEN, 12) X(PWRITE, 12) X(PREAD, 5) X(MAP, 4) X(FTRUNCATE, 4) X(FALLOCATE, 5) X(SEEK, 6)  \
	X(FSTAT, 6) X(STAT, 8) X(LIST, 5) X(MKDIR, 5) X(RMDIR, 3) X(UNLINK, 4) X(LINK, 4)           \
	X(LINKFD, 2) X(SYMLINK, 2) X(READLINK, 1) X(RENAME, 6) X(MKNOD, 2) X(CHMOD, 3) X(CHOWN, 2)  \
	X(ACCESS, 2) X(STATVFS, 1) X(FSYNC, 1) X(CLOSE, 2)
enum kind {
#define X(k, w) k,
	KINDS(X)
#undef X
		NR_KINDS
};
extern const char *const kind_names[NR_KINDS];
extern const unsigned kind_weights[NR_KINDS];

enum { NR_OPEN_FLAGS = 14, NR_FALLOCATE_MODES = 6, NR_RENAME_FLAGS = 6, NR_NODE_TYPES = 5 };
extern const int open_flags[NR_OPEN_FLAGS], fallocate_modes[NR_FALLOCATE_MODES];
extern const unsigned rename_flags[NR_RENAME_FLAGS], node_types[NR_NODE_TYPES];

struct call {
	unsigned kind, name, name2, slot, off, len, mode, flag;
};
struct answer {
	char text[16000];
	size_t len;
	long blocks; /* -1: none were asked for */
	ino_t ino;
	bool seeks;
};

enum reason { HOLES, ZERO_RANGE, ATIME, DIRECTORY, SETGID, NR_REASONS };
extern const char *const reasons[NR_REASONS];

/* parity_fixed.c: calls whose times are compared, and those that a random row meets seldom. */
int fixed_row(int tmpfs, int shm);

#endif
