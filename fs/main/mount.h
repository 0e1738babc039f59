/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mount: from a mount point to a mount that serves, and its end. */
#ifndef MAIN_MOUNT_H
#define MAIN_MOUNT_H

#include "main/options.h"

/* Absolute path (malloc'ed) of a directory that can be mounted on, or NULL after a sentence. */
char *mount_point_check(const char *path);
/*
 * Mounts, goes into the background once the mount serves (unless o says foreground), and serves
 * until the end: unmounted or told by SIGTERM, SIGINT, SIGHUP. The exit status. Starts a process:
 * threads and files that must not be shared come later than this call.
 */
int mount_and_serve(struct fuse_args *args, const struct options *o);

#endif
