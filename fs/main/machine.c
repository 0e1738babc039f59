/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.c: reads what --machine names and makes the machine: the files' side of lab.h. */
#include "main/machine.h"

#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE = 16 << 20, MAX_EXTRA = 100 + 2 * PR_MAX_NODES, HOST_TRIES = 5, WHY = 512 };

/* Where the files of a machine lie. */
struct source {
	const char *proc, *sys_vm, *nodes;
	bool running; /* this host: its clock goes on */
};

struct texts {
	struct pr_import_files files;
	struct pr_import_extra extra[MAX_EXTRA];
	const char *owned[2 * (MAX_EXTRA + 3)]; /* names and texts */
	unsigned nr_owned;
};

static int complain(const char *what, const char *reason)
{
	fprintf(stderr, "pagerig: --machine: %s: %s\n", what, reason);
	return -EINVAL;
}

/* All of a file; /proc's have no size, so read until nothing comes. NULL with errno. */
static char *slurp(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	char *text = NULL;
	size_t room = 0;
	ssize_t n = 1;

	*len = 0;
	if (fd < 0)
		return NULL;
	while (n > 0 && !err) {
		if (room - *len < 65536) {
			char *more = realloc(text, room + (1 << 20) + 1);

			room += 1 << 20;
			if (!more || room > MAX_FILE) {
				err = more ? EFBIG : ENOMEM;
				text = more ? more : text;
				break;
			}
			text = more;
		}
		n = read(fd, text + *len, room - *len);
		if (n > 0)
			*len += (size_t)n;
		else if (n < 0)
			err = errno;
	}
	close(fd);
	if (err) {
		free(text);
		errno = err;
		return NULL;
	}
	text[*len] = 0;
	return text;
}

/* -ENOENT if there is no such file, without a word; other errors are said. */
static int read_text(struct texts *t, struct pr_text *to, const char *folder, const char *name)
{
	char *path = NULL, *text;
	size_t len;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	text = slurp(path, &len);
	if (!text) {
		int err = -errno;

		if (err != -ENOENT && err != -ENOTDIR)
			complain(path, strerror(-err));
		free(path);
		return err == -ENOTDIR ? -ENOENT : err;
	}
	t->owned[t->nr_owned++] = path;
	t->owned[t->nr_owned++] = text;
	*to = (struct pr_text){path, text, len};
	return 0;
}

static void texts_free(struct texts *t)
{
	for (unsigned i = 0; i < t->nr_owned; i++)
		free((char *)t->owned[i]);
	t->nr_owned = 0;
}

/* Not there, an extra file is not missed. */
static int read_extra(struct texts *t, enum pr_extra_kind kind, unsigned node, const char *key,
		      const char *folder, const char *name)
{
	struct pr_import_extra *e = &t->extra[t->files.nr_extra];
	int err;

	if (t->files.nr_extra == MAX_EXTRA)
		return 0;
	*e = (struct pr_import_extra){.kind = kind, .key = key, .node = node};
	err = read_text(t, &e->file, folder, name);
	if (!err)
		t->files.nr_extra++;
	return err == -ENOENT ? 0 : err;
}

static int read_extras(struct texts *t, const struct source *from)
{
	int err = 0;

	for (unsigned i = 0; pr_sysctl_name(i) && !err; i++)
		if (pr_import_sysctl(pr_sysctl_name(i)))
			err = read_extra(t, PR_EXTRA_SYSCTL, 0, pr_sysctl_name(i), from->sys_vm,
					 pr_sysctl_name(i));
	for (unsigned n = 0; n < PR_MAX_NODES && !err; n++) {
		char name[40];

		snprintf(name, sizeof(name), "node%u/cpulist", n);
		err = read_extra(t, PR_EXTRA_CPULIST, n, "cpulist", from->nodes, name);
		snprintf(name, sizeof(name), "node%u/distance", n);
		if (!err)
			err = read_extra(t, PR_EXTRA_DISTANCE, n, "distance", from->nodes, name);
	}
	return err;
}

static int read_texts(struct texts *t, const struct source *from)
{
	/* in this order, as close together as can be: the machine may be running */
	struct pr_text *to[] = {&t->files.zoneinfo, &t->files.buddyinfo, &t->files.pagetypeinfo};
	const char *name[] = {"zoneinfo", "buddyinfo", "pagetypeinfo"};

	memset(t, 0, sizeof(*t));
	t->files.extra = t->extra;
	t->files.clock_stopped = !from->running;
	for (unsigned i = 0; i < 3; i++) {
		int err = read_text(t, to[i], from->proc, name[i]);

		if (err == -ENOENT) {
			char path[PATH_MAX];

			snprintf(path, sizeof(path), "%s/%s", from->proc, name[i]);
			return complain(
				path,
				"no such file; a machine is zoneinfo, buddyinfo and pagetypeinfo "
				"(copied from /proc by root), and sys_vm/ if you have it");
		}
		if (err)
			return err;
	}
	return read_extras(t, from);
}

