/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay: lab/replay, the file that takes a trace. One replay at a time; under rig.lock. */
#ifndef NATIVE_REPLAY_H
#define NATIVE_REPLAY_H

#include "tree/tree.h"

int replay_show(const struct place *at, FILE *to);
/* A piece of the text; `first`: a new replay begins, the pages of the last one are given back. */
int replay_stream(const char *buf, size_t size, bool first, char *why);
/* The file is closed: complains about half a line. */
int replay_end(char *why);
void replay_exit(void);

#endif
