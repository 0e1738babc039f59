/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reclaim: the engine's kswapds as threads, one a node, and the files that show and drive reclaim.
 * A thread makes one step at a time under rig.lock, so nobody waits long for it. A node's thread does
 * kcompactd's work, too.
 */
#ifndef FS_RECLAIM_H
#define FS_RECLAIM_H

#include "tree/tree.h"

/* The threads; 0 or -errno. Wakes by the engine go on to `also` (shm's own reclaim), too. */
int kswapd_start(void);
void kswapd_stop(void);
/* pr_host.wake_kswapd: from anywhere, with any lock. */
void kswapd_wake(void *ctx, unsigned node, unsigned order, enum zone_type highest);

int node_lru(const struct place *at, FILE *to);
int node_kswapd(const struct place *at, FILE *to);
int node_reclaim_store(const struct place *at, char *line, FILE *reply, char *why);
/* compact.c */
int node_compact_store(const struct place *at, char *line, FILE *reply, char *why);
int zone_compact_store(const struct place *at, char *line, FILE *reply, char *why);
int compact_memory_store(const struct place *at, char *line, FILE *reply, char *why);
int node_kcompactd(const struct place *at, FILE *to);
int zone_compaction(const struct place *at, FILE *to);
int drop_caches_store(const struct place *at, char *line, FILE *reply, char *why);

#endif
