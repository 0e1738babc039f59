/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * segment: inodes of shm/: files, directories, symlinks and the rest that a tmpfs holds. A segment is
 * found by its number at once: that is its place in the store, with a generation above it, so that
 * a number is never used for two. Under shm's lock.
 */
#ifndef SHM_SEGMENT_H
#define SHM_SEGMENT_H

#include "shm/pages.h"
#include "shm/shm.h"

#include <assert.h>
#include <pagerig/owner.h>
#include <pthread.h>
#include <time.h>

struct segment {
	uint32_t link; /* of the store, while this is free */
	uint32_t id, generation; /* the generation outlives the segment; 0 as id: none */
	uint64_t ino;		 /* what stat shows, never used twice */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	uint32_t nlink;
	uint64_t rdev, size;
	struct timespec atime, mtime, ctime;
	uint64_t lookups; /* the kernel's references */
	uint32_t opens;
	uint32_t next, prev; /* all segments, newest first */
	uint32_t parent;     /* directories */
	uint32_t target;     /* symlinks: the node that holds the text */
	struct index names;  /* directories: names by cookie */
	uint64_t last_cookie, nr_names;
	struct pages pages; /* files */
	uint64_t reads, writes;
};
static_assert(sizeof(struct segment) <= SEGMENT_SIZE, "segment is budgeted");

extern pthread_mutex_t shm_lock;

enum { SHM_ROOT_ID = 1 };
uint64_t segment_node(const struct segment *s); /* its number for FUSE */
struct segment *segment_by_node(uint64_t node); /* NULL: there is none (any more) */
static inline struct segment *segment_at(uint32_t id)
{
	return store_at(POOL_SEGMENT, id);
}
/* Its mark in the frames. */
static inline uint32_t segment_owner(const struct segment *s)
{
	return pr_owner_mark(PR_OWNER_SEGMENT, s->id);
}

/* NULL: no more inodes. As inode_init_owner: group and setgid come from a setgid directory. */
struct segment *segment_new(const struct segment *dir, mode_t mode, uid_t uid, gid_t gid);
/* Frees a segment that nobody can reach any more. */
void segment_put(struct segment *s);
void segment_resize(struct segment *s, uint64_t size);
void segment_attr(const struct segment *s, struct stat *st);
uint64_t segments_used(void);
uint64_t segments_max(void); /* half of the pages, as tmpfs */

/* Now, for mtime and ctime; for ctime alone. */
void segment_modified(struct segment *s);
void segment_changed(struct segment *s);

#endif
