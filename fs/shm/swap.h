/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * swap: where pages go that have no frame. Areas are files (or devices); the one of the highest
 * priority is filled first, areas of one priority in turn. A slot remembers whose page it holds and
 * its XXH3, so that what comes back is what went out, or nothing. Slot numbers run through all
 * areas, from 1.
 *
 * Under shm's lock, but for swap_read and swap_write, which move bytes and are called without it.
 */
#ifndef SHM_SWAP_H
#define SHM_SWAP_H

#include "rig.h"

#include <stdio.h>

struct segment;
enum { SWAP_MAX_AREAS = 8, SWAP_CLUSTER = 256 };

/*
 * "SIZE[:FILE][,pri=N]": one more area; before the mount. Without FILE it is a file in /var/tmp
 * that has no name. 0, or -errno after a sentence on stderr.
 */
int swap_add(const char *spec);
int swap_init(void); /* after store_init */
void swap_exit(void);
uint64_t swap_slots(void); /* of all areas, for store_init */
uint64_t swap_free_slots(void);

/* Up to want free slots in a row: how many, *slot is the first; they are in use now. */
unsigned swap_get(unsigned want, uint64_t *slot);
/* Gives a slot back; one that is pinned goes when its last pin does. */
void swap_put(uint64_t slot);
/* Says what a slot holds now. */
void swap_set(uint64_t slot, const struct segment *s, uint64_t i, uint64_t hash, uint32_t stamp);
uint32_t swap_stamp(uint64_t slot);
void swap_pin(uint64_t slot);
void swap_unpin(uint64_t slot);
/* Is this slot in use, and for which page? */
bool swap_holds(uint64_t slot, uint32_t *segment, uint64_t *i);
bool swap_matches(uint64_t slot, const void *page);

/* n slots in a row. 0, or -errno. */
int swap_read(uint64_t slot, void *pages, unsigned n, bool wait); /* -EAGAIN only without wait */
int swap_write(uint64_t slot, const void *pages, unsigned n);
/* Both at once for one page: load checks the hash (-EIO), save returns its slot or 0. */
int swap_load(uint64_t slot, void *page);
uint64_t swap_save(struct segment *s, uint64_t i, const void *page);

/* The aligned window around a slot that lies in one area: its first slot, and how many. */
unsigned swap_window(uint64_t slot, unsigned pages, uint64_t *first);

/* proc/swaps, as Linux prints it; areas by number with their counters. */
void swap_print(FILE *to);

#endif
