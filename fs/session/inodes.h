/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inodes: paths of the tree by number, kept as long as the kernel knows them. */
#ifndef INODES_H
#define INODES_H

#include <stdint.h>

/* Number of a path, counted once more; 0 if the host is out of memory. Root ("") is 1. */
uint64_t inode_get(const char *path);
/* A copy of the path (free it), or NULL for an unknown number. */
char *inode_path(uint64_t ino);
void inode_forget(uint64_t ino, uint64_t times);
void inodes_exit(void);

#endif
