/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c: pagerig [options] MOUNTPOINT: the machine is made, mounted, served and taken down. */
#include "main/mount.h"
#include "session/handle.h"
#include "session/inodes.h"
#include "shm/shm.h"

#include "native/allocations.h"
#include "native/native.h"
#include "native/replay.h"
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct rig rig = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void report(void *ctx, const char *text)
{
	rig_error("%s", text);
}

/* -o takes commas for itself: there the shape's are written as colons. */
static void colons_to_commas(char *shape)
{
	for (char *p = shape; (p = strchr(p, ':')); p++)
		if (strchr("cmd", p[1])) /* the next key, not the next distance */
			*p = ',';
}

static int make_machine(char *shape)
{
	struct pr_spec spec;
	char why[256];
	void *arena;
	int err;

	colons_to_commas(shape);
	err = pr_spec_parse(shape, &spec, why, sizeof(why));
	if (err) {
		fprintf(stderr, "pagerig: --machine: %s\n", why);
		return err;
	}
	rig.arena_size = pr_machine_size(&spec);
	arena = mmap(NULL, rig.arena_size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	err = arena == MAP_FAILED ? -ENOMEM
				  : pr_machine_create(&rig.m, arena, rig.arena_size, &spec);
	pr_spec_free(&spec);
	if (err)
		fprintf(stderr, "pagerig: --machine: the host can't hold it: %s\n", strerror(-err));
	rig.m.host.report = report;
	return err;
}

static int run(struct fuse_args *args, struct options *o)
{
	int err;

	if (options_size(o->backing, &rig.backing_limit)) {
		fprintf(stderr, "pagerig: --backing: '%s' is not a size such as 512M\n", o->backing);
		return 1;
	}
	if (!o->machine)
		o->machine = strdup("1G");
	if (!o->machine || make_machine(o->machine))
		return 1;
	err = shm_init(rig.backing_limit);
	if (err) {
		fprintf(stderr, "pagerig: no memory for shm/: %s\n", strerror(-err));
		return 1;
	}
	fuse_opt_add_arg(args, "-odefault_permissions,fsname=pagerig,subtype=pagerig");
	err = mount_and_serve(args, o);
	handles_exit();
	replay_exit();
	allocations_exit();
	shm_exit();
	inodes_exit();
	error_log_exit();
	munmap(rig.m.arena, rig.arena_size);
	return err;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct options o = {0};
	int ret = 1;

	if (!options_parse(&args, &o)) {
		ret = 0;
		if (o.help) {
			options_help(args.argv[0]);
		} else if (o.version) {
			printf("pagerig 0.1.0 (Linux 6.12's page allocator)\n");
			fuse_lowlevel_version();
		} else {
			ret = run(&args, &o);
		}
	}
	options_free(&o);
	fuse_opt_free_args(&args);
	return ret;
}
