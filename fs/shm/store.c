/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shm/store.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define STORE_MAGIC 0x6d68736769726770ull

static const struct {
	size_t size;
	uint32_t max;
} kinds[NR_POOLS] = {
	[POOL_SEGMENT] = {SEGMENT_SIZE, 1u << 24},
	[POOL_SHORT_NAME] = {SHORT_NAME_SIZE, 1u << 26},
	[POOL_LONG_NAME] = {LONG_NAME_SIZE, 1u << 24},
	[POOL_NODE] = {NODE_ENTRIES * sizeof(uint64_t), 1u << 26},
};

struct store_head *store;
static size_t store_size;
static char *pool_base[NR_POOLS], *used_base, *bucket_base, *frame_base, *slot_base;

/* Hands out pieces of the mapping, page by page. */
static char *piece(char **at, size_t size)
{
	char *start = *at;

	*at += (size + 4095) & ~(size_t)4095;
	return start;
}

/* With base NULL only the sum matters. */
static size_t lay_out(char *base, uint64_t nr_frames, uint64_t nr_slots)
{
	char *at = base;

	piece(&at, sizeof(struct store_head));
	for (int i = 0; i < NR_POOLS; i++)
		pool_base[i] = piece(&at, kinds[i].size * ((size_t)kinds[i].max + 1));
	used_base = piece(&at, sizeof(uint16_t) * ((size_t)kinds[POOL_NODE].max + 1));
	bucket_base = piece(&at, sizeof(uint32_t) * NAME_BUCKETS);
	frame_base = piece(&at, FRAME_SIZE * nr_frames);
	slot_base = piece(&at, SLOT_SIZE * (nr_slots + 1));
	return (size_t)(at - base);
}

int store_init(uint64_t nr_frames, uint64_t nr_slots)
{
	int fd = memfd_create("pagerig-shm", MFD_CLOEXEC);
	void *p = MAP_FAILED;

	store_size = lay_out(NULL, nr_frames, nr_slots);
	if (fd >= 0 && !ftruncate(fd, (off_t)store_size))
		p = mmap(NULL, store_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return -ENOMEM;
	lay_out(p, nr_frames, nr_slots);
	store = p;
	store->magic = STORE_MAGIC;
	store->version = 1;
	return 0;
}

void store_exit(void)
{
	munmap(store, store_size);
	store = NULL;
}

void *store_at(enum store_pool pool, uint32_t number)
{
	return pool_base[pool] + kinds[pool].size * number;
}

uint32_t store_get(enum store_pool pool)
{
	uint32_t number = store->pool[pool].first_free;

	if (number)
		store->pool[pool].first_free = *(uint32_t *)store_at(pool, number);
	else if (store->pool[pool].last < kinds[pool].max)
		number = ++store->pool[pool].last;
	store->pool[pool].used += number != 0;
	return number;
}

void store_put(enum store_pool pool, uint32_t number)
{
	*(uint32_t *)store_at(pool, number) = store->pool[pool].first_free;
	store->pool[pool].first_free = number;
	store->pool[pool].used--;
}

uint16_t *store_node_used(uint32_t node)
{
	return (uint16_t *)(void *)used_base + node;
}

uint32_t *store_buckets(void)
{
	return (uint32_t *)(void *)bucket_base;
}

void *store_frames(void)
{
	return frame_base;
}

void *store_slots(void)
{
	return slot_base;
}
