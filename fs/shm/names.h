/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names: what directories of shm/ hold. A name is found by a hash of directory and text; a listing
 * goes by cookie, so that one under way stays right whatever comes and goes. Under shm's lock.
 */
#ifndef SHM_NAMES_H
#define SHM_NAMES_H

#include "shm/segment.h"

struct name {
	uint32_t next; /* of the same hash */
	uint32_t self; /* pool and number */
	uint32_t dir, to;
	uint64_t cookie; /* from 3: 1 and 2 are "." and ".." */
	uint8_t len;
	char text[]; /* ends with NUL */
};
enum { NAME_HEAD = 25, DIRENT_SIZE = 20 /* what tmpfs counts for a name in st_size */ };

struct name *name_find(const struct segment *dir, const char *text);
/* 0 or -ENOSPC, -ENAMETOOLONG. Takes a link and the times of the directory. */
int name_add(struct segment *dir, const char *text, struct segment *to);
void name_remove(struct name *n);
/* The first name whose cookie is above this one; NULL behind the last. */
struct name *name_next(const struct segment *dir, uint64_t cookie);
/* Names of two directories change what they stand for. */
void names_exchange(struct name *a, struct name *b);

#endif
