/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command: the one grammar of control writes: VERB [KEY=VALUE]…; errors name the word at fault. */
#ifndef COMMAND_H
#define COMMAND_H

#include "tree/tree.h"

/* What the file that was written to fixes; -1: free. */
struct command_scope {
	const char *verb; /* NULL: the line says it */
	int node, zone;
};
/* Carries out one line under rig.lock. 0 or -errno with a sentence in why. */
int command_run(char *line, const struct command_scope *scope, FILE *reply, char *why);

#endif
