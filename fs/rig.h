/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rig.h: what all rooms of the daemon share: the machine and the one lock that serialises it.
 *
 * rig.lock protects the engine (every pr_* call and every look at its structures) and is a leaf:
 * nobody waits, replies to a request or calls FUSE's notify functions while holding it.
 */
#ifndef RIG_H
#define RIG_H

#include <pagerig/alloc.h>
#include <pagerig/lab.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

struct rig {
	pthread_mutex_t lock;
	struct pr_machine m;
	size_t arena_size;
	uint64_t backing_limit; /* --backing, bytes of host memory that shm/ data may take */
	uint64_t swap_total, swap_used; /* pages of swap areas; lock */
	uint64_t shm_pages[PR_MAX_NODES * NR_ZONE_TYPES]; /* of shm/ in each zone; lock */
	char machine_text[256]; /* what --machine said */
};
extern struct rig rig;

/* Whose request this thread serves. */
struct caller {
	pid_t pid;
	uid_t uid;
};
extern _Thread_local struct caller rig_caller;

/*
 * Appends a message, of one line or many, to tracing/error_log, which keeps the newest. Call
 * without rig.lock or with it; its own lock is a leaf.
 */
void rig_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
