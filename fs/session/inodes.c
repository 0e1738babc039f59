/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/inodes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { BUCKETS = 4096, ROOT = 1 };

struct inode {
	struct inode *next_path, *next_number;
	uint64_t number, lookups;
	char path[];
};
static struct inode *by_path[BUCKETS], *by_number[BUCKETS];
static uint64_t last = ROOT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct inode **path_bucket(const char *path)
{
	return &by_path[XXH3_64bits(path, strlen(path)) % BUCKETS];
}

uint64_t inode_get(const char *path)
{
	struct inode *i, **bucket = path_bucket(path);
	uint64_t number = 0;

	if (!*path)
		return ROOT;
	pthread_mutex_lock(&lock);
	for (i = *bucket; i && strcmp(i->path, path); i = i->next_path)
		;
	if (!i && (i = calloc(1, sizeof(*i) + strlen(path) + 1))) {
		strcpy(i->path, path);
		i->number = ++last;
		i->next_path = *bucket;
		*bucket = i;
		i->next_number = by_number[i->number % BUCKETS];
		by_number[i->number % BUCKETS] = i;
	}
	if (i) {
		i->lookups++;
		number = i->number;
	}
	pthread_mutex_unlock(&lock);
	return number;
}

char *inode_path(uint64_t number)
{
	char *path = NULL;

	if (number == ROOT)
		return strdup("");
	pthread_mutex_lock(&lock);
	for (struct inode *i = by_number[number % BUCKETS]; i && !path; i = i->next_number)
		if (i->number == number)
			path = strdup(i->path);
	pthread_mutex_unlock(&lock);
	return path;
}

void inode_forget(uint64_t number, uint64_t times)
{
	struct inode **at, *i;

	pthread_mutex_lock(&lock);
	for (at = &by_number[number % BUCKETS]; *at && (*at)->number != number;
	     at = &(*at)->next_number)
		;
	i = *at;
	if (i && (i->lookups -= times < i->lookups ? times : i->lookups) == 0) {
		*at = i->next_number;
		for (at = path_bucket(i->path); *at != i; at = &(*at)->next_path)
			;
		*at = i->next_path;
		free(i);
	}
	pthread_mutex_unlock(&lock);
}

void inodes_exit(void)
{
	for (unsigned b = 0; b < BUCKETS; b++) {
		struct inode *i, *next;

		for (i = by_number[b]; i; i = next) {
			next = i->next_number;
			free(i);
		}
		by_number[b] = by_path[b] = NULL;
	}
}
