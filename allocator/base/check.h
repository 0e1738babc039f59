/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check.h: the parts of the checker and the digest that are about user memory. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <pagerig/machine.h>

/* 0, or -EUCLEAN with a sentence in why. */
int check_lru(const struct pr_machine *m, char *why, size_t size);
/* Writes the sentence; -EUCLEAN. */
int check_say(char *why, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Calls add for all that decides what reclaim does next. */
void digest_lru(const struct pr_machine *m,
		void (*add)(void *ctx, const void *data, size_t size), void *ctx);

#endif
