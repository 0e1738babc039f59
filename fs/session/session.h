/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session: FUSE's requests for the tree; those below shm/ go on to shm_ops. */
#ifndef SESSION_H
#define SESSION_H

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

extern const struct fuse_lowlevel_ops session_ops;

#endif
