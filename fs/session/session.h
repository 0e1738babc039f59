/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session: FUSE's requests for the tree; those below shm/ go on to shm_ops. */
#ifndef SESSION_H
#define SESSION_H

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

/*
 * Serves with so many threads until the mount is gone or a signal told it to end; then calls stop,
 * and only after it ends the threads: what stop waits for may need an answer. 0 or -errno.
 */
int session_serve(struct fuse_session *se, unsigned threads, void (*stop)(void));

extern const struct fuse_lowlevel_ops session_ops;

#endif
