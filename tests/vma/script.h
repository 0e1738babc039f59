/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script: rows of memory system calls: read from text, made from a seed, run in a task of the
 * engine or, in a process of its own, by this machine's kernel (real.c).
 */
#ifndef TESTS_VMA_SCRIPT_H
#define TESTS_VMA_SCRIPT_H

#include <pagerig/mm.h>

#include <errno.h>
#include <stdio.h>
#include <sys/types.h>

enum call_kind {
	CALL_MMAP,
	CALL_MUNMAP,
	CALL_MPROTECT,
	CALL_MREMAP,
	CALL_BRK,
	CALL_MADVISE,
	CALL_MLOCK,
	CALL_MLOCK2,
	CALL_MUNLOCK,
	CALL_MLOCKALL,
	CALL_MUNLOCKALL,
	CALL_WRITE,
	CALL_READ,
	NR_CALLS,
};
struct call {
	enum call_kind kind;
	uint64_t arg[6];
	uint64_t recorded; /* the result that strace saw */
	bool has_recorded, recorded_failed;
	char path[128]; /* of its descriptor, if strace -y says */
	char name[32];	/* what its result is called from now on */
};
const char *call_name(enum call_kind kind);
unsigned call_args(enum call_kind kind);
void call_print(const struct call *c, FILE *to);

/* Names and recorded addresses that stand for addresses of the task. */
struct script {
	struct {
		char name[32];
		uint64_t value;
	} names[256];
	unsigned nr_names;
	struct {
		uint64_t from, len, to;
	} moved[4096];
	unsigned nr_moved;
	uint32_t files[256]; /* that were mapped, 0 behind the last */
};
/* The file of that name: its index, made if need be, or -ENFILE. */
int script_file(struct script *s, struct pr_vm *vm, const char *name);
/* 1: a call; 0: nothing to do in this line; -EINVAL with a sentence in why. */
int script_parse(struct script *s, const char *line, struct call *c, char *why, size_t size);
/* After a call: what its result means for later lines. */
void script_result(struct script *s, const struct call *c, int64_t result);
/* Makes the call in the engine: an address or 0, or -errno. */
int64_t script_call(struct script *s, struct pr_vm *vm, int mm, const struct call *c);

/* A line of /proc/PID/maps is an area that exec made: 1, or 0 if it is no such line; -errno. */
int script_place(struct script *s, struct pr_vm *vm, int mm, const char *line);
/*
 * A program's first maps, calls, and behind "# end" its last maps: 0 if the task ends with the
 * same; -EILSEQ and a sentence if not.
 */
int program_run(struct script *s, struct pr_vm *vm, int mm, FILE *in, char *why, size_t size);

/* A window of address space outside of which nothing is free. */
struct window {
	uint64_t start, size;
};
extern const struct window default_window;
/* An engine of one task that has the window; free(vm->arena). */
int window_task(struct pr_vm *vm, const struct window *w);
/* The areas of the window as lines of maps without device and inode. */
void window_maps(const struct pr_vm *vm, int mm, const struct window *w, char *buf, size_t size);

/* A child process with such a window, and the kernel's answers. */
struct real {
	pid_t pid;
	int to, from;
	bool brk; /* its heap is in the window, too */
};
int real_start(struct real *r, const struct window *w); /* 0 or -errno */
int64_t real_call(struct real *r, const struct call *c);
void real_maps(const struct real *r, const struct window *w, char *buf, size_t size);
void real_end(struct real *r);
/* uname's release as 612 for 6.12. */
unsigned real_release(void);
bool real_pkeys(void); /* protection keys are in use */

/*
 * False for what kernels after 6.12 do otherwise: a move of several areas at once (6.12 refuses
 * it), and MREMAP_DONTUNMAP of a part of a locked area (some forget to cut it, and unlock the
 * whole).
 */
bool call_is_612(const struct pr_vm *vm, int mm, const struct call *c);
/* The same answer; behind the end of a file the kernel, asked by a system call, says EFAULT. */
static inline bool same_answer(const struct call *c, int64_t engine, int64_t real)
{
	bool touch = c->kind == CALL_WRITE || c->kind == CALL_READ;

	return engine == real || (touch && engine == -EIO && real == -EFAULT);
}
/* A random call inside the window. */
struct rng;
void random_call(struct rng *rng, const struct window *w, bool brk, struct call *c);

#endif
