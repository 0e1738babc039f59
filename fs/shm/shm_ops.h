/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shm_ops.h: the requests of shm/, for the table in shm_ops.c. */
#ifndef SHM_OPS_H
#define SHM_OPS_H

#include "shm/segment.h"

/* shm_data.c */
void shm_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void shm_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
	       struct fuse_file_info *fi);
void shm_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		   struct fuse_file_info *fi);
void shm_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi);

#endif
