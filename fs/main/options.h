/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options: the command line. One table says what is known; a sentence says what is wrong. */
#ifndef MAIN_OPTIONS_H
#define MAIN_OPTIONS_H

#include "session/session.h"

struct options {
	char *machine, *backing; /* malloc'ed, NULL if not given */
	char *swap[8];		 /* as many as were given */
	unsigned nr_swaps;
	char *mountpoint;	 /* absolute; NULL with -h and -V */
	int help, version, foreground, debug, single;
};

/*
 * Takes ours out of args, so that libfuse's own stay, and checks the mount point. 0, or -1 after a
 * sentence on stderr. options_free in both cases.
 */
int options_parse(struct fuse_args *args, struct options *o);
void options_free(struct options *o);
void options_help(const char *program);
/* "512M" in bytes; NULL: half of what the host has free. 0 or -EINVAL. */
int options_size(const char *text, uint64_t *bytes);

#endif
