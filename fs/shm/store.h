/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store: where shm/ keeps what it knows: inodes, names, page indices, frames, swap slots. One memfd
 * with a pool for each kind of record; a record is named by its pool and its number (1 upwards, 0
 * is none) and nothing in it is a pointer, so that whoever maps the memfd finds all as it was.
 *
 * The memfd is sparse: records that were never used cost nothing. Under shm's lock.
 */
#ifndef SHM_STORE_H
#define SHM_STORE_H

#include <stddef.h>
#include <stdint.h>

enum store_pool { POOL_SEGMENT, POOL_SHORT_NAME, POOL_LONG_NAME, POOL_NODE, NR_POOLS };
enum {
	SEGMENT_SIZE = 384,
	SHORT_NAME_SIZE = 64,
	LONG_NAME_SIZE = 296,
	NODE_ENTRIES = 512,
	NAME_BUCKETS = 1 << 22,
};

struct store_head {
	uint64_t magic, version;
	struct {
		uint32_t last;	     /* highest number ever in use */
		uint32_t first_free; /* the others through their first word */
		uint64_t used;
	} pool[NR_POOLS];
	uint64_t last_ino;
	uint32_t first_segment; /* list of all files, directories and symlinks */
};
extern struct store_head *store;

/* Room for a frame of each page frame number below nr_frames and for nr_slots of swap. 0 or -ENOMEM. */
int store_init(uint64_t nr_frames, uint64_t nr_slots);
void store_exit(void);

/* A record, its content undefined but zero at its first use; 0 if the pool is exhausted. */
uint32_t store_get(enum store_pool pool);
void store_put(enum store_pool pool, uint32_t number);
void *store_at(enum store_pool pool, uint32_t number);

/* Tables that are as long as what they describe. */
uint16_t *store_node_used(uint32_t node); /* entries of a node that are not zero */
uint32_t *store_buckets(void);		  /* NAME_BUCKETS heads */
void *store_frames(void);		  /* FRAME_SIZE bytes for each frame */
void *store_slots(void);		  /* SLOT_SIZE bytes for each slot */
enum { FRAME_SIZE = 32, SLOT_SIZE = 32 };

#endif
