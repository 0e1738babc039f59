/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shm: the data plane. Files under shm/ are segments; each touched page takes a frame of the
 * machine and gives it back at truncate, punch or last unlink.
 *
 * Inode numbers: everything below shm/ has SHM_INO set; SHM_ROOT_INO is the directory itself.
 * The session hands every request on such an inode to shm_ops.
 */
#ifndef SHM_H
#define SHM_H

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
#include <stdint.h>
#include <sys/stat.h>

#define SHM_INO (1ull << 62)
#define SHM_ROOT_INO (SHM_INO | 1)

extern const struct fuse_lowlevel_ops shm_ops;

/* Before the mount serves: the host memory for data (a memfd, sparse). 0 or -errno. */
int shm_init(uint64_t backing_limit);
/* After the session ended: all memory back. */
void shm_exit(void);
/* Attributes of shm/ itself, for the tree's lookup. */
void shm_root_attr(struct stat *st);

struct shm_segment_info {
	uint64_t ino; /* without SHM_INO */
	char name[256]; /* one of its names, "(deleted)" if none is left */
	uint64_t size, resident, minor_faults, read_requests, write_requests, failed_faults;
	uint32_t links, opens;
};
/* The i-th live segment (order of creation); -ENOENT behind the last. */
int shm_segment_at(unsigned i, struct shm_segment_info *info);
/* By name in shm/. -ENOENT. */
int shm_segment_find(const char *name, struct shm_segment_info *info);

#endif
