/* SPDX-License-Identifier: GPL-2.0-or-later */
/* files.h: recordings on disk: single files and archives of them, and their lines. */
#ifndef FILES_H
#define FILES_H

/* A file's text, malloc'ed; NULL if it can't be read. */
char *files_read(const char *path);
/* Its lines, without the newlines, in place; the array is malloc'ed. What follows the last newline is none. */
char **files_lines(char *text, unsigned *nr);
/*
 * Runs each file of the arguments; of an archive (.tar.xz) those whose name ends so, by name. -1 if an
 * archive can't be unpacked.
 */
int files_each(char *const *paths, int nr, const char *ending, void (*run)(const char *path));

#endif
