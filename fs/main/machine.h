/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.h: the machine that --machine names: a shape, this host, or a folder with copies of
 * /proc. */
#ifndef MAIN_MACHINE_H
#define MAIN_MACHINE_H

/*
 * Makes rig.m. What is wrong with the word, or with a file, goes to stderr; so do sentences about
 * files that disagree. 0 or a negative errno. word is written to.
 */
int machine_make(char *word);

#endif
