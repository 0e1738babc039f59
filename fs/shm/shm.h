/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shm: the data plane. Files under shm/ are segments; each touched page takes a frame of the
 * machine and gives it back at truncate, punch or last unlink; what is not used leaves for swap.
 *
 *   shm.c       beginning, end, what the tree shows   io.c       READ and WRITE
 *   shm_ops.c   attributes, open files                pager.c    requests that have to wait
 *   shm_names.c names                                 reclaim.c  the one thread that takes pages away
 *   shm_data.c  fallocate, holes, statfs              lru.c      in which order
 *   segment.c   inodes    names.c   directories       pages.c    pages of a segment
 *   index.c     sparse arrays                         frames.c   frames and their content
 *   store.c     one memfd that holds all of it        swap.c     areas and slots
 *
 * Inode numbers: everything below shm/ has SHM_INO set; SHM_ROOT_INO is the directory itself.
 * The session hands every request on such an inode to shm_ops. Locks: shm_lock holds all state of
 * shm/ together; rig.lock is taken inside it and never the other way round; nobody waits for the
 * kernel or for a file while holding it, but for one page of swap in a truncation within that page.
 */
#ifndef SHM_H
#define SHM_H

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#define SHM_INO (1ull << 62)
#define SHM_ROOT_INO (SHM_INO | 1)

extern const struct fuse_lowlevel_ops shm_ops;

/* Before the mount serves: the host memory for data (a memfd, sparse). 0 or -errno. */
int shm_init(uint64_t backing_limit);
/* Threads, once the process is the one that serves; stop them while requests are still answered. */
int shm_start(struct fuse_session *se);
void shm_stop(void);
/* After the session ended: all memory back. */
void shm_exit(void);
/* Attributes of shm/ itself, for the tree's lookup. */
void shm_root_attr(struct stat *st);

/* Files by their path below shm/, escaped as in /proc/mounts (and '/' as \057). Without locks. */
void shm_segments_list(void (*add)(void *ctx, const char *name), void *ctx);
/* One of the paths of the segment with this mark in its frames (malloc'ed), NULL if it has none. */
char *shm_segment_path(uint32_t id);
bool shm_segment_exists(const char *name);
int shm_segment_stat(const char *name, FILE *to); /* 0 or -ENOENT */
/* proc/swaps. Without locks. */
int shm_swaps(FILE *to);
/* swap/stat, flat-keyed. Without locks. */
int shm_swap_stat(FILE *to);
/* proc/sys/vm/page-cluster, 0 to 31. From anywhere. */
unsigned shm_page_cluster(void);
void shm_set_page_cluster(unsigned n);

#endif
