/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shm_ops.h: the requests of shm/, for the table in shm_ops.c. */
#ifndef SHM_OPS_H
#define SHM_OPS_H

#include "shm/names.h"

/* io.c */
void shm_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void shm_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
	       struct fuse_file_info *fi);
/* shm_data.c */
void shm_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		   struct fuse_file_info *fi);
void shm_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi);
void shm_statfs(fuse_req_t req, fuse_ino_t ino);
/* shm_names.c */
void shm_lookup(fuse_req_t req, fuse_ino_t parent, const char *text);
void shm_create(fuse_req_t req, fuse_ino_t parent, const char *text, mode_t mode,
		struct fuse_file_info *fi);
void shm_mknod(fuse_req_t req, fuse_ino_t parent, const char *text, mode_t mode, dev_t dev);
void shm_mkdir(fuse_req_t req, fuse_ino_t parent, const char *text, mode_t mode);
void shm_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *text);
void shm_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *text);
void shm_unlink(fuse_req_t req, fuse_ino_t parent, const char *text);
void shm_rmdir(fuse_req_t req, fuse_ino_t parent, const char *text);
void shm_rename(fuse_req_t req, fuse_ino_t from, const char *a, fuse_ino_t to, const char *b,
		unsigned flags);
void shm_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);

#endif
