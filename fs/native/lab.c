/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab.c: digest, check, the error log, and the files that take commands. */
#include "native/native.h"

#include "command/command.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int lab_digest(const struct place *, FILE *to)
{
	fprintf(to, "%016llx\n", (unsigned long long)pr_digest(&rig.m));
	return 0;
}

int lab_check(const struct place *, FILE *to)
{
	char why[WHY_SIZE];

	if (pr_check(&rig.m, why, sizeof(why)))
		fprintf(to, "%s\n", why);
	else
		fprintf(to, "ok\n");
	return 0;
}

int control_store(const struct place *, char *line, FILE *reply, char *why)
{
	return command_run(line, &(struct command_scope){NULL, -1, -1}, reply, why);
}

int node_alloc(const struct place *at, char *line, FILE *reply, char *why)
{
	return command_run(line, &(struct command_scope){"alloc", at->node, -1}, reply, why);
}

int zone_alloc(const struct place *at, char *line, FILE *reply, char *why)
{
	return command_run(line, &(struct command_scope){"alloc", at->node, at->zone}, reply, why);
}

int node_free(const struct place *at, char *line, FILE *reply, char *why)
{
	return command_run(line, &(struct command_scope){"free", at->node, -1}, reply, why);
}

int zone_free(const struct place *at, char *line, FILE *reply, char *why)
{
	return command_run(line, &(struct command_scope){"free", at->node, at->zone}, reply, why);
}
