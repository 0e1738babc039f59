/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab.c: digest, check, the error log, and the files that take commands. */
#include "native/native.h"

#include "command/command.h"
#include "native/allocations.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

enum { LOG_LINES = 64, LOG_LINE = 4096 };
static struct {
	pthread_mutex_t lock;
	char line[LOG_LINES][LOG_LINE];
	unsigned long nr;
} error_log = {.lock = PTHREAD_MUTEX_INITIALIZER};

void rig_error(const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&error_log.lock);
	va_start(ap, fmt);
	vsnprintf(error_log.line[error_log.nr++ % LOG_LINES], LOG_LINE, fmt, ap);
	va_end(ap);
	pthread_mutex_unlock(&error_log.lock);
}

int error_log_show(const struct place *at, FILE *to)
{
	unsigned long i;

	pthread_mutex_lock(&error_log.lock);
	i = error_log.nr > LOG_LINES ? error_log.nr - LOG_LINES : 0;
	for (; i < error_log.nr; i++)
		fprintf(to, "%s\n", error_log.line[i % LOG_LINES]);
	pthread_mutex_unlock(&error_log.lock);
	return 0;
}

int error_log_clear(const struct place *at, char *line, FILE *reply, char *why)
{
	pthread_mutex_lock(&error_log.lock);
	error_log.nr = 0;
	pthread_mutex_unlock(&error_log.lock);
	return 0;
}

int lab_digest(const struct place *at, FILE *to)
{
	fprintf(to, "%016llx\n", (unsigned long long)pr_digest(&rig.m));
	return 0;
}

int lab_check(const struct place *at, FILE *to)
{
	char why[WHY_SIZE];

	if (pr_check(&rig.m, why, sizeof(why)))
		fprintf(to, "%s\n", why);
	else
		fprintf(to, "ok\n");
	return 0;
}

int control_store(const struct place *at, char *line, FILE *reply, char *why)
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
	return command_run(line, &(struct command_scope){"free", -1, -1}, reply, why);
}

int allocation_show(const struct place *at, FILE *to)
{
	struct allocation *a = allocation_find(at->name);

	if (!a)
		return -ENOENT;
	allocation_print(a, to);
	return 0;
}

int allocation_remove(const struct place *at)
{
	struct allocation *a = allocation_find(at->name);

	if (!a)
		return -ENOENT;
	allocation_free(a, 0);
	return 0;
}
