/* SPDX-License-Identifier: GPL-2.0-or-later */
/* error_log.c: tracing/error_log: the newest messages, up to a number and a size. */
#include "native/native.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ENTRIES = 256, MAX_BYTES = 1 << 20 };

/* A ring: entries first .. first + nr - 1. An entry may have many lines. */
static struct {
	pthread_mutex_t lock;
	char *entry[MAX_ENTRIES];
	unsigned first, nr;
	size_t bytes;
} error_log = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void drop_oldest(void)
{
	char **oldest = &error_log.entry[error_log.first];

	error_log.bytes -= strlen(*oldest);
	free(*oldest);
	*oldest = NULL;
	error_log.first = (error_log.first + 1) % MAX_ENTRIES;
	error_log.nr--;
}

void rig_error(const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	pthread_mutex_lock(&error_log.lock);
	while (error_log.nr &&
	       (error_log.nr == MAX_ENTRIES || error_log.bytes + (size_t)n > MAX_BYTES))
		drop_oldest();
	error_log.entry[(error_log.first + error_log.nr++) % MAX_ENTRIES] = text;
	error_log.bytes += (size_t)n;
	pthread_mutex_unlock(&error_log.lock);
}

int error_log_show(const struct place *, FILE *to)
{
	pthread_mutex_lock(&error_log.lock);
	for (unsigned i = 0; i < error_log.nr; i++) {
		const char *text = error_log.entry[(error_log.first + i) % MAX_ENTRIES];
		size_t len = strlen(text);

		fprintf(to, "%s%s", text, len && text[len - 1] == '\n' ? "" : "\n");
	}
	pthread_mutex_unlock(&error_log.lock);
	return 0;
}

int error_log_clear(const struct place *, char *, FILE *, char *)
{
	error_log_exit();
	return 0;
}

void error_log_exit(void)
{
	pthread_mutex_lock(&error_log.lock);
	while (error_log.nr)
		drop_oldest();
	pthread_mutex_unlock(&error_log.lock);
}
