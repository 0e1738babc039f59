/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.c: names in commands and texts: a byte that would end a word is \ooo, as in /proc/mounts.
 */
#include "tree/tree.h"

#include <errno.h>
#include <string.h>

static bool is_octal(const char *s, unsigned n)
{
	while (n--)
		if (s[n] < '0' || s[n] > '7')
			return false;
	return true;
}

int name_unescape(const char *text, char *name, size_t size)
{
	size_t len = 0;

	for (; *text; text++) {
		unsigned byte = (unsigned char)*text;

		if (byte == '\\') {
			if (strnlen(text, 4) < 4 || !is_octal(text + 1, 3))
				return -EINVAL;
			byte = (unsigned)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
					  (text[3] - '0'));
			if (!byte || byte > 255)
				return -EINVAL;
			text += 3;
		}
		if (len + 1 >= size)
			return -ENAMETOOLONG;
		name[len++] = (char)byte;
	}
	name[len] = 0;
	return 0;
}

void name_print(const char *name, FILE *to)
{
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || *name == '\\' || *name == 0x7f)
			fprintf(to, "\\%03o", (unsigned char)*name);
		else
			fputc(*name, to);
}
