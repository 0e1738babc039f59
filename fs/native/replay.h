/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay: lab/replay, the file that takes a trace, and lab/reference, the free blocks it is
 * compared with. One writer of each at a time; all under rig.lock, which is let go after each
 * piece of text: who reads meanwhile sees how far it is.
 */
#ifndef NATIVE_REPLAY_H
#define NATIVE_REPLAY_H

#include "tree/tree.h"

int replay_show(const struct place *at, FILE *to);
/* A piece of the text; `first`: a new replay begins, the pages of the last one are given back. */
int replay_stream(const void *writer, const char *buf, size_t size, bool first, char *why);
/* The file is closed: complains about half a line. */
int replay_end(const void *writer, char *why);
void replay_exit(void);

int reference_show(const struct place *at, FILE *to);
int reference_stream(const void *writer, const char *buf, size_t size, bool first, char *why);
int reference_end(const void *writer, char *why);

#endif
