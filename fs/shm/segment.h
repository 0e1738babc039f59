/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segment: inodes of shm/: files, directories, symlinks, and their names. Under shm's lock. */
#ifndef SHM_SEGMENT_H
#define SHM_SEGMENT_H

#include "shm/pages.h"
#include "shm/shm.h"

struct name {
	struct name *next;
	struct segment *to;
	off_t cookie; /* where a listing goes on; 1 and 2 are "." and ".." */
	char text[];
};

struct segment {
	struct segment *next; /* all segments, newest first */
	uint64_t id;	      /* inode number without SHM_INO */
	struct stat st;	      /* mode, owner, times, size, links */
	uint64_t lookups;     /* the kernel's references */
	uint32_t opens;
	struct pages pages;	/* files */
	struct name *names;	/* directories */
	struct segment *parent; /* directories */
	char *target;		/* symlinks */
	uint64_t minor_faults, reads, writes, failed;
};

extern pthread_mutex_t shm_lock;

struct segment *segment_by_ino(uint64_t ino);
struct segment *segment_new(mode_t mode, uid_t uid, gid_t gid);
struct name *name_find(struct segment *dir, const char *text);
/* 0 or -ENOMEM, -ENAMETOOLONG. Takes a link. */
int name_add(struct segment *dir, const char *text, struct segment *to);
void name_remove(struct segment *dir, struct name *n);
/* Frees a segment that nobody can reach any more. */
void segment_put(struct segment *s);
void segment_resize(struct segment *s, uint64_t size);
void segment_attr(const struct segment *s, struct stat *st);
void segment_touch(struct segment *s);

#endif