static int make_arena(const struct pr_spec *spec)
{
	int err;

	rig.arena_size = pr_machine_size(spec);
	rig.m.arena = mmap(NULL, rig.arena_size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	err = rig.m.arena == MAP_FAILED
		      ? -ENOMEM
		      : pr_machine_create(&rig.m, rig.m.arena, rig.arena_size, spec);
	if (err)
		fprintf(stderr, "pagerig: --machine: the host can't hold it: %s\n", strerror(-err));
	return err;
}

/* Reads and judges. A machine that runs is asked again until what it says fits together. */
static int judge(struct texts *t, const struct source *from, struct pr_import **im)
{
	char why[WHY] = "";
	int err, tries = from->running ? HOST_TRIES : 1;

	for (;;) {
		err = read_texts(t, from);
		if (err)
			return err;
		err = pr_import_new(&t->files, im, why, sizeof(why));
		if (!--tries || (!err && !pr_import_warning(*im, 0)))
			break;
		pr_import_free(*im);
		texts_free(t);
	}
	if (err)
		fprintf(stderr, "pagerig: --machine: %s\n", why);
	for (unsigned i = 0; !err && pr_import_warning(*im, i); i++)
		fprintf(stderr, "pagerig: --machine: warning: %s\n", pr_import_warning(*im, i));
	return err;
}

static int import_from(const struct source *from)
{
	struct pr_import *im = NULL;
	struct texts t = {.nr_owned = 0};
	char why[WHY] = "";
	int err = judge(&t, from, &im);

	if (!err)
		err = make_arena(pr_import_spec(im));
	if (!err) {
		err = pr_import_fill(im, &rig.m, why, sizeof(why));
		if (err)
			fprintf(stderr, "pagerig: --machine: %s\n", why);
	}
	pr_import_free(im);
	texts_free(&t);
	return err;
}

static int from_folder(const char *folder)
{
	char sys_vm[PATH_MAX], nodes[PATH_MAX];
	struct source from = {.proc = folder, .sys_vm = sys_vm, .nodes = nodes};

	if (snprintf(sys_vm, sizeof(sys_vm), "%s/sys_vm", folder) >= (int)sizeof(sys_vm) ||
	    snprintf(nodes, sizeof(nodes), "%s/node", folder) >= (int)sizeof(nodes))
		return complain(folder, strerror(ENAMETOOLONG));
	return import_from(&from);
}

/* -o takes commas for itself: there the shape's are written as colons. */
static void colons_to_commas(char *shape)
{
	for (char *p = shape; (p = strchr(p, ':')); p++)
		if (strchr("cmd", p[1])) /* the next key, not the next distance */
			*p = ',';
}

static int from_shape(char *word)
{
	struct pr_spec spec;
	char why[WHY];
	int err;

	colons_to_commas(word);
	err = pr_spec_parse(word, &spec, why, sizeof(why));
	if (err) {
		fprintf(stderr, "pagerig: --machine: %s\n", why);
		return err;
	}
	err = make_arena(&spec);
	pr_spec_free(&spec);
	return err;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* It is no folder, and does not begin as a size does. */
static int neither(const char *word)
{
	struct pr_near near = {.word = word, .len = strlen(word)};

	if (!access(word, F_OK))
		return complain(word,
				"is not a folder; give the one that holds zoneinfo, buddyinfo and "
				"pagetypeinfo");
	if (strchr(word, '/'))
		return complain(word, strerror(errno));
	pr_near_try(&near, "host");
	if (near.distance <= 2)
		return complain(word, "the nearest is host");
	return complain(
		word, "neither a shape (1G, 2x4G,cpus=8), nor 'host', nor a folder with copies of "
		      "/proc's zoneinfo, buddyinfo and pagetypeinfo");
}

int machine_make(char *word)
{
	static const struct source host = {"/proc", "/proc/sys/vm", "/sys/devices/system/node",
					   true};
	bool size = *word >= '0' && *word <= '9';

	if (!strcmp(word, "host"))
		return import_from(&host);
	if (size && !strchr(word, '/'))
		return from_shape(word);
	for (char *p = word; !is_folder(word) && (p = strchr(p, ':'));)
		*p = ','; /* in -o the commas of a path are colons, as a shape's are */
	if (is_folder(word))
		return from_folder(word);
	return neither(word);
}
